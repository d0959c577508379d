"""The wire, both ways: Query + Ask → request;  answer → Page, or an error.

Places and forms are read off `Query` (see `WireParam`), by the client that encodes and by the emulator that decodes.
An answer is trouble if HTTP says so, or `Success` is false, or `Code` is not 200, or the shape is wrong.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from pydantic import AliasChoices, AliasGenerator, ConfigDict, Field, SecretStr, TypeAdapter
from pydantic import ValidationError as ShapeError
from pydantic.dataclasses import dataclass as record

from pulumi_hbr_clients.model.backup_client import (
    BackupClient,
    LenientBool,
    LenientInt,
    LenientStr,
    state_name,
    wire_name,
)
from pulumi_hbr_clients.model.errors import HbrError, InvalidResponseError, service_error
from pulumi_hbr_clients.model.query import Query, WireParam
from pulumi_hbr_clients.protocol.signing import Request

ACTION: Final = "DescribeBackupClients"
REGIONS_ACTION: Final = "DescribeRegions"
VERSION: Final = "2017-09-08"
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page to ask for. Ids, where not None, stand in for the query's: a part of a long list, or none."""

    page_number: int | None = None
    page_size: int | None = None
    client_ids: tuple[str, ...] | None = None
    instance_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer."""

    clients: list[BackupClient]
    total: int
    page_size: int | None = None
    passwords: Mapping[str, SecretStr] = field(default_factory=dict)
    date: str | None = None

    @property
    def server_time(self) -> float | None:
        """The service's clock when it answered, in UNIX seconds."""
        return _date(self.date)


@cache
def parameters() -> dict[str, WireParam]:
    """Query field → its place and form on the wire."""
    found = {
        name: next((item for item in info.metadata if isinstance(item, WireParam)), None)
        for name, info in Query.model_fields.items()
    }
    return {name: wire for name, wire in found.items() if wire}


def request(query: Query, ask: PageRequest, host: str) -> Request:
    """The request for one page, unsigned."""
    pairs = {"query": list[tuple[str, str]](), "body": list[tuple[str, str]]()}
    for name, wire in parameters().items():
        own = getattr(ask, name, None)
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
        "content-type": _FORM,
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


def arguments(request: Request) -> dict[str, Any]:
    """The arguments of `Query` that a request carries, each where it belongs. For the far end.

    Raises `ValueError` on a parameter that cannot be read.
    """
    body = parse_qsl(request.body.decode(), keep_blank_values=True)
    pairs = {"query": dict(request.query), "body": dict(body)}
    given = ((name, _decode(wire, pairs[wire.place])) for name, wire in parameters().items())
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


_ENVELOPE: Final = ConfigDict(
    coerce_numbers_to_str=True,
    alias_generator=AliasGenerator(validation_alias=lambda name: AliasChoices(wire_name(name), state_name(name))),
)


@record(slots=True, kw_only=True, config=_ENVELOPE)
class _Wrapped:
    client: list[BackupClient] | None = None


@record(slots=True, kw_only=True, config=_ENVELOPE)
class _Envelope:
    success: LenientBool = None
    code: LenientStr = None
    message: LenientStr = None
    request_id: LenientStr = None


@record(slots=True, kw_only=True, config=_ENVELOPE)
class _PageEnvelope(_Envelope):
    total_count: LenientInt = None
    page_size: LenientInt = None
    clients: Annotated[list[BackupClient] | _Wrapped | None, Field(union_mode="left_to_right")] = None


@record(slots=True, kw_only=True, config=_ENVELOPE)
class _Region:
    region_id: LenientStr = None


@record(slots=True, kw_only=True, config=_ENVELOPE)
class _Regions:
    region: list[_Region] | None = None


@record(slots=True, kw_only=True, config=_ENVELOPE)
class _RegionsEnvelope(_Envelope):
    regions: _Regions | None = None


E = TypeVar("E", bound=_Envelope)
_READ: Final = TypeAdapter(_PageEnvelope)
_READ_REGIONS: Final = TypeAdapter(_RegionsEnvelope)


def _as_it_is(text: str) -> str:
    return text


def page(
    answer: HttpResponse,
    *,
    region: str | None = None,
    redact: Callable[[str], str] = _as_it_is,
    passwords: bool = False,
) -> Page:
    """The page of a response. Raises `ServiceError` or `InvalidResponseError`, texts passed through `redact`."""
    envelope = _read(_READ, answer, redact)
    found = _page(envelope, answer.headers.get("date"), answer.body if passwords else None)
    for client in found.clients if region else ():
        object.__setattr__(client, "region", region)
    return found


