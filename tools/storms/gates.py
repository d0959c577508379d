"""The judge of gates: when a gate passed, or why it did not, held against the backend's past.

    passed    every client that it is about was ready by then
    held      it did not pass, and it was not to: somebody was not ready in time, or had failed
    never     all were ready for a while and it did not pass, or an error of our own ended it
    early     it passed and somebody was not ready, or an unfinished list opened it     must not be
    unjust    it says that clients have failed, and none had                            must not be

Ready is: ACTIVATED, with the version and the heartbeat that were asked for. This module looks at no code of the gate.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pulumi_hbr_clients.emulator.fixtures import Row
from pulumi_hbr_clients.model.backup_client import ClientList
from pulumi_hbr_clients.model.errors import GateError, GateFailedError, HbrError, ServiceError
from tools.storms.groups import FAILING, OLD, SILENT, TOLERATED, Gate
from tools.storms.past import Past

GRACE: Final = 1.5
"""Seconds for which all must have been ready when a gate gave up: two looks and a fault between them."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A gate's wait on the backend's clock, and what ended it: the clients it saw, or an error."""

    gate: Gate
    since: float
    until: float
    end: ClientList | HbrError


def verdict(wait: Wait, past: Past) -> tuple[str, str]:
    """One of the words above, and why."""
    if isinstance(wait.end, ClientList):
        reasons = [*_not_ready(wait, past), *_not_whole(wait, wait.end, past)]
        return ("early", "; ".join(reasons)) if reasons else ("passed", "")
    if isinstance(wait.end, GateFailedError):
        text = str(wait.end).splitlines()[0]
        return ("held", "") if any(_has_failed(wait, past, i) for i in wait.gate.members) else ("unjust", text)
    if not isinstance(wait.end, GateError):
        code = wait.end.code if isinstance(wait.end, ServiceError) else ""
        return "never", f"{type(wait.end).__name__} {code}".strip()
    return ("never", _reason(wait.end)) if _was_due(wait, past) else ("held", "")


def _not_ready(wait: Wait, past: Past) -> Iterator[str]:
    """Clients that were not ready at any moment of the wait. Nobody is ready and then no longer."""
    members = wait.gate.members
    if not wait.gate.by_ids:
        members = tuple(i for i in members if past.stayed(i, wait.since, wait.until))
    if late := [i for i in members if not _was_ready(wait, past, i)]:
        yield f"{len(late)} of {len(wait.gate.members)} were not ready by then, such as {late[0]}"


def _not_whole(wait: Wait, seen: ClientList, past: Past) -> Iterator[str]:
    """What it saw: by ids all of them; by filters a whole list, long enough, with nobody in it who was not ready."""
    if odd := [i for i in seen.ids if i not in wait.gate.members or not _was_ready(wait, past, i)]:
        yield f"{len(odd)} that it saw were not ready or not asked for, such as {odd[0]}"
    stayed = {i for i in wait.gate.members if wait.gate.by_ids or past.stayed(i, wait.since, wait.until)}
    if lacking := stayed - set(seen.ids):
        yield f"it lacks {len(lacking)} of {len(stayed)}, such as {min(lacking)}"
    if not wait.gate.by_ids and not seen.complete:
        yield "an incomplete list opened it"
    if len(seen.ids) < wait.gate.arguments.get("min_clients", 0):
        yield f"only {len(seen.ids)} were there"


def _was_due(wait: Wait, past: Past) -> bool:
    """Whether all were ready for a while when it gave up, and enough of them."""
    moment = wait.until - GRACE
    if moment < wait.since:
        return False
    there = [i for i in wait.gate.members if wait.gate.by_ids or past.stayed(i, moment, wait.until)]
    states = (state for i in there for state in past.states(i, moment, wait.until))
    ready = all(_is_ready(wait.gate, state.row) for state in states)
    return ready and len(there) >= wait.gate.arguments.get("min_clients", 1)


def _was_ready(wait: Wait, past: Past, client_id: str) -> bool:
    return any(_is_ready(wait.gate, state.row) for state in past.states(client_id, wait.since, wait.until))


def _is_ready(gate: Gate, row: Row | None) -> bool:
    if row is None or row["Status"] != "ACTIVATED":
        return False
    if "min_client_version" in gate.arguments and row["ClientVersion"] == OLD:
        return False
    return "max_heartbeat_age" not in gate.arguments or row["LastHeartBeatTime"] != SILENT


def _has_failed(wait: Wait, past: Past, client_id: str) -> bool:
    """Whether the client was in a status that ends a wait, for as long as that takes."""
    tolerated = wait.gate.arguments.get("tolerate", ())
    for state in past.states(client_id, wait.since, wait.until):
        status = None if state.row is None else state.row["Status"]
        if status in {*FAILING, TOLERATED} - {*tolerated}:
            return True
        lasted = min(state.until, wait.until) - max(state.since, wait.since)
        if status == "UNKNOWN" and lasted >= wait.gate.arguments.get("unknown_grace", 120):
            return True
    return False


def _reason(error: GateError) -> str:
    """What stood in the way at last, without its numbers: `GateTimeoutError: the list may be incomplete`."""
    parts = str(error).splitlines()[0].partition(": ")[2].split("; ")
    last = next((part for part in reversed(parts) if not part.startswith("waiting for")), "")
    short = last.partition(",")[0].partition(" (")[0]
    return f"{type(error).__name__}: {re.sub('[0-9]+', 'N', short)}"
