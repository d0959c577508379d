"""Several accounts and regions in one emulator: a backend for each pair, each with its own fleet, limits and log.

The account is known by the access key. The region is known by the address: over HTTP each region has a port of its own
(`RunningEmulator.endpoints`), in memory it stands in the service's host name (hbr.cn-shanghai.aliyuncs.com).
"""

import re
from collections.abc import Mapping

from pulumi_hbr_clients.emulator.backend import Account, Backend
from pulumi_hbr_clients.protocol.signing import Credentials, Request, parse_authorization


def account_credentials(name: str) -> Credentials:
    """The fake key of an account: `prod` → FAKE-AK-ID-PROD."""
    return Credentials(f"FAKE-AK-ID-{name.upper()}", f"FAKE-AK-SECRET-{name.upper()}")


class Cloud:
    """Backends by account name and region."""

    def __init__(self, backends: Mapping[tuple[str, str], Backend]) -> None:
        """Each backend serves the key of its own account only; an account's regions are those it has a backend in."""
        self.backends: dict[tuple[str, str], Backend] = {}
        self._accounts = {account_credentials(name).access_key_id: name for name, _ in backends}
        for (name, region), backend in backends.items():
            self._serve(name, region, backend)

    @property
    def regions(self) -> tuple[str, ...]:
        """All regions, in the order of their first mention."""
        return tuple(dict.fromkeys(region for _, region in self.backends))

    def route(self, request: Request, region: str | None = None) -> Backend:
        """The backend that a request is for; in a region where its account has none, a new one without clients."""
        authorization = parse_authorization(request.headers.get("authorization", ""))
        account = self._accounts.get(authorization.access_key_id) if authorization else None
        if account is None:
            return next(iter(self.backends.values()))  # it refuses the key, as any of them would
        named = re.search(r"\.([a-z]+-[a-z0-9-]+)\.aliyuncs\.com", request.headers.get("host", ""))
        region = region or (named[1] if named else self.regions[0])
        if (account, region) not in self.backends:
            self._serve(account, region, Backend(clock=next(iter(self.backends.values())).clock))
        return self.backends[account, region]

    def _serve(self, account: str, region: str, backend: Backend) -> None:
        credentials = account_credentials(account)
        backend.accounts = {credentials.access_key_id: Account(credentials)}
        self.backends[account, region] = backend
        for (name, _), other in self.backends.items():
            other.regions = tuple(where for who, where in self.backends if who == name)
