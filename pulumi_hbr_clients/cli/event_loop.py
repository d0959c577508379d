"""Runs a command's asynchronous work to its end."""

import asyncio
from collections.abc import Coroutine
from typing import Any


def run_async(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of the work. Raises KeyboardInterrupt on Ctrl-C, which may arrive as a cancellation (CPython 3.11)."""
    try:
        return asyncio.run(work)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
