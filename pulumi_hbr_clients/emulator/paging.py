"""Query + world → one page of the list, and what moves in the fleet before the next one.

Empty id lists select everything, as if they had not been given: no source says what the service does, and this is
what a client must guard against.
"""

from collections.abc import Sequence
from typing import Final

from pulumi_hbr_clients.core.query import Filter, Query
from pulumi_hbr_clients.core.rules import PAGE_SIZE_MAX
from pulumi_hbr_clients.emulator.answers import Refusal, Reply, page_reply
from pulumi_hbr_clients.emulator.member import Member
from pulumi_hbr_clients.emulator.rows import ROW_FIELDS
from pulumi_hbr_clients.emulator.world import World

DEFAULT_PAGE_SIZE: Final = 10
_SELECTIONS_MAX: Final = 100
_BY_LOWER_NAME: Final = {n.lower(): n for n in ROW_FIELDS if n not in {"Tags", "Settings"}}


def page(world: World, query: Query, *, other: bool = False) -> Reply:
    """The page that was asked for; or under its number the one before it (of the first one the second)."""
    found = _selection(world, query)
    number = query.page_number or 1
    size = min(query.page_size or DEFAULT_PAGE_SIZE, world.page_size_max or PAGE_SIZE_MAX)
    now, total = world.now(), len(found)
    given = (number - 1 or 2) if other else number
    reply = page_reply(
        (member.encoded(now, world.variety) for member in _window(world, found, given, size)),
        number=number,
        size=size,
        total=max(0, total + world.total_drift * (world.requests % 2)),
        variety=world.variety,
    )
    _move(world, query.client_type, found[: world.shift])
    return reply


def _window(world: World, found: Sequence[Member], number: int, size: int) -> Sequence[Member]:
    if world.shuffle:
        found = world.random.sample(found, len(found))
    start = (number - 1) * size
    end = max(start, start + size - world.short_by)
    return found[max(0, start - world.repeats) if start else 0 : end]


def _move(world: World, client_type: str, leaving: Sequence[Member]) -> None:
    for member in leaving:
        world.leave(member)
        world.arrive(client_type)


def _selection(world: World, query: Query) -> list[Member]:
    """Kept until the fleet changes: 1,000 pages of one list need one pass over 100,000 clients."""
    key = query.model_copy(update={"page_number": None, "page_size": None})
    if key not in world.selections:
        if len(world.selections) >= _SELECTIONS_MAX:
            world.selections.clear()
        world.selections[key] = select(world, query)
    return world.selections[key]


def select(world: World, query: Query) -> list[Member]:
    """The clients that match, in the fleet's order. Raises `Refusal`."""
    owner = _owner(world, query)
    found = [
        member
        for member in world.members
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


def _with(found: list[Member], name: str, values: tuple[str, ...]) -> list[Member]:
    wanted = frozenset(values)
    return [member for member in found if _text(member.row.get(name)) in wanted]


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _is_tagged(member: Member, key: str, value: str | None) -> bool:
    tags = member.row.get("Tags") or ()
    return any(tag.get("Key") == key and value in {None, tag.get("Value")} for tag in tags)


def _field(item: Filter) -> str:
    """The metadata's example says `InstanceId`, sibling calls say `instanceId`: either is taken."""
    name = _BY_LOWER_NAME.get(item.key.lower())
    if name is None:
        msg = f"The specified parameter Filters is not valid: {item.key} is no field of a client."
        raise Refusal("InvalidParameter", msg)
    return name


def _owner(world: World, query: Query) -> tuple[str, str] | None:
    if query.cross_account_type != "CROSS_ACCOUNT":
        return None
    owner = query.cross_account_user_id or "", query.cross_account_role_name or ""
    if owner not in world.trusted:
        raise Refusal("AssumeRoleFail")
    return owner
