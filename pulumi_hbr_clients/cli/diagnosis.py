"""What `hbr-clients doctor` finds: every part of the settings, every place of it, and whether a request works.

    settings → findings → credentials → one small request → report

The places and their order are those of `client.settings` and `client.credential_places`: nothing is decided here.
Shows no secret: of an access key the last four characters of its id, of the rest whether it is set.
"""

import asyncio
import os
import re
import time
from dataclasses import dataclass
from typing import Any, Final

from pulumi_hbr_clients.cli.messages import printable
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.credential_places import CredentialPlace
from pulumi_hbr_clients.client.credential_specs import home
from pulumi_hbr_clients.client.credentials import credential_source
from pulumi_hbr_clients.client.settings import Setting, Settings
from pulumi_hbr_clients.model.errors import HbrError, InputError, ValidationIssue
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.endpoints import parse_endpoint
from pulumi_hbr_clients.protocol.signing import Credentials

PATIENCE: Final = 30.0
"""Seconds for each of credentials and request, unless the query says another."""
_ADVICE: Final = re.compile(r"[.;] `hbr-clients doctor`.*", re.DOTALL)
"""What errors advise, and the reader is doing already."""
_CONFIG: Final = "Pulumi config"
_CONFIG_NOTE: Final = "only inside a Pulumi program"


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


Report = dict[str, Finding]


async def examine(query: Query, network: str | None, client: HbrClient, *, offline: bool) -> Report:
    """Look at every place, then fetch credentials and send one request with the client unless `offline`."""
    names = ("region", "endpoint", "profile", "assume_role")
    typed = {"network": network, **{name: getattr(query, name) for name in names}}
    settings = Settings(arguments={name: value for name, value in typed.items() if value is not None})
    timeout = query.timeout or PATIENCE
    report = _location(settings)
    report["credentials"] = await _credentials(settings, report, timeout, offline=offline)
    request = query.model_copy(update={"page_number": 1, "page_size": 1, "timeout": timeout})
    report["permission"] = await _permission(request, report, client, offline=offline)
    return report


def _location(settings: Settings) -> Report:
    """Region, network and endpoint."""
    problems, default = {}, {"network": Setting("public", "default")}
    default["endpoint"] = Setting("known once the region is", "the region's own")
    try:
        *_, endpoint, warnings = settings.location()
        if warnings:
            problems["region"] = warnings[0].partition(": ")[2] or warnings[0]
        else:
            default["endpoint"] = endpoint
    except InputError as error:
        problems = {issue.path: issue.account for issue in error.faults}
    report = {}
    for key in ("region", "network", "endpoint"):
        used = settings.first(key)
        places = tuple(_place(key, found, used) for found in settings.places(key))
        if used.value is None:
            used = default.get(key, used)
        report[key] = Finding(_shown(key, used.value), _typed(used.source) or None, problems.get(key), places)
    return report


def _place(key: str, found: Setting, used: Setting) -> Looked:
    is_used = found.value is not None and found.source == used.source
    note = found.note or (_CONFIG_NOTE if found.source.startswith(_CONFIG) else "")
    if found.value is not None and not is_used:
        note = f"not used: {_typed(used.source)} comes first"
    return Looked(_typed(found.source), _shown(key, found.value), is_used, note)


def _shown(key: str, value: Any) -> str | None:
    """An address may have been given with a password in it."""
    hidden = key == "endpoint" and "@" in str(value) and isinstance(parse_endpoint(value), ValidationIssue)
    return "(holds a user or a password)" if hidden else None if value is None else str(value)


def _typed(text: str) -> str:
    """A text as the command line spells it: arguments as options, the home directory as `~`."""
    text = re.sub(r"\bargument (\w+)", lambda found: "--" + re.sub("([A-Z])", r"-\1", found[1]).lower(), text)
    return text.replace(str(home(os.environ)), "~")


async def _credentials(settings: Settings, location: Report, seconds: float, *, offline: bool) -> Finding:
    found = list(settings.credentials())
    used = next((place for place in found if place.speaks), None)
    places = tuple(_credential_place(place, used) for place in found)
    if used is None or used.spec is None:
        problem = _told(used.problem) if used and used.problem else "found nowhere, see the places below"
        return Finding(None, None, problem, places)
    source, keys = _typed(used.spec.label), used.spec.keys
    if offline and keys is None:
        why = "found nowhere; the metadata service is not asked" if used.spec.is_fallback else None
        return Finding("not fetched because of --offline", source, why, places)
    try:
        async with asyncio.timeout(seconds):
            if keys is None or not _has_problem(location):
                keys = await credential_source(settings.resolve()).credentials()
    except HbrError as error:
        return Finding(None, source, _told(error), places)
    except TimeoutError:
        return Finding(None, source, f"no credentials within {seconds:g} s", places)
    return Finding(_masked(keys), source, None, places)


def _credential_place(place: CredentialPlace, used: CredentialPlace | None) -> Looked:
    note, value = place.note, None
    if place.spec:
        value = _masked(place.spec.keys) if place.spec.keys else f"mode {place.spec.mode}"
    if place.problem:
        note = _told(place.problem)
    if place.speaks and used is not None and place is not used:
        note = f"not used: {_typed(used.name)} comes first"
    if not place.speaks and place.name.startswith(_CONFIG):
        note = _CONFIG_NOTE
    return Looked(_typed(place.name), value, place is used and place.spec is not None, note)


async def _permission(request: Query, report: Report, client: HbrClient, *, offline: bool) -> Finding:
    if offline:
        return Finding("not asked because of --offline")
    if _has_problem(report):
        return Finding(None, None, "not asked: fix the problems above first")
    started = time.monotonic()
    try:
        await client.list(request)
    except HbrError as error:
        return Finding(None, None, _told(error))
    return Finding(f"OK, the service answered in {time.monotonic() - started:.2f} s")


def _has_problem(report: Report) -> bool:
    return any(finding.problem for finding in report.values())


def _told(error: HbrError) -> str:
    """An error's text, without sending the reader where he is."""
    return _typed(_ADVICE.sub("", printable(str(error))))


def _masked(credentials: Credentials) -> str:
    token = ", with a security token" if credentials.security_token else ""
    return f"access key ***{credentials.access_key_id[-4:]}{token}"
