"""How many requests of one client are under way at once."""

import asyncio
from typing import Final, Self

START: Final = 16
"""Requests at once while nothing is known of the service's limit."""


class ConcurrencyLimit:
    """Starts at 16 and grows by one for each response that is not throttled; a throttled one takes it back to 16.

    An async context manager around each request. Belongs to one event loop.
    """

    def __init__(self, maximum: int) -> None:
        """`maximum` is at least 1; a maximum below 16 is the limit from the start."""
        self.maximum, self.limit = maximum, min(START, maximum)
        self._start = self.limit
        self._may_grow = True
        self._free = asyncio.Semaphore(self.limit)
        self._surplus = 0  # requests under way beyond a limit that was lowered: their places are not given back

    async def __aenter__(self) -> Self:
        """Wait for a free place."""
        await self._free.acquire()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give the place back."""
        if self._surplus:
            self._surplus -= 1
        else:
            self._free.release()

    def on_success(self) -> None:
        """A response came that was not throttled."""
        if self._may_grow and self.limit < self.maximum:
            self.limit += 1
            self._free.release()

    def on_throttled(self) -> None:
        """A response was throttled: from here on the rate limiter decides, and more at once would not help."""
        self._may_grow = False
        self._surplus += self.limit - self._start
        self.limit = self._start
