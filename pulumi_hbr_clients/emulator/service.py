"""One request in, one reply out: fault or gateway, then limits, page, log. No socket here.

Parameters are read by `core.wire` and judged by `core.query`, the client's own rules turned round. What the document
puts into the query may also come in the form body; the other way round a parameter is not seen.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

from pulumi_hbr_clients.core import query as questions
from pulumi_hbr_clients.core import wire
from pulumi_hbr_clients.core.errors import Fault, InputError
from pulumi_hbr_clients.core.query import Query
from pulumi_hbr_clients.core.signing import Request, parse_authorization
from pulumi_hbr_clients.emulator import faults
from pulumi_hbr_clients.emulator.answers import Refusal, Reply, refuse
from pulumi_hbr_clients.emulator.gateway import Gateway
from pulumi_hbr_clients.emulator.paging import page
from pulumi_hbr_clients.emulator.world import Record, World

FORM: Final = "application/x-www-form-urlencoded"
# Not JSON; JSON of 100,000 brackets.
_UNREADABLE: Final = (ValueError, RecursionError)


class Service:
    """The service of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._gateway = Gateway(world)
        world.warm()

    def answer(self, request: Request) -> Reply:
        """Answer a request as the service would, under the world's conditions."""
        with self.world.lock:
            self.world.tick()
            fault = self.world.take_fault()
            host = request.headers.get("host", "")
            answer, other = (partial(self._answer, request, host, other=other) for other in (False, True))
            reply = faults.apply(fault or "none", answer, other, host)
            self.world.note(self._record(request, reply, fault))
            return replace(reply, delay=reply.delay + self.world.latency)

    def _answer(self, request: Request, host: str, *, other: bool) -> Reply:
        try:
            self._gateway.admit(request)
            return page(self.world, _query(request), other=other)
        except Refusal as refusal:
            throttled = refusal.code == "Throttling.User"
            after = self.world.rate_retry_after if throttled else None
            return refuse(refusal.code, host, refusal.message, retry_after=after)

    def _record(self, request: Request, reply: Reply, fault: str | None) -> Record:
        headers = request.headers
        authorization = parse_authorization(headers.get("authorization", ""))
        arguments = _readable(request)
        number = str(arguments.get("page_number", 1))
        return Record(
            time=self.world.now(),
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
    """The query of a request, within the document's limits. Raises `Refusal`."""
    if request.body and not request.headers.get("content-type", "").startswith(FORM):
        raise Refusal("InvalidParameter", f"The body must be a form: {FORM}.")
    try:
        query = questions.parse(_arguments(request))
    except _UNREADABLE as error:
        raise Refusal("InvalidParameter", f"A parameter cannot be read: {error}") from None
    except InputError as error:
        raise _refusal(error.faults[0]) from None
    assert query is not None  # noqa: S101  there are no unknown values on a wire
    return query


def _refusal(fault: Fault) -> Refusal:
    field = fault.path.partition("[")[0].partition(".")[0]
    if field == "client_type" and not fault.given:
        return Refusal("MissingClientType")
    name = wire.parameters()[field].name
    return Refusal("InvalidParameter", f"The specified parameter {name} is not valid. {fault}")
