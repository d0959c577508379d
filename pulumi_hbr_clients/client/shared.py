"""What all clients of one process share: the rate of requests, TLS contexts, and equal queries under way."""

import asyncio
import ssl
from collections.abc import Hashable
from typing import Final
from weakref import WeakKeyDictionary

from pulumi_hbr_clients.client.clock import Clock
from pulumi_hbr_clients.client.concurrency import ConcurrencyLimit
from pulumi_hbr_clients.client.single_flight import SingleFlight
from pulumi_hbr_clients.protocol.rate_limiter import RateLimiter


class Shared:
    """Owns the registries. `PROCESS` is the one of this process."""

    def __init__(self) -> None:
        """Start empty."""
        self.flights = SingleFlight()
        self.tls_contexts: dict[Hashable, ssl.SSLContext] = {}
        """By the certificate authorities they trust: one takes 20 ms to load."""
        self._limiters: dict[object, RateLimiter] = {}
        self._in_flight: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[object, ConcurrencyLimit]]
        self._in_flight = WeakKeyDictionary()

    def rate_limiter(self, *key: object) -> RateLimiter:
        """The limiter of one account and region. None is ever dropped: that would fork an account's limit."""
        return self._limiters.setdefault(key, RateLimiter())

    def in_flight(self, limiter: RateLimiter, clock: Clock) -> ConcurrencyLimit:
        """How many requests of one account and region all clients on the running event loop have in flight."""
        for loop in [loop for loop in self._in_flight if loop.is_closed()]:
            del self._in_flight[loop]  # requests that waited there hold it
        limits = self._in_flight.setdefault(asyncio.get_running_loop(), {})
        return limits.setdefault(id(limiter), ConcurrencyLimit(lambda: limiter.max_in_flight(clock.monotonic())))


PROCESS: Final = Shared()
