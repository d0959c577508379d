"""A soak: gates that open, give up and are left, watchers that stay and that come and go, an outage now and then.

    actors on one event loop ⇄ emulator in a thread → a sample every few seconds → Samples, and what was done

Times are seconds of the process's clock, which `hurry` may have made faster. The fleet keeps its size, and what the
emulator logs is thrown away: what grows is somebody's leak.
"""

import asyncio
import gc
import os
import resource
import socket
import stat
import sys
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from pulumi_hbr_clients import HbrClient, emulator
from pulumi_hbr_clients.activation import condition as gate
from pulumi_hbr_clients.activation.poller import subscribe
from pulumi_hbr_clients.activation.waiter import ActivationResult, wait
from pulumi_hbr_clients.cli import output as screen
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, new_rows
from pulumi_hbr_clients.model.errors import GateTimeoutError, HbrError
from pulumi_hbr_clients.model.query import parse
from tools.storms.level import Sample

FLEET: Final = 250
EVERY: Final = 5.0
"""Seconds between two samples, and between two looks of `list --watch`."""
OUTAGE: Final = 10.0
FAULTS: Final = 0.02
ECS: Final[Mapping[str, Any]] = {"client_type": "ECS_CLIENT"}
Work = Callable[[], Coroutine[Any, Any, None]]


@dataclass
class Soak:
    """Everything that is going on."""

    endpoint: str
    backend: Backend
    leaks: Collection[str] = ()
    samples: list[Sample] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    kept: list[Any] = field(default_factory=list)
    """What a leak on purpose keeps."""
    random: Random = field(default_factory=lambda: Random(1))  # noqa: S311  repeatable, not secret

    async def work(self, seconds: float) -> tuple[Sample, Sample]:
        """All actors, for so long. Gives a sample from before and one from after everything."""
        before = sample()
        async with asyncio.TaskGroup() as group:
            actors = [group.create_task(actor) for actor in self._actors()]
            await asyncio.sleep(seconds)
            for actor in actors:
                actor.cancel()
        await asyncio.sleep(EVERY)  # the far ends close too
        return before, sample()

    def _actors(self) -> list[Coroutine[Any, Any, None]]:
        often: list[tuple[float, Work]] = [
            (EVERY, self._sample),
            (4, self._opens),
            (15, self._gives_up),
            (15, self._is_left),
            (10, self._list_once),
            (20, self._look_awhile),
            (120, self._outage),
            (1, self._leak),
        ]
        return [self._watch(), self._waits(), self._looks(), *(self._again(*item) for item in often)]

    async def _again(self, every: float, work: Work) -> None:
        """Start it every so many seconds, whether the last one is done or not."""
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(work())
                await asyncio.sleep(every)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[HbrClient]:
        async with HbrClient(region="cn-hangzhou", endpoint=self.endpoint, credentials=FAKE_CREDENTIALS) as client:
            yield client

    async def _wait(self, **arguments: Any) -> ActivationResult:
        asked = gate.parse({**ECS, **arguments})
        assert asked is not None  # noqa: S101  nothing of it is unknown
        async with self._client() as client:
            return await wait(*asked, client, lambda _: self.done.update(["looks of gates"]))

    # gates

    async def _opens(self) -> None:
        """A gate on a client that is being installed. The client leaves when the gate has opened."""
        instance = f"i-{self.random.randbytes(8).hex()}"
        self.backend.install([instance], seconds=self.random.uniform(5, 25))
        await self._wait(instance_ids=[instance], timeout=600)
        self.backend.remove(instance)
        self.done["gates opened"] += 1

    async def _waits(self) -> None:
        """A gate that waits all the time."""
        await self._wait(instance_ids=["i-never"], timeout="1d")

    async def _gives_up(self) -> None:
        """A gate that is over before its client comes."""
        with suppress(GateTimeoutError):
            await self._wait(instance_ids=["i-never"], timeout=8)
        self.done["gates timed out"] += 1

    async def _is_left(self) -> None:
        """A gate whose caller goes away."""
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self._wait(tags={"env": "nowhere"})
        self.done["gates left"] += 1

    # watchers

    async def _watch(self) -> None:
        """`hbr-clients list --watch`, written to nobody."""
        with open(os.devnull, "w") as nobody, redirect_stdout(nobody), redirect_stderr(nobody):  # noqa: ASYNC230, PTH123
            async with self._client() as client:
                await screen.show(client, _query(), "json", EVERY)

    async def _list_once(self) -> None:
        """A list with a client of its own."""
        async with self._client() as client:
            with suppress(HbrError):
                await client.list_backup_clients(**ECS)
                self.done["lists"] += 1

    async def _looks(self) -> None:
        """A watcher that looks all the time."""
        async with self._client() as client, aclosing(subscribe(_query(), 2, client)) as seen:
            async for _ in seen:
                self.done["looks of watchers"] += 1

    async def _look_awhile(self) -> None:
        """A watcher that comes and goes."""
        async with self._client() as client, aclosing(subscribe(_query(tags={"env": "prod"}), 2, client)) as seen:
            with suppress(TimeoutError):
                async with asyncio.timeout(15):
                    async for _ in seen:
                        self.done["looks of watchers"] += 1

    # what happens to them

    async def _outage(self) -> None:
        """After a minute nobody is answered for a while."""
        await asyncio.sleep(60)
        self.backend.fault_rate = 1.0
        await asyncio.sleep(OUTAGE)
        self.backend.fault_rate = FAULTS

    async def _sample(self) -> None:
        self.backend.clear_log()
        self.backend.history.clear()
        self.samples.append(sample())

    async def _leak(self) -> None:
        """On purpose: it must be found."""
        leaking: dict[str, Callable[[], Any]] = {
            "memory": lambda: bytes(30_000),
            "connections": socket.socket,
            "tasks": lambda: asyncio.create_task(asyncio.sleep(1e6)),
        }
        self.kept += [leaking[leak]() for leak in self.leaks]


def soak(minutes: float, leaks: Collection[str] = ()) -> tuple[Soak, Sample, Sample]:
    """A soak of so many minutes, and samples from before and after it."""
    backend = Backend(new_rows(FLEET, Status="ACTIVATED"), fault_rate=FAULTS)
    with emulator.serve(backend) as running:
        made = Soak(running.endpoint, backend, leaks)
        gc.collect()
        gc.freeze()  # what is there by now is looked through no more: a collection takes 1 ms, not 100
        tracemalloc.start()
        before, after = asyncio.run(made.work(minutes * 60))
        tracemalloc.stop()
        for thing in made.kept:
            if isinstance(thing, socket.socket):
                thing.close()
    return made, before, after


def sample() -> Sample:
    """What this process holds now, garbage apart. Connections have both their ends here."""
    gc.collect()
    return Sample(tracemalloc.get_traced_memory()[0], _resident(), _sockets(), len(asyncio.all_tasks()))


def _resident() -> int:
    """Bytes; where the system does not say how many now, the most so far."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def _sockets() -> int:
    """Open sockets, found among the lowest 1,000 descriptors."""

    def is_socket(number: int) -> bool:
        try:
            return stat.S_ISSOCK(os.fstat(number).st_mode)
        except OSError:
            return False

    return sum(map(is_socket, range(1000)))


def _query(**arguments: Any) -> Any:
    return parse({**ECS, **arguments})
