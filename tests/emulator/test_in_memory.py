"""The in-memory transport: requests reach the backend without a socket, in simulated time."""

import asyncio
from typing import Any

import pytest

from pulumi_hbr_clients.emulator import Backend, InMemoryTransport, new_rows
from pulumi_hbr_clients.model.errors import TransportError
from pulumi_hbr_clients.protocol.codec import HttpResponse
from pulumi_hbr_clients.protocol.signing import canonical_query
from tests.emulator.caller import Caller
from tests.virtual_clock import HangError, VirtualClock


class Sender:
    """Sends one signed request after another."""

    def __init__(self, **behaviour: Any) -> None:
        self.clock = VirtualClock()
        self.caller = Caller(Backend(new_rows(150), clock=self.clock.time, **behaviour))
        self.transport = InMemoryTransport(self.caller.backend, sleep=self.clock.sleep)

    async def send(self) -> HttpResponse:
        request = self.caller.request()
        return await self.transport.post(canonical_query(request.query), request.body, request.headers)


def test_latency_passes_on_the_virtual_clock() -> None:
    """Responses are late by the backend's latency, in simulated time only; side by side they wait together."""
    sender = Sender(latency=5.0)

    async def three() -> list[HttpResponse]:
        return await asyncio.gather(*(sender.send() for _ in range(3)))

    assert [response.status for response in sender.clock.run(three())] == [200] * 3
    assert sender.clock.monotonic() == pytest.approx(5.0)
    assert [record.code for record in sender.caller.backend.log] == ["200"] * 3


@pytest.mark.parametrize(("fault", "seconds"), [("drop", 0), ("drop_body", 0), ("slow:60", 10)])
def test_no_response_is_a_transport_error(fault: str, seconds: float) -> None:
    """A dropped connection, and a response that takes longer than a client waits for one."""
    sender = Sender(next_faults=[fault])
    with pytest.raises(TransportError):
        sender.clock.run(sender.send())
    assert sender.clock.monotonic() == pytest.approx(seconds)


def test_a_connection_closed_after_the_response() -> None:
    """The response comes; the next request on that connection finds it closed, the one after that does not."""
    sender = Sender(next_faults=["drop_after"])
    assert sender.clock.run(sender.send()).status == 200
    with pytest.raises(TransportError):
        sender.clock.run(sender.send())
    assert sender.clock.run(sender.send()).status == 200


def test_a_hang_is_an_error() -> None:
    """On a virtual clock a wait that nothing ends is reported at once."""
    with pytest.raises(HangError):
        VirtualClock().run(asyncio.Event().wait())
