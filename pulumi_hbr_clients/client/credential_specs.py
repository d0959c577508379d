"""One source of credentials, taken whole: how to get them and where that was said, or an error that names the gap.

Every source is described in the terms of the Alibaba CLI's profiles: a mode and its fields. Keys of the environment
are mode AK, an instance's role is mode EcsRamRole, and so on, so that one table says what makes a source whole.
Values are secrets: they appear in no text and no repr.

Profiles and credentials.ini are read here, as UTF-8: the library would read the CLI's file in the locale's encoding and
stumble over a byte order mark. A file that is not there is no error; one that cannot be read is named with the reason.
"""

import configparser
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pulumi_hbr_clients.model.configuration import AssumeRole
from pulumi_hbr_clients.model.errors import CredentialsError
from pulumi_hbr_clients.protocol.signing import Credentials

Profile = Mapping[str, Any]
_KEYS: Final = ("access_key_id", "access_key_secret")
MODES: Final[Mapping[str, tuple[str, ...]]] = {
    "AK": _KEYS,
    "StsToken": (*_KEYS, "sts_token"),
    "RamRoleArn": ("ram_role_arn",),
    "ChainableRamRoleArn": ("source_profile", "ram_role_arn"),
    "RamRoleArnWithRoleName": ("ram_role_name", "ram_role_arn"),
    "EcsRamRole": (),
    "OIDC": ("oidc_token_file", "oidc_provider_arn", "ram_role_arn"),
    "CredentialsURI": ("credentials_uri",),
    "External": ("process_command",),
    "CloudSSO": ("cloud_sso_sign_in_url", "cloud_sso_account_id", "cloud_sso_access_config", "access_token"),
    "OAuth": ("oauth_refresh_token",),
}
"""The modes that can sign, and what each needs (aliyun-cli config/profile.go)."""
CREDENTIAL_FIELDS: Final = frozenset(name for names in MODES.values() for name in names)
"""A profile without any of them holds no credentials."""
GIVEN: Final = "Given"
"""The mode of a source that a program made itself and handed over."""
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
class CredentialSpec:
    """How to get one caller's credentials. Equal for equal settings, so it serves as a key."""

    mode: str
    source: str
    """Where it was named, in words."""
    fields: tuple[tuple[str, Any], ...] = field(default=(), repr=False)
    base: "CredentialSpec | None" = None
    """Who assumes the role, where the mode is RamRoleArn."""
    file: Path | None = None
    """The file and the profile that it came from, to be read again when it has expired."""
    profile: str | None = None
    is_fallback: bool = False
    """Whether nobody named it: the metadata service, asked because nothing was found."""

    def get(self, name: str) -> Any:
        """A field, None if it is not set."""
        return dict(self.fields).get(name)

    @property
    def keys(self) -> Credentials | None:
        """The credentials themselves, where the source holds them."""
        if self.mode not in {"AK", "StsToken"}:
            return None
        return Credentials(self.get("access_key_id"), self.get("access_key_secret"), self.get("sts_token"))

    @property
    def label(self) -> str:
        """Where the credentials come from, without any of their values; a role's ARN is none of them."""
        if self.mode == "RamRoleArn" and self.base is not None:
            return f"role {self.get('ram_role_arn')} ({self.source}), assumed by {self.base.label}"
        return self.source


@dataclass(frozen=True, slots=True)
class GivenSource:
    """A program's own source of credentials: the same only as itself."""

    source: Any = field(compare=False, repr=False)
    identity: int


def clean(value: Any, name: str) -> str:
    """A key or token without white space at its ends. Raises `CredentialsError` for what no HTTP header can hold.

    RFC 9110, 5.5: a field value holds visible characters and spaces. The name is the setting's, the value never shown.
    """
    if not isinstance(value, str):
        raise CredentialsError(f"{name} must be text, not {type(value).__name__}")
    text = value.strip()
    if not all(" " <= character <= "~" for character in text):
        raise CredentialsError(
            f"{name} holds a line break or another character that an HTTP header cannot hold: set it again"
        )
    return text


def whole(mode: str, fields: Mapping[str, Any], source: str, names: Mapping[str, str] | None = None) -> CredentialSpec:
    """A source that has all it needs. Raises `CredentialsError` naming what is missing; `names` has the settings'."""
    names = names or {}
    given = {name: value for name, value in fields.items() if value is not None and value != ""}
    for name in (*_KEYS, "sts_token"):
        if name in given:
            given[name] = clean(given[name], names.get(name, f"{name} of {source}"))
    given = {name: value for name, value in given.items() if isinstance(value, str | int | float) and value != ""}
    if missing := " and ".join(names.get(name, name) for name in MODES[mode] if not given.get(name)):
        also = " and ".join(names.get(name, name) for name in given if name in MODES[mode] or name in names)
        has = f" although {also} is" if also else ""
        raise CredentialsError(f"{source}: {missing} is not set{has}. Set both in one place, or none")
    if mode == "AK" and given.get("sts_token"):
        mode = "StsToken"
    return CredentialSpec(mode, source, tuple(sorted(given.items())))


