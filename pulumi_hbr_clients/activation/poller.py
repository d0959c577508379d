"""One poller for many gates: gates of one account, region and query shape share its requests and its results.

    gates with ids i, j, k …  →  one query with all their ids  →  one list  →  a result for each gate

N gates on N instances cost ceil(N/99) requests a round, not N. A poller runs on the event loop of its gates while one
of them is subscribed. The first poll comes at once, the next ones ever more slowly, and soon for a gate that joins.
A list of several pages is read once (`counted`); a gate that would pass asks for a verified list before it does.
"""

import asyncio
import random
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from math import prod
from typing import Final
from weakref import WeakKeyDictionary

from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.reading import limit_text
from pulumi_hbr_clients.client.session import RetryDetails
from pulumi_hbr_clients.model.errors import HbrError, TransportError
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.paginator import IDS_MAX


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """How often a poller polls. Times in seconds; a gate's own `poll` is the first interval."""

    max_interval: float = 15.0
    growth: float = 1.5
    jitter: float = 0.2
    """A share of the interval, so that many programs do not poll at the same moments."""
    batch_window: float = 0.05
    """Gates that start within this time share the first poll."""
    min_interval: float = 1.0
    """Between two polls when gates keep joining."""


DEFAULT_POLICY: Final = PollPolicy()
_NO_DEADLINE: Final = 1e7
"""Seconds for one poll. A list of many pages takes minutes; the gates have their own timeouts."""


@dataclass(frozen=True, slots=True)
class PollResult:
    """What a gate gets from a poll: its clients, or the error that came instead."""

    found: ClientList = field(default_factory=lambda: ClientList(complete=False))
    error: Exception | None = None
    is_retried: bool = False
    """Whether the poll goes on after this error."""
    verified: bool = False
    """Whether two passes over the list were equal, or each of its parts is a single page."""


@dataclass(eq=False)
class Subscription:
    """A gate's place at a poller."""

    query: Query
    interval: float
    poller: "_Poller" = field(repr=False)
    results: "asyncio.Queue[PollResult]" = field(default_factory=asyncio.Queue)
    wants_verified: bool = False

    def require_verified(self) -> None:
        """Poll again now, and verify the list."""
        self.wants_verified = True
        self.poller.urgent.set()


@contextmanager
def subscribe(
    query: Query, client: HbrClient, interval: float, policy: PollPolicy = DEFAULT_POLICY
) -> Iterator[Subscription]:
    """Take part in the polls for such queries. `client` says which service is asked; it is not closed here."""
    pollers = _pollers.setdefault(asyncio.get_running_loop(), {})
    settings = client.resolve(query)
    key = (settings.target, settings.account, _shape(query), policy)
    poller = pollers.get(key) or _Poller(client, policy)
    pollers[key] = poller
    subscription = Subscription(query, interval, poller)
    poller.join(subscription)
    try:
        yield subscription
    finally:
        if poller.leave(subscription):
            del pollers[key]


_pollers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, "_Poller"]] = WeakKeyDictionary()


def _shape(query: Query) -> Hashable:
    """What must be equal for one list to serve two gates. Ids of one kind can be joined, ids of both kinds cannot."""
    sent = query.sent()
    if query.client_ids is not None and query.instance_ids is not None:
        return sent
    kinds = (query.client_ids is not None, query.instance_ids is not None)
    return kinds, sent.model_copy(update={"client_ids": None, "instance_ids": None})


class _Poller:
    def __init__(self, client: HbrClient, policy: PollPolicy) -> None:
        self._client, self._policy = client, policy
        self._subscriptions: list[Subscription] = []
        self._interval = policy.max_interval
        self._joined, self.urgent = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def join(self, subscription: Subscription) -> None:
        self._subscriptions.append(subscription)
        self._interval = min(self._interval, subscription.interval)
        self._joined.set()

    def leave(self, subscription: Subscription) -> bool:
        """Whether it was the last one, which ends the polls."""
        self._subscriptions.remove(subscription)
        if not self._subscriptions:
            self._task.cancel()
        return not self._subscriptions

    async def _run(self) -> None:
        async with self._client.with_options(timeout=_NO_DEADLINE) as client:
            while True:
                if not self.urgent.is_set():
                    await asyncio.sleep(self._policy.batch_window)
                self._joined.clear()
                self.urgent.clear()
                subscriptions = list(self._subscriptions)
                try:
                    await self._poll(client, subscriptions)
                except Exception as error:  # noqa: BLE001  each gate decides what an error means for it
                    for subscription in subscriptions:
                        subscription.results.put_nowait(PollResult(error=error))
                await self._pause()

    async def _poll(self, client: HbrClient, subscriptions: list[Subscription]) -> None:
        verify = any(s.wants_verified for s in subscriptions)
        query = _merged([s.query for s in subscriptions], verify=verify)
        found = await client.fetch(query, on_retry=self._report_retry, on_wait=self._report_wait)
        region = client.target(query).region
        is_verified = verify or found.request_count <= _part_count(query)
        results = [
            PollResult(replace(found.result(s.query), region=region), verified=is_verified) for s in subscriptions
        ]
        for subscription, result in zip(subscriptions, results, strict=True):
            subscription.wants_verified = False
            subscription.results.put_nowait(result)

    def _report_retry(self, details: RetryDetails) -> None:
        """Pass an outage on while it lasts: eight tries may take a minute. One failed try is no outage."""
        if details.attempt > 1:
            self._report(details.error)

    def _report_wait(self, seconds: float) -> None:
        self._report(TransportError(limit_text(seconds)))

    def _report(self, error: HbrError) -> None:
        for subscription in self._subscriptions:
            subscription.results.put_nowait(PollResult(error=error, is_retried=True))

    async def _pause(self) -> None:
        """Wait until the next poll is due: sooner when a gate joins, at once when one needs a verified list."""
        spread = random.uniform(1 - self._policy.jitter, 1 + self._policy.jitter)  # noqa: S311  not a secret
        due = self._interval * spread
        self._interval = min(self._interval * self._policy.growth, self._policy.max_interval)
        least = min(self._policy.min_interval, due)
        if not await _is_set_within(self.urgent, least):
            await _is_set_within(self._joined, due - least)


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _merged(queries: list[Query], *, verify: bool) -> Query:
    """One query for all that these ask for; they have one shape."""
    ids = {
        name: tuple(sorted(set(chain.from_iterable(getattr(query, name) for query in queries))))
        for name in ("client_ids", "instance_ids")
        if getattr(queries[0], name) is not None
    }
    return queries[0].sent().model_copy(update={**ids, "consistency": "verified" if verify else "counted"})


def _part_count(query: Query) -> int:
    """Requests that a query needs at least: ids are sent in parts."""
    return prod(max(1, -(-len(ids or ()) // IDS_MAX)) for ids in (query.client_ids, query.instance_ids))
