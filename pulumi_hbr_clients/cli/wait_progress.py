"""Progress of `hbr-clients wait` on stderr.

    terminal   a bar, the clients that block the gate, the remaining time: redrawn every second, removed at the end
    pipe       a line when something changed, and every 30 s

What draws on a terminal (rich) is imported only where one is: it costs 0.1 s.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from pulumi_hbr_clients.activation.evaluation import Verdict
from pulumi_hbr_clients.activation.messages import client_lines, format_duration, summary_line
from pulumi_hbr_clients.activation.progress import ProgressReporter
from pulumi_hbr_clients.activation.waiter import Progress, ProgressCallback
from pulumi_hbr_clients.cli.messages import is_terminal
from pulumi_hbr_clients.cli.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pulumi_hbr_clients.cli.tables import Line

_BAR_WIDTH: Final = 30
_REDRAW_INTERVAL: Final = 1.0
"""Seconds between two drawings on a terminal."""
NO_RESPONSE: Final = Verdict("waiting", 0, 0, note="no response yet")


class WaitProgress:
    """Shows one wait. Its `update` is the wait's `on_progress`."""

    def __init__(self, timeout: float, name: str = "") -> None:
        """Nothing is known yet. `timeout` in seconds, from now. A `name` heads every line, of several waits at once."""
        self._timeout, self._started, self._name = timeout, time.monotonic(), name
        self._latest = Progress(NO_RESPONSE, time.time() + timeout)
        self._show: ProgressCallback = lambda _: None

    @property
    def waited(self) -> float:
        """Seconds until now."""
        return time.monotonic() - self._started

    @property
    def verdict(self) -> Verdict:
        """What the last poll showed."""
        return self._latest.verdict

    def update(self, progress: Progress) -> None:
        """Show this from now on."""
        self._latest = progress
        self._show(progress)

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Show every update; on a terminal also the passing time."""
        if self._name or not is_terminal(sys.stderr):  # a terminal has one bar
            self._show = ProgressReporter(self._print_line)
            yield
            return
        with self._on_terminal() as self._show:
            redrawing = asyncio.create_task(self._redraw())
            try:
                yield
            finally:
                redrawing.cancel()

    async def _redraw(self) -> None:
        while True:
            self._show(self._latest)
            await asyncio.sleep(_REDRAW_INTERVAL)

    @contextmanager
    def _on_terminal(self) -> Iterator[Callable[[Progress], None]]:
        from rich.live import Live  # noqa: PLC0415  only a terminal needs it

        from pulumi_hbr_clients.cli.terminal import console_on  # noqa: PLC0415  only a terminal needs it

        with Live(console=console_on(sys.stderr), auto_refresh=False, transient=True) as live:
            yield lambda progress: live.update(_picture(progress, self._timeout - self.waited), refresh=True)

    def _print_line(self, text: str, *, ephemeral: bool = False, warning: bool = False) -> None:
        del ephemeral, warning  # a pipe keeps every line
        click.echo(printable(f"{self._name}: {text}" if self._name else text), err=True)


def _picture(progress: Progress, left: float) -> "RenderableType":
    """The bar, a line for each of the clients that block the gate, at most ten, and an outage."""
    from rich.console import Group  # noqa: PLC0415  only a terminal needs it
    from rich.progress_bar import ProgressBar  # noqa: PLC0415  only a terminal needs it
    from rich.table import Table  # noqa: PLC0415  only a terminal needs it

    from pulumi_hbr_clients.cli.tables import style_of  # noqa: PLC0415  it needs rich
    from pulumi_hbr_clients.cli.terminal import styled  # noqa: PLC0415  only a terminal needs it

    verdict = progress.verdict
    bar = [ProgressBar(verdict.wanted, verdict.ready, width=_BAR_WIDTH)] if verdict.wanted else []
    head = Table.grid(padding=(0, 1))
    summary = summary_line(replace(verdict, waiting=()))
    head.add_row(*bar, f"{summary}; {format_duration(left)} left")
    lines: list[Line] = [
        [("  ", ""), (line, style_of(client.status or ""))]
        for client, line in zip(verdict.waiting, client_lines(verdict.waiting), strict=False)
    ]
    if progress.outage:
        lines.append([(f"the service does not answer: {progress.outage}", "red")])
    texts = [styled([(printable(words), style) for words, style in line]) for line in lines]
    for text in texts:
        text.no_wrap, text.overflow = True, "ellipsis"
    return Group(head, *texts)
