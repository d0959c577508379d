"""`hbr-clients list`: options → a query for each target → lists → printed once, or again and again (`--watch`).

terminal   colours, a progress bar on stderr; watched, the table is redrawn in place
pipe       plain text in UTF-8 without escapes; watched, a new block for every change
"""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import click

from pulumi_hbr_clients.cli import json_csv, options, tables, targets
from pulumi_hbr_clients.cli.errors import REFUSED, error_text, one_line, print_warnings, report_error
from pulumi_hbr_clients.cli.messages import is_terminal, print_message, printable, verbose_option
from pulumi_hbr_clients.cli.tables import Line
from pulumi_hbr_clients.cli.targets import Target, Targets
from pulumi_hbr_clients.client.client import HbrClient, Progress
from pulumi_hbr_clients.client.session import OnRetry, RetryDetails, ignore
from pulumi_hbr_clients.model import query as query_model
from pulumi_hbr_clients.model.backup_client import VOLATILE_FIELDS, to_json
from pulumi_hbr_clients.model.errors import (
    HbrError,
    IncompleteListError,
    InputError,
    InvalidResponseError,
    Retry,
    ServiceError,
    TransportError,
    ValidationIssue,
)
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.model.validators import seconds

_RECOVERABLE: Final = (TransportError, InvalidResponseError)
"""Who watches wants to see the end of an outage too, whatever one query may do about it."""
_log: Final = logging.getLogger("pulumi_hbr_clients")


@click.command("list", params=[*options.model_options()])
@targets.all_regions_option
@options.network_option
@options.output_option("table", "json", "csv", text="A table for people, or one JSON object or CSV for programs.")
@click.option(
    "--watch",
    is_flag=False,
    flag_value="5",
    metavar="[TIME]",
    help="List again every TIME (5 seconds) and redraw the table. In a pipe, print again when more than "
    "heartbeats changed; JSON is then one object a line.",
)
@verbose_option
def command(output: str, watch: str | None, network: str | None, **values: Any) -> None:
    """List the backup clients that match.

    A list that cannot be completed is printed, and the exit code is 1. An empty list is no error. With several
    regions or profiles all of them are listed side by side; a target that fails is reported, and the rest printed.

    \b
    hbr-clients list --client-type ECS_CLIENT
    hbr-clients list --client-type ECS_CLIENT --tag env=prod --status UNKNOWN --outdated
    hbr-clients list --client-type ECS_CLIENT --instance-id i-1 --instance-id i-2 --output json
    hbr-clients list --client-type ECS_CLIENT --profile prod --profile test --all-regions
    hbr-clients list --client-type ECS_CLIENT --watch
    """  # noqa: D301  a backspace is click's mark for lines that stay as they are
    query, chosen, interval = options.parse_together(
        lambda: query_model.parse(options.arguments(values, Query)),
        lambda: targets.parse({**values, "network": network}),
        lambda: _interval(watch),
    )
    print_warnings(query.warnings())
    if not targets.run(lambda client: _run(client, chosen, query, output, interval), network):
        click.get_current_context().exit(REFUSED)


def _interval(text: str | None) -> float | None:
    """Seconds between two lists."""
    try:
        interval = None if text is None else seconds(text)
    except ValueError as error:
        raise InputError(ValidationIssue("watch", str(error), repr(text))) from None
    if interval is not None and interval < 1:
        raise InputError(ValidationIssue("watch", "must be at least 1 second", repr(text)))
    return interval


@dataclass(frozen=True, slots=True)
class Report:
    """What the targets answered in one round, and the format to print it in."""

    output: str
    results: Sequence[Target]
    several: bool = False
    """Whether results are told apart by region and profile."""

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

    def errors(self) -> list[tuple[str, HbrError]]:
        """The error of each target without a complete list, with the target's name if there are several."""
        return [(each.name if self.several else "", each.error) for each in self.results if each.error]

    def error_lines(self) -> list[Line]:
        """The errors for a terminal, a line each."""
        texts = [(f"{name}: " if name else "") + one_line(error_text(error)) for name, error in self.errors()]
        return [[(printable(text), "red")] for text in texts]

    def print(self, *, watched: bool = False) -> None:
        """Print the lists to stdout and the errors to stderr."""
        if self.output == "table" and is_terminal(sys.stdout):
            from pulumi_hbr_clients.cli import terminal  # noqa: PLC0415  rich costs 0.1 s: only where it is needed

            terminal.print_lines(self.lines)
        else:
            if self.output == "json":
                text = json_csv.json_text(self.results, several=self.several, compact=watched)
            elif self.output == "csv":
                text = json_csv.csv_text(self.results, several=self.several)
            else:
                text = "".join("".join(words for words, _ in line).rstrip() + "\n" for line in self.lines())
            # UTF-8 whatever the locale: names are often Chinese, and JSON is UTF-8 by its standard (RFC 8259, 8.1)
            click.echo(text.encode(), nl=False)
        for name, error in self.errors():
            report_error(error, target=name)

    def comparable(self) -> Any:
        """Equal for reports that differ in heartbeats and request ids only."""
        lists = [
            (to_json(found.clients, leave_out=VOLATILE_FIELDS), found.missing_client_ids, found.missing_instance_ids)
            if (found := each.found)
            else None
            for each in self.results
        ]
        return lists, [error.code if isinstance(error, ServiceError) else type(error) for _, error in self.errors()]


