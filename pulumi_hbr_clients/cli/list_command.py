"""`hbr-clients list`: options → a query for each target → lists → `output` prints them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import click

from pulumi_hbr_clients.cli import options, targets
from pulumi_hbr_clients.cli.command_options import network_option, output_option, verbose_option
from pulumi_hbr_clients.cli.event_loop import run_async
from pulumi_hbr_clients.cli.messages import REFUSED, error_text, print_message, print_warnings
from pulumi_hbr_clients.cli.output import Announcer, Report, progress_bar, show
from pulumi_hbr_clients.cli.targets import TargetResult, Targets
from pulumi_hbr_clients.client.client import HbrClient, Progress
from pulumi_hbr_clients.client.session import ignore
from pulumi_hbr_clients.model import query as query_model
from pulumi_hbr_clients.model.errors import (
    HbrError,
    InputError,
    InvalidResponseError,
    Retry,
    TransportError,
    ValidationIssue,
)
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.model.validators import seconds


@click.command("list", params=[*options.model_options()])
@targets.all_regions_option
@network_option
@output_option("table", "json", "csv", text="A table for people, or one JSON object or CSV for programs.")
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
    query, found, interval = options.parse_together(
        lambda: query_model.parse(options.arguments(values, Query)),
        lambda: targets.parse({**values, "network": network}),
        lambda: _interval(watch),
    )
    if not run_async(_run(targets.new_client(network), found, query, output, interval)):
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


async def _run(client: HbrClient, chosen: Targets, query: Query, output: str, interval: float | None) -> bool:
    """List and print, once or at an interval until interrupted. Whether every list is complete."""
    print_warnings(query_model.warnings_of(query))
    async with client, aclosing(reports(client, chosen, query, output, interval)) as found:
        return await show(found, output, interval)


async def reports(
    client: HbrClient, chosen: Targets, query: Query, output: str, interval: float | None
) -> AsyncGenerator[Report]:
    """One report, or one at every interval. Raises the error of the only target if it cannot recover."""
    async with targets.opened(client, chosen, query) as found:
        announcer = Announcer()
        with progress_bar() as progress:
            results = await targets.list_all(found, progress, announcer.on_retry, announcer.on_wait)
        _raise_single(chosen, results)
        yield Report(output, results, chosen.several)
        while interval is not None:
            await asyncio.sleep(interval)
            results = await targets.list_all(found, _no_bar, ignore, announcer.on_wait)
            try:
                _raise_single(chosen, results)
            except HbrError as error:
                if not _may_recover(error):
                    raise
                print_message("warning", f"{error_text(error)}. Trying again in {interval:g} s")
            else:
                yield Report(output, results, chosen.several)


def _no_bar() -> Progress:
    """A list that is watched is read again in silence: what counts is how the round ends."""
    return lambda _read, _total: None


def _raise_single(chosen: Targets, results: tuple[TargetResult, ...]) -> None:
    """Raise the error of a target that is the only one: it decides the exit code."""
    if not chosen.several and results[0].found is None and results[0].error is not None:
        raise results[0].error


def _may_recover(error: HbrError) -> bool:
    """Whether the next list may succeed: who watches wants to see the end of an outage too."""
    return isinstance(error, TransportError | InvalidResponseError) or error.retry is not Retry.NEVER
