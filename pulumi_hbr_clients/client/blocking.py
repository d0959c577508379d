"""Threads between blocking and asynchronous code, in both directions.

`run`                   asynchronous work for blocking callers: scripts, notebooks, Pulumi programs, provider threads
`run_in_daemon_thread`  blocking work that cannot be cancelled (a credential process, a DNS look-up) for asynchronous
                        callers: they can give up at once, and no program waits for it at its end, as it would for
                        `asyncio.to_thread`
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Final, TypeVar

from anyio.from_thread import BlockingPortalProvider

T = TypeVar("T")
_PORTALS: Final = BlockingPortalProvider()


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run to the end and return the result, or raise.

    The caller may be inside a running event loop, so the work runs on one in a thread of its own. The thread is shared
    by calls at the same time and ends with the last of them.
    """
    with _PORTALS as portal:
        return portal.call(work)


def start_daemon_thread(work: Callable[[], T], name: str) -> "Future[T]":
    """Run the work in a daemon thread. Wait with `asyncio.wrap_future`; whoever is cancelled leaves it under way."""
    result: Future[T] = Future()
    result.set_running_or_notify_cancel()  # from here on it cannot be cancelled

    def run_work() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001  whoever waits shall see it
            result.set_exception(error)

    threading.Thread(target=run_work, name=name, daemon=True).start()
    return result


async def run_in_daemon_thread(work: Callable[[], T]) -> T:
    """Return what the work returns, or raise what it raises."""
    return await asyncio.wrap_future(start_daemon_thread(work, "hbr-clients blocking call"))
