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
from dataclasses import dataclass, field
from itertools import chain
from math import prod
from typing import Final

from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.reading import limit_text
from pulumi_hbr_clients.client.session import Observer, RetryDetails
from pulumi_hbr_clients.client.shared import PerEventLoop
from pulumi_hbr_clients.model.errors import HbrError, TransportError
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.paginator import IDS_MAX

# Seconds. A gate's own `poll` is the first interval.
_MAX_INTERVAL: Final = 15.0
_MIN_INTERVAL: Final = 0.25
"""Between two polls when gates keep joining: the engine starts further ones as others pass."""
_BATCH_WINDOW: Final = 0.05
"""Gates that start within this time share the first poll."""
_POLL_TIMEOUT: Final = 1e7
"""A list of many pages takes minutes; the gates have their own timeouts."""
_GROWTH: Final = 1.5
_JITTER: Final = 0.2
"""A share of the interval, so that many programs do not poll at the same moments."""


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
    urgent: asyncio.Event
    results: "asyncio.Queue[PollResult]" = field(default_factory=asyncio.Queue)
    wants_verified: bool = False

    def require_verified(self) -> None:
        """Poll again now, and verify the list."""
        self.wants_verified = True
        self.urgent.set()


@contextmanager
def subscribe(query: Query, client: HbrClient, interval: float) -> Iterator[Subscription]:
    """Take part in the polls for such queries. `client` says which service is asked; it is not closed here."""
    pollers = _POLLERS.get()
    settings = client.resolve(query)
    key = (settings.target, settings.account, _shape(query))
    poller = pollers.get(key) or _Poller(client)
    pollers[key] = poller
    subscription = poller.join(query, interval)
    try:
        yield subscription
    finally:
        if poller.leave(subscription):
            del pollers[key]


def _shape(query: Query) -> Hashable:
    """What must be equal for one list to serve two gates. Ids of one kind can be joined, ids of both kinds cannot."""
    sent = query.sent()
    if query.client_ids is not None and query.instance_ids is not None:
        return sent
    kinds = (query.client_ids is not None, query.instance_ids is not None)
    return kinds, sent.model_copy(update={"client_ids": None, "instance_ids": None})


class _Poller(Observer):
    def __init__(self, client: HbrClient) -> None:
        self._client = client
        self._subscriptions: list[Subscription] = []
        self._interval = _MAX_INTERVAL
        self._joined, self._urgent = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def join(self, query: Query, interval: float) -> Subscription:
        subscription = Subscription(query, self._urgent)
        self._subscriptions.append(subscription)
        self._interval = min(self._interval, interval)
        self._joined.set()
        return subscription

    def leave(self, subscription: Subscription) -> bool:
        """Whether it was the last one, which ends the polls."""
        self._subscriptions.remove(subscription)
        if not self._subscriptions:
            self._task.cancel()
        return not self._subscriptions

    async def _run(self) -> None:
        async with self._client.with_options(timeout=_POLL_TIMEOUT) as client:
            while True:
                if not self._urgent.is_set():
                    await asyncio.sleep(_BATCH_WINDOW)
                self._joined.clear()
                self._urgent.clear()
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
        found = await client.fetch(query, self)
        is_verified = verify or found.request_count <= _part_count(query)
        results = [PollResult(found.result(s.query), verified=is_verified) for s in subscriptions]
        for subscription, result in zip(subscriptions, results, strict=True):
            subscription.wants_verified = False
            subscription.results.put_nowait(result)

    def on_retry(self, details: RetryDetails) -> None:
        """Pass an outage on while it lasts: eight tries may take a minute. One failed try is no outage."""
        if details.attempt > 1:
            self._report(details.error)

    def on_wait(self, seconds: float) -> None:
        """Pass it on as an outage."""
        self._report(TransportError(limit_text(seconds)))

    def _report(self, error: HbrError) -> None:
        for subscription in self._subscriptions:
            subscription.results.put_nowait(PollResult(error=error, is_retried=True))

    async def _pause(self) -> None:
        """Wait until the next poll is due: sooner when a gate joins, at once when one needs a verified list."""
        due = self._interval * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  not a secret
        self._interval = min(self._interval * _GROWTH, _MAX_INTERVAL)
        least = min(_MIN_INTERVAL, due)
        if not await _is_set_within(self._urgent, least):
            await _is_set_within(self._joined, due - least)


_POLLERS: Final[PerEventLoop[dict[Hashable, _Poller]]] = PerEventLoop(dict)
"""The pollers of this process, for the gates of all its clients, on the event loop of each."""


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
