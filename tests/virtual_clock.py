"""A clock whose time is simulated: when everything on the event loop waits, time jumps to the next timer.

    clock = VirtualClock()
    backend = Backend(rows, clock=clock.time, latency=0.5)
    HbrClient(..., clock=clock, transport=lambda endpoint: InMemoryTransport(backend))
    clock.run(work())       # 15 minutes of waiting take milliseconds; asyncio.timeout and asyncio.sleep follow it too

Nothing of asyncio is patched: the loop is given a selector that moves the clock instead of waiting. What runs in other
threads or behind sockets is not waited for, so tests on this clock use neither.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from pulumi_hbr_clients.client.clock import Clock

T = TypeVar("T")
START: Final = 1_760_000_000.0
"""UNIX seconds when a virtual clock starts."""


class HangError(Exception):
    """Everything waits and no timer will end it: outside a test this program would hang."""


class VirtualClock(Clock):
    """Simulated time; `advance` moves it by hand outside the event loop."""

    def __init__(self, start: float = START) -> None:
        self.start, self.elapsed = start, 0.0

    def time(self) -> float:
        """UNIX seconds."""
        return self.start + self.elapsed

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        """Wait on the virtual event loop."""
        await asyncio.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.elapsed += seconds

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on an event loop that lives in this time. Raises `HangError` where nothing can end the wait."""
        with asyncio.Runner(loop_factory=self.new_loop) as runner:
            return runner.run(work)

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """An event loop that lives in this time, for a test that runs one step by step."""
        return _VirtualLoop(self)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        self._virtual_clock = clock
        super().__init__(_JumpingSelector(clock))

    def time(self) -> float:
        return self._virtual_clock.monotonic()


class _JumpingSelector(selectors.SelectSelector):
    """Moves the clock where a selector would wait."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise HangError
        if not ready and timeout:
            self._clock.advance(timeout)
        return ready