def regions(answer: HttpResponse, *, redact: Callable[[str], str] = _as_it_is) -> tuple[str, ...]:
    """The region ids of a response to DescribeRegions, sorted. Raises as `page`."""
    rows = _read(_READ_REGIONS, answer, redact).regions
    return tuple(sorted({row.region_id for row in (rows and rows.region) or () if row.region_id}))


def _read(adapter: TypeAdapter[E], answer: HttpResponse, redact: Callable[[str], str]) -> E:
    try:
        envelope = adapter.validate_json(answer.body)
    except ShapeError as error:
        raise _unreadable(answer, error, redact) from None
    if trouble := _trouble(answer, envelope, redact):
        raise trouble
    return envelope


def _trouble(answer: HttpResponse, envelope: _Envelope, redact: Callable[[str], str]) -> HbrError | None:
    refused = envelope.success is False or envelope.code not in {None, "200"}
    if answer.status == 200 and not refused:  # noqa: PLR2004  the one good status of this API
        return None
    code, message = envelope.code or f"HTTP {answer.status}", envelope.message or "no message"
    return _refusal(answer, code, redact(message), envelope.request_id)


def _page(envelope: _PageEnvelope, date: str | None, body: bytes | None) -> Page:
    clients, total = envelope.clients, envelope.total_count
    if isinstance(clients, _Wrapped):
        clients = clients.client
    if total is None or not 0 <= total <= CLIENTS_MAX:
        msg = f"the answer's TotalCount is {total}: expected 0 to {CLIENTS_MAX:,}"
        raise InvalidResponseError(msg)
    return Page(clients or [], total, envelope.page_size, _passwords(body) if body else {}, date)


CLIENTS_MAX: Final = 1_000_000
"""A total beyond this is taken for a broken answer, before its pages are planned for it."""


def _unreadable(answer: HttpResponse, error: ShapeError, redact: Callable[[str], str]) -> HbrError:
    """HTML, half a JSON, XML or a strange shape. The text names the fault and none of the content."""
    if found := dict(re.findall(rb"<(Code|Message|RequestId)>([^<]*)</", answer.body[:10_000])):
        texts = {name.decode(): redact(text.decode(errors="replace")) for name, text in found.items()}
        code, message = texts.get("Code", "Error"), texts.get("Message", "no message")
        return _refusal(answer, code, message, texts.get("RequestId"))
    if answer.status >= 400:  # noqa: PLR2004  RFC 9110: client and server errors
        return _refusal(answer, f"HTTP {answer.status}", "the answer is not JSON")
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the answer"
    return InvalidResponseError(f"not an answer of {ACTION}: {where}: {first['msg']}")


def _refusal(answer: HttpResponse, code: str, message: str, request_id: str | None = None) -> HbrError:
    request_id = request_id or answer.headers.get("x-acs-request-id")
    error = service_error(code, message, http_status=answer.status, request_id=request_id)
    error.retry_after = retry_after(answer.headers)
    error.server_time = _date(answer.headers.get("date"))
    return error


RETRY_AFTER_MAX: Final = 60.0
"""Seconds: a longer wait is not believed. All queries of a process keep it, and one broken header would end them."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: `x-acs-retry-after` in milliseconds, else `Retry-After` in seconds or as a date."""
    try:
        if "x-acs-retry-after" in headers:
            seconds: float | None = float(headers["x-acs-retry-after"]) / 1000
        else:
            value = headers.get("retry-after", "")
            seconds = float(value) if value.isdigit() else _seconds(headers, value)
    except ValueError:
        return None
    return None if seconds is None else max(0.0, min(seconds, RETRY_AFTER_MAX))


def _seconds(headers: Mapping[str, str], until: str) -> float | None:
    """From the answer's own date, so no clock is needed here."""
    then, now = _date(until), _date(headers.get("date"))
    return None if then is None or now is None else max(0.0, then - now)


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None


def _passwords(body: bytes) -> dict[str, SecretStr]:
    """Client id → proxy password, for clients that have one."""
    document = json.loads(body)
    rows = document.get("Clients", document.get("clients"))
    rows = rows.get("Client", rows.get("client")) if isinstance(rows, dict) else rows
    having = (row for row in rows or () if isinstance(row.get("Settings"), dict))
    found = ((row.get("ClientId"), row["Settings"].get("ProxyPassword")) for row in having)
    return {str(key): SecretStr(str(value)) for key, value in found if key and value}
