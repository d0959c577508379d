"""Where a list goes: asked for under a progress bar, shown once, or shown again and again (`--watch`).

    terminal   colour, a progress bar on stderr; watched, the table is redrawn in place
    pipe       plain text without escapes; watched, a new block for every change

What draws on a terminal (rich) is imported only where one is: it costs 0.1 s.
"""

import asyncio
import logging
import os
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from pulumi_hbr_clients.cli import json_csv as documents
from pulumi_hbr_clients.cli import options
from pulumi_hbr_clients.model.backup_client import VOLATILE_FIELDS, ClientList, to_json
from pulumi_hbr_clients.model.errors import HbrError, InvalidResponseError, Retry, TransportError
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.resources import pulumi_runtime as program

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from pulumi_hbr_clients.cli.tables import Line
    from pulumi_hbr_clients.client.client import HbrClient, Progress

_PATIENCE: Final = 0.3
"""Seconds that nobody needs to be told about."""
_log = logging.getLogger("pulumi_hbr_clients")


@dataclass(frozen=True, slots=True)
class PollResult:
    """One list, and how it shall be shown."""

    query: Query
    output: str
    region: str
    found: ClientList

    def table(self, width: int | None = None) -> "Iterator[Line]":
        """The table, if there is anything to put into it."""
        from pulumi_hbr_clients.cli import tables  # noqa: PLC0415  JSON and CSV need no rich

        now = time.time()
        return tables.table(self.found, self.query, now=now, width=width) if self.found.clients else iter(())

    def summary(self) -> "Iterator[Line]":
        """What is said of the whole list."""
        from pulumi_hbr_clients.cli import tables  # noqa: PLC0415  JSON and CSV need no rich

        return tables.summary(self.found, self.query, self.region)

    def lines(self, width: int | None = None) -> "Iterator[Line]":
        """The table, and under it the summary."""
        yield from self.table(width)
        if self.found.clients:
            yield []
        yield from self.summary()

    def text(self, *, watched: bool = False) -> str:
        """The whole of it, as plain text."""
        if self.output == "json":
            return documents.json_text(self.found, self.query, compact=watched)
        if self.output == "csv":
            return documents.csv_text(self.found, self.query)
        return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in self.lines())

    def notices(self) -> Iterator[str]:
        """What a person should know of it."""
        return program.notices(self.query, self.found)

    def still(self) -> Any:
        """What makes it another list: all but what moves by itself."""
        found = self.found
        clients = to_json(found.clients, leave_out=VOLATILE_FIELDS)
        return clients, found.missing_client_ids, found.missing_instance_ids, found.complete


