"""Asynchronous work for callers that are not: plain scripts, notebooks, Pulumi programs, provider threads.

They may be inside a running event loop already, so the work runs on a loop in a thread of its own (anyio's portal).
The thread is shared by calls at the same time and ends with the last of them: nothing stays behind.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from anyio.from_thread import BlockingPortalProvider

T = TypeVar("T")
_portals = BlockingPortalProvider()


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run to the end and give the result, or raise."""
    with _portals as portal:
        return portal.call(work)
