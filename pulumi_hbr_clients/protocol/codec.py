"""Requests of DescribeBackupClients on the wire: Query + PageRequest ⇄ Request.

Places and forms of parameters are read off `Query` (see `WireParam`), by the client that encodes and by the emulator
that decodes. `protocol.decoder` reads the responses.
Sources of the form: docs/service.md.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from pulumi_hbr_clients.model.query import Query, WireParam
from pulumi_hbr_clients.protocol.signing import Request

ACTION: Final = "DescribeBackupClients"
REGIONS_ACTION: Final = "DescribeRegions"
VERSION: Final = "2017-09-08"
PARAMETERS: Final = {
    name: wire for name, field in Query.model_fields.items() for wire in field.metadata if isinstance(wire, WireParam)
}
"""Query field → its place and form on the wire."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page to request. Ids, where not None, stand in for the query's: a part of a long list, or none."""

    page_number: int | None = None
    page_size: int | None = None
    client_ids: tuple[str, ...] | None = None
    instance_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response over HTTP, its header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def encode_request(query: Query, page: PageRequest, host: str) -> Request:
    """Return the request for one page, unsigned."""
    pairs = {"query": list[tuple[str, str]](), "body": list[tuple[str, str]]()}
    for name, wire in PARAMETERS.items():
        own = getattr(page, name, None)
        pairs[wire.place] += _encode(wire, getattr(query, name) if own is None else own)
    body = urlencode(sorted(pairs["body"])).encode()
    return Request(_headers(host, ACTION), tuple(sorted(pairs["query"])), body)


def regions_request(host: str) -> Request:
    """The unsigned request for the regions of the service (DescribeRegions, which has no parameters)."""
    return Request(_headers(host, REGIONS_ACTION))


def _headers(host: str, action: str) -> dict[str, str]:
    return {
        "host": host,
        "accept": "application/json",
        "content-type": "application/x-www-form-urlencoded",
        "x-acs-action": action,
        "x-acs-version": VERSION,
    }


def _encode(wire: WireParam, value: Any) -> Iterable[tuple[str, str]]:
    if value is None or value == ():
        return []
    if wire.form == "plain":
        return [(wire.name, str(value))]
    if wire.form == "json":
        return [(wire.name, json.dumps(list(value), separators=(",", ":")))]
    return list(_numbered(wire.name, [item.model_dump(exclude_none=True) for item in value]))


def _numbered(name: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """`Tag.1.Key=…`, and for lists `Filters.1.Values.1=…`."""
    for number, row in enumerate(rows, 1):
        for key, value in row.items():
            path = f"{name}.{number}.{key.capitalize()}"
            if isinstance(value, str):
                yield path, value
            else:
                yield from ((f"{path}.{i}", text) for i, text in enumerate(value, 1))


def decode_request(request: Request) -> dict[str, Any]:
    """Return the arguments of `Query` that a request carries in their places. For the emulator.

    Raises `ValueError` on a parameter that cannot be read.
    """
    body = parse_qsl(request.body.decode(), keep_blank_values=True)
    pairs = {"query": dict(request.query), "body": dict(body)}
    given = ((name, _decode(wire, pairs[wire.place])) for name, wire in PARAMETERS.items())
    return {name: value for name, value in given if value is not None}


def _decode(wire: WireParam, pairs: Mapping[str, str]) -> Any:
    if wire.form == "numbered":
        return _rows(wire.name, pairs) or None
    value = pairs.get(wire.name)
    return json.loads(value) if wire.form == "json" and value is not None else value


def _rows(name: str, pairs: Mapping[str, str]) -> list[dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for path, value in pairs.items():
        if found := re.fullmatch(rf"{name}\.(\d+)\.(\w+?)(\.\d+)?", path):
            row, key = rows.setdefault(int(found[1]), {}), found[2].lower()
            if not found[3]:
                row[key] = value
            elif isinstance(values := row.setdefault(key, []), list):
                values.append(value)
    return [rows[number] for number in sorted(rows)]
