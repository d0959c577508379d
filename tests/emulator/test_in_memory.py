"""The in-memory transport: the client's requests reach the backend without a socket, in simulated time."""

import asyncio
import time
from typing import Any

import pytest

from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, InMemoryTransport, new_rows
from pulumi_hbr_clients.model.errors import TransportError
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol import codec, decoder
from pulumi_hbr_clients.protocol.signing import DATE_FORMAT, canonical_query, sign
from tests.virtual_clock import HangError, VirtualClock


class Caller:
    """Signs and sends one request for the first page."""

    def __init__(self, backend: Backend, clock: VirtualClock) -> None:
        self.transport, self.clock, self.sent = InMemoryTransport(backend, sleep=clock.sleep), clock, 0

    async def first_page(self) -> decoder.Page:
        request = codec.encode_request(Query(client_type="ECS_CLIENT"), codec.PageRequest(1, 99), "hbr.test")
        date = time.strftime(DATE_FORMAT, time.gmtime(self.clock.time()))
        self.sent += 1
        headers = sign(request, FAKE_CREDENTIALS, date=date, nonce=f"n-{self.sent}")
        return decoder.decode_page(await self.transport.post(canonical_query(request.query), request.body, headers))


def pair(**behaviour: Any) -> tuple[Caller, Backend, VirtualClock]:
    clock = VirtualClock()
    backend = Backend(new_rows(150), clock=clock.time, **behaviour)
    return Caller(backend, clock), backend, clock


def test_a_page_without_a_socket() -> None:
    """A signed request is checked and answered, and the backend logs it; the response names the service's time."""
    caller, backend, clock = pair()
    page = clock.run(caller.first_page())
    assert (len(page.clients), page.total, page.server_time) == (99, 150, clock.time())
    assert [record.code for record in backend.log] == ["200"]


def test_latency_passes_on_the_virtual_clock() -> None:
    """Responses are late by the backend's latency, in simulated time only; side by side they wait together."""
    caller, _, clock = pair(latency=5.0)

    async def three() -> None:
        await asyncio.gather(*(caller.first_page() for _ in range(3)))

    clock.run(three())
    assert clock.monotonic() == pytest.approx(5.0)


@pytest.mark.parametrize(("fault", "seconds"), [("drop", 0), ("drop_body", 0), ("slow:60", 10)])
def test_no_response_is_a_transport_error(fault: str, seconds: float) -> None:
    """A dropped connection, and a response that takes longer than a client waits for one."""
    caller, _, clock = pair(next_faults=[fault])
    with pytest.raises(TransportError):
        clock.run(caller.first_page())
    assert clock.monotonic() == pytest.approx(seconds)


def test_a_connection_closed_after_the_response() -> None:
    """The response comes; the next request on that connection finds it closed, the one after that does not."""
    caller, _, clock = pair(next_faults=["drop_after"])
    assert clock.run(caller.first_page()).total == 150
    with pytest.raises(TransportError):
        clock.run(caller.first_page())
    assert clock.run(caller.first_page()).total == 150


def test_transports_of_a_backend_share_its_service() -> None:
    """A nonce used on one transport is used on all of them."""
    caller, backend, clock = pair()
    clock.run(caller.first_page())
    again = Caller(backend, clock)
    with pytest.raises(Exception, match="SignatureNonceUsed"):
        clock.run(again.first_page())


def test_a_hang_is_an_error() -> None:
    """On a virtual clock a wait that nothing ends is reported at once."""
    clock = VirtualClock()
    with pytest.raises(HangError):
        clock.run(asyncio.Event().wait())
