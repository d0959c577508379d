"""The emulated backend: a fleet in the order in which the service pages it, its clock, and commands to change it.

Tests change the backend and run real clients against it. Every command may be called from any thread. Time is the
injected clock plus what `advance` added; whatever was scheduled happens when somebody looks.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from heapq import heappop, heappush
from itertools import count
from random import Random
from threading import RLock
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from pulumi_hbr_clients.emulator.behaviour import Behaviour
from pulumi_hbr_clients.emulator.fake_client import FakeClient, Owner
from pulumi_hbr_clients.emulator.fixtures import Row, as_wire, new_row
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.signing import Credentials

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
    """One request as it was met. `status` 0: the connection was dropped."""

    time: float
    key_id: str | None
    action: str | None
    arguments: Mapping[str, Any]
    page: int
    status: int
    code: str
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to a client: the fields that were set (all of them when it arrived), or None: it left."""

    time: float
    client_id: str
    fields: Row | None


@dataclass(slots=True)
class Account:
    """A key the service knows; `expires` is the time on the service's clock when its token ends."""

    keys: Credentials
    expires: float | None = None


def _locked(
    method: "Callable[Concatenate[Backend, P], R]",
) -> "Callable[Concatenate[Backend, P], R]":
    @wraps(method)
    def locked(self: "Backend", /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            return method(self, *args, **kwargs)

    return locked


class Backend(Behaviour):
    """A fleet and its conditions. Rows are in the service's form, or in state's (`clientId`)."""

    def __init__(
        self,
        rows: Iterable[Row] = (),
        *,
        clock: Callable[[], float] = time.time,
        seed: int = 0,
        **conditions: Any,
    ) -> None:
        super().__init__(**conditions)
        self.lock = RLock()
        self.service: object = None
        """The one that serves this backend, once there is one: see `Service.of`."""
        self.clock, self.seed, self.random = clock, seed, Random(seed)  # noqa: S311  repeatable, not secret
        self.members: list[FakeClient] = []
        self.selections: dict[Query, list[FakeClient]] = {}
        self.accounts = {keys.access_key_id: Account(keys) for keys in (FAKE_CREDENTIALS, FAKE_STS_CREDENTIALS)}
        self.trusted: set[Owner] = set()
        self.log: deque[Record] = deque(maxlen=LOG_MAX)
        self.requests = 0
        self.history: deque[Change] = deque(maxlen=LOG_MAX)
        self._advanced = 0.0
        self._during: float | None = None
        self._timeline: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()
        self.add(*rows)
        self.history.clear()

    # time

    def now(self) -> float:
        """The fleet's time, in seconds since 1970."""
        return self.clock() + self._advanced if self._during is None else self._during

    def service_time(self) -> float:
        """What the service's own clock shows: dates of requests are judged by it."""
        return self.clock() + self.clock_offset

    @_locked
    def advance(self, seconds: float) -> None:
        """Let time pass for the fleet. The dates of requests are judged as before."""
        self._advanced += seconds
        self.tick()

    @_locked
    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something when so many seconds have passed."""
        heappush(self._timeline, (self.now() + seconds, next(self._numbers), action))

    @_locked
    def tick(self) -> None:
        """Let happen what is due, in order, each at its own time."""
        now = self.now()
        while self._timeline and self._timeline[0][0] <= now:
            self._during, _, action = heappop(self._timeline)
            try:
                action()
            finally:
                self._during = None

    # the fleet

    @_locked
    def add(
        self,
        *rows: Row,
        cluster_id: str | None = None,
        owner: Owner | None = None,
        beats: bool = True,
    ) -> None:
        """Clients arrive at the end. `cluster_id` and `owner` are what filters see and answers do not show."""
        if owner:
            self.trusted.add(owner)
        wired = ({"ClientType": "ECS_CLIENT", **as_wire(row)} for row in rows)
        for row in wired:
            self.members.append(FakeClient(row, cluster_id, owner, beats))
            self._changed(row, row)

    @_locked
    def remove(self, *identities: str) -> None:
        """Clients leave, each named by its own id or its instance's."""
        for identity in identities:
            self.leave(self.find(identity))

    @_locked
    def leave(self, member: FakeClient) -> None:
        """A client leaves."""
        self.members.remove(member)
        self._changed(member.row, None)

    @_locked
    def change(self, identity: str, fields: Row) -> None:
        """Set fields of a client's row; a field set to `...` goes."""
        member, fields = self.find(identity), as_wire(fields)
        member.change(fields, self.now())
        self._changed(member.row, fields)

    def set_status(self, status: str, *identities: str) -> None:
        """Clients change their status, now."""
        for identity in identities:
            self.change(identity, {"Status": status, "UpdatedTime": int(self.now())})

    def activate(self, *identities: str) -> None:
        """Clients become ACTIVATED."""
        self.set_status("ACTIVATED", *identities)

    @_locked
    def stop_heartbeats(self, *identities: str) -> None:
        """Clients stay as they are and no longer report."""
        for member in map(self.find, identities):
            member.change(member.moving(self.now()), self.now())
            member.beats = False

    @_locked
    def install(self, instance_ids: Iterable[str], *, seconds: float = 60.0, fails: bool = False) -> list[str]:
        """Install clients: INSTALLING now, REGISTERED half-way, then ACTIVATED or INSTALL_FAILED.

        Gives the client ids. No source states the order of these states; this one follows their names.
        """
        ids = [self._installing(instance_id) for instance_id in instance_ids]
        self.later(seconds / 2, lambda: self._if_there("REGISTERED", ids))
        end = "INSTALL_FAILED" if fails else "ACTIVATED"
        self.later(seconds, lambda: self._if_there(end, ids))
        return ids

    @_locked
    def churn(self, every: float, stay: float) -> None:
        """From now on a client arrives every so many seconds, and leaves after its stay."""

        def visit() -> None:
            identity = self.arrive("ECS_CLIENT")
            self.later(stay, lambda: self._has(identity) and self.remove(identity))
            self.later(every, visit)

        self.later(every, visit)

    @_locked
    def arrive(self, client_type: str) -> str:
        """A client nobody knew arrives at the end. Gives its id."""
        label, created = f"{self.seed}/arrival/{next(self._numbers)}", int(self.now())
        row = new_row(label, client_type, Status="ACTIVATED", CreatedTime=created)
        self.add(row)
        return str(row["ClientId"])

    @_locked
    def rows(self) -> list[dict[str, Any]]:
        """The fleet as answers would show it now, in its order. Copies: change the backend by its commands."""
        self.tick()
        now = self.now()
        return [json.loads(member.encoded(now, frozenset())) for member in self.members]

    @_locked
    def warm(self) -> None:
        """Encode every row now: a bench shall see pages cost the same, the first ones too."""
        for member in self.members:
            member.encoded(0, self.variety)

    def find(self, identity: str) -> FakeClient:
        """The client of this id or instance. Raises `LookupError`."""
        for member in self.members:
            if member.is_called(identity):
                return member
        msg = f"no client or instance {identity!r} in this backend"
        raise LookupError(msg)

    # whom the service knows, and what it saw

    def allow(self, keys: Credentials, *, seconds: float | None = None) -> None:
        """Make a key known; its token ends after so many seconds."""
        expires = None if seconds is None else self.service_time() + seconds
        self.accounts[keys.access_key_id] = Account(keys, expires)

    def expire(self, access_key_id: str) -> None:
        """Let a token end now."""
        self.accounts[access_key_id].expires = self.service_time()

    @_locked
    def take_fault(self) -> str | None:
        """The fault that the next request meets."""
        if self.next_faults:
            return self.next_faults.pop(0)
        if self.fault_rate and self.random.random() < self.fault_rate:
            return self.random.choice(self.random_faults)
        return None

    @_locked
    def note(self, record: Record) -> None:
        """Log a request."""
        self.requests += 1
        self.log.append(record)

    @_locked
    def clear_log(self) -> None:
        """Forget the requests so far."""
        self.requests = 0
        self.log.clear()

    def _installing(self, instance_id: str) -> str:
        if not self._has(instance_id):
            label = f"{self.seed}/install/{next(self._numbers)}"
            row = new_row(label, InstanceId=instance_id, CreatedTime=int(self.now()))
            self.add({**row, "LastHeartBeatTime": 0})
        self.set_status("INSTALLING", instance_id)
        return str(self.find(instance_id).row["ClientId"])

    def _if_there(self, status: str, ids: Iterable[str]) -> None:
        self.set_status(status, *filter(self._has, ids))

    def _has(self, identity: str) -> bool:
        return any(member.is_called(identity) for member in self.members)

    def _changed(self, row: Row, fields: Row | None) -> None:
        self.selections.clear()
        self.history.append(Change(time=self.now(), client_id=str(row.get("ClientId")), fields=fields))
