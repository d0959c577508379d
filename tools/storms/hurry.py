"""An accelerated clock for a whole process: a second on it is a fraction of one on the wall.

It replaces `time.time` and `time.monotonic`, and makes every event loop wait so much shorter. To be called before
anything is imported that keeps these functions by itself (asyncio does not, a default argument does). Waits of
threads are on the wall's clock as before.
"""

import selectors
import time
from collections.abc import Callable
from typing import Any


def hurry(factor: float) -> None:
    """From now on time passes so many times faster, here."""
    time.time, time.monotonic = _faster(time.time, factor), _faster(time.monotonic, factor)
    usual: Any = selectors.DefaultSelector  # which class that is depends on the system
    hurried = type("Hurried", (usual,), {"select": _sooner(usual.select, factor)})
    vars(selectors)["DefaultSelector"] = hurried  # asyncio asks for it by this name


def _faster(clock: Callable[[], float], factor: float) -> Callable[[], float]:
    start = clock()
    return lambda: start + (clock() - start) * factor


def _sooner(select: Callable[..., Any], factor: float) -> Callable[..., Any]:
    def sooner(selector: Any, timeout: float | None = None) -> Any:
        return select(selector, timeout / factor if timeout and timeout > 0 else timeout)

    return sooner
