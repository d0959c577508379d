"""The union of several targets' lists, for a gate that is asked by ids: a requested id may be in any of them.

query → the same query at each target → lists → one list, or the errors of all targets that failed
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from pulumi_hbr_clients.cli.targets import Target, TargetResult, at
from pulumi_hbr_clients.client.client import HbrClient, Progress
from pulumi_hbr_clients.client.session import OnRetry, OnWait, ignore
from pulumi_hbr_clients.client.settings import ResolvedSettings
from pulumi_hbr_clients.model.errors import DeadlineError, HbrError, Retry
from pulumi_hbr_clients.model.outputs import ClientList, counts_by_status
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.paginator import Paginator


@dataclass(frozen=True, slots=True)
class UnionList:
    """What a gate's poller uses of a `Paginator`."""

    parts: Sequence[Paginator]

    @property
    def request_count(self) -> int:
        """The largest number of requests that a target needed."""
        return max(part.request_count for part in self.parts)

    def result(self, query: Query) -> ClientList:
        """The clients of all targets. An id is missing if no target has it."""
        return merged([part.result(query) for part in self.parts])

    def incomplete_text(self) -> str:
        """Why the union may not be complete."""
        return next(part.incomplete_text() for part in self.parts if not part.result().complete)


def merged(lists: Sequence[ClientList]) -> ClientList:
    """The union of lists of one query at several targets."""
    by_identity = {client.identity: client for found in lists for client in found.clients}
    clients = tuple(by_identity[identity] for identity in sorted(by_identity))
    return ClientList(
        clients=clients,
        service_total_count=sum(found.service_total_count for found in lists),
        counts_by_status=counts_by_status(clients),
        missing_client_ids=_in_all(found.missing_client_ids for found in lists),
        missing_instance_ids=_in_all(found.missing_instance_ids for found in lists),
        complete=all(found.complete for found in lists),
        request_count=sum(found.request_count for found in lists),
        server_time=max((found.server_time for found in lists if found.server_time is not None), default=None),
    )


def _in_all(lists: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted(set.intersection(*map(set, lists))))


class TargetsError(HbrError):
    """Targets that did not answer. Waiting may help unless an error of one of them is final."""

    def __init__(self, failed: Sequence[TargetResult]) -> None:
        """Each result has an error."""
        super().__init__("\n".join(f"{result.name}: {result.error}" for result in failed))
        errors = [result.error for result in failed if result.error]
        is_final = any(error.retry is Retry.NEVER and not isinstance(error, DeadlineError) for error in errors)
        self.retry = Retry.NEVER if is_final else Retry.BACK_OFF


class UnionClient(HbrClient):
    """Lists the union of targets. `latest` has what each of them answered last."""

    def __init__(self, targets: Sequence[Target], latest: dict[int, TargetResult] | None = None) -> None:
        """The targets' clients are not closed here."""
        super().__init__()
        self.targets = targets
        self.latest: dict[int, TargetResult] = {} if latest is None else latest
        """Results by the target's position."""

    def with_options(self, *, timeout: float | None = None) -> Self:
        """The same targets, with another timeout."""
        copies = [replace(target, client=target.client.with_options(timeout=timeout)) for target in self.targets]
        return type(self)(copies, self.latest)

    async def aclose(self) -> None:
        """Close the connections of all targets."""
        await asyncio.gather(*(target.client.aclose() for target in self.targets))

    def resolve(self, query: Query) -> ResolvedSettings:
        """The settings of the first target."""
        first = self.targets[0]
        return first.client.resolve(at(query, first.query.region, first.query.profile))

    async def fetch(  # type: ignore[override]  # a UnionList has all that a poller uses of a Paginator
        self,
        query: Query,
        progress: Progress = lambda _read, _total: None,
        on_retry: OnRetry = ignore,
        on_wait: OnWait = ignore,
    ) -> UnionList:
        """Read the lists of all targets. Raises one error that names every target that failed."""

        async def one(number: int, target: Target) -> Paginator | HbrError:
            own = at(query, target.query.region, target.query.profile)
            try:
                part = await target.client.fetch(own, progress, on_retry, on_wait)
            except HbrError as error:
                self.latest[number] = TargetResult(own, target.region, error=error)
                return error
            self.latest[number] = TargetResult(own, target.region, replace(part.result(own), region=target.region))
            return part

        parts = await asyncio.gather(*(one(*each) for each in enumerate(self.targets)))
        failed = [result for _, result in sorted(self.latest.items()) if result.error]
        if failed:
            raise TargetsError(failed)
        return UnionList([part for part in parts if isinstance(part, Paginator)])
