"""The targets of one command: every `--profile` in every `--region`, asked side by side.

    options, query → a query for each target → a list or an error for each

Without either option there is one target; settings decide its region and credentials.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, cast

from pulumi_hbr_clients.client.client import HbrClient, Progress
from pulumi_hbr_clients.client.session import OnRetry, ignore
from pulumi_hbr_clients.client.settings import Settings
from pulumi_hbr_clients.model.errors import HbrError, IncompleteListError, InputError, ValidationIssue
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query

_log: Final = logging.getLogger("pulumi_hbr_clients")


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What one target answered: a list, an error, or both if the list is incomplete."""

    query: Query
    region: str
    found: ClientList | None = None
    error: HbrError | None = None


def parse(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """Region, profile and endpoint of each target, as typed. Raises `InputError` with all issues."""
    issues = [issue for name in ("region", "profile") for issue in _repeated(name, values[name])]
    typed = {name: values[name] for name in ("endpoint", "network") if values[name] is not None}
    targets = []
    for profile, region in product(values["profile"] or [None], values["region"] or [None]):
        named = {"region": region, "profile": profile}
        target = {**typed, **{name: value for name, value in named.items() if value is not None}}
        try:
            Settings(arguments=target).target("command line")
        except InputError as error:
            issues += error.faults
        targets.append({name: value for name, value in target.items() if name != "network"})
    if issues:
        raise InputError(*dict.fromkeys(issues))
    return targets


def _repeated(name: str, typed: Sequence[str]) -> Iterator[ValidationIssue]:
    for value in dict.fromkeys(typed):
        if typed.count(value) > 1:
            yield ValidationIssue(name, "must not be given twice", repr(value))


async def list_all(
    client: HbrClient,
    queries: Sequence[Query],
    progress: Progress = lambda _read, _total: None,
    on_retry: OnRetry = ignore,
) -> tuple[TargetResult, ...]:
    """The results of all targets, in their order. Raises the error of a target that is the only one."""
    if len(queries) == 1:
        return (await _list_one(client, queries[0], progress, on_retry),)
    return tuple(await asyncio.gather(*(_list_safely(client, query, progress, on_retry) for query in queries)))


async def _list_safely(client: HbrClient, query: Query, progress: Progress, on_retry: OnRetry) -> TargetResult:
    try:
        return await _list_one(client, query, progress, on_retry)
    except HbrError as error:
        return TargetResult(query, query.region or "", error=error)


async def _list_one(client: HbrClient, query: Query, progress: Progress, on_retry: OnRetry) -> TargetResult:
    region = announce(client, query)
    try:
        return TargetResult(query, region, await client.list(query, progress, on_retry))
    except IncompleteListError as error:
        return TargetResult(query, region, cast("ClientList", error.found), error)


def announce(client: HbrClient, query: Query) -> str:
    """Log which endpoint is asked and whose credentials sign; return the region. Raises `InputError`."""
    target = client.target(query)
    _log.debug("asking %s (region %s) with the credentials of %s", target.endpoint, target.region, target.account)
    return target.region
