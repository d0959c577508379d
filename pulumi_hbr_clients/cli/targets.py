"""The targets of one command: every `--profile` in every `--region`, asked side by side.

    options → TargetOptions → a Target for each region and profile → a list or an error for each

Without these options there is one target; settings decide its region and credentials.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Final, TypeVar

import click

from pulumi_hbr_clients.cli.errors import print_warnings
from pulumi_hbr_clients.cli.messages import print_message, printable
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import Settings
from pulumi_hbr_clients.model.errors import (
    CredentialsError,
    HbrError,
    InputError,
    InvalidResponseError,
    ServiceError,
    ValidationIssue,
)
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.endpoints import REGIONS, region_issue

DEFAULT_REGION: Final = "cn-hangzhou"
"""Asked for the list of regions where settings name no region."""
_log: Final = logging.getLogger("pulumi_hbr_clients")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """The options that name targets. None: the settings decide."""

    regions: Sequence[str | None]
    profiles: Sequence[str | None]
    all_regions: bool
    network: str | None
    check_settings: bool
    """Whether what is wrong with settings is bad input or a warning; `doctor` shows it among its findings."""

    @property
    def several(self) -> bool:
        """Whether output names region and profile, even if only one region is found."""
        return self.all_regions or len(self.regions) * len(self.profiles) > 1


@dataclass(frozen=True, slots=True)
class Target:
    """One target, and what it answered: a list, an error, or both if the list is incomplete."""

    query: Query
    region: str
    """As far as it is known."""
    client: HbrClient
    """Its connections and requests at once are the target's own."""
    several: bool = False
    """Whether it is one of several, and output names it."""
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

    @property
    def prefix(self) -> str:
        """What a line about one of several targets starts with: `cn-hangzhou, profile prod: `."""
        return f"{self.name}: " if self.several else ""


def parse_targets(values: Mapping[str, Any], *, check_settings: bool = True) -> TargetOptions:
    """The targets that were typed. Raises `InputError` with all issues of what was typed, and of other settings."""
    regions, profiles = values["region"] or [None], values["profile"] or [None]
    chosen = TargetOptions(regions, profiles, values["all_regions"], values["network"], check_settings)
    issues = [
        ValidationIssue(name, "must not be given twice", repr(value))
        for name in ("region", "profile")
        for value in dict.fromkeys(values[name])
        if values[name].count(value) > 1
    ]
    if chosen.all_regions and values["region"]:
        issues.append(ValidationIssue("all_regions", "must not be given together with --region"))
    own = {"endpoint": values["endpoint"], "network": values["network"]}
    endpoint = Settings(arguments=own).first("endpoint")
    if endpoint.value is None or chosen.several:
        issues += [issue for region in values["region"] if (issue := region_issue(region))]
    is_one = endpoint.value is not None and "=" not in str(endpoint.value)
    if is_one and (chosen.all_regions or len(regions) > 1):
        source = endpoint.source.replace("argument ", "--")
        reason = f"must be one for each region (REGION=ADDRESS,REGION=ADDRESS) or none; {source} sets one for all"
        issues.append(ValidationIssue("endpoint", reason))
    for profile, region in product(profiles, regions) if check_settings else ():
        location = {"profile": profile, "region": DEFAULT_REGION if chosen.all_regions else region}
        try:
            Settings(arguments=own | location).resolve()
        except InputError as error:
            issues += [issue for issue in error.faults if region is None or issue.path != "region"]
        except CredentialsError:  # not bad input: an error of this target alone
            continue
    if issues:
        raise InputError(*dict.fromkeys(issues))
    return chosen


def run_on_targets(chosen: TargetOptions, query: Query, work: Callable[[list[Target]], Coroutine[Any, Any, T]]) -> T:
    """Run the work of a command with its targets. Raises KeyboardInterrupt on Ctrl-C, and as `_resolve`.

    Tests pass another maker of clients as click's context object.
    """
    make: Callable[..., HbrClient] = click.get_current_context().obj or HbrClient

    async def with_targets() -> T:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(make(network=chosen.network))
            targets = [
                replace(target, client=await stack.enter_async_context(client.with_options()))
                for target in await _resolve(client, chosen, query)
            ]
            return await work(targets)

    try:
        return asyncio.run(with_targets())
    except asyncio.CancelledError:  # how Ctrl-C may arrive (CPython 3.11)
        raise KeyboardInterrupt from None


async def _resolve(client: HbrClient, chosen: TargetOptions, query: Query) -> list[Target]:
    """Every target. Prints where the list of regions came from, and warnings about settings.

    A profile whose regions cannot be listed is a target with an error; if it is the only profile, the error is raised.
    """
    targets: list[Target] = []
    for profile in chosen.profiles:
        own = query.model_copy(update={"profile": profile})
        try:
            regions = await _regions(client, own) if chosen.all_regions else chosen.regions
        except HbrError as error:
            if len(chosen.profiles) == 1:
                raise
            targets.append(Target(own, "all regions", client, chosen.several, error=error))
            continue
        for region in regions:
            target = Target(own.model_copy(update={"region": region}), region or "", client, chosen.several)
            targets.append(_located(target) if chosen.check_settings else target)
    return targets


def _located(target: Target) -> Target:
    """The target with the region that settings name. An error of settings is reported with the target's result."""
    try:
        settings = target.client.resolve(target.query)
    except HbrError:
        return target
    at = settings.target
    _log.debug("asking %s (region %s) with the credentials of %s", at.endpoint, at.region, at.account)
    print_warnings(settings.warnings)
    return replace(target, region=at.region)


async def _regions(client: HbrClient, query: Query) -> Sequence[str]:
    """Every region for the credentials of a query. Raises `HbrError`, unless listing regions is not allowed."""
    try:
        client.resolve(query)
    except InputError:
        query = query.model_copy(update={"region": DEFAULT_REGION})
    whose = f" of profile {query.profile}" if query.profile else ""
    try:
        regions = await client.regions(query)
    except ServiceError as error:
        if not error.code.startswith(("NoPermission", "Forbidden")):
            raise
        text = f"hbr:DescribeRegions is not allowed ({error.code}); using the built-in list of {len(REGIONS)} regions"
        print_message("warning", f"regions{whose}: {text}")
        return REGIONS
    if not regions:
        raise InvalidResponseError("hbr:DescribeRegions names no region; give each as --region")
    print_message("note", f"regions{whose}: {len(regions)} from hbr:DescribeRegions")
    return regions
