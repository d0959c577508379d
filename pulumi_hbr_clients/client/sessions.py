"""Sessions, and what they share.

one client, one event loop    connections, requests at once: `Sessions`
one process                   each account's limit of requests, equal queries under way: `SHARED`
"""

import asyncio
import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from pulumi_hbr_clients.client.clock import Clock
from pulumi_hbr_clients.client.credentials import credential_source
from pulumi_hbr_clients.client.reading import Reading
from pulumi_hbr_clients.client.session import ConcurrencyLimit, EndpointSession, RetryPolicy
from pulumi_hbr_clients.client.settings import ResolvedSettings
from pulumi_hbr_clients.client.transport import Transport
from pulumi_hbr_clients.protocol.endpoints import is_loopback
from pulumi_hbr_clients.protocol.rate_limiter import RateLimiter

T = TypeVar("T")
_log: Final = logging.getLogger("pulumi_hbr_clients")


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
        self._readings = PerEventLoop(WeakValueDictionary[Hashable, Reading])

    def limits(self, clock: Clock, *key: Hashable) -> tuple[RateLimiter, ConcurrencyLimit]:
        """The limiter of one account and region, and its requests in flight on the running event loop.

        No limiter is ever dropped: that would fork an account's limit.
        """
        limiter = self._limiters.setdefault((clock, *key), RateLimiter())
        new = ConcurrencyLimit(lambda: limiter.max_in_flight(clock.monotonic()))
        return limiter, self._in_flight.get().setdefault((clock, *key), new)

    def reading(self, key: Hashable, start: Callable[[], Reading]) -> Reading:
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


@dataclass(frozen=True, slots=True)
class _OnLoop:
    """A client's sessions on one event loop. It may be used on several, one after the other or in threads."""

    slots: ConcurrencyLimit
    sessions: dict[Hashable, EndpointSession] = field(default_factory=dict)


class Sessions:
    """The sessions of one client: one for each event loop, endpoint and caller, opened when first used."""

    def __init__(
        self, transport: Callable[[str], Transport], clock: Clock, policy: RetryPolicy, concurrency: int
    ) -> None:
        """`concurrency`: requests under way at once on one event loop, at most, for all sessions together."""
        self.transport, self.clock, self.policy, self.concurrency = transport, clock, policy, concurrency
        self._loops = PerEventLoop(lambda: _OnLoop(ConcurrencyLimit(lambda: concurrency)))

    def copy(self) -> "Sessions":
        """The same without any session."""
        return Sessions(self.transport, self.clock, self.policy, self.concurrency)

    def get(self, settings: ResolvedSettings) -> EndpointSession:
        """The session for these settings on the running event loop."""
        here, key = self._loops.get(), (settings.target, settings.account)
        if key not in here.sessions:
            for warning in settings.warnings:
                _log.warning(warning)
            here.sessions[key] = self._open(settings, here.slots)
        return here.sessions[key]

    def _open(self, settings: ResolvedSettings, slots: ConcurrencyLimit) -> EndpointSession:
        target = settings.target
        # an emulator has limits of its own; a region's public and VPC endpoints share the account's
        local = target.endpoint if is_loopback(target.host.rpartition(":")[0].strip("[]")) else None
        limiter, in_flight = SHARED.limits(self.clock, settings.account, target.region, local)
        return EndpointSession(
            target,
            credential_source(settings),
            self.transport(target.endpoint),
            clock=self.clock,
            limiter=limiter,
            slots=slots,
            in_flight=in_flight,
            policy=self.policy,
        )

    async def aclose(self) -> None:
        """Close those of the running event loop."""
        here = self._loops.pop()
        for session in here.sessions.values() if here else ():
            await session.aclose()
