"""A waiting gate's own row in the engine's display: one live line, and now and then a plain one for logs.

The live line is redrawn every second, by one task for all rows of an event loop and at most twenty a second, so that
200 gates do not keep the engine busy. Where the engine is gone (Ctrl-C), the rows' owners are cancelled.
How a line is said is the door's.
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Final, Protocol, Self

from pulumi_hbr_clients.activation.waiter import BEAT, LINE_EVERY, Progress

PER_BEAT: Final = 20
"""Rows that are redrawn in one beat, in turn."""


class LogSink(Protocol):
    """LogSink a line; a live one stands only until the next. Raises `ConnectionError` when nobody listens."""

    def __call__(self, text: str, *, live: bool) -> Awaitable[None]:
        """Send it."""


class ProgressReporter:
    """The row of a gate, while it waits."""

    def __init__(self, say: LogSink) -> None:
        """Nothing is said yet. The task that makes a row is its owner."""
        self._say = say
        self._progress: Progress | None = None
        self._outage: Progress | None = None
        self._outage_said = -LINE_EVERY
        self._lined = 0.0
        self._owner = asyncio.current_task()

    def __enter__(self) -> Self:
        """Join the rows that are redrawn."""
        _display().join(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave them."""
        _display().leave(self)

    def update(self, progress: Progress) -> None:
        """How the gate stands now. An outage is kept until it is said, however soon it is over."""
        self._progress = progress
        self._outage = progress if progress.outage else self._outage

    async def render(self) -> None:
        """LogSink it, with the time that is left by now."""
        if self._progress is None:
            return
        progress, now = self._progress.by_now(), time.monotonic()
        outage, self._outage = self._outage, None
        if outage and now - self._outage_said >= LINE_EVERY:
            self._outage_said = now
            await self._say(str(outage), live=False)
        await self._say(str(progress), live=True)
        if now - self._lined >= LINE_EVERY:
            self._lined = now
            await self._say(str(progress), live=False)

    def cancel(self) -> None:
        """End the wait: nobody listens any more."""
        if self._owner:
            self._owner.cancel()


class _ProgressLoop:
    """The rows of one event loop."""

    def __init__(self) -> None:
        self.rows: list[ProgressReporter] = []
        self.task: asyncio.Task[None] | None = None

    def join(self, row: ProgressReporter) -> None:
        self.rows.append(row)
        self.task = self.task or asyncio.create_task(self._beats())

    def leave(self, row: ProgressReporter) -> None:
        self.rows.remove(row)
        if not self.rows and self.task:
            self.task.cancel()
            _displays.pop(asyncio.get_running_loop(), None)

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            turn, rest = self.rows[:PER_BEAT], self.rows[PER_BEAT:]
            self.rows = rest + turn
            try:
                for row in turn:
                    await row.render()
            except ConnectionError:
                for row in self.rows:
                    row.cancel()


_displays: dict[asyncio.AbstractEventLoop, _ProgressLoop] = {}


def _display() -> _ProgressLoop:
    return _displays.setdefault(asyncio.get_running_loop(), _ProgressLoop())
