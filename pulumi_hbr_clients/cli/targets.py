"""The targets of one command: every `--profile` in every `--region`, asked side by side by one client.

    options → Targets → a query for each target → a list or an error for each

Without these options there is one target; settings decide its region and credentials.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any, Final, cast

import click

from pulumi_hbr_clients.cli.messages import print_message, print_warnings
from pulumi_hbr_clients.cli.printable import printable
from pulumi_hbr_clients.client.client import HbrClient, Progress
from pulumi_hbr_clients.client.session import OnRetry
from pulumi_hbr_clients.client.settings import Settings
from pulumi_hbr_clients.model.errors import (
    CredentialsError,
    HbrError,
    IncompleteListError,
    InputError,
    ServiceError,
    ValidationIssue,
)
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.endpoints import REGIONS, region_issue

DEFAULT_REGION: Final = "cn-hangzhou"
"""Asked for the list of regions where settings name no region."""
_log: Final = logging.getLogger("pulumi_hbr_clients")
all_regions_option: Final = click.option(
    "--all-regions",
    is_flag=True,
    help="Every region of the service, from hbr:DescribeRegions; where that is not allowed, from a built-in list.",
)


@dataclass(frozen=True, slots=True)
class Targets:
    """What was typed about targets. None stands for what settings say."""

    regions: Sequence[str | None]
    profiles: Sequence[str | None]
    all_regions: bool = False

    @property
    def several(self) -> bool:
        """Whether results are told apart by region and profile, even if only one region is found."""
        return self.all_regions or len(self.regions) * len(self.profiles) > 1

    def queries(self, query: Query) -> list[Query]:
        """The query for each target."""
        return [at(query, region, profile) for profile, region in product(self.profiles, self.regions)]


@dataclass(frozen=True, slots=True)
class Target:
    """One target: its query, and a client whose connections and requests at once are its own."""

    query: Query
    client: HbrClient
    region: str
    """As far as it is known."""

    @property
    def name(self) -> str:
        """`cn-hangzhou, profile prod`."""
        return target_name(self.region, self.query.profile)


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What one target answered: a list, an error, or both if the list is incomplete."""

    query: Query
    region: str
    found: ClientList | None = None
    error: HbrError | None = None
    head: Mapping[str, Any] = field(default_factory=dict)
    """What JSON has before the list."""

    @property
    def name(self) -> str:
        """`cn-hangzhou, profile prod`."""
        return target_name(self.region, self.query.profile)


def parse(values: Mapping[str, Any], *, check_settings: bool = True) -> Targets:
    """The targets that were typed. Raises `InputError` with all issues of what was typed, and of other settings."""
    found = Targets(values["region"] or [None], values["profile"] or [None], values.get("all_regions", False))
    issues = [issue for name in ("region", "profile") for issue in _repeated(name, values[name])]
    if found.all_regions and values["region"]:
        issues.append(ValidationIssue("all_regions", "must not be given together with --region"))
    own = {"endpoint": values["endpoint"], "network": values["network"]}
    endpoint = _settings(own).first("endpoint")
    if endpoint.value is None or found.several:
        issues += [issue for region in values["region"] if (issue := region_issue(region))]
    is_one = endpoint.value is not None and "=" not in str(endpoint.value)
    if is_one and (found.all_regions or len(found.regions) > 1):
        source = endpoint.source.replace("argument ", "--")
        reason = f"must be one for each region (REGION=ADDRESS,REGION=ADDRESS) or none; {source} sets one for all"
        issues.append(ValidationIssue("endpoint", reason))
    for profile, region in product(found.profiles, found.regions) if check_settings else ():
        typed = {**own, "profile": profile, "region": DEFAULT_REGION if found.all_regions else region}
        try:
            _settings(typed).resolve()
        except InputError as error:
            issues += [issue for issue in error.faults if region is None or issue.path != "region"]
        except CredentialsError:  # not bad input: an error of this target alone
            continue
    if issues:
        raise InputError(*dict.fromkeys(issues))
    return found


def _settings(typed: Mapping[str, Any]) -> Settings:
    return Settings(arguments={name: value for name, value in typed.items() if value is not None})


def _repeated(name: str, typed: Sequence[str]) -> Iterator[ValidationIssue]:
    for value in dict.fromkeys(typed):
        if typed.count(value) > 1:
            yield ValidationIssue(name, "must not be given twice", repr(value))


def new_client(network: str | None) -> HbrClient:
    """The client of the running command. Tests pass another maker of clients as click's context object."""
    make: Callable[..., HbrClient] = click.get_current_context().obj or HbrClient
    return make(network=network)


def announce(client: HbrClient, query: Query) -> str:
    """Log which endpoint is asked and whose credentials sign, print warnings about settings, return the region.

    Raises `InputError`, `CredentialsError`.
    """
    resolved = client.resolve(query)
    target = resolved.target
    _log.debug("asking %s (region %s) with the credentials of %s", target.endpoint, target.region, target.account)
    print_warnings(resolved.warnings)
    return target.region


@asynccontextmanager
async def opened(client: HbrClient, targets: Targets, query: Query) -> AsyncIterator[list[Target | TargetResult]]:
    """The targets until this ends, or the error of a profile whose regions cannot be listed.

    Prints where the list of regions came from. Raises the error if there is one profile only.
    """
    async with AsyncExitStack() as stack:
        found: list[Target | TargetResult] = []
        for item in await resolved(client, targets, query):
            if isinstance(item, TargetResult):
                found.append(item)
                continue
            region = item.region or ""
            with suppress(HbrError):  # reported with the target's result
                region = announce(client, item)
            found.append(Target(item, await stack.enter_async_context(client.with_options()), region))
        yield found


async def resolved(client: HbrClient, targets: Targets, query: Query) -> list[Query | TargetResult]:
    """The query for each target, or the error of a profile whose regions cannot be listed. See `opened`."""
    found: list[Query | TargetResult] = [] if targets.all_regions else [*targets.queries(query)]
    for profile in targets.profiles if targets.all_regions else ():
        try:
            found += [at(query, region, profile) for region in await _regions(client, at(query, None, profile))]
        except HbrError as error:
            if len(targets.profiles) == 1:
                raise
            found.append(TargetResult(at(query, None, profile), "all regions", error=error))
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
    """The query at this region and profile; None leaves it to settings."""
    named = {"region": region, "profile": profile}
    return query.model_copy(update={name: value for name, value in named.items() if value is not None})


def target_name(region: str | None, profile: str | None) -> str:
    """`cn-hangzhou, profile prod`."""
    return ", ".join(filter(None, [region, profile and f"profile {printable(profile)}"]))


async def list_all(
    targets: Sequence[Target | TargetResult],
    progress: Callable[[], Progress],
    on_retry: OnRetry,
    on_wait: Callable[[str, float], None],
) -> tuple[TargetResult, ...]:
    """The results of all targets, in their order. Never raises `HbrError`.

    `progress` makes a callback for each; `on_wait` is called with the name of a target, "" if it is the only one.
    """

    async def one(target: Target | TargetResult) -> TargetResult:
        if isinstance(target, TargetResult):
            return target
        query, region = target.query, target.region
        try:
            waits = partial(on_wait, target.name if len(targets) > 1 else "")
            return TargetResult(query, region, await target.client.list(query, progress(), on_retry, waits))
        except IncompleteListError as error:
            return TargetResult(query, region, cast("ClientList", error.found), error)
        except HbrError as error:
            return TargetResult(query, region, error=error)

    return tuple(await asyncio.gather(*map(one, targets)))
