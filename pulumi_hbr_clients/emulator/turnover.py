"""How membership changes while a list is read: clients leave a selection, and others arrive in it.

By presence they leave the fleet and join it. By tags or by filters they stay in the fleet, and fields of theirs change
so that the query selects them no longer, or from now on; a query without tags or filters sees no change then.
"""

from collections.abc import Sequence
from typing import Any

from pulumi_hbr_clients.emulator import paging
from pulumi_hbr_clients.emulator.backend import Backend
from pulumi_hbr_clients.emulator.behaviour import Position, Turnover
from pulumi_hbr_clients.emulator.fake_client import FakeClient
from pulumi_hbr_clients.emulator.fixtures import LONG_AGO
from pulumi_hbr_clients.model.query import Query


def happen(backend: Backend, change: Turnover, query: Query, found: Sequence[FakeClient]) -> None:
    """One event, after a page of what the query found."""
    leaving = _some(backend, found, change.leaving, change.leave_from)
    if change.by == "presence":
        for client in leaving:
            backend.leave(client)
        for _ in range(change.arriving):
            _arrival(backend, change, query)
        return
    if not getattr(query, change.by):
        return
    known = set(map(id, found))
    outside = [c for c in backend.members if id(c) not in known and c.row.get("ClientType") == query.client_type]
    arriving = _some(backend, outside, change.arriving, change.arrive_at) if change.arrivals == "old" else []
    for client in leaving:
        backend.change(client, _unmatched(client, change, query))
    for _ in range(change.arriving - len(arriving)):
        client = _arrival(backend, change, query)
        arriving.append(client)
    for client in arriving:
        backend.change(client, _matched(client, change, query))


def _some(backend: Backend, clients: Sequence[FakeClient], number: int, where: Position) -> list[FakeClient]:
    if where == "anywhere":
        return backend.random.sample(clients, min(number, len(clients)))
    return list(clients[:number] if where == "front" else clients[max(0, len(clients) - number) :])


def _arrival(backend: Backend, change: Turnover, query: Query) -> FakeClient:
    created: dict[str, Any] = {} if change.arrivals == "new" else {"CreatedTime": LONG_AGO}
    client = backend.arrive(query.client_type, change.arrive_at, created)
    client.cluster_id = query.cluster_id
    return client


def _unmatched(client: FakeClient, change: Turnover, query: Query) -> dict[str, Any]:
    if change.by == "tags":
        keys = {tag.key for tag in query.tags}
        return {"Tags": [tag for tag in client.row.get("Tags") or () if tag["Key"] not in keys]}
    return {paging.filtered_field(item): "CHANGED" for item in query.filters}


def _matched(client: FakeClient, change: Turnover, query: Query) -> dict[str, Any]:
    if change.by == "tags":
        wanted = {tag.key: tag.value or "any" for tag in query.tags}
        tags = {tag["Key"]: tag["Value"] for tag in client.row.get("Tags") or ()} | wanted
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    return {paging.filtered_field(item): item.values[0] for item in query.filters}
