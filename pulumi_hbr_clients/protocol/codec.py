"""Requests of DescribeBackupClients on the wire, Query + PageRequest ⇄ Request, and what heads of responses say.

Places and forms of parameters are read off `Query` (see `WireParam`), by the client that encodes and by the emulator
that decodes. `protocol.decoder` reads the bodies of responses.
Sources of the form: docs/service.md.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from pulumi_hbr_clients.model.query import Query, WireParam
from pulumi_hbr_clients.protocol.signing import Request

ACTION: Final = "DescribeBackupClients"
REGIONS_ACTION: Final = "DescribeRegions"
VERSION: Final = "2017-09-08"
FORM: Final = "application/x-www-form-urlencoded"
"""The type of a request's body."""
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

    @property
    def content_type(self) -> str:
        """The type without its parameters, "" if there is none."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind if re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind) else ""

    @property
    def redirect_target(self) -> str | None:
        """Where it points to, without user, query and fragment: they may hold a session's secrets."""
        try:
            url = urlsplit(self.headers.get("location", ""))
            shown = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}" if url.netloc else url.path
        except ValueError:
            return None
        return re.sub(r"[^\x21-\x7e]", "?", shown)[:200] or None

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait: `x-acs-retry-after` in milliseconds, else `Retry-After` in seconds or as a date."""
        value = self.headers.get("retry-after", "")
        try:
            if "x-acs-retry-after" in self.headers:
                seconds = float(self.headers["x-acs-retry-after"]) / 1000
            elif value.isdigit():
                seconds = float(value)
            else:  # the response's own date is the clock
                until, now = parse_date(value), parse_date(self.headers.get("date"))
                if until is None or now is None:
                    return None
                seconds = until - now
        except ValueError:
            return None
        return max(0.0, min(seconds, RETRY_AFTER_MAX))

    @property
    def request_id(self) -> str | None:
        """The service's id of the request, as far as a header names it."""
        return self.headers.get("x-acs-request-id")


RETRY_AFTER_MAX: Final = 60.0
"""Seconds; a longer wait is not believed: all queries of a process keep it, and one broken header would end them."""


def parse_date(text: str | None) -> float | None:
    """UNIX seconds of an HTTP date. Outside of 1970 to 9999 it is taken for none: no clock is set by it."""
    try:
        seconds = parsedate_to_datetime(text).timestamp() if text else 0.0
    except (ValueError, OverflowError, TypeError):
        return None
    return seconds if seconds > 0 else None


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
        "content-type": FORM,
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

    The vendor says of query parameters that they may also be sent in the form body; Terraform does. Raises `ValueError`
    on a parameter that cannot be read.
    """
    body = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    pairs = {"query": {**body, **dict(request.query)}, "body": body}
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
