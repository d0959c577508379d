"""What all clients of a process share: each account's limits of requests, and the equal queries under way."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from pulumi_hbr_clients.client.clock import Clock
from pulumi_hbr_clients.protocol.rate_limiter import RateLimiter

if TYPE_CHECKING:
    from pulumi_hbr_clients.client.reading import Reading

T = TypeVar("T")


class ConcurrencyLimit:
    """An async context manager around each request: at most `maximum()` of them at once.

    The maximum may change between two requests; it is read again whenever one ends. Belongs to one event loop.
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


class PerEventLoop(Generic[T]):
    """A value for each event loop: made when it is first used there, dropped with the loop."""

    def __init__(self, make: Callable[[], T]) -> None:
        """`make` returns a new value."""
        self._make = make
        self._values: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def get(self) -> T:
        """The value of the running event loop."""
        for reference in self._values.keyrefs():
            if (loop := reference()) is not None and loop.is_closed():
                self._values.pop(loop, None)  # what waited there holds it
        here = asyncio.get_running_loop()
        if here not in self._values:
            self._values[here] = self._make()
        return self._values[here]

    def pop(self) -> T | None:
        """The value of the running event loop, forgotten here; None if there is none."""
        return self._values.pop(asyncio.get_running_loop(), None)


class Shared:
    """What all clients of a process share."""

    def __init__(self) -> None:
        """Nothing is under way, and no limit is known."""
        self._limiters: dict[Hashable, RateLimiter] = {}
        self._in_flight = PerEventLoop(dict[Hashable, ConcurrencyLimit])
        self._readings: PerEventLoop[WeakValueDictionary[Hashable, Reading]] = PerEventLoop(WeakValueDictionary)

    def limits(self, clock: Clock, *key: Hashable) -> tuple[RateLimiter, ConcurrencyLimit]:
        """The limiter of one account and region, and its requests in flight on the running event loop.

        No limiter is ever dropped: that would fork an account's limit.
        """
        limiter = self._limiters.setdefault((clock, *key), RateLimiter())
        new = ConcurrencyLimit(lambda: limiter.max_in_flight(clock.monotonic()))
        return limiter, self._in_flight.get().setdefault((clock, *key), new)

    def reading(self, key: Hashable, start: "Callable[[], Reading]") -> "Reading":
        """The reading with this key that is under way on the running event loop, else a new one.

        Event loops share nothing, so a blocking call made on one never waits for that same one. Only callers hold a
        reading, so nothing is kept of one that has ended, or whose loop was dropped.
        """
        readings = self._readings.get()
        reading = readings.get(key)
        if reading is None or not reading.is_open:
            reading = readings[key] = start()
        return reading


SHARED: Final = Shared()
"""The one of this process."""
