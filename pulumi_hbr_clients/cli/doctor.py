"""`hbr-clients doctor`: what would be used, where that was said, every place that was looked at, and whether it works.

    settings → places → findings → one small request → report → text or JSON

Shows no secret: of an access key its id's last four characters, of the rest whether it is set.
"""

import asyncio
import json
import platform
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import click

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.cli import options
from pulumi_hbr_clients.cli import setting_sources as places
from pulumi_hbr_clients.cli.command_options import network_option, output_option, verbose_option
from pulumi_hbr_clients.cli.event_loop import run_async
from pulumi_hbr_clients.cli.messages import REFUSED, has_colour
from pulumi_hbr_clients.cli.setting_sources import Place
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.credentials import CredentialSource, StaticCredentials
from pulumi_hbr_clients.model import query as query_model
from pulumi_hbr_clients.model.errors import HbrError, InputError
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.signing import Credentials

PATIENCE: Final = 30.0
"""Seconds for each of keys and request, unless --timeout says another."""
_HERE: Final = re.compile(r"[.;] `hbr-clients doctor` .*")
"""What errors advise, and what the reader is doing already."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that would be used: its value and source, or what is wrong, and where it was looked for."""

    value: str | None
    source: str | None = None
    fault: str | None = None
    looked: list[Place] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.fault is None


Report = dict[str, Finding]


@click.command("doctor", params=options.named_options("region", "endpoint", "profile", "timeout"))
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
    settings = {"region": next(iter(values["region"]), None), "profile": next(iter(values["profile"]), None)}
    settings |= {"endpoint": values["endpoint"], "network": network}
    report = run_async(examine(query, settings, offline=offline))
    text = as_json(report) if output == "json" else as_text(report, coloured=has_colour(sys.stdout))
    click.echo(text, nl=False)
    if not usable(report):
        click.get_current_context().exit(REFUSED)


async def examine(query: Query, settings: Mapping[str, Any], *, offline: bool) -> Report:
    """Look everywhere, then send one request."""
    faults: dict[str, str] = {}
    async with HbrClient(**settings, timeout=query.timeout or PATIENCE) as client:
        try:
            client.target(query)
        except InputError as error:
            faults = {fault.path: options.issue_text(fault) for fault in error.faults}
        report = _places(client, faults)
        report["credentials"] = await _credentials(client, offline=offline)
        report["permission"] = await _permission(client, query, report, offline=offline)
    return report


def _places(client: HbrClient, faults: Mapping[str, str]) -> Report:
    settings = client.settings
    found = {key: places.looked(settings, key) for key in ("region", "network", "endpoint")}
    report = {key: _found(looked, faults.get(key)) for key, looked in found.items()}
    if report["endpoint"].value is None:
        url = "known once the region is" if faults else settings.target("").endpoint
        report["endpoint"] = Finding(url, "the region's own", None, found["endpoint"])
    if report["network"].value is None:
        report["network"] = Finding("public", "default", None, found["network"])
    return report


def _found(looked: list[Place], fault: str | None) -> Finding:
    first = next((place for place in looked if place.found), None)
    return Finding(first.value, first.name, fault, looked) if first else Finding(None, None, fault, looked)


async def _credentials(client: HbrClient, *, offline: bool) -> Finding:
    looked, source = places.of_keys(client.settings), client.source
    if offline and not isinstance(source, StaticCredentials):
        fault = None if any(place.found for place in looked) else "found nowhere; not asked for because of --offline"
        return Finding("not fetched because of --offline", _source(source), fault, looked)
    try:
        async with asyncio.timeout(client.timeout):
            keys = await source.keys()
    except HbrError as error:
        anywhere = any(place.found for place in looked)
        fault = _HERE.sub("", str(error)) if anywhere else "found nowhere, see the places below"
        return Finding(None, _source(source), fault, looked)
    except TimeoutError:
        return Finding(None, _source(source), f"no keys within {client.timeout:g} s", looked)
    return Finding(_masked(keys), _source(source), None, looked)


def _source(source: CredentialSource) -> str:
    """Where keys come from, as it was typed. A chain names which of its providers had them."""
    label, provider = source.label.replace(" (argument)", " of --profile"), source.answered
    return f"{label}: {provider}" if provider else label


def _masked(keys: Credentials) -> str:
    token = ", with a security token" if keys.security_token else ""
    return f"access key {places.masked(keys.access_key_id)}{token}"


async def _permission(client: HbrClient, query: Query, report: Report, *, offline: bool) -> Finding:
    if offline:
        return Finding("not asked because of --offline")
    if not usable(report):
        return Finding(None, None, "not asked: fix the settings above first")
    asked = query.model_copy(update={"page_number": 1, "page_size": 1})
    started = time.monotonic()
    try:
        await client.list(asked)
    except HbrError as error:
        return Finding(None, None, _HERE.sub("", options.as_options(str(error))))
    return Finding(f"OK, the service answered in {time.monotonic() - started:.2f} s")


def usable(report: Report) -> bool:
    """Whether nothing is wrong."""
    return all(finding.usable for finding in report.values())


def as_json(report: Report) -> str:
    """One object."""
    head = {"version": __version__, "usable": usable(report)}
    return json.dumps({**head, **{name: asdict(finding) for name, finding in report.items()}}, indent=2) + "\n"


def as_text(report: Report, *, coloured: bool) -> str:
    """The findings, then every place that was looked at."""
    lines = [f"hbr-clients {__version__}, Python {platform.python_version()}", ""]
    lines += [text for name, finding in report.items() for text in _lines(name, finding, coloured=coloured)]
    lines += ["", "Looked at, in this order; what is found first is used:"]
    lines += [text for name, finding in report.items() for text in _looked(name, finding.looked, coloured=coloured)]
    return "\n".join(lines) + "\n"


def _lines(name: str, finding: Finding, *, coloured: bool) -> Iterator[str]:
    source = f"  ({finding.source})" if finding.source else ""
    if finding.value is not None:
        yield f"{name:13}{finding.value}{source}"
    if finding.fault is not None:
        label = name if finding.value is None else ""
        yield f"{label:13}{_painted('trouble', 'red', coloured=coloured)}: {finding.fault}"


def _looked(name: str, looked: Iterable[Place], *, coloured: bool) -> Iterator[str]:
    for number, place in enumerate(looked):
        mark = _painted("found", "green", coloured=coloured) if place.found else "-    "
        says = f": {place.value}" if place.found else ""
        note = f" ({place.note})" if place.note else ""
        yield f"{'' if number else name:13}{mark}  {place.name}{says}{note}"


def _painted(text: str, colour: str, *, coloured: bool) -> str:
    return click.style(text, fg=colour) if coloured else text
