"""The same question asked twice at the same time in one process is sent once.

Works across threads and event loops: the dynamic provider serves four threads. Holds nothing once answered.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

T = TypeVar("T")
_flights: dict[Hashable, Future[Any]] = {}
_lock = threading.Lock()


async def once(key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
    """The answer of `work`, or of the same work that is already under way."""
    while True:
        flight, first = _join(key)
        if first:
            return await _fly(key, flight, work)
        answered, answer = await _follow(flight)
        if answered:
            return cast("T", answer)


def _join(key: Hashable) -> tuple[Future[Any], bool]:
    with _lock:
        first = key not in _flights
        return _flights.setdefault(key, Future()), first


async def _fly(key: Hashable, mine: "Future[T]", work: Callable[[], Awaitable[T]]) -> T:
    try:
        answer = await work()
    except Exception as error:
        mine.set_exception(error)
        raise
    except BaseException:
        mine.cancel()  # this caller gave up, its followers did not
        raise
    else:
        mine.set_result(answer)
        return answer
    finally:
        with _lock:
            del _flights[key]


async def _follow(under_way: "Future[T]") -> tuple[bool, Any]:
    """(True, the answer), or (False, None) if whoever asked has given up."""
    try:
        return True, await asyncio.shield(asyncio.wrap_future(under_way))
    except asyncio.CancelledError:
        if under_way.cancelled():
            return False, None
        raise
