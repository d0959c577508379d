"""`hbr-clients doctor`: every part of the settings, every place of it, and whether a request works.

    settings → findings → credentials → one small request → text or JSON

The places and their order are those of `client.settings` and `client.credential_chain`: nothing is decided here.
Shows no secret: of an access key the last four characters of its id, of the rest whether it is set.
"""

import asyncio
import json
import os
import platform
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import click

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.cli import options
from pulumi_hbr_clients.cli.errors import REFUSED, error_text, one_line
from pulumi_hbr_clients.cli.messages import print_message, printable, verbose_option
from pulumi_hbr_clients.cli.targets import Target, parse_targets, run_on_targets
from pulumi_hbr_clients.client.credential_chain import CredentialPlace
from pulumi_hbr_clients.client.credentials import credential_source
from pulumi_hbr_clients.client.profiles import home
from pulumi_hbr_clients.client.settings import Setting, Settings
from pulumi_hbr_clients.model import query as query_model
from pulumi_hbr_clients.model.errors import HbrError, InputError, ValidationIssue
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.endpoints import REGIONS, parse_endpoint
from pulumi_hbr_clients.protocol.signing import Credentials

TIMEOUT: Final = 30.0
"""Seconds for each of credentials and request, without --timeout."""
_OPTIONS: Final = {"region", "endpoint", "profile", "assume_role", "timeout"}
_ADVICE: Final = re.compile(r"[.;] `hbr-clients doctor`.*", re.DOTALL)
"""Advice in errors to run this command."""
_CONFIG: Final = "Pulumi config"
_CONFIG_NOTE: Final = "only inside a Pulumi program"


@click.command(
    "doctor",
    params=[*(option for option in options.model_options() if option.name in _OPTIONS), *options.target_options()],
)
@click.option("--client-type", default="ECS_CLIENT", show_default=True, metavar="TYPE", help="Client type to ask for.")
@click.option("--offline", is_flag=True, help="Send nothing; show only what would be used.")
@options.output_option("text", "json", text="For people or programs.")
@verbose_option
def command(output: str, *, offline: bool, **values: Any) -> None:
    """Show which region, endpoint and credentials would be used, from where, and whether they may list.

    Sends one small request for each target, within --timeout (30 seconds by default). Shows no secrets. Exits with
    0 if all is well, else with 1. Pulumi config is not read here: it exists inside a Pulumi program only.
    """
    query, chosen = options.parse_together(
        lambda: query_model.parse(options.arguments(values, Query)),
        lambda: parse_targets(values, check_settings=False),
    )
    if offline and chosen.all_regions:
        print_message("note", f"regions: the built-in list of {len(REGIONS)}, because of --offline")
        chosen = replace(chosen, regions=REGIONS, all_regions=False)

    async def examine_all(targets: Sequence[Target]) -> list["Diagnosis"]:
        return await asyncio.gather(*(_examine(target, chosen.network, offline=offline) for target in targets))

    diagnoses = run_on_targets(chosen, query, examine_all)
    click.echo(_json_text(diagnoses) if output == "json" else _text(diagnoses), nl=False)
    problems = [f"{diagnosis.target.prefix}{diagnosis.problem}" for diagnosis in diagnoses if diagnosis.problem]
    for problem in problems if chosen.several else ():
        print_message("error", problem)
    if problems:
        click.get_current_context().exit(REFUSED)


@dataclass(frozen=True, slots=True)
class Place:
    """One place where a part of the settings may be: what it has, whether that is used, and else why not."""

    place: str
    value: str | None
    is_used: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: its value and source, or what is wrong, and every place of it."""

    value: str | None
    source: str | None = None
    problem: str | None = None
    places: Sequence[Place] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found for one target; nothing where its regions could not be listed."""

    target: Target
    findings: dict[str, Finding]

    @property
    def problem(self) -> str | None:
        """The first thing that is wrong, in one line."""
        if self.target.error:
            return one_line(error_text(self.target.error))
        parts = sorted(self.findings, key=lambda part: part != "credentials")  # a profile's problem is the region's too
        return next((f"{part}: {problem}" for part in parts if (problem := self.findings[part].problem)), None)


async def _examine(target: Target, network: str | None, *, offline: bool) -> Diagnosis:
    """Look at every place, then fetch credentials and send one request unless `offline`."""
    if target.error:
        return Diagnosis(target, {})
    query = target.query
    names = ("region", "endpoint", "profile", "assume_role")
    settings = Settings(arguments={"network": network, **{name: getattr(query, name) for name in names}})
    findings = _location(settings)
    findings["credentials"] = await _credentials(settings, findings, query.timeout or TIMEOUT, offline=offline)
    if offline:
        permission = Finding("not asked because of --offline")
    elif any(finding.problem for finding in findings.values()):
        permission = Finding(None, problem="not asked: fix the problems above first")
    else:
        request = query.model_copy(update={"page_number": 1, "page_size": 1, "timeout": query.timeout or TIMEOUT})
        started = time.monotonic()
        try:
            await target.client.list(request)
            permission = Finding(f"OK, the service answered in {time.monotonic() - started:.2f} s")
        except HbrError as error:
            permission = Finding(None, problem=_error(error))
    region = findings["region"].value or "no region"
    return Diagnosis(replace(target, region=region), {**findings, "permission": permission})


