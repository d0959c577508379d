"""Blocking work in a daemon thread: whoever waits can give up at once, and no program waits for it at its end.

For what cannot be cancelled: a credential process, a DNS look-up. `asyncio.to_thread` would be waited for when the
program ends.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


def start(work: Callable[[], T], name: str) -> "Future[T]":
    """Run the work in a daemon thread of this name."""
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001  whoever waits shall see it
            result.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return result


async def wait(result: "Future[T]") -> T:
    """Wait for work that was started, on any event loop. Cancelling the wait leaves the work under way."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def settle() -> None:
        if not done.done():
            done.set_result(None)

    def wake(_: "Future[T]") -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle)

    result.add_done_callback(wake)
    await done
    return result.result()


async def run_in_daemon_thread(function: Callable[..., T], /, *arguments: Any) -> T:
    """Return what the function returns, or raise what it raises. A caller that is cancelled leaves at once."""
    return await wait(start(lambda: function(*arguments), f"hbr-clients {getattr(function, '__name__', 'call')}"))
