"""A waiting gate's own row in the engine's display: one live line, and now and then a plain one for logs.

The live line is redrawn every second, by one task for all rows of a program and at most twenty a second, so that
200 gates do not keep the engine busy. Where the engine is gone (Ctrl-C), the row's owner is cancelled.
"""

import asyncio
import time
from typing import Final, Self

import grpc
import pulumi
from pulumi.runtime import settings
from pulumi.runtime.proto import engine_pb2

from pulumi_hbr_clients.waiting import Progress

LINE_EVERY: Final = 30.0
"""Seconds between two plain lines of a row."""
BEAT: Final = 1.0
"""Seconds between two live lines of a row, while there are few."""
PER_BEAT: Final = 20
"""Live lines that are redrawn in one beat, in turn."""


class Row:
    """The row of a resource, while its gate waits."""

    def __init__(self, resource: pulumi.Resource) -> None:
        """Nothing is said yet."""
        self._resource = resource
        self._progress: tuple[Progress, float] | None = None
        self._lined = 0.0
        self._owner = asyncio.current_task()

    def __enter__(self) -> Self:
        """Join the rows that are redrawn."""
        _display().join(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave them."""
        _display().leave(self)

    def tell(self, progress: Progress) -> None:
        """How the gate stands now."""
        now = time.monotonic()
        self._progress = (progress, now)
        if now - self._lined >= LINE_EVERY:
            self._lined = now
            pulumi.log.info(str(progress), resource=self._resource)

    async def redraw(self) -> None:
        """Say it again, with the time that is left by now."""
        if self._progress is None:
            return
        progress, at = self._progress
        text = str(Progress(progress.verdict, progress.left - (time.monotonic() - at), progress.outage))
        urn = await self._resource.urn.future() or ""
        request = engine_pb2.LogRequest(severity=engine_pb2.INFO, message=text, urn=urn, ephemeral=True)
        engine = settings.get_engine()
        if engine is not None:
            engine.Log(request)

    def give_up(self) -> None:
        """End the wait: nobody listens any more."""
        if self._owner:
            self._owner.cancel()


class _Display:
    """The rows of one program, which is one event loop."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.task: asyncio.Task[None] | None = None

    def join(self, row: Row) -> None:
        self.rows.append(row)
        self.task = self.task or asyncio.create_task(self._beat())

    def leave(self, row: Row) -> None:
        self.rows.remove(row)
        if not self.rows and self.task:
            self.task.cancel()
            _displays.pop(asyncio.get_running_loop(), None)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            turn, rest = self.rows[:PER_BEAT], self.rows[PER_BEAT:]
            self.rows = rest + turn
            try:
                for row in turn:
                    await row.redraw()
            except grpc.RpcError:
                for row in self.rows:
                    row.give_up()


_displays: dict[asyncio.AbstractEventLoop, _Display] = {}


def _display() -> _Display:
    return _displays.setdefault(asyncio.get_running_loop(), _Display())
