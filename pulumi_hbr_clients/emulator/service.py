"""One request in, one reply out: fault or gateway, then limits, page, log. No socket here.

Parameters are read by `protocol.codec` and judged by `model.query`, the client's own rules. What the document
puts into the query may also come in the form body; the other way round a parameter is not seen.
"""

from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from pulumi_hbr_clients.emulator import faults
from pulumi_hbr_clients.emulator.auth import Gateway
from pulumi_hbr_clients.emulator.backend import Backend, Record
from pulumi_hbr_clients.emulator.paging import page
from pulumi_hbr_clients.emulator.responses import ApiError, ApiResponse, refuse
from pulumi_hbr_clients.model import query as questions
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol import codec as wire
from pulumi_hbr_clients.protocol.signing import Request, parse_authorization

FORM: Final = "application/x-www-form-urlencoded"
# Not JSON; JSON of 100,000 brackets.
_UNREADABLE: Final = (ValueError, RecursionError)


class Service:
    """The service of one backend."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._gateway = Gateway(backend)
        backend.warm()

    @classmethod
    def of(cls, backend: Backend) -> "Service":
        """Return the backend's one service, made on first use: all its ways in share nonces, limits and log."""
        with backend.lock:
            if backend.service is None:
                backend.service = cls(backend)
            return cast("Service", backend.service)

    def headers(self, reply: ApiResponse) -> dict[str, str]:
        """The headers of a response, names in lower case."""
        return {
            "content-type": reply.content_type,
            "content-length": str(len(reply.body)),
            "date": formatdate(self.backend.service_time(), usegmt=True),
            "x-acs-request-id": reply.request_id,
            **dict(reply.headers),
        }

    def answer(self, request: Request) -> ApiResponse:
        """Answer a request as the service would, under the backend's conditions."""
        with self.backend.lock:
            self.backend.tick()
            fault = self.backend.take_fault()
            host = request.headers.get("host", "")
            answer, other = (partial(self._answer, request, host, other=other) for other in (False, True))
            reply = faults.apply(fault or "none", answer, other, host)
            self.backend.note(self._record(request, reply, fault))
            return replace(reply, delay=reply.delay + self.backend.latency)

    def _answer(self, request: Request, host: str, *, other: bool) -> ApiResponse:
        try:
            self._gateway.admit(request)
            return page(self.backend, _query(request), other=other)
        except ApiError as refusal:
            throttled = refusal.code == "Throttling.User"
            after = self.backend.rate_retry_after if throttled else None
            return refuse(refusal.code, host, refusal.message, retry_after=after)

    def _record(self, request: Request, reply: ApiResponse, fault: str | None) -> Record:
        headers = request.headers
        authorization = parse_authorization(headers.get("authorization", ""))
        arguments = _readable(request)
        number = str(arguments.get("page_number", 1))
        return Record(
            time=self.backend.now(),
            key_id=authorization.access_key_id if authorization else None,
            action=headers.get("x-acs-action"),
            arguments=arguments,
            page=int(number) if number.isdecimal() else 0,
            status=reply.status,
            code=reply.code,
            fault=fault,
        )


def _arguments(request: Request) -> dict[str, Any]:
    """The vendor says of query parameters that they may also be sent in the form body; Terraform does."""
    form = parse_qsl(request.body.decode(), keep_blank_values=True)
    return wire.arguments(replace(request, query=(*form, *request.query)))


def _readable(request: Request) -> Mapping[str, Any]:
    try:
        return _arguments(request)
    except _UNREADABLE:
        return {}


def _query(request: Request) -> Query:
    """The query of a request, within the document's limits. Raises `ApiError`."""
    if request.body and not request.headers.get("content-type", "").startswith(FORM):
        raise ApiError("InvalidParameter", f"The body must be a form: {FORM}.")
    try:
        query = questions.parse(_arguments(request))
    except _UNREADABLE as error:
        raise ApiError("InvalidParameter", f"A parameter cannot be read: {error}") from None
    except InputError as error:
        raise _refusal(error.faults[0]) from None
    assert query is not None  # noqa: S101  there are no unknown values on a wire
    return query


def _refusal(fault: ValidationIssue) -> ApiError:
    field = fault.path.partition("[")[0].partition(".")[0]
    if field == "client_type" and not fault.given:
        return ApiError("MissingClientType")
    name = wire.parameters()[field].name
    return ApiError("InvalidParameter", f"The specified parameter {name} is not valid. {fault}")
