"""Reports a waiting gate's progress on its resource: a line when something changed, and every 30 s.

Each line is ephemeral: a terminal shows it in the resource's row until the next one, a log prints it. The deadline is
stated once, as a clock time.
"""

from typing import Protocol

from pulumi_hbr_clients.activation.messages import format_timestamp
from pulumi_hbr_clients.activation.waiter import REPEAT_INTERVAL, Progress
from pulumi_hbr_clients.client.clock import Clock, SystemClock


class LogSink(Protocol):
    """Where an entry point writes lines about a resource."""

    def __call__(self, text: str, *, ephemeral: bool = False, warning: bool = False) -> object:
        """Write a line. Raises `ConnectionError` when nobody listens any more: that ends the wait."""


class ProgressReporter:
    """A `ProgressCallback` that writes to a `LogSink`."""

    def __init__(self, log: LogSink, clock: Clock | None = None, interval: float = REPEAT_INTERVAL) -> None:
        """`interval`: seconds between two lines where nothing changes."""
        self._log, self._clock, self._interval = log, clock or SystemClock(), interval
        self._written: object = None
        self._written_at = 0.0

    def __call__(self, progress: Progress) -> None:
        """Write a line if something changed, or nothing was written for the interval."""
        now, first = self._clock.monotonic(), self._written is None
        if progress.key == self._written and now - self._written_at < self._interval - 0.5:
            return
        self._written, self._written_at = progress.key, now
        self._log(f"{progress}{f'; until {format_timestamp(progress.deadline)}' if first else ''}", ephemeral=True)
