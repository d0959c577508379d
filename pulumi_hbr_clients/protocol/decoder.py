"""Responses of DescribeBackupClients: HttpResponse → Page, or an error.

A response is an error if HTTP says so, or `Success` is false, or `Code` is not 200, or its shape is wrong.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Final, Generic, TypeVar, cast

from pydantic import AliasChoices, AliasGenerator, ConfigDict, Field, SecretStr, TypeAdapter
from pydantic import ValidationError as ShapeError
from pydantic.dataclasses import dataclass as record
from typing_extensions import TypedDict  # typing's own is read by pydantic from Python 3.12 on only

from pulumi_hbr_clients.model.backup_client import (
    BackupClient,
    LenientBool,
    LenientInt,
    LenientStr,
    state_name,
    wire_name,
)
from pulumi_hbr_clients.model.errors import HbrError, InvalidResponseError, Retry, service_error
from pulumi_hbr_clients.protocol.codec import ACTION, HttpResponse
from pulumi_hbr_clients.protocol.headers import UNTYPED, content_type, parse_date, redirect_target, retry_after


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list."""

    clients: list[BackupClient]
    """The records, without those of clients that were known already."""
    total: int
    """The service's TotalCount."""
    page_size: int | None = None
    page_number: int | None = None
    passwords: Mapping[str, SecretStr] = field(default_factory=dict)
    date: str | None = None
    request_id: str | None = None
    ids: list[str] | None = None
    """The identities of all clients on the page, where `clients` lacks some of them."""

    def identities(self) -> list[str]:
        """What tells the clients of the page apart, see `BackupClient.identity`."""
        return [client.identity for client in self.clients] if self.ids is None else self.ids

    @property
    def server_time(self) -> float | None:
        """The service's clock when it answered, in UNIX seconds."""
        return parse_date(self.date)


_ENVELOPE: Final = ConfigDict(
    defer_build=True,
    coerce_numbers_to_str=True,
    alias_generator=AliasGenerator(validation_alias=lambda name: AliasChoices(wire_name(name), state_name(name))),
)


Row = TypeVar("Row")


class _Ids(TypedDict, total=False):
    """The part of a client that tells it apart."""

    __pydantic_config__ = ConfigDict(coerce_numbers_to_str=True)  # type: ignore[misc]  # pydantic's way to configure one

    ClientId: LenientStr
    InstanceId: LenientStr


@record(slots=True, kw_only=True, config=_ENVELOPE)
class _Wrapped(Generic[Row]):
    client: list[Row] | None = None


@record(slots=True, kw_only=True, config=_ENVELOPE)
class _Envelope:
    success: LenientBool = None
    code: LenientStr = None
    message: LenientStr = None
    request_id: LenientStr = None


@record(slots=True, kw_only=True, config=_ENVELOPE)
class _Region:
    region_id: LenientStr = None


@record(slots=True, kw_only=True, config=_ENVELOPE)
class _Regions:
    region: list[_Region] | None = None


@record(slots=True, kw_only=True, config=_ENVELOPE)
class _RegionsEnvelope(_Envelope):
    regions: _Regions | None = None


@record(slots=True, kw_only=True, config=_ENVELOPE)
class _PageEnvelope(_Envelope, Generic[Row]):
    total_count: LenientInt = None
    page_number: LenientInt = None
    page_size: LenientInt = None
    clients: Annotated[list[Row] | _Wrapped[Row] | None, Field(union_mode="left_to_right")] = None

    def rows(self) -> list[Row]:
        """The clients, whether the list is wrapped as `{"Client": […]}` or not."""
        found = self.clients.client if isinstance(self.clients, _Wrapped) else self.clients
        return found or []


