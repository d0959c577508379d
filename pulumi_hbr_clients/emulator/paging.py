"""Query + backend → one page of the list, and how the list changes before the next one.

Empty id lists select everything, as if they had not been given: no source says what the service does, and this is what
a client must guard against.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from zlib import crc32

from pulumi_hbr_clients.emulator import responses
from pulumi_hbr_clients.emulator.backend import Backend
from pulumi_hbr_clients.emulator.behaviour import Position, Turnover
from pulumi_hbr_clients.emulator.fake_client import LONG_AGO, ROW_FIELDS, FakeClient
from pulumi_hbr_clients.emulator.responses import ApiError, ApiResponse
from pulumi_hbr_clients.model.query import Filter, Query
from pulumi_hbr_clients.model.validators import PAGE_SIZE_MAX

DEFAULT_PAGE_SIZE: Final = 10
_SELECTIONS_MAX: Final = 100
_BY_LOWER_NAME: Final = {name.lower(): name for name in ROW_FIELDS if name not in {"Tags", "Settings"}}
_SORT_KEYS: Final[Mapping[str, Callable[[FakeClient, int], Any]]] = {
    "id": lambda client, _: str(client.row.get("ClientId")),
    "name": lambda client, _: str(client.row.get("Hostname")),
    "random": lambda client, seed: crc32(f"{seed}{client.row.get('ClientId')}".encode()),
}


def page(backend: Backend, query: Query) -> ApiResponse:
    """The requested page."""
    found = _selection(backend, query)
    number = query.page_number or 1
    size = min(query.page_size or DEFAULT_PAGE_SIZE, backend.page_size_max or PAGE_SIZE_MAX)
    ordered = backend.random.sample(found, len(found)) if backend.order == "shuffled" else found
    now = backend.now()
    response = responses.page(
        (client.encoded(now) for client in ordered[(number - 1) * size : number * size]),
        number=number,
        size=size,
        total=max(0, len(found) + backend.total_drift * (backend.requests % 2)),
    )
    if backend.turnover and backend.turnover.is_due():
        _turn_over(backend, backend.turnover, query, found)
    return response


def _selection(backend: Backend, query: Query) -> list[FakeClient]:
    """The clients that match, in order. Kept until the fleet changes: a list of 1,000 pages selects and sorts once."""
    selection = backend.order, query.model_copy(update={"page_number": None, "page_size": None})
    if selection not in backend.selections:
        if len(backend.selections) >= _SELECTIONS_MAX:
            backend.selections.clear()
        found = _select(backend, query)
        if key := _SORT_KEYS.get(backend.order):
            found.sort(key=lambda client: key(client, backend.seed))
        backend.selections[selection] = found
    return backend.selections[selection]


def _select(backend: Backend, query: Query) -> list[FakeClient]:
    """The clients that match, in the order in which they arrived. Raises `ApiError`."""
    owner = _owner(backend, query)
    found = [c for c in backend.members if c.row.get("ClientType") == query.client_type and c.owner == owner]
    if query.cluster_id:
        found = [client for client in found if client.cluster_id == query.cluster_id]
    fields = [("ClientId", query.client_ids), ("InstanceId", query.instance_ids)]
    fields += [(_filtered_field(item), item.values) for item in query.filters]
    for name, values in fields:
        if wanted := frozenset(values or ()):
            texts = ((client, client.row.get(name)) for client in found)
            found = [c for c, text in texts if (text if isinstance(text, str) else str(text).lower()) in wanted]
    for tag in query.tags:
        found = [client for client in found if _is_tagged(client, tag.key, tag.value)]
    return found


def _is_tagged(client: FakeClient, key: str, value: str | None) -> bool:
    return any(tag.get("Key") == key and value in {None, tag.get("Value")} for tag in client.row.get("Tags") or ())


def _filtered_field(item: Filter) -> str:
    """The field that a filter is about: `InstanceId` (the metadata's example) or `instanceId` (as in sibling calls)."""
    if name := _BY_LOWER_NAME.get(item.key.lower()):
        return name
    msg = f"The specified parameter Filters is not valid: {item.key} is no field of a client."
    raise ApiError("InvalidParameter", msg)


def _owner(backend: Backend, query: Query) -> tuple[str, str] | None:
    if query.cross_account_type is None or query.cross_account_type == "SELF_ACCOUNT":
        return None
    owner = query.cross_account_user_id or "", query.cross_account_role_name or ""
    if not any(client.owner == owner for client in backend.members):
        raise ApiError("AssumeRoleFail")
    return owner


def _turn_over(backend: Backend, change: Turnover, query: Query, found: Sequence[FakeClient]) -> None:
    """Clients leave a selection, and others arrive in it.

    By presence they leave the fleet and join it. By tags or by filters they stay in the fleet, and fields of theirs
    change so that the query selects them no longer, or from now on; a query without them sees no change then.
    """
    by_fields = change.by != "presence"
    if by_fields and not getattr(query, change.by):
        return
    arriving = []
    if by_fields and change.arrivals == "old":
        known = set(map(id, found))
        outside = [c for c in backend.members if id(c) not in known and c.row.get("ClientType") == query.client_type]
        arriving = _some(backend, outside, change.arriving, change.arrive_at)
    for client in _some(backend, found, change.leaving, change.leave_from):
        if by_fields:
            backend.change(client, _unmatched(client, change, query))
        else:
            backend.remove(client)
    created = {} if change.arrivals == "new" else {"CreatedTime": LONG_AGO}
    for _ in range(change.arriving - len(arriving)):
        client = backend.arrive(query.client_type, change.arrive_at, created)
        client.cluster_id = query.cluster_id
        arriving.append(client)
    for client in arriving if by_fields else ():
        backend.change(client, _matched(client, change, query))


def _some(backend: Backend, clients: Sequence[FakeClient], number: int, where: Position) -> list[FakeClient]:
    if where == "anywhere":
        return backend.random.sample(clients, min(number, len(clients)))
    return list(clients[:number] if where == "front" else clients[max(0, len(clients) - number) :])


def _unmatched(client: FakeClient, change: Turnover, query: Query) -> dict[str, Any]:
    if change.by == "tags":
        keys = {tag.key for tag in query.tags}
        return {"Tags": [tag for tag in client.row.get("Tags") or () if tag["Key"] not in keys]}
    return {_filtered_field(item): "CHANGED" for item in query.filters}


def _matched(client: FakeClient, change: Turnover, query: Query) -> dict[str, Any]:
    if change.by == "tags":
        wanted = {tag.key: tag.value or "any" for tag in query.tags}
        return {"Tags": {tag["Key"]: tag["Value"] for tag in client.row.get("Tags") or ()} | wanted}
    return {_filtered_field(item): item.values[0] for item in query.filters}
