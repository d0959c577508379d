"""Groups of clients that gates wait for: who is in them, what is wrong with some, and when that is mended, if ever.

A seed's rows → the rows changed, the gates that look at them, and the timeline. A group's fate is drawn: ready at
once, late, never, or failed. Groups have no client in common, so each gate can be judged by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from pulumi_hbr_clients.emulator import new_row
from pulumi_hbr_clients.emulator.fixtures import Row

OLD: Final = "2.9.0"
NEW: Final = "2.13.1"
SILENT: Final = 1
"""A heartbeat of long ago."""
NOW: Final = -1
"""Stands for a heartbeat of the moment when it is set."""
PATIENCE: Final = 4.0
"""Seconds that a gate waits which is to pass: the last client is ready within the first one."""
KINDS: Final = ("client_ids", "instance_ids", "tags", "zone_ids")
FAILING: Final = ("DEACTIVATED", "INSTALL_FAILED", "UNINSTALL_FAILED")
TOLERATED: Final = "UPGRADE_FAILED"
_READY: Final = {"Status": "ACTIVATED", "ClientVersion": NEW}

TROUBLES: Final[Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]] = {
    **{name: ({"Status": name}, {}) for name in ("INSTALLING", "REGISTERED", "UPGRADING", "STOPPED", "NOT_INSTALLED")},
    "a new status": ({"Status": "THAWING"}, {}),
    "disconnected": ({"Status": "UNKNOWN"}, {"unknown_grace": 60}),
    "tolerated": ({"Status": TOLERATED}, {"tolerate": [TOLERATED]}),
    "outdated": ({"ClientVersion": OLD}, {"min_client_version": "2.13.0"}),
    "silent": ({"LastHeartBeatTime": SILENT}, {"max_heartbeat_age": 300}),
}
"""What keeps a gate shut: fields of a client, and what the gate must be told to wait for it."""


@dataclass(frozen=True)
class Event:
    """Something happens so many seconds after the start: a client arrives, or fields of it are set."""

    after: float
    client_id: str
    fields: Row
    arrives: bool = False


@dataclass(frozen=True)
class Gate:
    """A gate that starts so many seconds after the start. `members` are the ids of all clients it is about."""

    members: tuple[str, ...]
    arguments: Mapping[str, Any]
    after: float = 0.0
    public: bool = False
    """Through `wait_until_activated`, with connections of its own."""

    @property
    def by_ids(self) -> bool:
        """Whether each of its clients is asked for."""
        return "client_ids" in self.arguments or "instance_ids" in self.arguments


@dataclass
class Groups:
    """All groups of a run. `rows` is changed in place."""

    random: Random
    rows: list[dict[str, Any]]
    consistency: str | None
    gates: list[Gate] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def draw(self, count: int) -> None:
        """So many groups, each with one gate or two that ask for it in different ways."""
        free = self.random.sample(range(len(self.rows)), len(self.rows))
        for number in range(count):
            size = min(self.random.choice([1, 3, 20, 120, 250]), len(free) // 2)
            taken, free = free[:size], free[size:]
            self._group(number, taken)

    def _group(self, number: int, taken: list[int]) -> None:
        marks: dict[str, Any] = {"Tags": [{"Key": "group", "Value": f"g-{number}"}], "ZoneId": f"zone-{number}"}
        for index in taken:
            self.rows[index] = {**self.rows[index], **_READY, **marks}
        members = [self.rows[index] for index in taken]
        fate = self.random.choices(["ready", "late", "never", "failed"], [1, 7, 2, 1])[0]
        conditions: dict[str, Any] = {"timeout": PATIENCE}
        for index in self.random.sample(taken, min(len(taken), self.random.randint(1, 5))):
            if fate != "ready":
                conditions |= self._trouble(self.rows[index], mended=fate != "never")
        if self.random.random() < 0.3:  # noqa: PLR2004  a share
            members.append(new_row(f"group/{number}", **{**marks, **_READY, "Status": "INSTALLING"}))
            self._arrival(members[-1], mended=fate != "never")
        conditions |= self._end(fate, taken)
        self._gates(number, members, conditions)

    def _trouble(self, row: dict[str, Any], *, mended: bool) -> Mapping[str, Any]:
        """Something is wrong with this client from the start. Gives what its gate must be told."""
        fields, conditions = TROUBLES[self.random.choice(list(TROUBLES))]
        self.events.append(Event(0, row["ClientId"], fields))
        if mended:
            then = {**_READY, "LastHeartBeatTime": NOW} if "LastHeartBeatTime" in fields else _READY
            self.events.append(Event(self.random.uniform(0.1, 0.9), row["ClientId"], then))
        return conditions

    def _arrival(self, row: dict[str, Any], *, mended: bool) -> None:
        """A client that is not there at first, and stays away where nothing is mended."""
        if mended:
            self.events.append(Event(self.random.uniform(0.1, 0.5), row["ClientId"], row, arrives=True))
            self.events.append(Event(self.random.uniform(0.5, 0.9), row["ClientId"], _READY))

    def _end(self, fate: str, taken: list[int]) -> Mapping[str, Any]:
        """What ends the wait of a gate that is not to pass: its time, or a client that has failed."""
        if fate == "never":
            return {"timeout": self.random.uniform(0.5, 1.5)}
        if fate == "failed":
            status = self.random.choice([*FAILING, "UNKNOWN"])
            self.events.append(Event(0, self.rows[self.random.choice(taken)]["ClientId"], {"Status": status}))
            return {"unknown_grace": 0.2} if status == "UNKNOWN" else {}
        return {}

    def _gates(self, number: int, members: list[dict[str, Any]], conditions: Mapping[str, Any]) -> None:
        """One or two gates of a group, at the start or a little later."""
        ids = tuple(row["ClientId"] for row in members)
        selections: dict[str, dict[str, Any]] = {
            "client_ids": {"client_ids": list(ids)},
            "instance_ids": {"instance_ids": [row["InstanceId"] for row in members]},
            "tags": {"tags": {"group": f"g-{number}"}, "min_clients": self.random.choice([1, len(ids)])},
            "zone_ids": {"zone_ids": [f"zone-{number}"], "min_clients": self.random.choice([1, len(ids)])},
        }
        for kind in self.random.sample(KINDS, self.random.choice([1, 1, 2])):
            consistency = self.consistency or self.random.choice(["counted", "verified"])
            own = {"client_type": "ECS_CLIENT", "consistency": consistency, "poll": self.random.uniform(0.05, 0.3)}
            after = self.random.choice([0.0, 0.0, self.random.uniform(0, 0.5)])
            public = self.random.random() < 0.3  # noqa: PLR2004  a share
            self.gates.append(Gate(ids, {**own, **selections[kind], **conditions}, after, public))
