"""Every place where a setting is looked for, in order, and what it says. For the doctor, who shows them.

`settings.Settings` names the places of region, network and endpoint itself. The order for keys is that of
`credentials`, followed by alibabacloud-credentials 1.0's default chain; tests hold them together. Values that are
secrets never come out of here.
"""

import configparser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pulumi_hbr_clients.client.settings import Setting, Settings
from pulumi_hbr_clients.model.configuration import KEY_VARIABLES
from pulumi_hbr_clients.model.errors import ValidationIssue
from pulumi_hbr_clients.protocol.endpoints import address

_OIDC: Final = (
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "ALIBABA_CLOUD_ROLE_ARN",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place and what it says: None is nothing. `note` is what else is to be known."""

    name: str
    value: str | None
    note: str = ""

    @property
    def found(self) -> bool:
        """Whether it says something."""
        return self.value is not None


def looked(settings: Settings, key: str) -> list[Place]:
    """Where region, network or endpoint is looked for."""
    return [_place(settings, key, setting) for setting in settings.places(key)]


def _place(settings: Settings, key: str, setting: Setting) -> Place:
    name = f"--{key}" if setting.source == "argument" else _at_home(setting.source, settings.environment)
    note = "only inside a Pulumi program" if setting.source.startswith("Pulumi config") else ""
    return Place(name, _shown(key, setting.value), note)


def _shown(key: str, value: str | None) -> str | None:
    """An address may have been given with a password in it."""
    hidden = key == "endpoint" and value is not None and isinstance(address(value), ValidationIssue) and "@" in value
    return "(holds a user or a password)" if hidden else value


def _at_home(text: str, environment: Mapping[str, str]) -> str:
    return text.replace(environment.get("HOME") or str(Path.home()), "~", 1)


def of_keys(settings: Settings) -> list[Place]:
    """Where keys are looked for."""
    if settings.arguments.get("profile"):
        return [_cli_profile(settings)]
    return [*_variables(settings.environment), _oidc(settings.environment), _cli_profile(settings), *_rest(settings)]


def _variables(environment: Mapping[str, str]) -> Iterator[Place]:
    key_id, *secrets = KEY_VARIABLES
    value = environment.get(key_id)
    yield Place(f"environment {key_id}", masked(value) if value else None)
    for name in secrets:
        yield Place(f"environment {name}", "set, not shown" if environment.get(name) else None)


def _oidc(environment: Mapping[str, str]) -> Place:
    complete = all(environment.get(name) for name in _OIDC)
    return Place(f"environment {', '.join(_OIDC)}", "all set" if complete else None)


def _cli_profile(settings: Settings) -> Place:
    profile = settings.profile()
    note = "" if settings.profile_file().exists() else "no such file"
    name = _at_home(settings.profile_place(), settings.environment)
    return Place(name, f"{profile.get('name')}, mode {profile.get('mode')}" if profile else None, note)


def _rest(settings: Settings) -> Iterator[Place]:
    environment = settings.environment
    default = settings.profile_file().parent.parent / ".alibabacloud" / "credentials.ini"
    path = Path(environment.get("ALIBABA_CLOUD_CREDENTIALS_FILE") or default)
    section = environment.get("ALIBABA_CLOUD_PROFILE") or "default"
    note = "" if path.exists() else "no such file"
    has = _has_section(path, section)
    yield Place(f"[{section}] in {_at_home(str(path), environment)}", "there" if has else None, note)
    off = environment.get("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "").lower() == "true"
    note = "switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED" if off else "asked if nothing is found above"
    yield Place("metadata service of an ECS instance, 100.100.100.200", None, note)
    uri = environment.get("ALIBABA_CLOUD_CREDENTIALS_URI")
    yield Place("environment ALIBABA_CLOUD_CREDENTIALS_URI", "set, not shown" if uri else None)


def _has_section(path: Path, section: str) -> bool:
    parser = configparser.ConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return False
    return section in parser


def masked(access_key_id: str) -> str:
    """The last four characters: enough to tell two keys apart."""
    return f"***{access_key_id[-4:]}"
