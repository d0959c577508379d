"""What is drawn on a terminal, with rich: coloured lines, progress bars, a table that is redrawn in place.

Imported only where a terminal is: rich costs 0.1 s.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
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
from pulumi_hbr_clients.cli import tables
from pulumi_hbr_clients.cli.errors import error_text, one_line
from pulumi_hbr_clients.cli.messages import printable
from pulumi_hbr_clients.cli.tables import Line, style_of
from pulumi_hbr_clients.cli.targets import Target

_BAR_DELAY: Final = 0.3
"""Seconds before the progress bar appears: a quick list shows none."""
_WAIT_BAR_WIDTH: Final = 30


def _console_on(stream: TextIO) -> Console:
    """A console that prints text as it is: no markup, no emoji, no highlighting."""
    return Console(file=stream, highlight=False, markup=False, emoji=False)


def _styled(line: Line) -> Text:
    return Text.assemble(*line)


def print_lists(results: Sequence[Target]) -> None:
    """Print the lists to stdout as a table that fits the width of the terminal."""
    console = _console_on(sys.stdout)
    for line in tables.lines(results, now=time.time(), width=console.width):
        console.print(_styled(line), soft_wrap=True)


async def redraw(rounds: AsyncIterator[Sequence[Target]], interval: float) -> None:
    """Draw each round of lists in place of the one before, until interrupted."""
    console = _console_on(sys.stdout)
    with Live(console=console, auto_refresh=False) as live:
        async for results in rounds:
            head = f"{time.strftime('%H:%M:%S')}, every {interval:g} s, Ctrl-C to stop"
            lines = [[(head, "dim")], *_screenful(results, console.width, console.height - 2)]
            live.update(Group(*map(_styled, lines)), refresh=True)


def _screenful(results: Sequence[Target], width: int, height: int) -> list[Line]:
    """The summary and the errors first, so that they are seen above a long table."""
    errors = [f"{result.prefix}{one_line(error_text(result.error))}" for result in results if result.error]
    top = [*tables.summary(results), *([(printable(text), "red")] for text in errors), []]
    rows = list(tables.table(results, now=time.time(), width=width))
    room = height - sum(1 + sum(len(text) for text, _ in line) // width for line in top)
    hidden = len(rows) - room + 1
    return [*top, *rows] if hidden <= 1 else [*top, *rows[:-hidden], [(f"… and {hidden:,} more", "dim")]]


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar of the clients read so far, of all lists together, on stderr, gone at the end.

    It is drawn with the name of a list, the clients read in this pass over it, and its total.
    """
    columns = TextColumn("reading clients"), BarColumn(), MofNCompleteColumn()
    bar = ProgressBar(*columns, console=_console_on(sys.stderr), transient=True)
    task = bar.add_task("", total=None)
    most_read, totals = dict[str, int](), dict[str, int]()

    def draw(name: str, read: int, total: int) -> None:
        most_read[name] = max(read, most_read.get(name, 0))  # the second pass over a list changes nothing
        totals[name] = max(total, totals.get(name, 0))
        bar.update(task, completed=sum(most_read.values()), total=sum(totals.values()) or None)

    start = asyncio.get_running_loop().call_later(_BAR_DELAY, bar.start)
    try:
        yield draw
    finally:
        start.cancel()
        bar.stop()


@contextmanager
def wait_bar(progress: waiter.Progress) -> Iterator[waiter.ProgressCallback]:
    """A callback that draws how a wait is going on stderr, from this progress on; gone at the end.

    rich draws the remaining time anew every second.
    """

    def update(latest: waiter.Progress) -> None:
        nonlocal progress
        progress = latest
        live.refresh()

    with Live(
        get_renderable=lambda: _wait_picture(progress),
        refresh_per_second=1,
        transient=True,
        console=_console_on(sys.stderr),
    ) as live:
        yield update


def _wait_picture(progress: waiter.Progress) -> Group:
    """The bar and the remaining time, a line for each of at most ten clients that block the gate, and an outage."""
    verdict, left = progress.verdict, progress.deadline - time.time()
    head = Table.grid(padding=(0, 1))
    bar = [Bar(verdict.wanted, verdict.ready, width=_WAIT_BAR_WIDTH)] if verdict.wanted else []
    head.add_row(*bar, f"{summary_line(replace(verdict, waiting=()))}; {format_duration(left)} left")
    lines: list[Line] = [
        [("  ", ""), (printable(line), style_of(client.status or ""))]
        for client, line in zip(verdict.waiting, client_lines(verdict.waiting), strict=False)
    ]
    if progress.outage:
        lines.append([(printable(f"the service does not answer: {progress.outage}"), "red")])
    return Group(head, *(Text.assemble(*line, no_wrap=True, overflow="ellipsis") for line in lines))
