"""One poller for many gates: gates of one account, region and query shape share its requests and its answers.

    gates with ids i, j, k …  →  one query with all their ids  →  one reading  →  a look for each gate

N gates on N instances cost ceil(N/99) requests a round, not N. A poller lives while a gate looks at it, on the
event loop of its gates; its first look comes at once, the next ones ever more slowly, and soon for a gate that joins.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Hashable
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query

LONGEST: Final = 15.0
"""Seconds between two looks, at the most."""
GROWTH: Final = 1.5
JITTER: Final = 0.2
"""A share of the interval, so that many programs do not look in step."""
MOMENT: Final = 0.05
"""Seconds in which gates that start together are gathered."""
EAGER: Final = 1.0
"""Seconds between two looks, at the least, when gates keep joining."""
LOOK_TIMEOUT: Final = 60.0
"""Seconds for one look: an outage shall be told, not waited out in silence."""

PollResult = ClientList | Exception
"""What a gate sees: its clients, or why there was no answer."""


@dataclass(eq=False)
class _Gate:
    query: Query
    poll: float
    results: "asyncio.Queue[PollResult]" = field(default_factory=asyncio.Queue)


async def subscribe(query: Query, poll: float, settings: HbrClient) -> AsyncGenerator[PollResult, None]:
    """Look at a query again and again, until the caller stops. `settings` says whom to ask; it is not closed here."""
    gate = _Gate(query, poll)
    poller = _poller(query, settings)
    poller.join(gate)
    try:
        while True:
            yield await gate.results.get()
    finally:
        poller.leave(gate)


_pollers: dict[Hashable, "_Poller"] = {}


def _poller(query: Query, settings: HbrClient) -> "_Poller":
    shape = _shape(query)
    target = settings.target(query)
    key = (id(asyncio.get_running_loop()), target, settings.resolve(query).account, shape)
    if key not in _pollers:
        _pollers[key] = _Poller(key, settings)
    return _pollers[key]


def _shape(query: Query) -> Hashable:
    """What must be equal for one reading to serve two gates. Ids of one kind can be joined, of both they cannot."""
    sent = query.sent()
    if query.client_ids is not None and query.instance_ids is not None:
        return sent
    kinds = (query.client_ids is not None, query.instance_ids is not None)
    return kinds, sent.model_copy(update={"client_ids": None, "instance_ids": None})


class _Poller:
    def __init__(self, key: Hashable, settings: HbrClient) -> None:
        self.key, self.settings = key, settings
        self.gates: list[_Gate] = []
        self.interval = LONGEST
        self.joined = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def join(self, gate: _Gate) -> None:
        self.gates.append(gate)
        self.interval = min(self.interval, gate.poll)
        self.joined.set()
        if self.task is None:
            self.task = asyncio.create_task(self._rounds())

    def leave(self, gate: _Gate) -> None:
        self.gates.remove(gate)
        if not self.gates:
            _pollers.pop(self.key, None)
            if self.task:
                self.task.cancel()

    async def _rounds(self) -> None:
        async with self.settings.with_options(timeout=LOOK_TIMEOUT) as client:
            while True:
                await asyncio.sleep(MOMENT)
                self.joined.clear()
                await self._look(client)
                await self._pause()

    async def _look(self, client: HbrClient) -> None:
        gates = list(self.gates)
        try:
            reading = await client.fetch(_union([gate.query for gate in gates]))
        except Exception as error:  # noqa: BLE001  whatever it is must reach the gates, or they wait for ever
            for gate in gates:
                gate.results.put_nowait(error)
        else:
            for gate in gates:
                gate.results.put_nowait(reading.result(gate.query))

    async def _pause(self) -> None:
        """Until the next look is due; sooner if a gate joins, but not at once for each."""
        spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  not a secret
        due = self.interval * spread
        self.interval = min(self.interval * GROWTH, LONGEST)
        eager = min(EAGER, due)
        await asyncio.sleep(eager)
        try:
            async with asyncio.timeout(due - eager):
                await self.joined.wait()
        except TimeoutError:
            pass


def _union(queries: list[Query]) -> Query:
    """One query that asks for everything these ask for; they have one shape."""
    return (
        queries[0].sent().model_copy(update={name: _joined(queries, name) for name in ("client_ids", "instance_ids")})
    )


def _joined(queries: list[Query], name: str) -> tuple[str, ...] | None:
    ids = [getattr(query, name) for query in queries]
    return None if ids[0] is None else tuple(sorted(set(chain.from_iterable(ids))))
