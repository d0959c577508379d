"""One request in, one response out: fault, authentication, limits, parameters, page, log. No socket here.

Parameters are read by `protocol.codec` and judged by `model.query`, the client's own rules. What the document puts into
the query may also come in the form body; the other way round a parameter is not seen.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import parse_qsl

from pulumi_hbr_clients.emulator import paging, responses
from pulumi_hbr_clients.emulator.backend import Account, Backend, Cloud, Record
from pulumi_hbr_clients.emulator.responses import ApiError, ApiResponse
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.errors import InputError, TransportError
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol import codec
from pulumi_hbr_clients.protocol.signing import (
    DATE_FORMAT,
    Authorization,
    Request,
    body_hash,
    canonical_request,
    parse_authorization,
    string_to_sign,
    verify,
)

MAX_SKEW: Final = 15 * 60
"""Seconds a request's date may be off (V3 request structure and signature)."""
READ_TIMEOUT: Final = 10.0
"""Seconds to wait for a response, as `ConnectionPool` does."""
_REQUIRED: Final = ("host", "x-acs-signature-nonce", "x-acs-content-sha256")
# Not JSON; JSON of 100,000 brackets.
_UNREADABLE: Final = (ValueError, RecursionError)


def answer(backend: Backend, request: Request) -> ApiResponse:
    """Answer a request (header names in lower case) as the service would, under the backend's behaviour."""
    with backend.lock:
        backend.tick()
        fault = backend.take_fault()
        host = request.headers.get("host", "")
        context = responses.FaultContext(lambda: _answer(backend, request), host, backend.service_time())
        response = responses.apply_fault(fault or "none", context)
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


def _answer(backend: Backend, request: Request) -> ApiResponse:
    try:
        _authenticate(backend, request)
        if request.headers["x-acs-action"] == codec.REGIONS_ACTION:
            return responses.regions(backend.regions)
        return paging.page(backend, _query(request))
    except ApiError as error:
        return responses.refusal(error, host=request.headers.get("host", ""))


def _authenticate(backend: Backend, request: Request) -> None:
    """Check action, version, key, token, limits, date, signature, nonce and permission, in this order.

    A request is let in once: nonces are remembered for as long as a replay's date would be accepted.
    """
    headers = request.headers
    action = headers.get("x-acs-action", "")
    if action not in {codec.ACTION, codec.REGIONS_ACTION}:
        raise ApiError("InvalidAction.NotFound")
    if headers.get("x-acs-version") != codec.VERSION:
        raise ApiError("NoSuchVersion")
    if missing := [name for name in _REQUIRED if not headers.get(name)]:
        raise ApiError("IncompleteSignature", f"These headers are missing: {', '.join(missing)}.")
    authorization = parse_authorization(headers.get("authorization", ""))
    if authorization is None:
        raise ApiError("IncompleteSignature")
    account = _account(backend, authorization, headers.get("x-acs-security-token"))
    backend.limiter.take(backend, backend.clock())
    date = _date(headers.get("x-acs-date", ""))
    if abs(date - backend.service_time()) > MAX_SKEW:
        raise ApiError("InvalidTimeStamp.Expired")
    _check_signature(request, authorization, account)
    nonces, nonce = backend.nonces, headers["x-acs-signature-nonce"]
    if nonce in nonces:
        raise ApiError("SignatureNonceUsed")
    nonces[nonce] = date + MAX_SKEW
    while nonces[oldest := next(iter(nonces))] < backend.service_time():
        del nonces[oldest]
    if action in backend.denied:
        raise ApiError("NoPermission")


def _account(backend: Backend, authorization: Authorization, token: str | None) -> Account:
    account = backend.accounts.get(authorization.access_key_id)
    if account is None:
        raise ApiError("InvalidAccessKeyId.NotFound")
    if account.credentials.security_token and not token:
        raise ApiError("MissingSecurityToken")
    if token != account.credentials.security_token:
        raise ApiError("InvalidSecurityToken.MismatchWithAccessKey")
    if account.expires is not None and account.expires <= backend.service_time():
        raise ApiError("InvalidSecurityToken.Expired")
    return account


def _date(text: str) -> float:
    try:
        return datetime.strptime(text, DATE_FORMAT).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ApiError("IllegalTimestamp") from None


def _check_signature(request: Request, authorization: Authorization, account: Account) -> None:
    if request.headers["x-acs-content-sha256"] != body_hash(request.body):
        raise ApiError("SignatureDoesNotMatch", "x-acs-content-sha256 is not the hash of the body.")
    if verify(request, authorization, account.credentials.access_key_secret):
        return
    # The service echoes what it signed, a security token included: clients must not print this.
    canonical = canonical_request(request, [n for n in authorization.signed_headers if n in request.headers])
    raise ApiError(
        "SignatureDoesNotMatch",
        "Specified signature is not matched with our calculation. "
        f"server string to sign is: {string_to_sign(canonical)} server canonical request is: {canonical}",
    )


def _query(request: Request) -> Query:
    """The query of a request, within the document's limits. Raises `ApiError`."""
    if request.body and not request.headers.get("content-type", "").startswith(codec.FORM):
        raise ApiError("InvalidParameter", f"The body must be a form: {codec.FORM}.")
    try:
        return queries.parse(codec.decode_request(request))
    except _UNREADABLE as error:
        raise ApiError("InvalidParameter", f"A parameter cannot be read: {error}") from None
    except InputError as error:
        issue = error.faults[0]
        if issue.argument == "client_type" and not issue.given:
            raise ApiError("MissingClientType") from None
        name = codec.PARAMETERS[issue.argument].name
        raise ApiError("InvalidParameter", f"The specified parameter {name} is not valid. {issue}") from None


def _record(backend: Backend, request: Request, response: ApiResponse, fault: str | None) -> Record:
    authorization = parse_authorization(request.headers.get("authorization", ""))
    arguments: dict[str, Any] = {}
    with suppress(*_UNREADABLE):
        arguments = codec.decode_request(request)
    return Record(
        time=backend.now(),
        key_id=authorization.access_key_id if authorization else None,
        action=request.headers.get("x-acs-action"),
        arguments=arguments,
        status=response.status,
        code=response.code,
        fault=fault,
    )


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