def _location(settings: Settings) -> dict[str, Finding]:
    """Region, network and endpoint."""
    problems: dict[str, str] = {}
    defaults = {
        "network": Setting("public", "default"),
        "endpoint": Setting("known once the region is", "the region's own"),
    }
    try:
        *_, endpoint, warnings = settings.location()
        if warnings:
            problems["region"] = warnings[0]
        else:
            defaults["endpoint"] = endpoint
    except InputError as error:
        problems = {issue.path: issue.detail for issue in error.faults}
    findings = {}
    for key in ("region", "network", "endpoint"):
        used = settings.first(key)
        places = [_place(key, setting, used) for setting in settings.places(key)]
        if used.value is None:
            used = defaults.get(key, used)
        findings[key] = Finding(_shown(key, used.value), _typed(used.source) or None, problems.get(key), places)
    return findings


def _place(key: str, setting: Setting, used: Setting) -> Place:
    is_used = setting.value is not None and setting.source == used.source
    note = setting.note or (_CONFIG_NOTE if setting.source.startswith(_CONFIG) else "")
    if setting.value is not None and not is_used:
        note = f"not used: {_typed(used.source)} comes first"
    return Place(_typed(setting.source), _shown(key, setting.value), is_used, _typed(note))


def _shown(key: str, value: Any) -> str | None:
    """An address may have been given with a password in it."""
    if key == "endpoint" and "@" in str(value) and isinstance(parse_endpoint(value), ValidationIssue):
        return "(holds a user or a password)"
    return None if value is None else str(value)


async def _credentials(settings: Settings, location: dict[str, Finding], seconds: float, *, offline: bool) -> Finding:
    sources = list(settings.credentials)
    used = next((place for place in sources if place.is_set), None)
    places = [_credential_place(place, used) for place in sources]
    if used is None or used.spec is None:
        problem = _error(used.problem) if used and used.problem else "found nowhere, see the places below"
        return Finding(None, None, problem, places)
    source, keys = _typed(used.spec.label), used.spec.keys
    if offline and keys is None:
        missing = "found nowhere; the metadata service is not asked" if used.spec.is_fallback else None
        return Finding("not fetched because of --offline", source, missing, places)
    try:
        async with asyncio.timeout(seconds):
            if keys is None or not any(finding.problem for finding in location.values()):
                keys = await credential_source(settings.resolve()).credentials()
    except HbrError as error:
        return Finding(None, source, _error(error), places)
    except TimeoutError:
        return Finding(None, source, f"no credentials within {seconds:g} s", places)
    return Finding(_masked(keys), source, None, places)


def _credential_place(place: CredentialPlace, used: CredentialPlace | None) -> Place:
    value, note = None, place.note
    if place.spec:
        value = _masked(place.spec.keys) if place.spec.keys else f"mode {place.spec.mode}"
    if place.is_set and used and place is not used:
        note = f"not used: {_typed(used.name)} comes first"
    elif place.problem:
        note = _error(place.problem)
    elif not place.is_set and place.name.startswith(_CONFIG):
        note = _CONFIG_NOTE
    return Place(_typed(place.name), value, place is used and place.spec is not None, _typed(note))


def _masked(credentials: Credentials) -> str:
    token = ", with a security token" if credentials.security_token else ""
    return f"access key ***{credentials.access_key_id[-4:]}{token}"


def _error(error: HbrError) -> str:
    """An error's text, without advice to run this command."""
    return _typed(_ADVICE.sub("", printable(str(error))))


def _typed(text: str) -> str:
    """A text as the command line spells it: arguments as options, the home directory as `~`."""
    text = re.sub(r"\bargument (\w+)", lambda match: "--" + re.sub("([A-Z])", r"-\1", match[1]).lower(), text)
    return text.replace(str(home(os.environ)), "~")


def _json_text(diagnoses: Sequence[Diagnosis]) -> str:
    """The findings of the only target, or `targets` with `outputs`, `error` or both for each."""
    rows = []
    for diagnosis in diagnoses:
        row: dict[str, Any] = {"region": diagnosis.target.query.region, "profile": diagnosis.target.query.profile}
        if diagnosis.problem:
            row["error"] = diagnosis.problem
        if diagnosis.findings:
            row["outputs"] = {part: asdict(finding) for part, finding in diagnosis.findings.items()}
        rows.append(row)
    findings = {"targets": rows} if diagnoses[0].target.several else rows[0]["outputs"]
    usable = not any(diagnosis.problem for diagnosis in diagnoses)
    return json.dumps({"version": __version__, "usable": usable, **findings}, indent=2) + "\n"


def _text(diagnoses: Sequence[Diagnosis]) -> str:
    """The findings, then every place of each. Of several targets the places are shown in JSON only."""
    if diagnoses[0].target.several:
        blocks = [[each.target.name, *(f"  {line}" for line in _summary(each.findings))] for each in diagnoses]
        return "\n".join("\n".join(lines) + "\n" for lines in blocks)
    findings = diagnoses[0].findings
    lines = [f"hbr-clients {__version__}, Python {platform.python_version()}", "", *_summary(findings)]
    lines += ["", "Places, in the order in which they are looked at:"]
    lines += [line for name, finding in findings.items() for line in _place_lines(name, finding)]
    return "\n".join(lines) + "\n"


def _summary(findings: dict[str, Finding]) -> Iterator[str]:
    """What would be used, and what is wrong."""
    for name, finding in findings.items():
        if finding.value is not None:
            yield f"{name:13}{finding.value}{f'  ({finding.source})' if finding.source else ''}"
        if finding.problem is not None:
            yield f"{name if finding.value is None else '':13}{click.style('problem', fg='red')}: {finding.problem}"


def _place_lines(name: str, finding: Finding) -> Iterator[str]:
    for number, place in enumerate(finding.places):
        mark = click.style("used ", fg="green") if place.is_used else "-    "
        value = f": {place.value}" if place.value is not None else ""
        note = f" ({place.note})" if place.note else ""
        yield f"{'' if number else name:13}{mark} {place.place}{value}{note}"
