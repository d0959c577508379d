"""Who signs: a credential spec → access key, secret and token, fetched and renewed by alibabacloud-credentials.

The library is imported only when it is needed: it costs 0.4 s, and keys that are at hand need none of it. It is handed
every value: what it would read from the environment it reads at import, once. Its calls block, and its own async path
blocks the event loop for up to 5 s (RefreshCachedSupplier._refresh_cache_async in 1.0.12): they run in daemon threads.
What was measured of the library: docs/service.md.
"""

import asyncio
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any, Final, Protocol

from pulumi_hbr_clients.client.blocking import start_daemon_thread
from pulumi_hbr_clients.client.credential_specs import KEY_FIELDS, CredentialSpec, clean
from pulumi_hbr_clients.client.profiles import read_again
from pulumi_hbr_clients.client.settings import ResolvedSettings, Sts
from pulumi_hbr_clients.model.errors import CredentialsError, Retry
from pulumi_hbr_clients.protocol.signing import Credentials

_MARGIN: Final = 900.0
"""Seconds before their end at which credentials are renewed, or a quarter of their life if that is less."""
_SECRET_FIELDS: Final = {*KEY_FIELDS, "access_token", "oauth_refresh_token", "credentials_uri", "process_command"}
"""An address or a command may hold a password."""
_CLOUD_SSO: Final = ("sign_in_url", "account_id", "access_config", "access_token_expire")
_PROVIDERS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "RamRoleArn": ("RamRoleArn", {"external_id": "external_id"}),
    "OIDC": ("OIDCRoleArn", {"oidc_provider_arn": "oidc_provider_arn", "oidc_token_file_path": "oidc_token_file"}),
    "EcsRamRole": ("EcsRamRole", {"role_name": "ram_role_name"}),
    "CredentialsURI": ("URL", {"uri": "credentials_uri"}),
    "External": ("External", {"process_command": "process_command"}),
    "CloudSSO": ("CloudSSO", {"access_token": "access_token"} | {name: f"cloud_sso_{name}" for name in _CLOUD_SSO}),
}
"""The library's provider of each mode, `…CredentialsProvider`, and the field that each of its arguments takes."""
Fetched = tuple[Credentials, float | None]
"""Credentials, and when they end, in UNIX seconds."""


class CredentialSource(Protocol):
    """Something that has credentials, and can say where from without showing them."""

    @property
    def label(self) -> str:
        """Where the credentials come from."""

    async def credentials(self, *, renew: bool = False) -> Credentials:
        """The credentials as of now; `renew` after the service called them expired. Raises `CredentialsError`.

        Equal ones come back after `renew` where there is nothing to renew: trying again is useless then.
        """


def credential_source(settings: ResolvedSettings) -> CredentialSource:
    """The source that the settings name. Equal settings share one in a process, so a role is assumed once."""
    if settings.credentials.given is not None:
        return GivenCredentials(settings.credentials.given)
    return _shared(settings.credentials, settings.sts)


@lru_cache(maxsize=64)
def _shared(spec: CredentialSpec, sts: Sts) -> "SharedCredentials":
    """Keyed by all that it is made from; one that is dropped is merely fetched again."""
    return SharedCredentials(spec, partial(fetch, sts=sts))


class GivenCredentials:
    """A program's own source of credentials, which may give anything."""

    def __init__(self, source: CredentialSource) -> None:
        self._source, self.label = source, source.label

    async def credentials(self, *, renew: bool = False) -> Credentials:
        """What the source gives. Raises `CredentialsError` where no request can be signed with that."""
        found = await self._source.credentials(renew=renew)
        return _cleaned(self.label, found.access_key_id, found.access_key_secret, found.security_token)


class SharedCredentials:
    """Credentials that stand in the settings, or are fetched once for all who wait and renewed before they end."""

    def __init__(
        self, spec: CredentialSpec, fetch: Callable[[CredentialSpec], Fetched], now: Callable[[], float] = time.time
    ) -> None:
        """Fetch nothing yet. `fetch` may block; `now` returns UNIX seconds."""
        self.spec, self.label = spec, spec.label
        self._fetch, self._now = fetch, now
        self._lock = threading.Lock()
        self._pending: Future[Credentials] | None = None
        self._current = spec.keys
        self._is_fixed = spec.keys is not None and spec.file is None
        self._renew_at = self._ends_at = float("inf")

    async def credentials(self, *, renew: bool = False) -> Credentials:
        """As of now; `renew` reads a profile's file again. Raises `CredentialsError`.

        Whoever gives up waiting leaves the fetch to the others.
        """
        if self._current is not None and (self._is_fixed or (not renew and self._now() < self._renew_at)):
            return self._current
        with self._lock:
            if self._pending is None:
                self._pending = start_daemon_thread(lambda: self._renewed(renew=renew), "hbr-clients credentials")
            pending = self._pending
        return await asyncio.wrap_future(pending)

    def _renewed(self, *, renew: bool) -> Credentials:
        try:
            self._current, ends_at = self._fetch(read_again(self.spec) if renew else self.spec)
            self._ends_at = float("inf") if ends_at is None else ends_at
            self._renew_at = self._ends_at - min(_MARGIN, (self._ends_at - self._now()) / 4)
        except CredentialsError:  # the source may answer again before those at hand end
            if self._current is None or renew or self._now() >= self._ends_at:
                raise
        finally:
            with self._lock:
                self._pending = None
        return self._current


