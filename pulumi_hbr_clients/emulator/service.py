"""One request in, one response out: fault or authentication, then parameters, page, log. No socket here.

Parameters are read by `protocol.codec` and judged by `model.query`, the client's own rules. What the document puts into
the query may also come in the form body; the other way round a parameter is not seen.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

from pulumi_hbr_clients.emulator import faults, paging, responses
from pulumi_hbr_clients.emulator.auth import authenticate
from pulumi_hbr_clients.emulator.backend import Backend, Cloud, Record
from pulumi_hbr_clients.emulator.responses import ApiError, ApiResponse
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.errors import InputError, TransportError
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol import codec
from pulumi_hbr_clients.protocol.signing import Request, parse_authorization

FORM: Final = "application/x-www-form-urlencoded"
# Not JSON; JSON of 100,000 brackets.
_UNREADABLE: Final = (ValueError, RecursionError)


def answer(backend: Backend, request: Request) -> ApiResponse:
    """Answer a request (header names in lower case) as the service would, under the backend's behaviour."""
    with backend.lock:
        backend.tick()
        fault = backend.take_fault()
        host = request.headers.get("host", "")
        usual, other = (partial(_answer, backend, request, other=other) for other in (False, True))
        response = faults.apply(fault or "none", faults.Request(usual, other, host, backend.service_time()))
        backend.requests += 1
        backend.log.append(_record(backend, request, response, fault))
        return replace(response, delay=response.delay + backend.latency)


def response_headers(backend: Backend, response: ApiResponse) -> dict[str, str]:
    """The headers of a response, names in lower case."""
    date = {"date": formatdate(backend.service_time(), usegmt=True)} if backend.date_header else {}
    return {
        "content-type": response.content_type,
        "content-length": str(len(response.body)),
        "x-acs-request-id": response.request_id,
        **date,
        **dict(response.headers),
    }


def _answer(backend: Backend, request: Request, *, other: bool) -> ApiResponse:
    try:
        if authenticate(backend, request) == codec.REGIONS_ACTION:
            return responses.regions(backend.regions)
        return paging.page(backend, _query(request), other=other)
    except ApiError as error:
        action = request.headers.get("x-acs-action", "")
        return responses.refusal(error, host=request.headers.get("host", ""), action=action)


def _record(backend: Backend, request: Request, response: ApiResponse, fault: str | None) -> Record:
    authorization = parse_authorization(request.headers.get("authorization", ""))
    arguments: dict[str, Any] = {}
    with suppress(*_UNREADABLE):
        arguments = _arguments(request)
    number = str(arguments.get("page_number", 1))
    return Record(
        time=backend.now(),
        key_id=authorization.access_key_id if authorization else None,
        action=request.headers.get("x-acs-action"),
        arguments=arguments,
        page=int(number) if number.isdecimal() else 0,
        status=response.status,
        code=response.code,
        fault=fault,
    )


def _arguments(request: Request) -> dict[str, Any]:
    """The vendor says of query parameters that they may also be sent in the form body; Terraform does."""
    form = parse_qsl(request.body.decode(), keep_blank_values=True)
    return codec.decode_request(replace(request, query=(*form, *request.query)))


def _query(request: Request) -> Query:
    """The query of a request, within the document's limits. Raises `ApiError`."""
    if request.body and not request.headers.get("content-type", "").startswith(FORM):
        raise ApiError("InvalidParameter", f"The body must be a form: {FORM}.")
    try:
        return queries.parse(_arguments(request))
    except _UNREADABLE as error:
        raise ApiError("InvalidParameter", f"A parameter cannot be read: {error}") from None
    except InputError as error:
        issue = error.faults[0]
        field = issue.path.partition("[")[0].partition(".")[0]
        if field == "client_type" and not issue.given:
            raise ApiError("MissingClientType") from None
        name = codec.parameters()[field].name
        raise ApiError("InvalidParameter", f"The specified parameter {name} is not valid. {issue}") from None


READ_TIMEOUT: Final = 10.0
"""Seconds to wait for a response, as `ConnectionPool` does."""


class InMemoryTransport:
    """The emulator without a socket: `HbrClient(transport=lambda endpoint: InMemoryTransport(backend))`.

    Latency and slow responses go through `sleep`, so a test decides how fast time passes. A dropped connection is a
    `TransportError`, as the connection pool would raise it.
    """

    def __init__(self, backend: Backend | Cloud, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """`sleep` waits for a number of seconds; pass a clock's own where time is simulated."""
        self._target, self._sleep = backend, sleep
        self._is_stale = False

    async def post(self, query: str, body: bytes, headers: Mapping[str, str]) -> codec.HttpResponse:
        """Return the service's response. Raises `TransportError` where the connection is dropped or too slow."""
        if self._is_stale:
            self._is_stale = False
            raise TransportError("no answer from the emulator (the connection was closed after the last response)")
        lower_case = {name.lower(): value for name, value in headers.items()}
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        request = Request(lower_case, pairs, body)
        backend = self._target.route(request)
        response = answer(backend, request)
        await self._sleep(min(response.delay, READ_TIMEOUT))
        if response.delay > READ_TIMEOUT:
            raise TransportError(f"no answer from the emulator within {READ_TIMEOUT:g} s")
        if response.drop in {"before", "within"}:
            raise TransportError(f"no answer from the emulator (connection dropped {response.drop} the response)")
        self._is_stale = response.drop == "after"
        return codec.HttpResponse(response.status, response_headers(backend, response), response.body)

    async def aclose(self) -> None:
        """Nothing to release."""
