"""`hbr-clients doctor`: options → `diagnosis` of each target → text or JSON."""

import asyncio
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

import click

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.cli import options, targets
from pulumi_hbr_clients.cli.diagnosis import Finding, Report, examine
from pulumi_hbr_clients.cli.errors import REFUSED, error_text, one_line
from pulumi_hbr_clients.cli.messages import has_colour, print_message, verbose_option
from pulumi_hbr_clients.cli.targets import Target, Targets
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.model import query as query_model
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.endpoints import REGIONS

_OPTIONS = {"region", "endpoint", "profile", "assume_role", "timeout"}


@click.command("doctor", params=[option for option in options.model_options() if option.name in _OPTIONS])
@targets.all_regions_option
@click.option("--client-type", default="ECS_CLIENT", show_default=True, metavar="TYPE", help="Client type to ask for.")
@click.option("--offline", is_flag=True, help="Send nothing; show only what would be used.")
@options.output_option("text", "json", text="For people or programs.")
@options.network_option
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
    found = targets.run(lambda client: _examine_all(client, chosen, query, network, offline=offline), network)
    text = _as_json if output == "json" else _as_text
    click.echo(text(found, several=chosen.several), nl=False)
    problems = [(target.name, problem) for target, report in found if (problem := _problem(target, report))]
    for name, problem in problems if chosen.several else ():
        print_message("error", f"{name}: {problem}")
    if problems:
        click.get_current_context().exit(REFUSED)


async def _examine_all(
    client: HbrClient, chosen: Targets, query: Query, network: str | None, *, offline: bool
) -> list[tuple[Target, Report]]:
    """The targets and what was found, nothing for one whose regions could not be listed."""

    async def one(target: Target) -> tuple[Target, Report]:
        if target.error:
            return target, {}
        report = await examine(target.query, network, client, offline=offline)
        return replace(target, region=report["region"].value or "no region"), report

    if offline and chosen.all_regions:
        print_message("note", f"regions: the built-in list of {len(REGIONS)}, because of --offline")
        chosen = Targets(REGIONS, chosen.profiles)
    return await asyncio.gather(*map(one, await targets.resolved(client, chosen, query)))


def _problem(target: Target, report: Report) -> str | None:
    """The first thing that is wrong, in one line."""
    if target.error:
        return one_line(error_text(target.error))
    parts = sorted(report, key=lambda part: part != "credentials")  # a profile's problem is the region's too
    return next((f"{part}: {problem}" for part in parts if (problem := report[part].problem)), None)


def _as_json(found: Sequence[tuple[Target, Report]], *, several: bool) -> str:
    rows = []
    for target, report in found:
        problem, outputs = _problem(target, report), {part: asdict(finding) for part, finding in report.items()}
        row: dict[str, Any] = {"region": target.query.region, "profile": target.query.profile}
        rows.append(row | ({"error": problem} if problem else {}) | ({"outputs": outputs} if outputs else {}))
    head = {"version": __version__, "usable": not any("error" in row for row in rows)}
    return json.dumps({**head, **({"targets": rows} if several else rows[0]["outputs"])}, indent=2) + "\n"


def _as_text(found: Sequence[tuple[Target, Report]], *, several: bool) -> str:
    """The findings, then every place of each. Of several targets the places are shown in JSON only."""
    if several:
        blocks = [[target.name, *(f"  {line}" for line in _summary(report))] for target, report in found]
        return "\n".join("\n".join(lines) + "\n" for lines in blocks)
    lines = [f"hbr-clients {__version__}, Python {platform.python_version()}", "", *_summary(found[0][1])]
    lines += ["", "Places, in the order in which they are looked at:"]
    lines += [line for name, finding in found[0][1].items() for line in _places(name, finding)]
    return "\n".join(lines) + "\n"


def _summary(report: Report) -> Iterator[str]:
    """What would be used, and what is wrong."""
    for name, finding in report.items():
        if finding.value is not None:
            yield f"{name:13}{finding.value}{f'  ({finding.source})' if finding.source else ''}"
        if finding.problem is not None:
            yield f"{name if finding.value is None else '':13}{_painted('problem', 'red')}: {finding.problem}"


def _places(name: str, finding: Finding) -> Iterator[str]:
    for number, looked in enumerate(finding.places):
        mark = _painted("used ", "green") if looked.is_used else "-    "
        value = f": {looked.value}" if looked.value is not None else ""
        note = f" ({looked.note})" if looked.note else ""
        yield f"{'' if number else name:13}{mark} {looked.place}{value}{note}"


def _painted(text: str, colour: str) -> str:
    return click.style(text, fg=colour) if has_colour(sys.stdout) else text
