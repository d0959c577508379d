"""Responses of DescribeBackupClients: HttpResponse → Page, or an error.

A response is an error if HTTP says so, or `Success` is false, or `Code` is not 200, or its shape is wrong.
"""

import json
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import (
    AliasChoices,
    AliasGenerator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SecretStr,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass as record
from pydantic_core import CoreSchema, core_schema

from pulumi_hbr_clients.model.backup_client import (
    BackupClient,
    LenientBool,
    LenientInt,
    LenientStr,
    state_name,
    wire_name,
)
from pulumi_hbr_clients.model.errors import HbrError, InvalidResponseError, Retry, service_error
from pulumi_hbr_clients.protocol.codec import ACTION, HttpResponse, parse_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the list."""

    ids: list[str]
    """The `BackupClient.identity` of every client on the page."""
    clients: list[BackupClient]
    """The records, without those of clients that were known already."""
    total: int
    """The service's TotalCount."""
    page_size: int | None = None
    passwords: Mapping[str, SecretStr] = field(default_factory=dict)
    date: str | None = None
    request_id: str | None = None

    @property
    def server_time(self) -> float | None:
        """The service's clock when it answered, in UNIX seconds."""
        return parse_date(self.date)


class _IdsOnly:
    """Reads only the ids of a client."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.typed_dict_field(handler.generate_schema(LenientStr), required=False)
        names = {"ClientId": text, "InstanceId": text}
        return core_schema.typed_dict_schema(names, config=core_schema.CoreConfig(coerce_numbers_to_str=True))


Row = TypeVar("Row")


@record(
    slots=True,
    kw_only=True,
    config=ConfigDict(
        defer_build=True,
        coerce_numbers_to_str=True,
        alias_generator=AliasGenerator(validation_alias=lambda name: AliasChoices(wire_name(name), state_name(name))),
    ),
)
class _Envelope(Generic[Row]):
    success: LenientBool = None
    code: LenientStr = None
    message: LenientStr = None
    request_id: LenientStr = None
    total_count: LenientInt = None
    page_size: LenientInt = None
    clients: Annotated[list[Row] | dict[str, list[Row] | None] | None, Field(union_mode="left_to_right")] = None
    regions: dict[str, list[dict[str, LenientStr]]] | None = None

    def rows(self) -> list[Row]:
        """The clients, whether the list is wrapped as `{"Client": […]}` or not."""
        found = next(iter(self.clients.values()), None) if isinstance(self.clients, dict) else self.clients
        return found or []


_IdRow = dict[str, str | None]
_RECORDS: Final = TypeAdapter(_Envelope[BackupClient])
_IDS: Final = TypeAdapter[_Envelope[_IdRow]](_Envelope[Annotated[_IdRow, _IdsOnly()]])
CLIENTS_MAX: Final = 1_000_000
"""A total beyond this is taken for a broken response, before its pages are planned for it."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """Turns responses into pages or errors. Texts of errors go through `redact` and name the `host`."""

    host: str = "the service"
    region: str | None = None
    redact: Callable[[str], str] = str

    def page(self, response: HttpResponse, *, known: AbstractSet[str] = frozenset(), passwords: bool = False) -> Page:
        """Return the page in a response.

        Where all its clients are `known`, by identity, no records are built: a second pass costs a fraction of the
        first. Raises `ServiceError`, `ThrottledError` or `InvalidResponseError`.
        """
        if known:
            found = self._read(response, _IDS)
            ids = [row.get("ClientId") or row.get("InstanceId") or "" for row in found.rows()]
            if known >= set(ids):
                return self._page(response, found, ids, [])
        envelope = self._read(response, _RECORDS)
        clients = envelope.rows()
        for client in clients if self.region else ():
            object.__setattr__(client, "region", self.region)
        ids = [client.identity for client in clients]
        new = [client for client, identity in zip(clients, ids, strict=True) if identity not in known]
        return self._page(response, envelope, ids, new, _passwords(response.body) if passwords and new else {})

    def regions(self, response: HttpResponse) -> tuple[str, ...]:
        """Return the region ids in a response to DescribeRegions, sorted. Raises as `page`."""
        found = self._read(response, _IDS).regions or {}
        return tuple(sorted({name for rows in found.values() for row in rows if (name := row.get("RegionId"))}))

    def _page(
        self,
        response: HttpResponse,
        envelope: "_Envelope[Any]",
        ids: list[str],
        clients: list[BackupClient],
        passwords: Mapping[str, SecretStr] | None = None,
    ) -> Page:
        total = envelope.total_count
        if total is None or not 0 <= total <= CLIENTS_MAX:
            raise self._invalid(response, f", but its TotalCount is {total}: expected 0 to {CLIENTS_MAX:,}")
        return Page(
            ids=ids,
            clients=clients,
            total=total,
            page_size=envelope.page_size,
            passwords=passwords or {},
            date=response.headers.get("date"),
            request_id=envelope.request_id or response.request_id,
        )

    def _read(self, response: HttpResponse, shape: "TypeAdapter[_Envelope[Row]]") -> "_Envelope[Row]":
        """Return what a good response holds. Raises the error that any other one is."""
        if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:  # a redirection
            raise self._not_the_service(response)
        try:
            envelope = _parse(shape, response.body)
        except ValidationError as error:
            raise self._unreadable(response, error) from None
        is_refused = envelope.success is False or envelope.code not in {None, "200"}
        if response.status == HTTPStatus.OK and not is_refused:
            return envelope
        raise self._refusal(response, envelope.code, envelope.message or "no message", envelope.request_id)

    def _unreadable(self, response: HttpResponse, error: ValidationError) -> HbrError:
        """HTML, half a JSON, XML or a strange shape. The text names the fault and none of the content."""
        if found := dict(re.findall(rb"<(Code|Message|RequestId)>([^<]*)</", response.body[:10_000])):
            texts = {name.decode(): text.decode(errors="replace") for name, text in found.items()}
            message = texts.get("Message", "no message")
            return self._refusal(response, texts.get("Code", "Error"), message, texts.get("RequestId"))
        kind = response.content_type
        if response.status >= HTTPStatus.BAD_REQUEST:
            return self._refusal(response, None, f"the response is {kind or 'no content type'}, not JSON")
        if kind and response.body and ("json" not in kind or response.body.lstrip().startswith(b"<")):
            return self._not_the_service(response)
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the response"
        return self._invalid(response, f", but not as {ACTION} does: {where}: {first['msg']}")

    def _not_the_service(self, response: HttpResponse) -> InvalidResponseError:
        """A redirect or a page for people. Once more is worth a try, eight times are not."""
        text = f" with {response.content_type or 'no content type'}, not JSON"
        if target := response.redirect_target:
            text += f", and redirects to {target}"
        error = self._invalid(response, f"{text} (a proxy's login page, or not the service's endpoint?)")
        error.retry = Retry.ONE_MORE
        return error

    def _invalid(self, response: HttpResponse, what: str) -> InvalidResponseError:
        request_id = response.request_id
        end = f" (request {request_id})" if request_id else ""
        return InvalidResponseError(self.redact(f"{self.host} answered HTTP {response.status}{what}{end}"))

    def _refusal(
        self, response: HttpResponse, code: str | None, message: str, request_id: str | None = None
    ) -> HbrError:
        error = service_error(
            self.redact(code or f"HTTP {response.status}"),
            self.redact(message),
            http_status=response.status,
            request_id=request_id or response.request_id,
        )
        error.retry_after = response.retry_after
        error.server_time = parse_date(response.headers.get("date"))
        return error


def _parse(shape: "TypeAdapter[_Envelope[Row]]", body: bytes) -> "_Envelope[Row]":
    """Read a body. A character in it that is none (half a surrogate pair, broken UTF-8) is replaced."""
    try:
        return shape.validate_json(body)
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False)[0]["type"] != "json_invalid":
            raise
        try:
            document = _lenient_json(body)
        except (ValueError, RecursionError):
            raise error from None
        return shape.validate_json(json.dumps(document, ensure_ascii=False).encode(errors="replace"))


def _lenient_json(body: bytes) -> Any:
    return json.loads(body.decode("utf-8-sig", errors="replace"), strict=False)


def _passwords(body: bytes) -> dict[str, SecretStr]:
    """Client id → proxy password, for clients that have one."""
    document = _lenient_json(body)
    rows = document.get("Clients", document.get("clients"))
    rows = rows.get("Client", rows.get("client")) if isinstance(rows, dict) else rows
    having = (row for row in rows or () if isinstance(row.get("Settings"), dict))
    found = ((row.get("ClientId"), row["Settings"].get("ProxyPassword")) for row in having)
    texts = ((str(key), str(value).encode(errors="replace").decode()) for key, value in found if key and value)
    return {key: SecretStr(text) for key, text in texts}
