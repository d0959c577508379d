"""`ClientList`, and the one projection of a list to the output values of every entry point.

Query, ClientList → to_outputs → data source, plugin, JSON of the command line (keys of state, plain values)
→ to_state   → the data source's outputs: `clients` as one text, nothing that can be derived
→ project    → look-ups: a `ClientList` with the query's fields
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import SecretStr

from pulumi_hbr_clients.model.backup_client import (
    CLIENT_FIELDS,
    VOLATILE_FIELDS,
    BackupClient,
    doc,
    state_name,
    to_dicts,
    to_state_text,
)
from pulumi_hbr_clients.model.query import Query

_ALWAYS_KEPT: Final = frozenset({"client_id", "instance_id", "region"})
STATE_OUTPUTS: Final = (
    *("clients", "totalCount", "serviceTotalCount", "countsByStatus", "missingClientIds", "missingInstanceIds"),
    *("complete", "region", "profile", "pageNumber", "pageSize", "proxyPasswords"),
)
"""What a data source's state holds of a list; the last five only where there is a value."""
INCOMPLETE: Final = (
    "the list may be incomplete: the fleet kept changing while it was read. Read it again when it is calmer"
)
STATE_TEXT_MAX: Final = 1_000_000
"""Characters of `clients` in state, about 1 MB, beyond which a program is warned."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ClientList:
    """The clients that match a query, sorted by client id, and what is known about the list."""

    clients: tuple[BackupClient, ...] = doc("The clients, sorted by id.", default=())
    service_total_count: int = doc("Number of clients that the service counted, before our own filters.", default=0)
    counts_by_status: Mapping[str, int] = doc(
        "Number of clients by status; those without one count as UNKNOWN.", default_factory=dict
    )
    missing_client_ids: tuple[str, ...] = doc("Requested client ids that were not returned.", default=())
    missing_instance_ids: tuple[str, ...] = doc("Requested instances that have no client.", default=())
    proxy_passwords: Mapping[str, SecretStr] = doc(
        "Client id to proxy password, only with include_proxy_passwords.", default_factory=dict
    )
    complete: bool = doc("Whether this is certainly the whole list. False for a single page that is not.", default=True)
    region: str | None = doc("The region that was read.")
    profile: str | None = doc("The profile of the Alibaba CLI that signed, if one did.")
    page_number: int | None = doc("The number of the single page that was requested.")
    page_size: int | None = doc("The size of the single page that was requested.")
    request_count: int = 0
    """Number of page requests."""
    request_ids: tuple[str, ...] = ()
    """The service's ids of the requests, on results of `HbrClient` only."""
    server_time: float | None = None
    """The service's clock when it answered, in UNIX seconds."""

    def __repr__(self) -> str:
        """Short: asyncio's runner, for one, makes a text of every result and throws it away."""
        return f"ClientList({self.total_count} clients, complete={self.complete})"

    @property
    def total_count(self) -> int:
        """Number of clients listed."""
        return len(self.clients)

    @property
    def ids(self) -> tuple[str, ...]:
        """The clients' ids, sorted."""
        return tuple(client.client_id for client in self.clients if client.client_id)

    @property
    def instance_ids(self) -> tuple[str, ...]:
        """The instances that have a client, sorted, each once."""
        return tuple(sorted({client.instance_id for client in self.clients if client.instance_id}))

    @property
    def by_instance_id(self) -> dict[str, tuple[BackupClient, ...]]:
        """Instance id → its clients; an instance may have several."""
        found: dict[str, tuple[BackupClient, ...]] = dict.fromkeys(self.instance_ids, ())
        for client in self.clients:
            if client.instance_id:
                found[client.instance_id] += (client,)
        return found

    def reveal_passwords(self) -> dict[str, str]:
        """Client id → proxy password in clear text: for outputs that are marked as secret."""
        return {client_id: text.get_secret_value() for client_id, text in self.proxy_passwords.items()}


def counts_by_status(clients: Iterable[BackupClient]) -> dict[str, int]:
    """Number of clients by status, sorted by status; a client without one counts as UNKNOWN."""
    return dict(sorted(Counter(client.status or "UNKNOWN" for client in clients).items()))