async def _run(client: HbrClient, chosen: Targets, query: Query, output: str, interval: float | None) -> bool:
    """List and print, once or at an interval until interrupted. Whether every list is complete."""
    async with aclosing(_reports(client, chosen, query, output, interval)) as reports:
        if interval is None:
            report = await anext(reports)
            report.print()
            return not report.errors()
        if output == "table" and is_terminal(sys.stdout):
            from pulumi_hbr_clients.cli import terminal  # noqa: PLC0415  rich costs 0.1 s: only where it is needed

            await terminal.redraw(reports, interval)
        else:
            await _print_changes(reports)
    return True


async def _reports(
    client: HbrClient, chosen: Targets, query: Query, output: str, interval: float | None
) -> AsyncGenerator[Report]:
    """One report, or one at every interval. Raises the error of the only target if it cannot recover."""
    async with targets.opened(client, chosen, query) as found:
        with _progress_bar() as progress:
            results = await _list_all(found, progress, _retry_printer())
        is_first = True
        while True:
            # the error of a target that is the only one decides the exit code
            error = None if chosen.several or results[0].found else results[0].error
            if error is None:
                yield Report(output, results, chosen.several)
            elif is_first or (error.retry is Retry.NEVER and not isinstance(error, _RECOVERABLE)):
                raise error
            else:
                print_message("warning", f"{error_text(error)}. Trying again in {interval:g} s")
            if interval is None:
                return
            await asyncio.sleep(interval)
            results = await _list_all(found, _no_bar, ignore)  # in silence: what counts is how the round ends
            is_first = False


async def _list_all(
    found: Sequence[Target], new_progress: Callable[[], Progress], on_retry: OnRetry
) -> Sequence[Target]:
    """The targets with their lists and errors, in their order. `new_progress` makes a callback for each."""

    async def one(target: Target) -> Target:
        if target.error:
            return target
        on_wait = partial(_print_wait, f"{target.name}: " if len(found) > 1 else "")
        try:
            return replace(target, found=await target.client.list(target.query, new_progress(), on_retry, on_wait))
        except IncompleteListError as error:
            return replace(target, found=error.found, error=error)
        except HbrError as error:
            return replace(target, error=error)

    return await asyncio.gather(*map(one, found))


async def _print_changes(reports: AsyncIterator[Report]) -> None:
    printed: Any = None
    async for report in reports:
        if printed == report.comparable():
            continue
        if report.output == "table":
            click.echo(("\n" if printed else "") + time.strftime("%Y-%m-%dT%H:%M:%S%z"))
        elif report.output == "csv" and printed:
            click.echo()
        report.print(watched=True)
        printed = report.comparable()


def _progress_bar() -> AbstractContextManager[Callable[[], Progress]]:
    """A maker of callbacks for the progress of each list, shown as one bar on stderr if that is a terminal."""
    if not is_terminal(sys.stderr):
        return nullcontext(_no_bar)
    from pulumi_hbr_clients.cli import terminal  # noqa: PLC0415  rich costs 0.1 s: only where it is needed

    return terminal.progress_bar()


def _no_bar() -> Progress:
    return partial(_log.debug, "%d clients read, the service counts %d")


def _retry_printer() -> OnRetry:
    """Prints the first retry of all lists; with -v the log has every retry."""
    is_printed = _log.isEnabledFor(logging.DEBUG)

    def on_retry(details: RetryDetails) -> None:
        nonlocal is_printed
        if not is_printed:
            is_printed = True
            text = error_text(details.error).splitlines()[0]
            print_message("warning", f"{text}. Trying again, up to {details.attempts - 1} times")

    return on_retry


def _print_wait(where: str, seconds: float) -> None:
    print_message("note", f"{where}the account's limit of requests is reached, going on in {seconds:.0f} s")
