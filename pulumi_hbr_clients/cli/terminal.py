"""What is drawn on a terminal, with rich: coloured lines, progress bars, a table that is redrawn in place.

Imported only where a terminal is: rich costs 0.1 s.
"""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as ProgressBar
from rich.progress_bar import ProgressBar as Bar
from rich.table import Table
from rich.text import Text

from pulumi_hbr_clients.activation import waiter
from pulumi_hbr_clients.activation.messages import client_lines, format_duration, summary_line
from pulumi_hbr_clients.cli.list_command import Report
from pulumi_hbr_clients.cli.messages import printable
from pulumi_hbr_clients.cli.tables import Line, style_of
from pulumi_hbr_clients.client.client import Progress

_BAR_DELAY: Final = 0.3
"""Seconds before the progress bar appears: a quick list shows none."""
_WAIT_BAR_WIDTH: Final = 30
_log: Final = logging.getLogger("pulumi_hbr_clients")


def _console_on(stream: TextIO) -> Console:
    """A console that prints text as it is: no markup, no emoji, no highlighting."""
    return Console(file=stream, highlight=False, markup=False, emoji=False)


def _styled(line: Line) -> Text:
    return Text.assemble(*line)


def print_lines(lines: Callable[[int], Iterable[Line]]) -> None:
    """Print the lines that fit the width of the terminal on stdout."""
    console = _console_on(sys.stdout)
    for line in lines(console.width):
        console.print(_styled(line), soft_wrap=True)


async def redraw(reports: AsyncIterator[Report], interval: float) -> None:
    """Draw each report in place of the one before, until interrupted."""
    console = _console_on(sys.stdout)
    with Live(console=console, auto_refresh=False) as live:
        async for report in reports:
            head = f"{time.strftime('%H:%M:%S')}, every {interval:g} s, Ctrl-C to stop"
            lines = [[(head, "dim")], *_screenful(report, console.width, console.height - 2)]
            live.update(Group(*map(_styled, lines)), refresh=True)


def _screenful(report: Report, width: int, height: int) -> list[Line]:
    """The summary first, so that it is seen above a long table."""
    top = [*report.summary(), *report.error_lines(), []]
    rows = list(report.table(width))
    room = height - sum(1 + sum(len(text) for text, _ in line) // width for line in top)
    hidden = len(rows) - room + 1
    return [*top, *rows] if hidden <= 1 else [*top, *rows[:-hidden], [(f"… and {hidden:,} more", "dim")]]


@contextmanager
def progress_bar() -> Iterator[Callable[[], Progress]]:
    """A bar of the clients read so far, of all lists together, on stderr, gone at the end."""
    columns = TextColumn("reading clients"), BarColumn(), MofNCompleteColumn()
    bar = ProgressBar(*columns, console=_console_on(sys.stderr), transient=True)
    task = bar.add_task("", total=None)
    counts: list[_Count] = []

    def show() -> None:
        total = sum(count.total for count in counts)
        bar.update(task, completed=sum(count.read for count in counts), total=total or None)

    def new_count() -> _Count:
        counts.append(_Count(show))
        return counts[-1]

    start = asyncio.get_running_loop().call_later(_BAR_DELAY, bar.start)
    try:
        yield new_count
    finally:
        start.cancel()
        bar.stop()


@dataclass(slots=True)
class _Count:
    """Clients of one list read so far. The second pass over a list changes nothing here."""

    show: Callable[[], object]
    read: int = 0
    total: int = 0

    def __call__(self, clients: int, total: int) -> None:
        self.read, self.total = max(self.read, clients), max(self.total, total)
        _log.debug("%d clients read, the service counts %d", clients, total)
        self.show()


@contextmanager
def wait_bar() -> Iterator[Callable[[waiter.Progress, float], None]]:
    """A function that draws how a wait is going, with the seconds that are left, on stderr; gone at the end."""
    with Live(console=_console_on(sys.stderr), auto_refresh=False, transient=True) as live:
        yield lambda progress, left: live.update(_wait_picture(progress, left), refresh=True)


def _wait_picture(progress: waiter.Progress, left: float) -> Group:
    """The bar, a line for each of the clients that block the gate, at most ten, and an outage."""
    verdict = progress.verdict
    head = Table.grid(padding=(0, 1))
    bar = [Bar(verdict.wanted, verdict.ready, width=_WAIT_BAR_WIDTH)] if verdict.wanted else []
    head.add_row(*bar, f"{summary_line(replace(verdict, waiting=()))}; {format_duration(left)} left")
    lines: list[Line] = [
        [("  ", ""), (printable(line), style_of(client.status or ""))]
        for client, line in zip(verdict.waiting, client_lines(verdict.waiting), strict=False)
    ]
    if progress.outage:
        lines.append([(printable(f"the service does not answer: {progress.outage}"), "red")])
    texts = list(map(_styled, lines))
    for text in texts:
        text.no_wrap, text.overflow = True, "ellipsis"
    return Group(head, *texts)
