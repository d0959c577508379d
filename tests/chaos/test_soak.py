"""A soak in simulated time: gates and lists come and go for five minutes, and what the process holds stays level.

Level is: the median of the last quarter of samples is above that of the second quarter by no more than a small bound.
The first quarter is warm-up. Medians, because a sample may meet a list half-way.
"""

import asyncio
import gc
import tracemalloc
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from statistics import median
from typing import Any, Final

import pytest

from pulumi_hbr_clients.activation import condition
from pulumi_hbr_clients.activation.waiter import pass_gate
from pulumi_hbr_clients.model.errors import GateTimeoutError, HbrError
from tests.client.in_memory import ECS, World

DURATION: Final = 300.0
ALLOWED: Final = {"memory": 256 * 1024, "connections": 2, "tasks": 2}
"""Bytes and numbers by which the last quarter may exceed the second."""


class Soak(World):
    """Everything that goes on, and what the process holds meanwhile."""

    def __init__(self, *, leaks: bool) -> None:
        super().__init__(150, fault_rate=0.02, latency=0.1)
        self.leaks = leaks
        self.done = Counter[str]()
        self.samples: list[dict[str, float]] = []
        self.kept: list[Any] = []

    async def work(self) -> None:
        async with asyncio.TaskGroup() as group:
            work = {
                self.sample: 5,
                self.gate_that_passes: 5,
                self.gates_that_end: 20,
                self.read_list: 15,
                self.leak: 10,
            }
            tasks = [group.create_task(self.repeat(each, every)) for each, every in work.items()]
            await asyncio.sleep(DURATION + 1)
            for task in tasks:
                task.cancel()

    async def repeat(self, work: Callable[[], Coroutine[Any, Any, None]], every: float) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(work())
                await asyncio.sleep(every)

    async def wait(self, **arguments: Any) -> None:
        async with self.client() as client:
            await pass_gate(condition.parse({**ECS, **arguments}), client, "enforce")

    async def gate_that_passes(self) -> None:
        instance = f"i-{self.done['gates started']}"
        self.done["gates started"] += 1
        self.backend.install([instance], seconds=20)
        await self.wait(instance_ids=[instance], timeout=900)
        self.backend.remove(instance)
        self.done["gates passed"] += 1

    async def gates_that_end(self) -> None:
        """One times out, one is cancelled."""
        with suppress(GateTimeoutError):
            await self.wait(instance_ids=["i-never"], timeout=8)
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self.wait(tags={"env": "nowhere"})
        self.done["gates ended"] += 1

    async def read_list(self) -> None:
        with suppress(HbrError):
            async with self.client() as client:
                await client.list_backup_clients(**ECS)
                self.done["lists"] += 1

    async def sample(self) -> None:
        self.backend.clear_log()
        self.backend.history.clear()
        self.sent.clear()
        gc.collect()
        memory = tracemalloc.get_traced_memory()[0]
        connections = self.opened - self.closed
        self.samples.append({"memory": memory, "connections": connections, "tasks": len(asyncio.all_tasks())})

    async def leak(self) -> None:
        """On purpose: it must be found."""
        if self.leaks:
            self.opened += 1
            self.kept += [bytes(20_000), asyncio.create_task(asyncio.sleep(10 * DURATION))]

    def growing(self) -> list[str]:
        """The figures that are not level."""
        quarter = len(self.samples) // 4

        def growth(name: str) -> float:
            values = [sample[name] for sample in self.samples]
            return median(values[-quarter:]) - median(values[quarter : 2 * quarter])

        return [name for name, allowed in ALLOWED.items() if growth(name) > allowed]


@pytest.mark.parametrize("leaks", [False, True])
def test_what_the_process_holds_stays_level(*, leaks: bool) -> None:
    """Gates pass, time out and are cancelled, lists come and go, requests fail: only leaks on purpose grow."""
    soak = Soak(leaks=leaks)
    gc.collect()
    gc.freeze()  # what is there by now is looked through no more: a collection takes 1 ms, not 100
    tracemalloc.start()
    try:
        soak.run(soak.work())
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    assert soak.growing() == (list(ALLOWED) if leaks else [])
    assert soak.done["gates passed"] > 40
    assert min(soak.done[what] for what in ("gates ended", "lists")) > 10
