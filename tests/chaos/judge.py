"""The judge: whether a list or a gate's end is right, by the backend's own history. Returns what is wrong, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pulumi_hbr_clients.emulator.fake_client import Row
from pulumi_hbr_clients.model.errors import GateFailedError, GateTimeoutError, HbrError
from pulumi_hbr_clients.model.outputs import ClientList
from tests.chaos.history import History, ever, throughout

Versions = Mapping[str, list[Row | None]]
FAILING: Final = frozenset({"DEACTIVATED", "INSTALL_FAILED", "UNINSTALL_FAILED", "UPGRADE_FAILED"})
UNKNOWN_ID: Final = "x-unknown-"


@dataclass(frozen=True, kw_only=True)
class Span:
    """From when to when something was under way, as moments of the history and as seconds."""

    since: int
    until: int
    seconds: float = 0.0


def matches(arguments: Mapping[str, Any], row: Row) -> bool:
    """Whether a row is what these arguments select."""
    tags = {tag["Key"]: tag["Value"] for tag in row.get("Tags") or ()}
    return (
        row["ClientType"] == arguments["client_type"]
        and row["ClientId"] in arguments.get("client_ids", [row["ClientId"]])
        and row["InstanceId"] in arguments.get("instance_ids", [row["InstanceId"]])
        and all(tags.get(key) == value for key, value in arguments.get("tags", {}).items())
        and all(row[key] in values for key, values in arguments.get("filters", {}).items())
    )


def wrong_list(arguments: Mapping[str, Any], found: ClientList, history: History, span: Span) -> Iterator[str]:
    """What is wrong with a list."""
    versions = history.versions(span.since, span.until)
    there = ever(versions, lambda row: matches(arguments, row))
    ids = [str(client.client_id) for client in found.clients]
    if ids != sorted(set(ids)):
        yield "ids are not sorted, or not unique"
    if excess := set(ids) - there:
        yield f"lists {len(excess)} that were never there meanwhile, such as {min(excess)}"
    if odd := [client.client_id for client in found.clients if not _as_it_was(client, versions)]:
        yield f"{len(odd)} are not as the service had them, such as {odd[0]}"
    if not found.complete or (arguments.get("consistency") == "counted" and span.since < span.until):
        return  # one pass over a list that changes promises nothing
    expected = throughout(versions, lambda row: matches(arguments, row))
    if lacking := expected - set(ids):
        yield f"is complete and lacks {len(lacking)} of {len(expected)}, such as {min(lacking)}"
    missing = set(found.missing_client_ids)
    if "client_ids" in arguments and missing != set(arguments["client_ids"]) - set(ids):
        yield f"names {len(missing)} missing ids, not those that are"


def _as_it_was(client: Any, versions: Versions) -> bool:
    """Whether some row of the client says the same, apart from what moves by itself."""
    rows = [row for row in versions.get(client.client_id, []) if row is not None]
    facts = {"InstanceId": client.instance_id, "Status": client.status, "CreatedTime": client.created_time}
    return any(all(row.get(name) == value for name, value in facts.items()) for row in rows)


def wrong_gate(arguments: Mapping[str, Any], end: ClientList | HbrError, history: History, span: Span) -> Iterator[str]:
    """What is wrong with how a gate ended: with the list that let it pass, or with an error."""
    versions = history.versions(span.since, span.until)
    selected = ever(versions, lambda row: matches(arguments, row))
    if isinstance(end, ClientList):
        yield from _passed_early(arguments, end, versions)
    elif isinstance(end, GateFailedError):
        statuses = {row["Status"] for i in selected for row in versions[i] if row is not None}
        if not statuses & {*FAILING - {*arguments.get("tolerate", ())}, "UNKNOWN"}:
            yield f"failed for nothing: {end}"
    elif isinstance(end, GateTimeoutError) and span.seconds < arguments["timeout"] - 0.001:
        yield f"gave up after {span.seconds:g} s of {arguments['timeout']:g} s"


def _passed_early(arguments: Mapping[str, Any], found: ClientList, versions: Versions) -> Iterator[str]:
    """Nobody who was there all the time may have been without a moment of readiness, and nobody asked for may lack."""
    stayed = throughout(versions, lambda row: matches(arguments, row))
    ready = ever(versions, lambda row: matches(arguments, row) and row["Status"] == "ACTIVATED")
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
