"""The judge: whether a list or a gate's end is right. Returns what is wrong, in words.

It stands on the backend's own history and on nothing that the package says.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pulumi_hbr_clients.emulator import Backend
from pulumi_hbr_clients.emulator.fake_client import Row
from pulumi_hbr_clients.model.errors import GateFailedError, GateTimeoutError
from pulumi_hbr_clients.model.outputs import ClientList

Past = Mapping[str, list[Row | None]]
"""Every row that each client had in a while, in order; None where it was not there."""
FAILING: Final = frozenset({"DEACTIVATED", "INSTALL_FAILED", "UNINSTALL_FAILED", "UPGRADE_FAILED"})
UNKNOWN_ID: Final = "x-unknown-"


class History:
    """A fleet's past from now on. A moment is a number of changes: two differ even if no time has passed."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._first: dict[str, Row] = {str(client.row["ClientId"]): client.row for client in backend.members}
        self._skipped = len(backend.history)

    def now(self) -> int:
        return len(self.backend.history) - self._skipped

    def since(self, moment: int) -> Past:
        rows: dict[str, Row | None] = dict(self._first)
        past: dict[str, list[Row | None]] = {}
        for number, (client_id, row) in enumerate(list(self.backend.history)[self._skipped :]):
            if number >= moment:
                past.setdefault(client_id, [rows.get(client_id)]).append(row)
            rows[client_id] = row
        return {client_id: past.get(client_id) or [row] for client_id, row in rows.items()}


def throughout(past: Past, matches: Callable[[Row], bool]) -> set[str]:
    """Clients that were there and matched all the time."""
    return {i for i, rows in past.items() if all(row is not None and matches(row) for row in rows)}


def ever(past: Past, matches: Callable[[Row], bool]) -> set[str]:
    """Clients that were there and matched at some moment."""
    return {i for i, rows in past.items() if any(row is not None and matches(row) for row in rows)}


def is_selected(arguments: Mapping[str, Any], row: Row) -> bool:
    """Whether these arguments select a row."""
    tags = {tag["Key"]: tag["Value"] for tag in row.get("Tags") or ()}
    return (
        row["ClientType"] == arguments["client_type"]
        and row["ClientId"] in arguments.get("client_ids", [row["ClientId"]])
        and row["InstanceId"] in arguments.get("instance_ids", [row["InstanceId"]])
        and all(tags.get(key) == value for key, value in arguments.get("tags", {}).items())
        and all(row[key] in values for key, values in arguments.get("filters", {}).items())
    )


def wrong_list(arguments: Mapping[str, Any], found: ClientList, history: History, since: int) -> Iterator[str]:
    """What is wrong with a list that was requested at that moment and has come now."""
    past = history.since(since)
    there = ever(past, lambda row: is_selected(arguments, row))
    ids = [str(client.client_id) for client in found.clients]
    if ids != sorted(set(ids)):
        yield "ids are not sorted, or not unique"
    if excess := set(ids) - there:
        yield f"lists {len(excess)} that were never there meanwhile, such as {min(excess)}"
    if odd := [client.client_id for client in found.clients if not _as_it_was(client, past)]:
        yield f"{len(odd)} are not as the service had them, such as {odd[0]}"
    if not found.complete or (arguments.get("consistency") == "counted" and since < history.now()):
        return  # one pass over a list that changes promises nothing
    expected = throughout(past, lambda row: is_selected(arguments, row))
    if lacking := expected - set(ids):
        yield f"is complete and lacks {len(lacking)} of {len(expected)}, such as {min(lacking)}"
    missing = set(found.missing_client_ids)
    if "client_ids" in arguments and missing != set(arguments["client_ids"]) - set(ids):
        yield f"names {len(missing)} missing ids, not those that are"


def _as_it_was(client: Any, past: Past) -> bool:
    """Whether some row of the client says the same, apart from what moves by itself."""
    facts = {"InstanceId": client.instance_id, "Status": client.status, "CreatedTime": client.created_time}
    rows = past.get(client.client_id, [])
    return any(row is not None and all(row.get(name) == value for name, value in facts.items()) for row in rows)


def wrong_gate(
    arguments: Mapping[str, Any], end: ClientList | Exception, history: History, since: int, seconds: float
) -> Iterator[str]:
    """What is wrong with how a gate ended after some seconds: with the list that let it pass, or with an error."""
    past = history.since(since)
    if isinstance(end, ClientList):
        yield from _passed_early(arguments, end, past)
    elif isinstance(end, GateFailedError):
        selected = ever(past, lambda row: is_selected(arguments, row))
        statuses = {row["Status"] for i in selected for row in past[i] if row is not None}
        if not statuses & {*FAILING - {*arguments.get("tolerate", ())}, "UNKNOWN"}:
            yield f"failed for nothing: {end}"
    elif isinstance(end, GateTimeoutError) and seconds < arguments["timeout"] - 0.001:
        yield f"gave up after {seconds:g} s of {arguments['timeout']:g} s"


def _passed_early(arguments: Mapping[str, Any], found: ClientList, past: Past) -> Iterator[str]:
    """Every client that was there all the time must have been ready at some moment, and none may lack."""
    stayed = throughout(past, lambda row: is_selected(arguments, row))
    ready = ever(past, lambda row: is_selected(arguments, row) and row["Status"] == "ACTIVATED")
    if late := stayed - ready:
        yield f"passed although {len(late)} of {len(stayed)} were never ready, such as {min(late)}"
    if odd := set(found.ids) - ready:
        yield f"passed on {len(odd)} that were not ready, such as {min(odd)}"
    if lacking := (stayed | set(arguments.get("client_ids", ()))) - set(found.ids):
        yield f"passed without {len(lacking)} clients, such as {min(lacking)}"
    if not found.complete and "client_ids" not in arguments:  # by ids, every id is there
        yield "passed on an incomplete list"
    if len(found.ids) < arguments.get("min_clients", 0):
        yield f"passed with only {len(found.ids)} clients"