def apply_filters(query: Query, clients: list[BackupClient]) -> list[BackupClient]:
    """The clients that pass our own filters and have one of the ids (one reading may serve several queries)."""
    allowed = {
        "client_id": query.client_ids,
        "instance_id": query.instance_ids,
        "backup_status": query.backup_statuses,
        "zone_id": query.zone_ids,
        "os_type": query.os_types,
    }
    for name, values in allowed.items():
        if values is not None:
            chosen = frozenset(values)
            clients = [client for client in clients if getattr(client, name) in chosen]
    if query.statuses is not None:
        clients = [client for client in clients if (client.status or "UNKNOWN") in query.statuses]
    if query.outdated is not None:
        clients = [client for client in clients if client.outdated is query.outdated]
    return clients


def excluded_fields(query: Query, *, heartbeats: bool = False) -> frozenset[str]:
    """The fields that a projection leaves out. Ids and region always stay.

    Heartbeat and update times are left out unless the query includes them or names them in `fields`, or `heartbeats`.
    """
    kept = query.fields
    hidden = frozenset() if kept is None else frozenset(CLIENT_FIELDS) - _ALWAYS_KEPT - set(kept)
    if heartbeats or query.include_heartbeats:
        return hidden
    return hidden | (frozenset(VOLATILE_FIELDS) - set(kept or ()))


def project(query: Query, found: ClientList) -> ClientList:
    """The list whose clients have only the fields of the query."""
    empty: dict[str, Any] = {name: {} if name == "tags" else None for name in excluded_fields(query)}
    return replace(found, clients=tuple([replace(client, **empty) for client in found.clients]), request_ids=())


def summary(query: Query, found: ClientList) -> dict[str, Any]:
    """Return everything but the clients, as plain values with the keys of state. Passwords are in clear text."""
    optional = {
        "region": found.region,
        "profile": found.profile,
        "pageNumber": found.page_number,
        "pageSize": found.page_size,
        "proxyPasswords": found.reveal_passwords() if query.include_proxy_passwords else None,
    }
    return {
        "ids": list(found.ids),
        "instanceIds": list(found.instance_ids),
        "totalCount": found.total_count,
        "serviceTotalCount": found.service_total_count,
        "countsByStatus": dict(found.counts_by_status),
        "missingClientIds": list(found.missing_client_ids),
        "missingInstanceIds": list(found.missing_instance_ids),
        "complete": found.complete,
        **{name: value for name, value in optional.items() if value is not None},
    }


def to_outputs(query: Query, found: ClientList, *, heartbeats: bool = False) -> dict[str, Any]:
    """Return the list as plain values with the keys of state: for the plugin and for JSON."""
    clients = to_dicts(found.clients, leave_out=excluded_fields(query, heartbeats=heartbeats))
    return {"clients": clients, **summary(query, found)}


def to_state(query: Query, found: ClientList) -> dict[str, Any]:
    """Return the outputs of the data source: `clients` is one text, since the engine is slow for each value."""
    text = to_state_text(found.clients, leave_out=excluded_fields(query))
    outputs = {**summary(query, found), "clients": text}
    return {name: outputs[name] for name in STATE_OUTPUTS if name in outputs}


def same_but_volatile(before: Mapping[str, Any], outputs: Mapping[str, Any]) -> bool:
    """Whether only heartbeat and update times differ from the previous outputs.

    Compares the keys that both have: an output that a newer version adds is no change of the fleet.
    """
    if before.get("clients") is None:
        return False
    known = before.keys() & outputs.keys() - {"clients"}
    if any(before[name] != outputs[name] for name in known):
        return False
    texts = before["clients"], outputs["clients"]
    return texts[0] == texts[1] or _without_volatile(texts[0]) == _without_volatile(texts[1])


def _without_volatile(text: str) -> list[dict[str, Any]]:
    volatile = {state_name(name) for name in VOLATILE_FIELDS}
    return [{key: row[key] for key in row if key not in volatile} for row in json.loads(text)["clients"]]


def warnings_of(query: Query, found: ClientList, secret: Collection[str] = ()) -> Iterator[str]:
    """What a person should know about a query and its list, a sentence each. `secret`: see `Query.warnings`."""
    yield from query.warnings(secret)
    if not found.complete and not query.is_single_page():
        yield INCOMPLETE


def size_text(text: str) -> str | None:
    """The warning of a tracked list that makes a stack slow, or None."""
    if len(text) <= STATE_TEXT_MAX:
        return None
    return (
        f"this list adds {len(text) / 1e6:.1f} MB to the stack's state, and a stack on a file backend writes its whole "
        "state at every step (100 other resources: 6 s with 1 MB, 35 s with 8 MB, instead of 2 s). Keep only the "
        "fields that the program uses (fields=[...]), or list with get_backup_clients, which keeps nothing in state"
    )
