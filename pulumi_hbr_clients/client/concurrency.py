"""How many requests are in flight at once."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self


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
