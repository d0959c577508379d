"""`hbr-clients doctor`: options → `diagnosis` → text or JSON."""

import sys
from typing import Any

import click

from pulumi_hbr_clients.cli import diagnosis, options
from pulumi_hbr_clients.cli.command_options import network_option, output_option, verbose_option
from pulumi_hbr_clients.cli.event_loop import run_async
from pulumi_hbr_clients.cli.messages import REFUSED, has_colour
from pulumi_hbr_clients.model import query as query_model
from pulumi_hbr_clients.model.query import Query


@click.command("doctor", params=options.named_options("region", "endpoint", "profile", "assume_role", "timeout"))
@click.option("--client-type", default="ECS_CLIENT", show_default=True, metavar="TYPE", help="Client type to ask for.")
@click.option("--offline", is_flag=True, help="Send nothing; show only what would be used.")
@output_option("text", "json", text="For people or programs.")
@network_option
@verbose_option
def command(output: str, *, offline: bool, network: str | None, **values: Any) -> None:
    """Show which region, endpoint and credentials would be used, from where, and whether they may list.

    Sends one small request, within --timeout (30 seconds by default). Shows no secrets. Exits with 0 if all is
    well, else with 1. Pulumi config is not read here: it exists inside a Pulumi program only.
    """
    (query,) = options.parse_together(lambda: query_model.parse(options.arguments(values, Query)))
    typed = {"region": next(iter(values["region"]), None), "profile": next(iter(values["profile"]), None)}
    typed |= {"endpoint": values["endpoint"], "network": network, "assume_role": query.assume_role}
    report = run_async(diagnosis.examine(query, typed, offline=offline))
    as_text = (
        diagnosis.as_json(report) if output == "json" else diagnosis.as_text(report, coloured=has_colour(sys.stdout))
    )
    click.echo(as_text, nl=False)
    if not diagnosis.usable(report):
        click.get_current_context().exit(REFUSED)
