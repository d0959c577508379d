"""One source of credentials, taken whole: how to get them and where that was set, or an error that names the gap.

Every source is described in the terms of the Alibaba CLI's profiles: a mode and its fields. Keys of the environment
are mode AK, an instance's role is mode EcsRamRole, and so on, so that one table says what makes a source whole.
Values are secrets: they appear in no text and no repr.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pulumi_hbr_clients.model.configuration import AssumeRole
from pulumi_hbr_clients.model.errors import CredentialsError
from pulumi_hbr_clients.protocol.signing import Credentials

KEY_FIELDS: Final = ("access_key_id", "access_key_secret", "sts_token")
MODES: Final[Mapping[str, tuple[str, ...]]] = {
    "AK": KEY_FIELDS[:2],
    "StsToken": KEY_FIELDS,
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
    given: Any = field(default=None, compare=False, repr=False)
    """A program's own `CredentialSource`; the mode is Given, and its only field the object's identity."""

    def get(self, name: str) -> Any:
        """A field, None if it is not set."""
        return dict(self.fields).get(name)

    @property
    def keys(self) -> Credentials | None:
        """The credentials themselves, where the source holds them."""
        if self.mode not in {"AK", "StsToken"}:
            return None
        return Credentials(*(self.get(name) for name in KEY_FIELDS))

    @property
    def label(self) -> str:
        """Where the credentials come from, without any of their values; a role's ARN is none of them."""
        if self.mode == "RamRoleArn" and self.base is not None:
            return f"role {self.get('ram_role_arn')} ({self.source}), assumed by {self.base.label}"
        return self.source


def whole(mode: str, source: str, fields: Mapping[str, Any], names: Mapping[str, str] | None = None) -> CredentialSpec:
    """A source that has all it needs. Raises `CredentialsError` naming what is missing; `names` has the settings'."""
    names, given = names or {}, dict[str, Any]()
    for name, value in fields.items():
        if value is None or value == "":
            continue
        cleaned = clean(value, names.get(name, f"{name} of {source}")) if name in KEY_FIELDS else value
        if isinstance(cleaned, str | int | float) and cleaned != "":
            given[name] = cleaned
    if missing := " and ".join(names.get(name, name) for name in MODES[mode] if not given.get(name)):
        also = " and ".join(names.get(name, name) for name in given if name in MODES[mode] or name in names)
        has = f" although {also} is" if also else ""
        raise CredentialsError(f"{source}: {missing} is not set{has}. Set both in one place, or none")
    if mode == "AK" and "sts_token" in given:
        mode = "StsToken"
    return CredentialSpec(mode, source, tuple(sorted(given.items())))


def clean(value: Any, name: str) -> str:
    """A key or token without white space at its ends. Raises `CredentialsError` for what no HTTP header can hold.

    RFC 9110, 5.5: a field value holds visible characters and spaces. The name is the setting's, the value never shown.
    """
    if not isinstance(value, str):
        raise CredentialsError(f"{name} must be text, not {type(value).__name__}")
    text = value.strip()
    if not re.fullmatch("[ -~]*", text):
        raise CredentialsError(
            f"{name} holds a line break or another character that an HTTP header cannot hold: set it again"
        )
    return text


def with_role(base: CredentialSpec, role: AssumeRole, source: str) -> CredentialSpec:
    """The credentials of a role that `base` assumes. Raises `CredentialsError` if it is a program's own source."""
    if base.mode == "Given":
        raise CredentialsError(f"{source}: a role is assumed with credentials, not with a source of the program's own")
    fields = {
        "ram_role_arn": role.role_arn,
        "ram_session_name": role.session_name,
        "expired_seconds": role.session_expiration,
        "policy": role.policy,
        "external_id": role.external_id,
    }
    return replace(whole("RamRoleArn", source, fields), base=base)
