"""The emulated backend: a fleet in the order in which clients arrived, its clock, and commands to change it.

Tests change the backend and run real clients against it. Commands may be called from any thread. Time is the injected
clock plus what `advance` added; what was scheduled happens when somebody looks. A `Cloud` has several backends.
"""

import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from heapq import heappop, heappush
from itertools import count
from random import Random
from threading import RLock
from types import MappingProxyType
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from pulumi_hbr_clients.emulator.behaviour import Behaviour, Limiter, Position
from pulumi_hbr_clients.emulator.fake_client import FakeClient, Row, as_wire, new_row
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.endpoints import REGIONS
from pulumi_hbr_clients.protocol.signing import Credentials, Request, parse_authorization

FAKE_CREDENTIALS: Final = Credentials("FAKE-AK-ID-EMULATOR", "FAKE-AK-SECRET-EMULATOR")
"""The key that every backend knows."""
FAKE_STS_CREDENTIALS: Final = Credentials("FAKE-STS-ID-EMULATOR", "FAKE-STS-SECRET-EMULATOR", "FAKE-STS-TOKEN-EMULATOR")
"""Temporary credentials that every backend knows; see `expire`."""
LOG_MAX: Final = 20_000
"""Records kept of requests (`requests` counts on), and of changes."""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One request and its response. `status` 0: the connection was dropped."""

    time: float
    key_id: str | None
    action: str | None
    arguments: Mapping[str, Any]
    status: int
    code: str
    fault: str | None


Change = tuple[str, Row | None]
"""A client's id and its row from then on; None: it left."""


@dataclass(slots=True)
class Account:
    """A key the service knows; `expires` is the time on the service's clock when its token ends."""

    credentials: Credentials
    expires: float | None = None


