"""The targets of one command: every `--profile` in every `--region`, asked side by side by one client.

    options → Targets → a query for each target → a list or an error for each

Without these options there is one target; settings decide its region and credentials.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Final, TypeVar

import click

from pulumi_hbr_clients.cli.errors import print_warnings
from pulumi_hbr_clients.cli.messages import print_message, printable
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import Settings
from pulumi_hbr_clients.model.errors import CredentialsError, HbrError, InputError, ServiceError, ValidationIssue
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.endpoints import REGIONS, region_issue

DEFAULT_REGION: Final = "cn-hangzhou"
"""Asked for the list of regions where settings name no region."""
_log: Final = logging.getLogger("pulumi_hbr_clients")
T = TypeVar("T")
all_regions_option: Final = click.option(
    "--all-regions",
    is_flag=True,
    help="Every region of the service, from hbr:DescribeRegions; where that is not allowed, from a built-in list.",
)


@dataclass(frozen=True, slots=True)
class Targets:
    """The regions and profiles that were given. None: the settings decide."""

    regions: Sequence[str | None]
    profiles: Sequence[str | None]
    all_regions: bool = False

    @property
    def several(self) -> bool:
        """Whether results are told apart by region and profile, even if only one region is found."""
        return self.all_regions or len(self.regions) * len(self.profiles) > 1


@dataclass(frozen=True, slots=True)
class Target:
    """One target, and what it answered: a list, an error, or both if the list is incomplete."""

    query: Query
    region: str
    """As far as it is known."""
    client: HbrClient
    """Its connections and requests at once are the target's own."""
    found: ClientList | None = None
    error: HbrError | None = None
    """Before anything was asked: why the regions of its profile cannot be listed."""
    head: Mapping[str, Any] = field(default_factory=dict)
    """What JSON has before the list."""

    @property
    def name(self) -> str:
        """`cn-hangzhou, profile prod`."""
        profile = self.query.profile and f"profile {printable(self.query.profile)}"
        return ", ".join(filter(None, [self.region, profile]))


def parse(values: Mapping[str, Any], *, check_settings: bool = True) -> Targets:
    """The targets that were typed. Raises `InputError` with all issues of what was typed, and of other settings."""
    found = Targets(values["region"] or [None], values["profile"] or [None], values["all_regions"])
    issues = [
        ValidationIssue(name, "must not be given twice", repr(value))
        for name in ("region", "profile")
        for value in dict.fromkeys(values[name])
        if values[name].count(value) > 1
    ]
    if found.all_regions and values["region"]:
        issues.append(ValidationIssue("all_regions", "must not be given together with --region"))
    own = {name: values[name] for name in ("endpoint", "network") if values[name] is not None}
    endpoint = Settings(arguments=own).first("endpoint")
    if endpoint.value is None or found.several:
        issues += [issue for region in values["region"] if (issue := region_issue(region))]
    is_one = endpoint.value is not None and "=" not in str(endpoint.value)
    if is_one and (found.all_regions or len(found.regions) > 1):
        source = endpoint.source.replace("argument ", "--")
        reason = f"must be one for each region (REGION=ADDRESS,REGION=ADDRESS) or none; {source} sets one for all"
        issues.append(ValidationIssue("endpoint", reason))
    for profile, region in product(found.profiles, found.regions) if check_settings else ():
        typed = {"profile": profile, "region": DEFAULT_REGION if found.all_regions else region}
        try:
            Settings(arguments=own | {name: value for name, value in typed.items() if value is not None}).resolve()
        except InputError as error:
            issues += [issue for issue in error.faults if region is None or issue.path != "region"]
        except CredentialsError:  # not bad input: an error of this target alone
            continue
    if issues:
        raise InputError(*dict.fromkeys(issues))
    return found


def run(work: Callable[[HbrClient], Coroutine[Any, Any, T]], network: str | None) -> T:
    """Run the work of a command with a client to its end. Raises KeyboardInterrupt on Ctrl-C.

    Tests pass another maker of clients as click's context object.
    """
    make: Callable[..., HbrClient] = click.get_current_context().obj or HbrClient

    async def with_client() -> T:
        async with make(network=network) as client:
            return await work(client)

    try:
        return asyncio.run(with_client())
    except asyncio.CancelledError:  # how Ctrl-C may arrive (CPython 3.11)
        raise KeyboardInterrupt from None


@asynccontextmanager
async def opened(client: HbrClient, targets: Targets, query: Query) -> AsyncIterator[list[Target]]:
    """The targets, each with a client of its own until this ends. Raises as `resolved`.

    Logs which endpoint is asked and whose credentials sign; prints warnings about settings.
    """
    async with AsyncExitStack() as stack:
        found = await resolved(client, targets, query)
        for number, target in enumerate(found):
            if target.error:
                continue
            region = target.region
            with suppress(HbrError):  # reported with the target's result
                settings = client.resolve(target.query)
                at, region = settings.target, settings.target.region
                _log.debug("asking %s (region %s) with the credentials of %s", at.endpoint, region, at.account)
                print_warnings(settings.warnings)
            own = await stack.enter_async_context(client.with_options())
            found[number] = replace(target, region=region, client=own)
        yield found


async def resolved(client: HbrClient, targets: Targets, query: Query) -> list[Target]:
    """Every target. Prints where the list of regions came from.

    A profile whose regions cannot be listed is a target with an error; if it is the only profile, the error is raised.
    """
    found: list[Target] = []
    for profile in targets.profiles:
        own = at(query, None, profile)
        try:
            regions = await _regions(client, own) if targets.all_regions else targets.regions
            found += [Target(at(own, region, None), region or own.region or "", client) for region in regions]
        except HbrError as error:
            if len(targets.profiles) == 1:
                raise
            found.append(Target(own, "all regions", client, error=error))
    return found


async def _regions(client: HbrClient, query: Query) -> Sequence[str]:
    """Every region for the credentials of a query. Raises `HbrError`, unless listing regions is not allowed."""
    try:
        client.resolve(query)
    except InputError:
        query = at(query, DEFAULT_REGION, query.profile)
    whose = f" of profile {query.profile}" if query.profile else ""
    try:
        regions = await client.regions(query)
    except ServiceError as error:
        if not error.code.startswith(("NoPermission", "Forbidden")):
            raise
        text = f"hbr:DescribeRegions is not allowed ({error.code}); using the built-in list of {len(REGIONS)} regions"
        print_message("warning", f"regions{whose}: {text}")
        return REGIONS
    print_message("note", f"regions{whose}: {len(regions)} from hbr:DescribeRegions")
    return regions


def at(query: Query, region: str | None, profile: str | None) -> Query:
    """The query at this region and profile; None leaves it as it is."""
    named = {"region": region, "profile": profile}
    return query.model_copy(update={name: value for name, value in named.items() if value is not None})
