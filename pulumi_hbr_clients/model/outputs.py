"""A list of clients → the output values of an entry point."""

import json
from collections.abc import Mapping
from typing import Any

from pulumi_hbr_clients.model.backup_client import (
    VOLATILE_FIELDS,
    ClientList,
    excluded_fields,
    state_name,
    to_json,
)
from pulumi_hbr_clients.model.query import Query


def to_state(query: Query, found: ClientList) -> dict[str, Any]:
    """The outputs of the data source: `clients` is one JSON text."""
    hidden = excluded_fields(query.fields) | set(() if query.include_heartbeats else VOLATILE_FIELDS)
    outputs = {"clients": to_json(found.clients, leave_out=hidden), **found.summary()}
    return {**outputs, "proxyPasswords": found.reveal_passwords()} if query.include_proxy_passwords else outputs


def same_but_volatile(before: Mapping[str, Any], outputs: Mapping[str, Any]) -> bool:
    """Whether only heartbeat and update times differ from the previous outputs."""
    if before.get("clients") is None:
        return False
    return _without_volatile(before) == _without_volatile(outputs)


def _without_volatile(outputs: Mapping[str, Any]) -> dict[str, Any]:
    volatile = {state_name(name) for name in VOLATILE_FIELDS}
    rows = [{key: row[key] for key in row if key not in volatile} for row in json.loads(outputs["clients"])]
    return {**outputs, "clients": rows}