def is_terminal(stream: TextIO) -> bool:
    """Whether there is somebody who sees colour and cursor movements."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def complain(label: str, text: str) -> None:
    """To stderr: `error: …`, further lines indented."""
    colour = {"error": "red", "warning": "yellow"}.get(label, "blue")
    head = click.style(f"{label}:", fg=colour, bold=True) if coloured(sys.stderr) else f"{label}:"
    first, *rest = (documents.printable(line.strip()) for line in text.split("\n"))
    click.echo("\n  ".join([f"{head} {first}", *rest]), err=True)


def warn(texts: Iterable[str]) -> None:
    """Say on stderr what a person should know, in words of the command line."""
    for text in texts:
        complain("warning", options.spelled(text))


def coloured(stream: TextIO) -> bool:
    """Whether colour is seen and wanted (no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


async def show(client: "HbrClient", query: Query, output: str, every: float | None) -> None:
    """Ask and show, once or every so many seconds until interrupted."""
    async with client, aclosing(_looks(client, query, output, every)) as subscribe:
        if every is None:
            _print(await anext(subscribe))
        elif output == "table" and is_terminal(sys.stdout):
            await _redraw(subscribe, every)
        else:
            await _blocks(subscribe)


async def _looks(client: "HbrClient", query: Query, output: str, every: float | None) -> AsyncGenerator[PollResult]:
    region = announce(client, query)
    with progress_bar() as progress, retries_told():
        found = await client.list(query.model_copy(update={"allow_incomplete": True}), progress)
    yield PollResult(query, output, region, found)
    while every is not None:
        await asyncio.sleep(every)
        try:
            found = await client.list(query.model_copy(update={"allow_incomplete": True}))
        except HbrError as error:
            if not _may_pass(error):
                raise
            complain("warning", f"{error}. Trying again in {every:g} s")
        else:
            yield PollResult(query, output, region, found)


@contextmanager
def retries_told() -> Iterator[None]:
    """Say once that there is no answer yet and that it is tried again. Under -v the log says so itself."""
    if _log.isEnabledFor(logging.DEBUG):
        yield
        return
    level, told = _log.level, _FirstRetry()
    _log.addHandler(told)
    _log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        _log.setLevel(level)
        _log.removeHandler(told)


class _FirstRetry(logging.Handler):
    """`api` logs the error of every try that failed: this tells of the first that is worth another."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell, and hear no more."""
        from pulumi_hbr_clients.client.session import RetryPolicy  # noqa: PLC0415  whoever asks has imported it

        errors = (each for each in record.args or () if isinstance(each, HbrError))
        if error := next((each for each in errors if each.retry is Retry.BACK_OFF), None):
            self.setLevel(logging.CRITICAL)
            complain("warning", f"{str(error).splitlines()[0]}. Trying again, up to {RetryPolicy().attempts - 1} times")


def announce(client: "HbrClient", query: Query) -> str:
    """Say in the log who is asked, and as whom. Gives the region."""
    target = client.target(query)
    _log.debug("asking %s (region %s) with the keys of %s", target.endpoint, target.region, client.source.label)
    return target.region


def _may_pass(error: HbrError) -> bool:
    """Whether the next look may go well: somebody who watches wants to see the end of an outage too."""
    return isinstance(error, TransportError | InvalidResponseError) or error.retry is not Retry.NEVER


def _print(look: PollResult) -> None:
    warn(look.notices())
    if look.output == "table" and is_terminal(sys.stdout):
        console = console_on(sys.stdout)
        for line in look.lines(console.width):
            console.print(styled(line), soft_wrap=True)
    else:
        # UTF-8 whatever the locale: names are often Chinese, and JSON is UTF-8 by its standard (RFC 8259, 8.1)
        click.echo(look.text().encode(), nl=False)


async def _redraw(subscribe: AsyncIterator[PollResult], every: float) -> None:
    from rich.console import Group  # noqa: PLC0415  only a terminal needs it
    from rich.live import Live  # noqa: PLC0415

    console = console_on(sys.stdout)
    with Live(console=console, auto_refresh=False) as live:
        async for look in subscribe:
            head = f"{time.strftime('%H:%M:%S')}, every {every:g} s, Ctrl-C ends"
            lines = [[(head, "dim")], *_screenful(look, console.width, console.height - 2)]
            live.update(Group(*map(styled, lines)), refresh=True)


def _screenful(look: PollResult, width: int, height: int) -> "list[Line]":
    """The summary first, so that it is seen above a long list."""
    top = [*look.summary(), []]
    rows = list(look.table(width))
    room = height - sum(1 + sum(len(text) for text, _ in line) // width for line in top)
    hidden = len(rows) - room + 1
    return [*top, *rows] if hidden <= 1 else [*top, *rows[:-hidden], [(f"… and {hidden:,} more", "dim")]]


async def _blocks(subscribe: AsyncIterator[PollResult]) -> None:
    shown: Any = None
    async for look in subscribe:
        if shown == look.still():
            continue
        if look.output == "table":
            click.echo(("\n" if shown else "") + time.strftime("%Y-%m-%dT%H:%M:%S%z"))
        elif look.output == "csv" and shown:
            click.echo()
        warn(look.notices())
        click.echo(look.text(watched=True).encode(), nl=False)
        shown = look.still()


def console_on(stream: TextIO) -> "Console":
    """What draws on a terminal, and takes texts as they are."""
    from rich.console import Console  # noqa: PLC0415  only a terminal needs it

    return Console(file=stream, highlight=False, markup=False, emoji=False)


def styled(line: "Line") -> "Text":
    """A line in rich's form."""
    from rich.text import Text  # noqa: PLC0415  only a terminal needs it

    return Text.assemble(*line)


@contextmanager
def progress_bar() -> "Iterator[Progress]":
    """A bar of clients read, on stderr, if that is a terminal."""
    count = _Count()
    if not is_terminal(sys.stderr):
        yield count
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415  only a terminal

    columns = TextColumn("reading clients"), BarColumn(), MofNCompleteColumn()
    bar = Progress(*columns, console=console_on(sys.stderr), transient=True)
    task = bar.add_task("", total=None)
    count.shown = lambda: bar.update(task, completed=count.read, total=count.total or None)
    start = asyncio.get_running_loop().call_later(_PATIENCE, bar.start)
    try:
        yield count
    finally:
        start.cancel()
        bar.stop()


@dataclass(slots=True)
class _Count:
    """How far a reading is. A list that is read again, or in parts, has more than the total of one answer."""

    read: int = 0
    total: int = 0
    shown: Callable[[], object] = lambda: None

    def __call__(self, clients: int, total: int) -> None:
        self.read += clients
        self.total = max(self.total, total, self.read)
        _log.debug("page of %d clients, %d read so far, the service counts %d", clients, self.read, total)
        self.shown()