E = TypeVar("E", bound=_Envelope)
_RECORDS: Final = TypeAdapter(_PageEnvelope[BackupClient])
_IDENTITIES: Final = TypeAdapter(_PageEnvelope[_Ids])
_REGIONS: Final = TypeAdapter(_RegionsEnvelope)
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})
CLIENTS_MAX: Final = 1_000_000
"""A total beyond this is taken for a broken response, before its pages are planned for it."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """Turns responses into pages or errors. Texts of errors go through `redact` and name the `host`."""

    host: str = "the service"
    region: str | None = None
    redact: Callable[[str], str] = str

    def page(self, response: HttpResponse, *, known: Mapping[str, Any] = _NONE, passwords: bool = False) -> Page:
        """Return the page in a response.

        Where all its clients are `known`, by identity, no records are built: a second pass costs a fraction of the
        first. Raises `ServiceError`, `ThrottledError` or `InvalidResponseError`.
        """
        if known:
            found, _ = self._read(response, _IDENTITIES)
            ids = [row.get("ClientId") or row.get("InstanceId") for row in found.rows()]
            if known.keys() >= set(ids):
                return self._page(response, found, [], cast("list[str]", ids))
        envelope, body = self._read(response, _RECORDS)
        clients = envelope.rows()
        for client in clients if self.region else ():
            object.__setattr__(client, "region", self.region)
        if not known:
            return self._page(response, envelope, clients, None, _passwords(body) if passwords else _NONE)
        new = [client for client in clients if client.identity not in known]
        found_passwords = _passwords(body) if passwords and new else {}
        return self._page(response, envelope, new, [client.identity for client in clients], found_passwords)

    def regions(self, response: HttpResponse) -> tuple[str, ...]:
        """Return the region ids in a response to DescribeRegions, sorted. Raises as `page`."""
        rows = self._read(response, _REGIONS)[0].regions
        return tuple(sorted({row.region_id for row in (rows and rows.region) or () if row.region_id}))

    def _page(
        self,
        response: HttpResponse,
        envelope: "_PageEnvelope[Any]",
        clients: list[BackupClient],
        ids: list[str] | None,
        passwords: Mapping[str, SecretStr] = _NONE,
    ) -> Page:
        total = envelope.total_count
        if total is None or not 0 <= total <= CLIENTS_MAX:
            raise self._invalid(response, f", but its TotalCount is {total}: expected 0 to {CLIENTS_MAX:,}")
        date, request_id = response.headers.get("date"), _request_id(response, envelope)
        return Page(clients, total, envelope.page_size, envelope.page_number, passwords, date, request_id, ids)

    def _read(self, response: HttpResponse, shape: TypeAdapter[E]) -> tuple[E, bytes]:
        """Return the envelope, and the body it was read from."""
        if 300 <= response.status < 400:  # noqa: PLR2004  RFC 9110: redirections
            raise self._not_the_service(response)
        try:
            envelope, body = _parse(shape, response.body)
        except ShapeError as error:
            raise self._unreadable(response, error) from None
        refused = envelope.success is False or envelope.code not in {None, "200"}
        if response.status == 200 and not refused:  # noqa: PLR2004  the one good status of this API
            return envelope, body
        code, message = envelope.code or f"HTTP {response.status}", envelope.message or "no message"
        raise self._refusal(response, code, message, _request_id(response, envelope))

    def _unreadable(self, response: HttpResponse, error: ShapeError) -> HbrError:
        """HTML, half a JSON, XML or a strange shape. The text names the fault and none of the content."""
        if found := dict(re.findall(rb"<(Code|Message|RequestId)>([^<]*)</", response.body[:10_000])):
            texts = {name.decode(): text.decode(errors="replace") for name, text in found.items()}
            code, message = texts.get("Code", "Error"), texts.get("Message", "no message")
            return self._refusal(response, code, message, texts.get("RequestId") or _request_id(response))
        kind = content_type(response.headers)
        if response.status >= 400:  # noqa: PLR2004  RFC 9110: client and server errors
            message = f"the response is {kind}, not JSON"
            return self._refusal(response, f"HTTP {response.status}", message, _request_id(response))
        if response.body and ("json" not in kind or response.body.lstrip()[:1] == b"<") and kind != UNTYPED:
            return self._not_the_service(response)
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the response"
        return self._invalid(response, f", but not as {ACTION} does: {where}: {first['msg']}")

    def _not_the_service(self, response: HttpResponse) -> InvalidResponseError:
        """A redirect or a page for people. Once more is worth a try, eight times are not."""
        text = f" with {content_type(response.headers)}, not JSON"
        if target := redirect_target(response.headers):
            text += f", and redirects to {target}"
        error = self._invalid(response, f"{text} (a proxy's login page, or not the service's endpoint?)")
        error.retry = Retry.ONE_MORE
        return error

    def _invalid(self, response: HttpResponse, what: str) -> InvalidResponseError:
        request_id = _request_id(response)
        end = f" (request {request_id})" if request_id else ""
        return InvalidResponseError(self.redact(f"{self.host} answered HTTP {response.status}{what}{end}"))

    def _refusal(self, response: HttpResponse, code: str, message: str, request_id: str | None) -> HbrError:
        code, message = self.redact(code), self.redact(message)
        error = service_error(code, message, http_status=response.status, request_id=request_id)
        error.retry_after = retry_after(response.headers)
        error.server_time = parse_date(response.headers.get("date"))
        return error


def _parse(shape: TypeAdapter[E], body: bytes) -> tuple[E, bytes]:
    """Read a body. A character in it that is none (half a surrogate pair, broken UTF-8) is replaced."""
    try:
        return shape.validate_json(body), body
    except ShapeError as error:
        if error.errors(include_url=False, include_input=False)[0]["type"] != "json_invalid":
            raise
        try:
            document = json.loads(body.decode("utf-8-sig", errors="replace"), strict=False)
            repaired = json.dumps(document, ensure_ascii=False).encode(errors="replace")
        except (ValueError, RecursionError):
            raise error from None
        return shape.validate_json(repaired), repaired


def _request_id(response: HttpResponse, envelope: _Envelope | None = None) -> str | None:
    return (envelope and envelope.request_id) or response.headers.get("x-acs-request-id")


def _passwords(body: bytes) -> dict[str, SecretStr]:
    """Client id → proxy password, for clients that have one."""
    document = json.loads(body, strict=False)
    rows = document.get("Clients", document.get("clients"))
    rows = rows.get("Client", rows.get("client")) if isinstance(rows, dict) else rows
    having = (row for row in rows or () if isinstance(row.get("Settings"), dict))
    found = ((row.get("ClientId"), row["Settings"].get("ProxyPassword")) for row in having)
    return {str(key): SecretStr(str(value)) for key, value in found if key and value}
