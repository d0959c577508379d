"""Query + backend → one page of the list, and what moves in the fleet before the next one.

Empty id lists select everything, as if they had not been given: no source says what the service does, and this is
what a client must guard against.
"""

from collections.abc import Sequence
from typing import Final

from pulumi_hbr_clients.emulator.backend import Backend
from pulumi_hbr_clients.emulator.fake_client import FakeClient
from pulumi_hbr_clients.emulator.fixtures import ROW_FIELDS
from pulumi_hbr_clients.emulator.responses import ApiError, ApiResponse, page_reply
from pulumi_hbr_clients.model.query import Filter, Query
from pulumi_hbr_clients.model.validators import PAGE_SIZE_MAX

DEFAULT_PAGE_SIZE: Final = 10
_SELECTIONS_MAX: Final = 100
_BY_LOWER_NAME: Final = {n.lower(): n for n in ROW_FIELDS if n not in {"Tags", "Settings"}}


def page(backend: Backend, query: Query, *, other: bool = False) -> ApiResponse:
    """The page that was asked for; or under its number the one before it (of the first one the second)."""
    found = _selection(backend, query)
    number = query.page_number or 1
    size = min(query.page_size or DEFAULT_PAGE_SIZE, backend.page_size_max or PAGE_SIZE_MAX)
    now, total = backend.now(), len(found)
    given = (number - 1 or 2) if other else number
    reply = page_reply(
        (member.encoded(now, backend.variety) for member in _window(backend, found, given, size)),
        number=number,
        size=size,
        total=max(0, total + backend.total_drift * (backend.requests % 2)),
        variety=backend.variety,
    )
    _move(backend, query.client_type, found[: backend.shift])
    return reply


def _window(backend: Backend, found: Sequence[FakeClient], number: int, size: int) -> Sequence[FakeClient]:
    if backend.shuffle:
        found = backend.random.sample(found, len(found))
    start = (number - 1) * size
    end = max(start, start + size - backend.short_by)
    return found[max(0, start - backend.repeats) if start else 0 : end]


def _move(backend: Backend, client_type: str, leaving: Sequence[FakeClient]) -> None:
    for member in leaving:
        backend.leave(member)
        backend.arrive(client_type)


def _selection(backend: Backend, query: Query) -> list[FakeClient]:
    """Kept until the fleet changes: 1,000 pages of one list need one pass over 100,000 clients."""
    key = query.model_copy(update={"page_number": None, "page_size": None})
    if key not in backend.selections:
        if len(backend.selections) >= _SELECTIONS_MAX:
            backend.selections.clear()
        backend.selections[key] = select(backend, query)
    return backend.selections[key]


def select(backend: Backend, query: Query) -> list[FakeClient]:
    """The clients that match, in the fleet's order. Raises `ApiError`."""
    owner = _owner(backend, query)
    found = [
        member
        for member in backend.members
        if member.row.get("ClientType") == query.client_type and member.owner == owner
    ]
    if query.cluster_id:
        found = [member for member in found if member.cluster_id == query.cluster_id]
    if query.client_ids:
        found = _with(found, "ClientId", query.client_ids)
    if query.instance_ids:
        found = _with(found, "InstanceId", query.instance_ids)
    for tag in query.tags:
        found = [m for m in found if _is_tagged(m, tag.key, tag.value)]
    for item in query.filters:
        found = _with(found, _field(item), item.values)
    return found


def _with(found: list[FakeClient], name: str, values: tuple[str, ...]) -> list[FakeClient]:
    wanted = frozenset(values)
    return [member for member in found if _text(member.row.get(name)) in wanted]


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _is_tagged(member: FakeClient, key: str, value: str | None) -> bool:
    tags = member.row.get("Tags") or ()
    return any(tag.get("Key") == key and value in {None, tag.get("Value")} for tag in tags)


def _field(item: Filter) -> str:
    """The metadata's example says `InstanceId`, sibling calls say `instanceId`: either is taken."""
    name = _BY_LOWER_NAME.get(item.key.lower())
    if name is None:
        msg = f"The specified parameter Filters is not valid: {item.key} is no field of a client."
        raise ApiError("InvalidParameter", msg)
    return name


def _owner(backend: Backend, query: Query) -> tuple[str, str] | None:
    if query.cross_account_type != "CROSS_ACCOUNT":
        return None
    owner = query.cross_account_user_id or "", query.cross_account_role_name or ""
    if owner not in backend.trusted:
        raise ApiError("AssumeRoleFail")
    return owner
