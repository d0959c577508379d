"""The clock: what the client, the poller and the waiter read time from and sleep with. Passed in, so tests can."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """A source of time."""

    def time(self) -> float:
        """UNIX seconds, for dates that leave the process."""

    def monotonic(self) -> float:
        """Seconds that never go back, for durations."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """This machine's clock."""

    def time(self) -> float:
        """UNIX seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the event loop."""
        await asyncio.sleep(seconds)
