"""Equal calls at the same time on one event loop share one task.

Each caller waits as long as it likes; the task is cancelled when the last of them has left. Event loops share nothing,
so a blocking call made on one loop never waits for that same loop. Nothing is kept of a call that has ended, nor of a
loop that was dropped with calls under way: the registry holds both weakly, callers hold the flight they wait for.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary


class Work(Protocol):
    """What callers share: its state is readable while it runs."""

    def run(self) -> Coroutine[Any, Any, None]:
        """Do it."""


W = TypeVar("W", bound=Work)


@dataclass(eq=False)
class _Flight:
    work: Any
    task: asyncio.Task[None]
    callers: int = 0


class SingleFlight:
    """The calls under way, by event loop and key."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[Hashable, _Flight]]
        self._loops = WeakKeyDictionary()

    @asynccontextmanager
    async def join(self, key: Hashable, make: Callable[[], W]) -> "AsyncIterator[tuple[W, asyncio.Task[None]]]":
        """Give the work with this key that is under way on the running loop, or start it, and the task it runs in.

        Wait for the task with `asyncio.wait`, which does not cancel it for other callers.
        """
        flights = self._loops.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
        flight = flights.get(key)
        if flight is None or flight.task.done():
            work = make()
            flight = flights[key] = _Flight(work, asyncio.create_task(work.run()))
        flight.callers += 1
        is_dropped = False
        try:
            yield flight.work, flight.task
        except GeneratorExit:
            is_dropped = True  # with its event loop: nothing can be awaited any more
            raise
        finally:
            flight.callers -= 1
            if not flight.callers and not is_dropped:
                if flights.get(key) is flight:
                    del flights[key]
                await _end(flight.task)


async def _end(task: "asyncio.Task[None]") -> None:
    """Wait until a task that nobody wants any more has cleaned up."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # seen: nobody is left to raise it for