def fetch(spec: CredentialSpec, sts: Sts) -> Fetched:
    """Fetch credentials now, of whoever assumes a role first. Blocks. Raises `CredentialsError`."""
    if spec.keys:
        return spec.keys, None
    caller = fetch(spec.base, sts)[0] if spec.base else None
    try:
        found = _provider(spec, sts, caller).get_credentials()
    except Exception as error:  # noqa: BLE001  the library raises its own, requests' and ValueError
        raise _error(spec, error) from None
    parts = found.get_access_key_id(), found.get_access_key_secret(), found.get_security_token()
    ends_at = found.get_expiration() if hasattr(found, "get_expiration") else None
    return _cleaned(spec.label, *parts), float(ends_at) if ends_at else None


def _cleaned(label: str, key_id: Any, secret: Any, token: Any) -> Credentials:
    """Credentials as a source gave them. Raises `CredentialsError` where no request can be signed with them."""
    if not key_id or not secret:
        raise CredentialsError(f"{label} gave no access key; bearer tokens cannot sign this request")
    return Credentials(
        clean(key_id, f"the access key id from {label}"),
        clean(secret, f"the access key secret from {label}"),
        clean(token, f"the security token from {label}") if token else None,
    )


def _provider(spec: CredentialSpec, sts: Sts, caller: Credentials | None) -> Any:
    """The library's provider of a spec, with every value handed over."""
    from alibabacloud_credentials import provider as library  # noqa: PLC0415  0.4 s

    # it writes tracebacks to stderr for what it raises anyway, quoting answers that may hold a token
    logging.getLogger("credentials").disabled = True
    if spec.mode == "OAuth":  # its refresh token changes with every use, and the library writes the new one to the file
        return library.CLIProfileCredentialsProvider(profile_name=spec.profile, profile_file=str(spec.file))
    name, fields = _PROVIDERS[spec.mode]
    arguments = {argument: value for argument, field in fields.items() if (value := spec.get(field)) is not None}
    if spec.mode == "EcsRamRole":
        arguments["async_update_enabled"] = False  # no thread of its own: renewed when they are asked for
    if spec.mode in {"RamRoleArn", "OIDC"}:
        region, vpc = spec.get("sts_region") or sts.region, bool(spec.get("enable_vpc")) or sts.vpc
        host = f"sts{'-vpc' if vpc else ''}.{region}.aliyuncs.com" if region else "sts.aliyuncs.com"
        arguments |= {
            "role_arn": spec.get("ram_role_arn"),
            "role_session_name": spec.get("ram_session_name") or "pulumi-hbr-clients",
            "duration_seconds": int(spec.get("expired_seconds") or 3600),
            "policy": spec.get("policy"),
            "sts_endpoint": sts.endpoint or host,
        }
    if caller is not None:
        arguments |= {
            "access_key_id": caller.access_key_id,
            "access_key_secret": caller.access_key_secret,
            "security_token": caller.security_token,
        }
    return getattr(library, f"{name}CredentialsProvider")(**arguments)


def _error(spec: CredentialSpec, error: Exception) -> CredentialsError:
    """What went wrong, without the library's own text where it may quote a response that holds a token."""
    text = str(error)
    status = int(found[1]) if (found := re.search(r"http_code[:=]\s*(\d{3})", text)) else None
    code = found[1] if (found := re.search(r'"Code"\s*:\s*"([\w.]+)"', text)) else ""
    if spec.base is not None and status is not None:
        key = f" (access key ***{spec.base.keys.access_key_id[-4:]})" if spec.base.keys else ""
        text = (
            f"{spec.base.label}{key} cannot assume role {spec.get('ram_role_arn')}: {code or 'refused'} (HTTP {status})"
        )
        if "NoPermission" in code:
            text += ". Allow the caller sts:AssumeRole on the role, and name the caller in the role's trust policy"
        if "EntityNotExist" in code:
            text += ". There is no role of this ARN"
    else:
        text = f"no credentials from {spec.label}: {_reason(spec, error)}{f' ({code})' if code else ''}"
    made = CredentialsError(text)
    if status is None:
        may_pass = type(error).__name__ == "RetryError" or (isinstance(error, OSError) and not error.filename)
    else:
        is_down = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
        may_pass = is_down or "Throttling" in code
    if may_pass and not spec.is_fallback:
        made.retry = Retry.BACK_OFF
    return made


def _reason(spec: CredentialSpec, error: Exception) -> str:
    """The library's own words up to where they quote a response; of others' errors the kind: they quote signed URLs."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if type(error).__name__ not in {"CredentialException", "ValueError"}:
        return f"it cannot be reached ({type(error).__name__})"
    head = re.split(r"result:|response:|stderr:|[{\n]", str(error), maxsplit=1)[0].strip(" ,")
    for name, value in spec.fields:
        head = head.replace(str(value), "***") if name in _SECRET_FIELDS else head
    return head[:200] or "it failed"
