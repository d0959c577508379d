"""`hbr-clients list`: options → a query for each target → lists → printed once, or again and again (`--watch`).

terminal   colours, a progress bar on stderr; watched, the table is redrawn in place
pipe       plain text in UTF-8 without escapes; watched, a new block for every change
"""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import click

from pulumi_hbr_clients.cli import json_csv, options, tables
from pulumi_hbr_clients.cli.errors import REFUSED, error_text, print_warnings, report_error
from pulumi_hbr_clients.cli.messages import is_terminal, print_message, verbose_option
from pulumi_hbr_clients.cli.targets import Target, parse_targets, run_on_targets
from pulumi_hbr_clients.client.session import Observer, RetryDetails
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


@click.command("list", params=[*options.model_options(), *options.target_options()])
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
def command(output: str, watch: str | None, **values: Any) -> None:
    """List the backup clients that match.

    A list that cannot be completed is printed, and the exit code is 1. An empty list is no error. With several
    regions or profiles all of them are listed side by side; a target that fails is reported, and the rest printed.

    \b
    hbr-clients list --client-type ECS_CLIENT
    hbr-clients list --client-type ECS_CLIENT --tag env=prod --status UNKNOWN --outdated
    hbr-clients list --client-type ECS_CLIENT --instance-id i-1 --instance-id i-2 --output json
    hbr-clients list --client-type ECS_CLIENT --profile prod --profile test --all-regions
    hbr-clients list --client-type ECS_CLIENT --watch
    """
    query, chosen, interval = options.parse_together(
        lambda: query_model.parse(options.arguments(values, Query)),
        lambda: parse_targets(values),
        lambda: _interval(watch),
    )
    print_warnings(query.warnings())
    if not run_on_targets(chosen, query, partial(_run, output=output, interval=interval)):
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


async def _run(targets: Sequence[Target], output: str, interval: float | None) -> bool:
    """List and print, once or at an interval until interrupted. Whether every list is complete."""
    with _progress_bar() as show_count:
        results = await _list_all(targets, show_count, _retry_printer())
    if error := _only_error(results):
        raise error
    if interval is None:
        _print(results, output)
        return not any(result.error for result in results)
    rounds = _rounds(targets, results, interval)
    if output == "table" and is_terminal(sys.stdout):
        from pulumi_hbr_clients.cli import terminal  # noqa: PLC0415  rich costs 0.1 s: only where it is needed

        await terminal.redraw(rounds, interval)
    else:
        await _print_changes(rounds, output)
    return True


async def _rounds(
    targets: Sequence[Target], results: Sequence[Target], interval: float
) -> AsyncIterator[Sequence[Target]]:
    """These results, and new ones at every interval. Raises the error of the only target if it cannot recover."""
    yield results
    while True:
        await asyncio.sleep(interval)
        results = await _list_all(targets, _ignore, _ignore)  # in silence: what counts is how the round ends
        error = _only_error(results)
        if error is None:
            yield results
        elif error.retry is Retry.NEVER and not isinstance(error, _RECOVERABLE):
            raise error
        else:
            print_message("warning", f"{error_text(error)}. Trying again in {interval:g} s")


def _ignore(*_: object) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class _ListObserver(Observer):
    """Shows the progress of one target's list."""

    target: Target
    show_count: Callable[[str, int, int], object]
    show_retry: Callable[[RetryDetails], object]

    def on_page(self, read: int, total: int) -> None:
        _log.debug("%d clients read, the service counts %d", read, total)
        self.show_count(self.target.name, read, total)

    def on_retry(self, details: RetryDetails) -> None:
        self.show_retry(details)

    def on_wait(self, seconds: float) -> None:
        text = f"the account's limit of requests is reached, going on in {seconds:.0f} s"
        print_message("note", f"{self.target.prefix}{text}")


async def _list_all(
    targets: Sequence[Target],
    show_count: Callable[[str, int, int], object],
    show_retry: Callable[[RetryDetails], object],
) -> Sequence[Target]:
    """The targets with their lists and errors, in their order."""

    async def one(target: Target) -> Target:
        if target.error:
            return target
        observer = _ListObserver(target, show_count, show_retry)
        try:
            return replace(target, found=await target.client.list(target.query, observer))
        except IncompleteListError as error:
            return replace(target, found=error.found, error=error)
        except HbrError as error:
            return replace(target, error=error)

    return await asyncio.gather(*map(one, targets))


def _only_error(results: Sequence[Target]) -> HbrError | None:
    """The error of the only target, unless it has a list to print. It decides the exit code."""
    return None if results[0].several or results[0].found else results[0].error


async def _print_changes(rounds: AsyncIterator[Sequence[Target]], output: str) -> None:
    printed: Any = None
    async for results in rounds:
        if printed == (now := _comparable(results)):
            continue
        if output == "table":
            click.echo(("\n" if printed else "") + time.strftime("%Y-%m-%dT%H:%M:%S%z"))
        elif output == "csv" and printed:
            click.echo()
        _print(results, output, watched=True)
        printed = now


def _comparable(results: Sequence[Target]) -> Any:
    """Equal for results that differ in heartbeats and request ids only."""
    lists = [
        (to_json(found.clients, leave_out=VOLATILE_FIELDS), found.missing_client_ids, found.missing_instance_ids)
        for result in results
        if (found := result.found)
    ]
    errors = [(result.name, result.error) for result in results if result.error]
    return lists, [(name, error.code if isinstance(error, ServiceError) else type(error)) for name, error in errors]


def _print(results: Sequence[Target], output: str, *, watched: bool = False) -> None:
    """Print the lists to stdout and the errors to stderr."""
    if output == "table" and is_terminal(sys.stdout):
        from pulumi_hbr_clients.cli import terminal  # noqa: PLC0415  rich costs 0.1 s: only where it is needed

        terminal.print_lists(results)
    else:
        if output == "json":
            text = json_csv.json_text(results, compact=watched)
        elif output == "csv":
            text = json_csv.csv_text(results)
        else:
            text = tables.plain_text(results, now=time.time())
        # UTF-8 whatever the locale: names are often Chinese, and JSON is UTF-8 by its standard (RFC 8259, 8.1)
        click.echo(text.encode(), nl=False)
    for result in results:
        if result.error:
            report_error(result.error, prefix=result.prefix)


def _progress_bar() -> AbstractContextManager[Callable[[str, int, int], object]]:
    """A function that shows the progress of all lists as one bar on stderr, if that is a terminal."""
    if not is_terminal(sys.stderr):
        return nullcontext(_ignore)
    from pulumi_hbr_clients.cli import terminal  # noqa: PLC0415  rich costs 0.1 s: only where it is needed

    return terminal.progress_bar()


def _retry_printer() -> Callable[[RetryDetails], None]:
    """Prints the first retry of all lists; with -v the log has every retry."""
    is_printed = _log.isEnabledFor(logging.DEBUG)

    def print_first(details: RetryDetails) -> None:
        nonlocal is_printed
        if not is_printed:
            is_printed = True
            text = error_text(details.error).splitlines()[0]
            print_message("warning", f"{text}. Trying again, up to {details.attempts - 1} times")

    return print_first
