"""Blocking calls (DNS, credential sources) in daemon threads, so that none of them can hold up the end of a program.

`asyncio.to_thread` and `loop.getaddrinfo` use the loop's default executor, whose threads `asyncio.run` and the
interpreter join: a look-up of 25 s then takes 25 s after Ctrl-C too.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def run_in_daemon_thread(function: Callable[..., T], /, *arguments: Any) -> T:
    """Return what the function returns, or raise what it raises. A caller that is cancelled leaves at once.

    The thread then runs on to its own end, unseen; the program's end does not wait for it.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():  # cancelled: nobody waits any more
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # without an error it is the function's result

    def work() -> None:
        result, error = None, None
        try:
            result = function(*arguments)
        except BaseException as caught:  # noqa: BLE001  it is raised where the call was made
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name=f"hbr-clients {getattr(function, '__name__', 'call')}", daemon=True).start()
    return await future
