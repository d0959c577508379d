"""`hbr-clients doctor`: options → `diagnosis` of each target → text or JSON."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import click

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.cli import options, targets
from pulumi_hbr_clients.cli.command_options import network_option, output_option, verbose_option
from pulumi_hbr_clients.cli.diagnosis import Report, as_json, as_text, examine, summary_lines
from pulumi_hbr_clients.cli.event_loop import run_async
from pulumi_hbr_clients.cli.messages import REFUSED, error_text, has_colour, one_line, print_message
from pulumi_hbr_clients.cli.targets import TargetResult, Targets, target_name
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.model import query as query_model
from pulumi_hbr_clients.model.errors import HbrError
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.endpoints import REGIONS


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found for a target: a report, or the error with which its regions could not be listed."""

    region: str | None
    profile: str | None
    report: Report = field(default_factory=dict)
    error: HbrError | None = None

    @property
    def name(self) -> str:
        """`cn-shanghai, profile prod`."""
        region = self.region or (self.report["region"].value if self.report else None) or "no region"
        return target_name(region, self.profile)

    @property
    def problem(self) -> str | None:
        """The first thing that is wrong, in one line."""
        if self.error:
            return one_line(error_text(self.error))
        parts = sorted(self.report, key=lambda part: part != "credentials")  # a profile's problem is the region's too
        return next((f"{part}: {found}" for part in parts if (found := self.report[part].problem)), None)


@click.command("doctor", params=options.named_options("region", "endpoint", "profile", "assume_role", "timeout"))
@targets.all_regions_option
@click.option("--client-type", default="ECS_CLIENT", show_default=True, metavar="TYPE", help="Client type to ask for.")
@click.option("--offline", is_flag=True, help="Send nothing; show only what would be used.")
@output_option("text", "json", text="For people or programs.")
@network_option
@verbose_option
def command(output: str, *, offline: bool, network: str | None, **values: Any) -> None:
    """Show which region, endpoint and credentials would be used, from where, and whether they may list.

    Sends one small request for each target, within --timeout (30 seconds by default). Shows no secrets. Exits with
    0 if all is well, else with 1. Pulumi config is not read here: it exists inside a Pulumi program only.
    """
    query, chosen = options.parse_together(
        lambda: query_model.parse(options.arguments(values, Query)),
        lambda: targets.parse({**values, "network": network}, check_settings=False),
    )
    typed = {"endpoint": values["endpoint"], "network": network, "assume_role": query.assume_role}
    client = targets.new_client(network)
    found: list[Diagnosis] = run_async(_examine_all(client, chosen, query, typed, offline=offline))
    if chosen.several:
        click.echo(_as_json(found) if output == "json" else "\n".join(map(_as_text, found)), nl=False)
        for diagnosis in found:
            if diagnosis.problem:
                print_message("error", f"{diagnosis.name}: {diagnosis.problem}")
    else:
        report = found[0].report
        click.echo(as_json(report) if output == "json" else as_text(report, coloured=has_colour(sys.stdout)), nl=False)
    if any(diagnosis.problem for diagnosis in found):
        click.get_current_context().exit(REFUSED)


async def _examine_all(
    client: HbrClient, chosen: Targets, query: Query, typed: Mapping[str, Any], *, offline: bool
) -> list[Diagnosis]:
    async def one(target: Query | TargetResult) -> Diagnosis:
        if isinstance(target, TargetResult):
            return Diagnosis(None, target.query.profile, error=target.error)
        arguments = {**typed, "region": target.region, "profile": target.profile}
        return Diagnosis(target.region, target.profile, await examine(query, arguments, client, offline=offline))

    if offline and chosen.all_regions:
        print_message("note", f"regions: the built-in list of {len(REGIONS)}, because of --offline")
        chosen = replace(chosen, regions=REGIONS, all_regions=False)
    async with client:
        return await asyncio.gather(*map(one, await targets.resolved(client, chosen, query)))


def _as_json(found: Sequence[Diagnosis]) -> str:
    rows = [
        {"region": diagnosis.region, "profile": diagnosis.profile}
        | ({"error": diagnosis.problem} if diagnosis.problem else {})
        | ({"outputs": {part: asdict(value) for part, value in diagnosis.report.items()}} if diagnosis.report else {})
        for diagnosis in found
    ]
    usable = not any(diagnosis.problem for diagnosis in found)
    return json.dumps({"version": __version__, "usable": usable, "targets": rows}, indent=2) + "\n"


def _as_text(diagnosis: Diagnosis) -> str:
    """What would be used for one target of several; the places are shown for a target alone, and in JSON."""
    lines = summary_lines(diagnosis.report, coloured=has_colour(sys.stdout))
    return "\n".join([diagnosis.name, *(f"  {line}" for line in lines)]) + "\n"
