"""What `hbr-clients doctor` finds: every part of the settings, every place of it, and whether a request works.

    settings → findings → credentials → one small request → text or JSON

The places and their order are those of `client.settings` and `client.credential_places`: nothing is decided here.
Shows no secret: of an access key the last four characters of its id, of the rest whether it is set.
"""

import asyncio
import json
import os
import platform
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import click

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.cli.printable import printable
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.credential_places import CredentialPlace
from pulumi_hbr_clients.client.credential_specs import CredentialSpec, home
from pulumi_hbr_clients.client.credentials import credential_source
from pulumi_hbr_clients.client.settings import Setting, Settings
from pulumi_hbr_clients.model.errors import HbrError, InputError, ValidationIssue
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.endpoints import parse_endpoint
from pulumi_hbr_clients.protocol.signing import Credentials

PATIENCE: Final = 30.0
"""Seconds for each of credentials and request, unless the query says another."""
_ADVICE: Final = (". `hbr-clients doctor`", "; `hbr-clients doctor`")
"""How errors begin what they advise, and the reader is doing already."""
_LOCATION: Final = ("region", "network", "endpoint")
_NOT_READ: Final = {"Pulumi config": "only inside a Pulumi program"}


@dataclass(frozen=True, slots=True)
class Looked:
    """One place where a part is looked for: what it has, whether that is used, and else why not."""

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
    places: tuple[Looked, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.problem is None


Report = dict[str, Finding]


def usable(report: Report) -> bool:
    """Whether nothing is wrong."""
    return all(finding.is_usable for finding in report.values())


async def examine(query: Query, arguments: Mapping[str, Any], client: HbrClient, *, offline: bool) -> Report:
    """Look at every place, then fetch credentials and send one request with the client unless `offline`.

    `arguments` are region, endpoint, network, profile and assume_role as they were typed, None where they were not.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    settings, report = Settings(arguments=given), {}
    issues = {issue.path: issue for issue in _issues(settings)}
    for key in _LOCATION:
        report[key] = _location(settings, key, issues.get(key))
    if report["network"].value is None:
        report["network"] = Finding("public", "default", None, report["network"].places)
    if report["endpoint"].value is None:
        url = "known once the region is" if issues else settings.location()[2].value
        report["endpoint"] = Finding(url, "the region's own", None, report["endpoint"].places)
    timeout = query.timeout or PATIENCE
    report["credentials"] = await _credentials(settings, timeout, offline=offline, is_located=not issues)
    location = {name: value for name, value in given.items() if name != "network"}  # the network is the client's
    request = query.model_copy(update={"page_number": 1, "page_size": 1, "timeout": timeout, **location})
    report["permission"] = await _permission(request, report, client, offline=offline)
    return report


def _issues(settings: Settings) -> tuple[ValidationIssue, ...]:
    try:
        *_, warnings = settings.location()
    except InputError as error:
        return error.faults
    return tuple(ValidationIssue("region", warning.partition(": ")[2] or warning) for warning in warnings)


def _location(settings: Settings, key: str, issue: ValidationIssue | None) -> Finding:
    used = settings.first(key)
    places = tuple(_looked(key, found, used) for found in settings.places(key))
    problem = issue.account if issue else None
    return Finding(_shown(key, used.value), _typed(used.source) or None, problem, places)


def _looked(key: str, found: Setting, used: Setting) -> Looked:
    is_used = found.value is not None and found.source == used.source
    note = found.note or next((why for head, why in _NOT_READ.items() if found.source.startswith(head)), "")
    passed = found.value is not None and not is_used
    note = f"not used: {_typed(used.source)} comes first" if passed else note
    return Looked(_typed(found.source), _shown(key, found.value), is_used, note)


def _shown(key: str, value: Any) -> str | None:
    """An address may have been given with a password in it."""
    hidden = key == "endpoint" and "@" in str(value) and isinstance(parse_endpoint(value), ValidationIssue)
    return "(holds a user or a password)" if hidden else None if value is None else str(value)


def _typed(text: str) -> str:
    """A text as the command line spells it: arguments as options, the home directory as `~`."""
    text = re.sub(r"\bargument (\w+)", lambda found: "--" + re.sub("([A-Z])", r"-\1", found[1]).lower(), text)
    return text.replace(str(home(os.environ)), "~")


async def _credentials(settings: Settings, seconds: float, *, offline: bool, is_located: bool) -> Finding:
    found = list(settings.credentials())
    used = next((place for place in found if place.speaks), None)
    places = tuple(_credential_place(place, used) for place in found)
    if used is None or used.spec is None:
        problem = _told(used.problem) if used and used.problem else "found nowhere, see the places below"
        return Finding(None, None, problem, places)
    source = _typed(used.spec.label)
    if offline and used.spec.keys is None:
        why = "found nowhere; the metadata service is not asked" if used.spec.is_fallback else None
        return Finding("not fetched because of --offline", source, why, places)
    try:
        async with asyncio.timeout(seconds):
            credentials = await _fetch(settings, used.spec, is_located=is_located)
    except HbrError as error:
        return Finding(None, source, _told(error), places)
    except TimeoutError:
        return Finding(None, source, f"no credentials within {seconds:g} s", places)
    return Finding(_masked(credentials), source, None, places)


async def _fetch(settings: Settings, spec: CredentialSpec, *, is_located: bool) -> Credentials:
    if not is_located and spec.keys:
        return spec.keys
    resolved = settings.resolve()
    return await credential_source(resolved).credentials()


def _credential_place(place: CredentialPlace, used: CredentialPlace | None) -> Looked:
    note, value = _told(place.problem) if place.problem else place.note, _held(place.spec)
    if place.speaks and used is not None and place is not used:
        note = f"not used: {_typed(used.name)} comes first"
    if not place.speaks and place.name.startswith("Pulumi config"):
        note = _NOT_READ["Pulumi config"]
    return Looked(_typed(place.name), value, place is used and place.spec is not None, note)


def _held(spec: CredentialSpec | None) -> str | None:
    if spec is None:
        return None
    return _masked(spec.keys) if spec.keys else f"mode {spec.mode}"


def _told(error: HbrError) -> str:
    """An error's text, without sending the reader where he is."""
    text = printable(str(error))
    return _typed(min((text.partition(advice)[0] for advice in _ADVICE), key=len))


def _masked(credentials: Credentials) -> str:
    token = ", with a security token" if credentials.security_token else ""
    return f"access key ***{credentials.access_key_id[-4:]}{token}"


async def _permission(request: Query, report: Report, client: HbrClient, *, offline: bool) -> Finding:
    if offline:
        return Finding("not asked because of --offline")
    if not usable(report):
        return Finding(None, None, "not asked: fix the problems above first")
    started = time.monotonic()
    try:
        await client.list(request)
    except HbrError as error:
        return Finding(None, None, _told(error))
    return Finding(f"OK, the service answered in {time.monotonic() - started:.2f} s")


def as_json(report: Report) -> str:
    """One object."""
    parts = {name: asdict(finding) for name, finding in report.items()}
    return json.dumps({"version": __version__, "usable": usable(report), **parts}, indent=2) + "\n"


def as_text(report: Report, *, coloured: bool) -> str:
    """The findings, then every place of each."""
    lines = [f"hbr-clients {__version__}, Python {platform.python_version()}", ""]
    lines += summary_lines(report, coloured=coloured)
    lines += ["", "Places, in the order in which they are looked at:"]
    lines += [text for name, finding in report.items() for text in _places(name, finding, coloured=coloured)]
    return "\n".join(lines) + "\n"


def summary_lines(report: Report, *, coloured: bool) -> list[str]:
    """What would be used, and what is wrong."""
    return [text for name, finding in report.items() for text in _lines(name, finding, coloured=coloured)]


def _lines(name: str, finding: Finding, *, coloured: bool) -> Iterator[str]:
    source = f"  ({finding.source})" if finding.source else ""
    if finding.value is not None:
        yield f"{name:13}{finding.value}{source}"
    if finding.problem is not None:
        label = name if finding.value is None else ""
        yield f"{label:13}{_painted('problem', 'red', coloured=coloured)}: {finding.problem}"


def _places(name: str, finding: Finding, *, coloured: bool) -> Iterator[str]:
    for number, looked in enumerate(finding.places):
        mark = _painted("used ", "green", coloured=coloured) if looked.is_used else "-    "
        value = f": {looked.value}" if looked.value is not None else ""
        note = f" ({looked.note})" if looked.note else ""
        yield f"{'' if number else name:13}{mark} {looked.place}{value}{note}"


def _painted(text: str, colour: str, *, coloured: bool) -> str:
    return click.style(text, fg=colour) if coloured else text
