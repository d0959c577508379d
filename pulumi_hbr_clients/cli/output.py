"""Where lists are printed: once, or again and again (`--watch`).

terminal   colours, a progress bar on stderr; watched, the table is redrawn in place
pipe       plain text in UTF-8 without escapes; watched, a new block for every change
"""

import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import click

from pulumi_hbr_clients.cli import json_csv, tables
from pulumi_hbr_clients.cli.messages import error_text, is_terminal, one_line, print_message, report_error
from pulumi_hbr_clients.cli.printable import printable
from pulumi_hbr_clients.cli.tables import Line
from pulumi_hbr_clients.cli.targets import TargetResult
from pulumi_hbr_clients.client.client import Progress
from pulumi_hbr_clients.client.session import RetryDetails
from pulumi_hbr_clients.model.backup_client import VOLATILE_FIELDS, to_json
from pulumi_hbr_clients.model.errors import HbrError, ServiceError
from pulumi_hbr_clients.model.outputs import ClientList

_log: Final = logging.getLogger("pulumi_hbr_clients")


@dataclass(frozen=True, slots=True)
class Report:
    """The results of one round, and the format to print them in."""

    output: str
    results: tuple[TargetResult, ...]
    several: bool = False
    """Whether results are told apart by region and profile."""

    @property
    def complete(self) -> bool:
        """Whether every target answered with a complete list."""
        return all(result.error is None for result in self.results)

    def table(self, width: int | None = None) -> Iterator[Line]:
        """The table, if there is a client to show."""
        return tables.table(self.results, several=self.several, now=time.time(), width=width)

    def summary(self) -> Iterator[Line]:
        """What is said of the lists as a whole."""
        return tables.summary(self.results, several=self.several)

    def lines(self, width: int | None = None) -> Iterator[Line]:
        """The table, and the summary below it."""
        table = list(self.table(width))
        yield from [*table, []] if table else []
        yield from self.summary()

    def text(self, *, watched: bool = False) -> str:
        """All of it as plain text."""
        if self.output == "json":
            return json_csv.json_text(self.results, several=self.several, compact=watched)
        if self.output == "csv":
            return json_csv.csv_text(self.results, several=self.several)
        return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in self.lines())

    def comparable(self) -> Any:
        """Equal for reports that differ in heartbeats and request ids only."""
        return [(_comparable(result.found), _kind(result.error)) for result in self.results]

    def errors(self) -> Iterator[Line]:
        """A line for each target without a complete list, for a terminal."""
        for result in self.results:
            if result.error is not None:
                where = f"{result.name}: " if self.several else ""
                yield [(printable(where + one_line(error_text(result.error))), "red")]

    def print_errors(self) -> None:
        """Print a message for each target without a complete list to stderr."""
        for result in self.results:
            if result.error is not None:
                report_error(result.error, target=result.name if self.several else "")


def _comparable(found: ClientList | None) -> Any:
    if found is None:
        return None
    return to_json(found.clients, leave_out=VOLATILE_FIELDS), found.missing_client_ids, found.missing_instance_ids


def _kind(error: HbrError | None) -> str:
    return error.code if isinstance(error, ServiceError) else type(error).__name__


async def show(reports: AsyncIterator[Report], output: str, interval: float | None) -> bool:
    """Print one report and tell whether it is complete; with an interval, print until interrupted."""
    if interval is None:
        report = await anext(reports)
        _print(report)
        return report.complete
    if output == "table" and is_terminal(sys.stdout):
        from pulumi_hbr_clients.cli import terminal  # noqa: PLC0415  rich costs 0.1 s: only where it is needed

        await terminal.redraw(reports, interval)
    else:
        await _print_changes(reports)
    return True


def _print(report: Report) -> None:
    if report.output == "table" and is_terminal(sys.stdout):
        from pulumi_hbr_clients.cli import terminal  # noqa: PLC0415  rich costs 0.1 s: only where it is needed

        terminal.print_lines(report.lines)
    else:
        # UTF-8 whatever the locale: names are often Chinese, and JSON is UTF-8 by its standard (RFC 8259, 8.1)
        click.echo(report.text().encode(), nl=False)
    report.print_errors()


async def _print_changes(reports: AsyncIterator[Report]) -> None:
    printed: Any = None
    async for report in reports:
        if printed == report.comparable():
            continue
        if report.output == "table":
            click.echo(("\n" if printed else "") + time.strftime("%Y-%m-%dT%H:%M:%S%z"))
        elif report.output == "csv" and printed:
            click.echo()
        click.echo(report.text(watched=True).encode(), nl=False)
        report.print_errors()
        printed = report.comparable()


def progress_bar() -> AbstractContextManager[Callable[[], Progress]]:
    """A maker of callbacks for the progress of each list, shown as one bar on stderr if that is a terminal."""
    if not is_terminal(sys.stderr):
        return nullcontext(lambda: _log_progress)
    from pulumi_hbr_clients.cli import terminal  # noqa: PLC0415  rich costs 0.1 s: only where it is needed

    return terminal.progress_bar()


def _log_progress(clients: int, total: int) -> None:
    _log.debug("%d clients read, the service counts %d", clients, total)


class Announcer:
    """Prints what delays lists: the first retry of a request, and every wait for an account's limit of requests."""

    def __init__(self) -> None:
        """Nothing is printed yet. With -v the log has every retry."""
        self._retry_printed = _log.isEnabledFor(logging.DEBUG)

    def on_retry(self, details: RetryDetails) -> None:
        """Take note of a failed try."""
        if not self._retry_printed:
            self._retry_printed = True
            text = error_text(details.error).splitlines()[0]
            print_message("warning", f"{text}. Trying again, up to {details.attempts - 1} times")

    def on_wait(self, target: str, seconds: float) -> None:
        """Take note that a target sends nothing for some seconds; "" stands for the only target."""
        where = f"{target}: " if target else ""
        print_message("note", f"{where}the account's limit of requests is reached, going on in {seconds:.0f} s")
