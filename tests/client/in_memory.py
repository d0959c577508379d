"""A client and a backend in one process, without a socket, in simulated time."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from pulumi_hbr_clients import HbrClient
from pulumi_hbr_clients.client.session import SILENT, Observer, RetryDetails
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, InMemoryTransport, new_rows
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.protocol.codec import HttpResponse
from tests.virtual_clock import VirtualClock

ECS: Any = {"client_type": "ECS_CLIENT"}
Send = Callable[[str, bytes, Mapping[str, str]], Awaitable[HttpResponse]]


class World:
    """A fleet, its service and a clock; `answers` are given instead of the service's own, one each."""

    def __init__(self, count: int = 250, **behaviours: Any) -> None:
        self.clock = VirtualClock()
        self.backend = Backend(new_rows(count), clock=self.clock.time, **behaviours)
        self.answers: list[HttpResponse | Exception] = []
        self.sent: list[Mapping[str, str]] = []
        self.under_way = self.most_under_way = self.opened = self.closed = 0

    def transport(self, _endpoint: str) -> "Wire":
        self.opened += 1
        return Wire(self)

    def client(self, **settings: Any) -> HbrClient:
        seams = {"clock": self.clock, "transport": self.transport}
        place = {"region": "cn-hangzhou", "endpoint": "http://127.0.0.1:1", "credentials": FAKE_CREDENTIALS}
        return HbrClient(**{**seams, **place, **settings})

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.clock.run(work)

    def listed(
        self, settings: dict[str, Any] | None = None, observer: Observer = SILENT, **arguments: Any
    ) -> ClientList:
        """All ECS clients, unless the arguments say otherwise."""

        async def work() -> ClientList:
            async with self.client(**settings or {}) as client:
                return await client.list(queries.parse({**ECS, **arguments}), observer)

        found: ClientList = self.run(work())
        return found

    @property
    def statuses(self) -> list[int]:
        return [record.status for record in self.backend.log]


class Recorder(Observer):
    """Keeps what an observer is called with."""

    def __init__(self) -> None:
        self.pages: list[tuple[int, int]] = []
        self.retries: list[RetryDetails] = []
        self.waits: list[float] = []

    def on_page(self, read: int, total: int) -> None:
        self.pages.append((read, total))

    def on_retry(self, details: RetryDetails) -> None:
        self.retries.append(details)

    def on_wait(self, seconds: float) -> None:
        self.waits.append(seconds)


class Wire:
    """The transport of one client; it counts what is under way."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._connections: list[InMemoryTransport] = []

    async def post(self, query: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        world = self._world
        world.sent.append(headers)
        world.under_way += 1
        world.most_under_way = max(world.most_under_way, world.under_way)
        connection = (
            self._connections.pop() if self._connections else InMemoryTransport(world.backend, sleep=world.clock.sleep)
        )
        try:
            await asyncio.sleep(0)
            if world.answers:
                answer = world.answers.pop(0)
                if isinstance(answer, Exception):
                    raise answer
                return answer
            return await connection.post(query, body, headers)
        finally:
            world.under_way -= 1
            self._connections.append(connection)

    async def aclose(self) -> None:
        self._world.closed += 1