def _locked(method: "Callable[Concatenate[Backend, P], R]") -> "Callable[Concatenate[Backend, P], R]":
    @wraps(method)
    def locked(self: "Backend", /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            return method(self, *args, **kwargs)

    return locked


class Backend(Behaviour):
    """The fleet of one account and region, and how it behaves. Rows are in the service's form, or in state's."""

    def __init__(
        self, rows: Iterable[Row] = (), *, clock: Callable[[], float] = time.time, seed: int = 0, **behaviours: Any
    ) -> None:
        """`clock` gives UNIX seconds. Raises `ValueError` on a behaviour that makes no sense."""
        super().__init__(**behaviours)
        self.lock = RLock()
        self.clock, self.seed, self.random = clock, seed, Random(seed)  # noqa: S311  repeatable, not secret
        self.members: list[FakeClient] = []
        self.selections: dict[tuple[str, Query], list[FakeClient]] = {}
        keys = (FAKE_CREDENTIALS, FAKE_STS_CREDENTIALS)
        self.accounts = {credentials.access_key_id: Account(credentials) for credentials in keys}
        self.regions: tuple[str, ...] = tuple(REGIONS)
        self.nonces: dict[str, float] = {}
        self.limiter = Limiter()
        self.log: deque[Record] = deque(maxlen=LOG_MAX)
        self.requests = 0
        self.history: deque[Change] = deque(maxlen=LOG_MAX)
        self._advanced = 0.0
        self._during: float | None = None
        self._timeline: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()
        self.add(*rows)
        self.history.clear()

    def route(self, _request: Request, _region: str | None = None) -> "Backend":
        """The backend that a request is for: this one. Of several, see `Cloud.route`."""
        return self

    def now(self) -> float:
        """The fleet's time, in UNIX seconds."""
        return self.clock() + self._advanced if self._during is None else self._during

    def service_time(self) -> float:
        """What the service's own clock shows: dates of requests are judged by it."""
        return self.clock() + self.clock_offset

    @_locked
    def advance(self, seconds: float) -> None:
        """Let time pass for the fleet. The dates of requests are judged as before."""
        self._advanced += seconds
        self.tick()

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something after a number of seconds."""
        heappush(self._timeline, (self.now() + seconds, next(self._numbers), action))

    @_locked
    def tick(self) -> None:
        """Do what is due, in order, each at its own time."""
        now = self.now()
        while self._timeline and self._timeline[0][0] <= now:
            self._during, _, action = heappop(self._timeline)
            try:
                action()
            finally:
                self._during = None

    @_locked
    def add(self, *rows: Row, index: int | None = None) -> None:
        """Clients arrive, at the end or at this index."""
        for row in rows:
            client = FakeClient(row)
            self.members.insert(len(self.members) if index is None else index, client)
            self._changed(client, client.row)

    @_locked
    def remove(self, *clients: str | FakeClient) -> None:
        """Clients leave, each named by its own id or its instance's."""
        for client in map(self.find, clients):
            self.members.remove(client)
            self._changed(client, None)

    @_locked
    def change(self, client: str | FakeClient, fields: Row) -> None:
        """Set fields of a client's row; a field set to `...` is removed."""
        client = self.find(client)
        client.change(as_wire(fields), self.now())
        self._changed(client, client.row)

    def set_status(self, status: str, *identities: str) -> None:
        """Clients change their status, now."""
        for identity in identities:
            self.change(identity, {"Status": status, "UpdatedTime": int(self.now())})

    def activate(self, *identities: str) -> None:
        """Clients become ACTIVATED."""
        self.set_status("ACTIVATED", *identities)

    @_locked
    def stop_heartbeats(self, *identities: str) -> None:
        """Clients keep their status and no longer report."""
        for client in map(self.find, identities):
            client.change({}, self.now())
            client.beats = False

    @_locked
    def install(self, instances: Iterable[str], *, seconds: float = 60.0, fails: bool = False) -> list[str]:
        """Install clients: INSTALLING now, REGISTERED half-way, then ACTIVATED or INSTALL_FAILED.

        Returns the client ids. No source states the order of these states; this one follows their names.
        """
        ids = [self._installing(instance_id) for instance_id in instances]
        end = "INSTALL_FAILED" if fails else "ACTIVATED"
        self.later(seconds / 2, lambda: self.set_status("REGISTERED", *filter(self._has, ids)))
        self.later(seconds, lambda: self.set_status(end, *filter(self._has, ids)))
        return ids

    @_locked
    def arrive(self, client_type: str, at: Position = "end", fields: Row = MappingProxyType({})) -> FakeClient:
        """A client nobody knew arrives, with ids and names that sort it there too. Returns it."""
        number = next(self._numbers)
        row = new_row(f"{self.seed}/arrival/{number}", client_type, Status="ACTIVATED", CreatedTime=int(self.now()))
        if at != "anywhere":
            mark = f"{'0' if at == 'front' else 'z'}{number:06}"
            row |= {"ClientId": f"c-{mark}{row['ClientId'][9:]}", "Hostname": f"{mark}-{row['Hostname']}"}
        index = {"front": 0, "end": len(self.members)}.get(at, self.random.randint(0, len(self.members)))
        self.add({**row, **fields}, index=index)
        return self.members[index]

    @_locked
    def rows(self) -> list[dict[str, Any]]:
        """The fleet as responses would show it now, in its order. Copies: change the backend by its commands."""
        self.tick()
        now = self.now()
        return [json.loads(client.encoded(now)) for client in self.members]

    def find(self, identity: str | FakeClient) -> FakeClient:
        """The client of this id or instance, or itself. Raises `LookupError`."""
        if isinstance(identity, FakeClient):
            return identity
        for client in self.members:
            if client.is_called(identity):
                return client
        raise LookupError(f"no client or instance {identity!r} in this backend")

    def allow(self, credentials: Credentials, *, seconds: float | None = None) -> None:
        """Make a key known; its token ends after a number of seconds, or never."""
        expires = None if seconds is None else self.service_time() + seconds
        self.accounts[credentials.access_key_id] = Account(credentials, expires)

    def expire(self, access_key_id: str) -> None:
        """Let a token end now."""
        self.accounts[access_key_id].expires = self.service_time()

    def take_fault(self) -> str | None:
        """The fault that the next request meets."""
        if self.next_faults:
            return self.next_faults.pop(0)
        if self.fault_rate and self.random.random() < self.fault_rate:
            return self.random.choice(self.random_faults)
        return None

    def clear_log(self) -> None:
        """Forget the requests so far."""
        self.requests = 0
        self.log.clear()

    def _installing(self, instance_id: str) -> str:
        if not self._has(instance_id):
            label = f"{self.seed}/install/{next(self._numbers)}"
            self.add(new_row(label, InstanceId=instance_id, CreatedTime=int(self.now()), LastHeartBeatTime=0))
        self.set_status("INSTALLING", instance_id)
        return str(self.find(instance_id).row["ClientId"])

    def _has(self, identity: str) -> bool:
        return any(client.is_called(identity) for client in self.members)

    def _changed(self, client: FakeClient, row: Row | None) -> None:
        self.selections.clear()
        self.history.append((str(client.row.get("ClientId")), row))


def account_credentials(name: str) -> Credentials:
    """The fake key of an account: `prod` → FAKE-AK-ID-PROD."""
    return Credentials(f"FAKE-AK-ID-{name.upper()}", f"FAKE-AK-SECRET-{name.upper()}")


class Cloud:
    """Several accounts and regions: a backend for each pair, each with its own fleet, limits and log.

    The account is known by the access key. The region is known by the address: over HTTP each has a port of its own
    (`RunningEmulator.endpoints`), in memory it stands in the service's host name (hbr.cn-shanghai.aliyuncs.com).
    """

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
