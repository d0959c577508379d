"""The clock: what the client, the poller and the waiter read time from and sleep with. Passed in, so tests can."""

import asyncio
import time


class Clock:
    """This machine's clock. Tests pass a subclass whose time is simulated."""

    def time(self) -> float:
        """UNIX seconds, for dates that leave the process."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back, for durations."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the event loop."""
        await asyncio.sleep(seconds)
