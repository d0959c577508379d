"""The union of several targets' lists, for a gate that is asked by ids: a requested id may be in any of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from pulumi_hbr_clients.cli.targets import Target
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.session import SILENT, Observer
from pulumi_hbr_clients.client.settings import ResolvedSettings
from pulumi_hbr_clients.model.errors import DeadlineError, HbrError, Retry
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.paginator import Paginator


class UnionClient(HbrClient):
    """Sends a query to every target and joins the lists."""

    def __init__(self, targets: Sequence[Target]) -> None:
        """The targets' clients are not closed here."""
        super().__init__()
        self.latest = [*targets]
        """The targets, each with what it answered last."""

    def resolve(self, query: Query) -> ResolvedSettings:
        """The settings of the first target."""
        first = self.latest[0]
        return first.client.resolve(_at(query, first))

    async def fetch(self, query: Query, observer: Observer = SILENT) -> Paginator:
        """Read the lists of all targets. Raises one error that names every target that failed."""

        async def one(number: int, target: Target) -> Paginator | None:
            own = _at(query, target).model_copy(update={"timeout": query.timeout or self.timeout})
            try:
                read = await target.client.fetch(own, observer)
            except HbrError as error:
                self.latest[number] = replace(target, found=None, error=error)
                return None
            self.latest[number] = replace(target, found=read.result(target.query), error=None)
            return read

        lists = await asyncio.gather(*(one(*each) for each in enumerate(self.latest)))
        if any(read is None for read in lists):
            raise _joined(self.latest)
        return Paginator.union(query, filter(None, lists))


def _at(query: Query, target: Target) -> Query:
    return query.model_copy(update={"region": target.query.region, "profile": target.query.profile})


def _joined(targets: Sequence[Target]) -> HbrError:
    """The errors of all targets. Waiting may help unless one of them is final."""
    failed = [(target.name, target.error) for target in targets if target.error]
    joined = HbrError("\n".join(f"{name}: {error}" for name, error in failed))
    is_final = any(error.retry is Retry.NEVER and not isinstance(error, DeadlineError) for _, error in failed)
    joined.retry = Retry.NEVER if is_final else Retry.BACK_OFF
    return joined