def with_role(base: CredentialSpec, role: AssumeRole, source: str) -> CredentialSpec:
    """The credentials of a role that `base` assumes. Raises `CredentialsError` if it is a program's own source."""
    if base.mode == GIVEN:
        raise CredentialsError(f"{source}: a role is assumed with credentials, not with a source of the program's own")
    fields = {
        "ram_role_arn": role.role_arn,
        "ram_session_name": role.session_name,
        "expired_seconds": role.session_expiration,
        "policy": role.policy,
        "external_id": role.external_id,
    }
    return replace(whole("RamRoleArn", fields, source), base=base)


def from_profile(
    file: Path, found: Mapping[str, Profile], name: str, source: str, behind: tuple[str, ...] = ()
) -> CredentialSpec:
    """A profile of the CLI, which assumes a role with the profile `behind` it or on its own.

    Raises `CredentialsError` if it is not there, not whole, or cannot sign.
    """
    place = f"profile {name} in {file}"
    if name in behind:
        raise CredentialsError(f"{place}: its source_profile leads back to itself ({' → '.join((*behind, name))})")
    if name not in found:
        there = f"; it has {', '.join(found)}" if found else ""
        raise CredentialsError(f"{source or 'the current profile'}: there is no {place}{there}")
    fields, mode = found[name], found[name].get("mode") or "AK"
    if mode not in MODES:
        raise CredentialsError(f"{place}: its mode {mode!r} cannot sign these requests")
    spec = whole(mode, fields, f"{place} ({source})" if source else place)
    base = None
    if mode == "ChainableRamRoleArn":
        base = from_profile(file, found, fields["source_profile"], "", (*behind, name))
    elif mode == "RamRoleArnWithRoleName":
        base = whole("EcsRamRole", {"ram_role_name": fields["ram_role_name"]}, place)
    elif mode == "RamRoleArn":
        base = _own_keys(fields, place)
    return replace(spec, mode="RamRoleArn" if base else spec.mode, base=base, file=file, profile=name)


def _own_keys(fields: Profile, place: str) -> CredentialSpec:
    return whole("AK", {key: fields.get(key) for key in (*_KEYS, "sts_token")}, place)


def from_ini(file: Path, name: str) -> CredentialSpec | None:
    """A section of credentials.ini, None if it is not there.

    Raises `CredentialsError` if the file cannot be read, or the section is not whole or cannot sign.
    """
    parser, text = configparser.ConfigParser(interpolation=None), read_text(file)
    if text is None or text.lstrip().startswith("{"):
        return None
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise CredentialsError(f"{file} cannot be read: {type(error).__name__}") from None
    if name not in parser:
        return None
    section = {key: value.partition("#")[0].strip() for key, value in parser[name].items()}
    place = f"[{name}] in {file}"
    mode = _INI_TYPES.get(section.get("type", ""))
    if mode is None:
        raise CredentialsError(f"{place}: its type {section.get('type')!r} cannot sign these requests")
    fields = {_INI_FIELDS.get(key, key): value for key, value in section.items() if key != "type"}
    spec = whole(mode, fields, place)
    return replace(spec, base=_own_keys(fields, place)) if mode == "RamRoleArn" else spec


def read_again(spec: CredentialSpec) -> CredentialSpec:
    """The same profile as the file has it now: somebody may have renewed it. Raises `CredentialsError`."""
    if spec.file is None or spec.profile is None:
        return spec
    text = read_text(spec.file)
    if text is None:
        raise CredentialsError(f"{spec.file} is gone")
    again = from_profile(spec.file, parse_cli_file(spec.file, text)[1], spec.profile, "")
    return replace(again, source=spec.source)


def home(environment: Mapping[str, str]) -> Path:
    """The home directory; `~` itself where there is none, as for a user id without an account."""
    if named := environment.get("HOME") or environment.get("USERPROFILE"):
        return Path(named)
    try:
        return Path.home()
    except RuntimeError:
        return Path("~")


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


def parse_cli_file(path: Path, text: str) -> tuple[str | None, dict[str, Profile]]:
    """The current profile's name, and the profiles by name. Raises `CredentialsError` naming the file."""
    try:
        content = json.loads(text)
    except ValueError as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "unreadable number"
        raise CredentialsError(f"{path} cannot be read: it is not JSON ({where})") from None
    profiles = content.get("profiles") if isinstance(content, dict) else None
    if not isinstance(profiles, list) or not all(isinstance(profile, dict) for profile in profiles):
        raise CredentialsError(f"{path} cannot be read: it has no list of profiles")
    current = content.get("current")
    # the first of a name counts, as for the CLI
    by_name = {name: profile for profile in reversed(profiles) if isinstance(name := profile.get("name"), str)}
    return (current if isinstance(current, str) and current else None), by_name
