"""Profiles of the Alibaba CLI's file, and sections of credentials.ini: a file → credential specs.

Read here, as UTF-8: the library would read the CLI's file in the locale's encoding and stumble over a byte order mark.
A file that is not there is no error; one that cannot be read is named with the reason.
"""

import configparser
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pulumi_hbr_clients.client.credential_specs import KEY_FIELDS, MODES, CredentialSpec, whole
from pulumi_hbr_clients.model.errors import CredentialsError

_CREDENTIAL_FIELDS: Final = frozenset(name for names in MODES.values() for name in names)
_INI_TYPES: Final = {
    "access_key": "AK",
    "ram_role_arn": "RamRoleArn",
    "oidc_role_arn": "OIDC",
    "ecs_ram_role": "EcsRamRole",
}
_INI_FIELDS: Final = {
    "role_arn": "ram_role_arn",
    "role_session_name": "ram_session_name",
    "oidc_token_file_path": "oidc_token_file",
    "role_name": "ram_role_name",
}


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """The Alibaba CLI's file."""

    path: Path
    current: str | None
    """The name of the current profile."""
    profiles: Mapping[str, Mapping[str, Any]] = field(repr=False)
    """By name; the first of a name counts, as for the CLI."""

    @classmethod
    def read(cls, path: Path) -> "ProfileFile | None":
        """None if there is no such file. Raises `CredentialsError` naming it."""
        if (text := read_text(path)) is None:
            return None
        try:
            content = json.loads(text)
        except ValueError as error:
            where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "unreadable number"
            raise CredentialsError(f"{path} cannot be read: it is not JSON ({where})") from None
        profiles = content.get("profiles") if isinstance(content, dict) else None
        if not isinstance(profiles, list) or not all(isinstance(profile, dict) for profile in profiles):
            raise CredentialsError(f"{path} cannot be read: it has no list of profiles")
        current = content.get("current")
        by_name = {name: profile for profile in reversed(profiles) if isinstance(name := profile.get("name"), str)}
        return cls(path, current if isinstance(current, str) and current else None, by_name)

    def region_of(self, name: str) -> str | None:
        """The region that a profile names."""
        region = self.profiles.get(name, {}).get("region_id")
        return region.strip() or None if isinstance(region, str) else None

    def has_credentials(self, name: str) -> bool:
        """Whether a profile holds any, or a part of them."""
        return any(self.profiles[name].get(key) for key in _CREDENTIAL_FIELDS)

    def spec(self, name: str, source: str, behind: tuple[str, ...] = ()) -> CredentialSpec:
        """The credentials of a profile, which assumes a role with the profile `behind` it or on its own.

        Raises `CredentialsError` if it is not there, not whole, or cannot sign.
        """
        place = f"profile {name} in {self.path}"
        if name in behind:
            raise CredentialsError(f"{place}: its source_profile leads back to itself ({' → '.join((*behind, name))})")
        if name not in self.profiles:
            there = f"; it has {', '.join(self.profiles)}" if self.profiles else ""
            raise CredentialsError(f"{source or 'the current profile'}: there is no {place}{there}")
        fields = self.profiles[name]
        mode = fields.get("mode") or "AK"
        if mode not in MODES:
            raise CredentialsError(f"{place}: its mode {mode!r} cannot sign these requests")
        spec, base = whole(mode, f"{place} ({source})" if source else place, fields), None
        if mode == "ChainableRamRoleArn":
            base = self.spec(fields["source_profile"], "", (*behind, name))
        elif mode == "RamRoleArnWithRoleName":
            base = whole("EcsRamRole", place, {"ram_role_name": fields["ram_role_name"]})
        elif mode == "RamRoleArn":
            base = _keys(fields, place)
        return replace(spec, mode="RamRoleArn" if base else spec.mode, base=base, file=self.path, profile=name)


def _keys(fields: Mapping[str, Any], place: str) -> CredentialSpec:
    return whole("AK", place, {name: fields.get(name) for name in KEY_FIELDS})


def from_ini(path: Path, name: str) -> CredentialSpec | None:
    """A section of credentials.ini, None if it is not there.

    Raises `CredentialsError` if the file cannot be read, or the section is not whole or cannot sign.
    """
    parser, text = configparser.ConfigParser(interpolation=None), read_text(path)
    if text is None or text.lstrip().startswith("{"):
        return None
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise CredentialsError(f"{path} cannot be read: {type(error).__name__}") from None
    if name not in parser:
        return None
    section = {key: value.partition("#")[0].strip() for key, value in parser[name].items()}
    place = f"[{name}] in {path}"
    mode = _INI_TYPES.get(section.get("type", ""))
    if mode is None:
        raise CredentialsError(f"{place}: its type {section.get('type')!r} cannot sign these requests")
    fields = {_INI_FIELDS.get(key, key): value for key, value in section.items() if key != "type"}
    spec = whole(mode, place, fields)
    return replace(spec, base=_keys(fields, place)) if mode == "RamRoleArn" else spec


def read_again(spec: CredentialSpec) -> CredentialSpec:
    """The same profile as the file has it now: somebody may have renewed it. Raises `CredentialsError`."""
    if spec.file is None or spec.profile is None:
        return spec
    file = ProfileFile.read(spec.file)
    if file is None:
        raise CredentialsError(f"{spec.file} is gone")
    return replace(file.spec(spec.profile, ""), source=spec.source)


def home(environment: Mapping[str, str]) -> Path:
    """The home directory; `~` itself where there is none, as for a user id without an account."""
    return Path(environment.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111  pathlib raises where there is none


def expanded(path: str, environment: Mapping[str, str]) -> Path:
    """A path as it was set, `~` replaced."""
    return home(environment) / path[2:] if path.startswith("~/") else Path(path)


def read_text(path: Path) -> str | None:
    """The text of a file, None if there is none. Raises `CredentialsError` naming it."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from None
    except UnicodeDecodeError:
        raise CredentialsError(f"{path} cannot be read: it is not UTF-8") from None
