"""The in-memory transport: requests reach the backend without a socket, in simulated time."""

import asyncio
from typing import Any

import pytest

from pulumi_hbr_clients.emulator import Backend, InMemoryTransport, new_rows
from pulumi_hbr_clients.model.errors import TransportError
from pulumi_hbr_clients.protocol.codec import HttpResponse
from pulumi_hbr_clients.protocol.signing import canonical_query
from tests.emulator.caller import Caller
from tests.virtual_clock import VirtualClock


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


@pytest.mark.parametrize(
    ("faults", "seconds"), [(["drop"], 0), (["drop_body"], 0), (["slow:60"], 10), (["none", "drop_after", "none"], 0)]
)
def test_no_response_is_a_transport_error(faults: list[str], seconds: float) -> None:
    """A dropped connection, a response that takes longer than a client waits, a connection that was closed since."""
    sender = Sender(next_faults=faults)
    for _ in faults[1:]:
        assert sender.clock.run(sender.send()).status == 200
    with pytest.raises(TransportError):
        sender.clock.run(sender.send())
    assert sender.clock.monotonic() == pytest.approx(seconds)
    assert sender.clock.run(sender.send()).status == 200
