"""What is drawn on a terminal, with rich: coloured lines, a progress bar, a table that is redrawn in place.

Imported only where a terminal is: rich costs 0.1 s.
"""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as ProgressBar
from rich.text import Text

from pulumi_hbr_clients.cli.tables import Line
from pulumi_hbr_clients.client.client import Progress

if TYPE_CHECKING:
    from pulumi_hbr_clients.cli.output import Report

_BAR_DELAY: Final = 0.3
"""Seconds before the progress bar appears: a quick list shows none."""
_log: Final = logging.getLogger("pulumi_hbr_clients")


def console_on(stream: TextIO) -> Console:
    """A console that prints text as it is: no markup, no emoji, no highlighting."""
    return Console(file=stream, highlight=False, markup=False, emoji=False)


def styled(line: Line) -> Text:
    """A line as rich's text."""
    return Text.assemble(*line)


def print_lines(lines: Callable[[int], Iterable[Line]]) -> None:
    """Print the lines that fit the width of the terminal on stdout."""
    console = console_on(sys.stdout)
    for line in lines(console.width):
        console.print(styled(line), soft_wrap=True)


async def redraw(reports: "AsyncIterator[Report]", interval: float) -> None:
    """Draw each report in place of the one before, until interrupted."""
    console = console_on(sys.stdout)
    with Live(console=console, auto_refresh=False) as live:
        async for report in reports:
            head = f"{time.strftime('%H:%M:%S')}, every {interval:g} s, Ctrl-C to stop"
            lines = [[(head, "dim")], *_screenful(report, console.width, console.height - 2)]
            live.update(Group(*map(styled, lines)), refresh=True)


def _screenful(report: "Report", width: int, height: int) -> list[Line]:
    """The summary first, so that it is seen above a long table."""
    top = [*report.summary(), *report.errors(), []]
    rows = list(report.table(width))
    room = height - sum(1 + sum(len(text) for text, _ in line) // width for line in top)
    hidden = len(rows) - room + 1
    return [*top, *rows] if hidden <= 1 else [*top, *rows[:-hidden], [(f"… and {hidden:,} more", "dim")]]


@contextmanager
def progress_bar() -> Iterator[Callable[[], Progress]]:
    """A bar of the clients read so far, of all lists together, on stderr, gone at the end."""
    columns = TextColumn("reading clients"), BarColumn(), MofNCompleteColumn()
    bar = ProgressBar(*columns, console=console_on(sys.stderr), transient=True)
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
