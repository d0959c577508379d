"""`hbr-clients list`: options → queries, one for each target → lists → `output` prints them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import click

from pulumi_hbr_clients.cli import options, targets
from pulumi_hbr_clients.cli.command_options import network_option, output_option, verbose_option
from pulumi_hbr_clients.cli.event_loop import run_async
from pulumi_hbr_clients.cli.messages import REFUSED, error_text, print_message
from pulumi_hbr_clients.cli.output import Report, RetryAnnouncer, progress_bar, show
from pulumi_hbr_clients.client.client import HbrClient
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
@output_option("table", "json", "csv", text="A table for people, or one JSON object or CSV for programs.")
@click.option(
    "--watch",
    is_flag=False,
    flag_value="5",
    metavar="[TIME]",
    help="List again every TIME (5 seconds) and redraw the table. In a pipe, print again when more than "
    "heartbeats changed; JSON is then one object a line.",
)
@network_option
@verbose_option
def command(output: str, watch: str | None, network: str | None, **values: Any) -> None:
    """List the backup clients that match.

    A list that cannot be completed is printed and exits with 1. An empty list is no error.

    \b
    hbr-clients list --client-type ECS_CLIENT
    hbr-clients list --client-type ECS_CLIENT --tag env=prod --status UNKNOWN --outdated
    hbr-clients list --client-type ECS_CLIENT --instance-id i-1 --instance-id i-2 --output json
    hbr-clients list --client-type ECS_CLIENT --watch
    """  # noqa: D301  a backspace is click's mark for lines that stay as they are
    query, found, interval = options.parse_together(
        lambda: query_model.parse(options.arguments(values, Query)),
        lambda: targets.parse({**values, "network": network}),
        lambda: _interval(watch),
    )
    queries = [query.model_copy(update=target) for target in found]
    if not run_async(_run(queries, network, output, interval)):
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


async def _run(queries: Sequence[Query], network: str | None, output: str, interval: float | None) -> bool:
    """List and print, once or at an interval until interrupted. Whether every list is complete."""
    client = HbrClient(network=network, profile=queries[0].profile)
    async with client, aclosing(reports(client, queries, output, interval)) as found:
        return await show(found, output, interval)


async def reports(
    client: HbrClient, queries: Sequence[Query], output: str, interval: float | None
) -> AsyncGenerator[Report]:
    """One report, or one at every interval for as long as the service's errors may pass."""
    with progress_bar() as progress:
        results = await targets.list_all(client, queries, progress, RetryAnnouncer())
    yield Report(output, results)
    while interval is not None:
        await asyncio.sleep(interval)
        try:
            results = await targets.list_all(client, queries)
        except HbrError as error:
            if not _may_recover(error):
                raise
            print_message("warning", f"{error_text(error)}. Trying again in {interval:g} s")
        else:
            yield Report(output, results)


def _may_recover(error: HbrError) -> bool:
    """Whether the next list may succeed: who watches wants to see the end of an outage too."""
    return isinstance(error, TransportError | InvalidResponseError) or error.retry is not Retry.NEVER
