"""How many requests are in flight at once, and what all clients of a process know about an account's limit."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Self
from weakref import WeakKeyDictionary

from pulumi_hbr_clients.client.clock import Clock
from pulumi_hbr_clients.protocol.rate_limiter import RateLimiter


class ConcurrencyLimit:
    """An async context manager around each request: at most `maximum()` of them at once.

    The maximum may change between two requests; it is asked again whenever one ends. Belongs to one event loop.
    """

    def __init__(self, maximum: Callable[[], int]) -> None:
        """`maximum` never returns less than 1."""
        self.maximum = maximum
        self._held = 0
        self._waiters: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> Self:
        """Wait for a free place."""
        while self._held >= self.maximum():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                self._wake()  # it may have been woken just before, in place of another
                raise
        self._held += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give the place back."""
        self._held -= 1
        self._wake()

    def _wake(self) -> None:
        free = self.maximum() - self._held
        while self._waiters and free > 0:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                free -= 1


_limiters: Final[dict[object, RateLimiter]] = {}
_in_flight: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[object, ConcurrencyLimit]]] = WeakKeyDictionary()


def rate_limiter(*key: object) -> RateLimiter:
    """The limiter of one account and region. None is ever dropped: that would fork an account's limit."""
    return _limiters.setdefault(key, RateLimiter())


def in_flight(limiter: RateLimiter, clock: Clock) -> ConcurrencyLimit:
    """How many requests of one account and region all clients on the running event loop have in flight."""
    for loop in [loop for loop in _in_flight if loop.is_closed()]:
        del _in_flight[loop]  # requests that waited there hold it
    limits = _in_flight.setdefault(asyncio.get_running_loop(), {})
    return limits.setdefault(id(limiter), ConcurrencyLimit(lambda: limiter.max_in_flight(clock.monotonic())))
