"""The emulator as a transport, without a socket: `HbrClient(transport=lambda endpoint: InMemoryTransport(backend))`.

Latency and slow responses go through `sleep`, so a test decides how fast time passes. A dropped connection is a
`TransportError`, as the connection pool would raise it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from pulumi_hbr_clients.emulator import service
from pulumi_hbr_clients.emulator.backend import Backend
from pulumi_hbr_clients.emulator.cloud import Cloud
from pulumi_hbr_clients.model.errors import TransportError
from pulumi_hbr_clients.protocol.codec import HttpResponse
from pulumi_hbr_clients.protocol.signing import Request

READ_TIMEOUT: Final = 10.0
"""Seconds to wait for a response, as `ConnectionPool` does."""


class InMemoryTransport:
    """Sends requests straight to a backend, or to that of the request's account and region."""

    def __init__(self, backend: Backend | Cloud, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """`sleep` waits for a number of seconds; pass a clock's own where time is simulated."""
        self._target, self._sleep = backend, sleep
        self._is_stale = False

    async def post(self, query: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """Return the service's response. Raises `TransportError` where the connection is dropped or too slow."""
        if self._is_stale:
            self._is_stale = False
            raise TransportError("no answer from the emulator (the connection was closed after the last response)")
        lower_case = {name.lower(): value for name, value in headers.items()}
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        request = Request(lower_case, pairs, body)
        backend = self._target.route(request)
        response = service.answer(backend, request)
        await self._sleep(min(response.delay, READ_TIMEOUT))
        if response.delay > READ_TIMEOUT:
            raise TransportError(f"no answer from the emulator within {READ_TIMEOUT:g} s")
        if response.drop in {"before", "within"}:
            raise TransportError(f"no answer from the emulator (connection dropped {response.drop} the response)")
        self._is_stale = response.drop == "after"
        return HttpResponse(response.status, service.headers(backend, response), response.body)

    async def aclose(self) -> None:
        """Nothing to release."""
