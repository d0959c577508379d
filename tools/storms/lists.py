"""The judge of lists: what a list says, held against the backend's past, client by client.

    complete      it says that it is whole, and it is
    incomplete    it says that it may not be whole
    wrong         it says that it is whole and is not, or holds what never was

While pages shift, clients that left meanwhile may stand in it or not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pulumi_hbr_clients.model.backup_client import VOLATILE_FIELDS, ClientList, from_wire, state_name, to_dicts
from tools.storms.past import Past
from tools.storms.plans import UNKNOWN, Plan

_NOT_COMPARED: Final = {"settings", "region", *map(state_name, VOLATILE_FIELDS)}


@dataclass(frozen=True, slots=True)
class Reading:
    """A list that came, and from when to when it was read, on the backend's clock."""

    asked: Mapping[str, Any]
    found: ClientList
    since: float
    until: float


def faults(given: Plan, reading: Reading, past: Past) -> list[str]:
    """What is wrong with a list."""
    return [*_rows(reading, past), *_whole(given, reading, past)]


def compared(rows: Any) -> list[dict[str, Any]]:
    """Rows in the service's form as a list should show them. Other types and empty forms make no difference."""
    return _plain(from_wire(rows))


def _plain(clients: Any) -> list[dict[str, Any]]:
    rows = to_dicts(clients)
    return [{name: value for name, value in row.items() if name not in _NOT_COMPARED} for row in rows]


def _rows(reading: Reading, past: Past) -> Iterator[str]:
    """Whatever it says of being whole: each client once, in order, asked for, and as the service had it."""
    ids = list(reading.found.ids)
    if ids != sorted(set(ids)):
        yield "ids are not sorted, or not unique"
    if excess := [i for i in ids if i not in past.known or not _is_asked_for(reading, past, i)]:
        yield f"{len(excess)} were not asked for or never there, such as {excess[0]}"
    listed = {row["clientId"]: row for row in _plain(reading.found.clients)}
    if changed := [i for i, row in listed.items() if i in past.known and row not in _versions(reading, past, i)]:
        yield f"{len(changed)} are not as the service has them, such as {changed[0]}"


def _versions(reading: Reading, past: Past, client_id: str) -> list[dict[str, Any]]:
    """How the client was while the list was read."""
    return compared([s.row for s in past.states(client_id, reading.since, reading.until) if s.row is not None])


def _whole(given: Plan, reading: Reading, past: Past) -> Iterator[str]:
    """What is missing in a list that says that nothing is."""
    if not reading.found.complete:
        return
    stayed = {i for i in past.first if past.stayed(i, reading.since, reading.until)}
    expected = {i for i in stayed if _is_asked_for(reading, past, i)}
    if lacking := expected - set(reading.found.ids):
        yield f"says complete and lacks {len(lacking)} of {len(expected)}, such as {min(lacking)}"
    if given.still:
        yield from _beside(given, reading, expected)


def _is_asked_for(reading: Reading, past: Past, client_id: str) -> bool:
    if ids := reading.asked.get("client_ids"):
        return client_id in ids
    instances = reading.asked.get("instance_ids")
    rows = (state.row for state in past.states(client_id, reading.since, reading.until))
    return not instances or any(row is not None and row["InstanceId"] in instances for row in rows)


def _beside(given: Plan, reading: Reading, expected: set[str]) -> Iterator[str]:
    """What is wrong beside the clients of a whole list."""
    asked = (*reading.asked.get("client_ids", ()), *reading.asked.get("instance_ids", ()))
    missing = [*reading.found.missing_client_ids, *reading.found.missing_instance_ids]
    if missing != sorted(i for i in asked if i.startswith(UNKNOWN)):
        yield f"names {len(missing)} missing ids, not those that are"
    if reading.asked["include_proxy_passwords"] and "no_settings" not in given.conditions.get("variety", ()):
        secrets = {row["ClientId"]: row["Settings"]["ProxyPassword"] for row in given.rows}
        wanted = {i: text for i, text in secrets.items() if text and i in expected}
        if wanted != {i: text.get_secret_value() for i, text in reading.found.proxy_passwords.items()}:
            yield "the proxy passwords are not those of the fleet"
