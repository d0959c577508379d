"""Who signs: settings → keys, fetched and refreshed by alibabacloud-credentials.

The only importer of that library, and only when it is needed: it costs 0.4 s, and keys that are already in hand
(Pulumi config, environment) need no library. Its calls block, and its own async path blocks the event loop for up
to 5 s (reference/hbr-api.md, 0.4), so they run in a thread, one at a time.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from pulumi_hbr_clients.client.settings import Setting, Settings, as_object
from pulumi_hbr_clients.model.configuration import KEY_VARIABLES
from pulumi_hbr_clients.model.errors import CredentialsError
from pulumi_hbr_clients.protocol.signing import Credentials

Base = Credentials | tuple[str, str] | None
"""Keys, or (profile or ecsRoleName, its name), or None for the library's default chain."""


class CredentialSource(Protocol):
    """Something that has keys, and can say where from without showing them."""

    @property
    def label(self) -> str:
        """Where the keys come from."""

    @property
    def answered(self) -> str:
        """Which of the library's providers had them, once asked, in its words: `default/cli_profile`."""

    @property
    def identity(self) -> Hashable:
        """Equal for sources that sign as the same caller."""

    async def keys(self, *, renew: bool = False) -> Credentials:
        """The keys as of now; `renew` after the service called them expired."""


@dataclass(frozen=True, slots=True)
class StaticCredentials:
    """Keys that were given."""

    given: Credentials
    label: str = "argument"
    answered: str = ""

    @property
    def identity(self) -> Hashable:
        """The keys themselves."""
        return self.given

    async def keys(self, *, renew: bool = False) -> Credentials:
        """Return them; there is nothing to renew."""
        del renew
        return self.given


@dataclass(slots=True)
class LibraryCredentials:
    """Keys from a provider of alibabacloud-credentials."""

    make: Callable[[], Any] = field(repr=False)
    label: str
    answered: str = ""
    """Which of the library's providers had keys, in its words: `default/cli_profile/static_ak`."""
    _provider: Any = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def identity(self) -> Hashable:
        """The source itself: equal settings share one."""
        return id(self)

    async def keys(self, *, renew: bool = False) -> Credentials:
        """Ask the library in a thread. Raises `CredentialsError`."""
        return await asyncio.to_thread(self._fetch, renew)

    def _fetch(self, renew: bool) -> Credentials:  # noqa: FBT001  to_thread passes it by position
        with self._lock:
            try:
                if self._provider is None or renew:
                    self._provider = self.make()
                found = self._provider.get_credentials()
            except Exception as error:  # noqa: BLE001  the library raises its own, requests' and ValueError
                raise CredentialsError(self._complaint(error)) from None
        return self._checked(found)

    def _checked(self, found: Any) -> Credentials:
        key, secret = found.get_access_key_id(), found.get_access_key_secret()
        if not key or not secret:
            msg = f"{self.label} gave no access key; bearer tokens cannot sign this request"
            raise CredentialsError(msg)
        self.answered = found.get_provider_name() or ""
        return Credentials(key, secret, found.get_security_token() or None)

    def _complaint(self, error: Exception) -> str:
        """The library's own texts may quote an answer that holds a token: only their head is kept."""
        head = str(error).splitlines()[0].partition("result:")[0].strip() if str(error) else ""
        if head.startswith("unable to load credentials from any of the providers"):
            head = "none of its places has any"
        text = f"no credentials from {self.label}: {head[:300] or type(error).__name__}"
        return f"{text}. `hbr-clients doctor` shows every place that was looked at"


def credential_source(settings: Settings) -> CredentialSource:
    """The source that the settings name. The same settings share one, so a role is assumed once."""
    base, label = _base(settings)
    role = settings.get("assumeRole")
    if role is None and isinstance(base, Credentials):
        return StaticCredentials(base, label)
    suffix = f", then the role of {role.source}" if role else ""
    return _shared(base, _frozen(role), label + suffix)


def _base(settings: Settings) -> tuple[Base, str]:
    """Whose keys, and where that was said."""
    keys = ("accessKey", "ecsRoleName", "profile", "secretKey", "securityToken")
    if found := settings.first_of(*keys):
        key, values, source = found
        if key in {"accessKey", "secretKey", "securityToken"}:
            return _static(values, source), source
        return (key, str(values[key])), f"{key} {values[key]} ({source})"
    key_id, secret, token = (settings.environment.get(name) for name in KEY_VARIABLES)
    if key_id and secret:
        return Credentials(key_id, secret, token or None), f"environment {KEY_VARIABLES[0]}"
    return None, "the default chain of alibabacloud-credentials"


def _static(values: Mapping[str, Any], source: str) -> Credentials:
    if not values["accessKey"] or not values["secretKey"]:
        msg = f"{source} is set, but accessKey and secretKey are not both: set both in the same place"
        raise CredentialsError(msg)
    return Credentials(values["accessKey"], values["secretKey"], values["securityToken"] or None)


def _frozen(role: Setting | None) -> tuple[tuple[str, Any], ...] | None:
    found = as_object(role.value) if role else None
    if found is not None and not isinstance(found, dict):
        msg = f"assumeRole ({role.source if role else ''}) must be an object with roleArn"
        raise CredentialsError(msg)
    return tuple(sorted(found.items())) if found else None


@lru_cache(maxsize=64)
def _shared(base: Base, role: tuple[tuple[str, Any], ...] | None, label: str) -> LibraryCredentials:
    return LibraryCredentials(lambda: _provider(base, dict(role) if role else None), label)


def _provider(base: Base, role: dict[str, Any] | None) -> Any:
    from alibabacloud_credentials import provider as library  # noqa: PLC0415  0.4 s

    # it writes tracebacks to stderr for what it raises anyway, quoting answers that may hold a token
    logging.getLogger("credentials").disabled = True

    inner = _base_provider(library, base)
    if role is None:
        return inner
    return library.RamRoleArnCredentialsProvider(
        credentials_provider=inner,
        role_arn=role.get("roleArn"),
        role_session_name=role.get("sessionName") or "pulumi-hbr-clients",
        duration_seconds=int(role.get("sessionExpiration") or 3600),
        policy=role.get("policy"),
        external_id=role.get("externalId"),
    )


def _base_provider(library: Any, base: Base) -> Any:
    if isinstance(base, Credentials):
        key = {"access_key_id": base.access_key_id, "access_key_secret": base.access_key_secret}
        if base.security_token:
            return library.StaticSTSCredentialsProvider(**key, security_token=base.security_token)
        return library.StaticAKCredentialsProvider(**key)
    if base is None:
        return library.DefaultCredentialsProvider()
    kind, name = base
    if kind == "ecsRoleName":
        return library.EcsRamRoleCredentialsProvider(role_name=name)
    return library.CLIProfileCredentialsProvider(profile_name=name)
