"""One query under way: all its pages, for every caller that waits for them.

Equal queries at the same time on one event loop share one `Reading`. Each caller waits until a deadline of its own;
when the last one has left, nothing more is sent.
"""

import asyncio
import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from pulumi_hbr_clients.client.clock import Clock
from pulumi_hbr_clients.client.session import NOTABLE_WAIT, EndpointSession, Observer, RetryDetails
from pulumi_hbr_clients.model.errors import DeadlineError, HbrError, ThrottledError
from pulumi_hbr_clients.protocol.codec import PageRequest
from pulumi_hbr_clients.protocol.paginator import Paginator

_OBJECTS: Final = 50_000
"""New objects until garbage is collected."""
_log: Final = logging.getLogger("pulumi_hbr_clients")


@dataclass(eq=False, slots=True)
class _Caller:
    observer: Observer
    deadline: float
    gives_up: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Reading(Observer):
    """Requests the pages of a query with as many workers as there are slots, until its paginator has enough."""

    def __init__(self, session: EndpointSession, paginator: Paginator, clock: Clock) -> None:
        """Start, in a task of the running event loop."""
        self._session, self._paginator, self._clock = session, paginator, clock
        self._last_error: HbrError | None = None
        self._waits_until = float("-inf")
        self._callers: list[_Caller] = []
        self._task = asyncio.create_task(self._run())

    @property
    def is_open(self) -> bool:
        """Whether callers may join: it has not ended, and its last caller has not left."""
        return not self._task.done() and not self._task.cancelling()

    async def join(self, seconds: float, observer: Observer) -> Paginator:
        """Wait until all pages are there, at most this number of seconds.

        Raises the error that ended the reading, or `DeadlineError`: also at once, where requests must wait for the
        account's limit longer than that.
        """
        caller = _Caller(observer, self._clock.monotonic() + seconds)
        self._callers.append(caller)
        is_dropped = False
        try:
            if (wait := self._waits_until - self._clock.monotonic()) > 0:
                self._report_wait(caller, wait)
            done = {self._task, caller.gives_up}
            await asyncio.wait(done, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not self._task.done():
                raise self._deadline_error(seconds) from self._last_error
            self._task.result()
        except asyncio.CancelledError:  # by Ctrl-C, say: a program that seemed to hang tells why
            if waiting_for := self._session.waiting_for:
                _log.warning("cancelled while waiting for %s", waiting_for)
            raise
        except GeneratorExit:
            is_dropped = True  # with its event loop: nothing can be awaited any more
            raise
        finally:
            self._callers.remove(caller)
            if not self._callers and not is_dropped:
                await self._end()
        return self._paginator

    def on_page(self, read: int, total: int) -> None:
        """Report it to every caller."""
        for caller in self._callers:
            caller.observer.on_page(read, total)

    def on_retry(self, details: RetryDetails) -> None:
        """Report it, unless the try was throttled: that may happen often, and a long wait is reported as one."""
        self._last_error = details.error
        if not isinstance(details.error, ThrottledError):
            for caller in self._callers:
                caller.observer.on_retry(details)

    def on_wait(self, seconds: float) -> None:
        """Report a wait for the account's limit once, although all workers wait."""
        until = self._clock.monotonic() + seconds
        if until > self._waits_until + NOTABLE_WAIT:
            self._waits_until = until
            for caller in self._callers:
                self._report_wait(caller, seconds)

    def _report_wait(self, caller: _Caller, seconds: float) -> None:
        caller.observer.on_wait(seconds)
        if self._clock.monotonic() + seconds > caller.deadline and not caller.gives_up.done():
            caller.gives_up.set_result(None)

    async def _run(self) -> None:
        async with self._session.in_use():
            with _fewer_collections():
                while requests := self._paginator.next_requests():
                    await self._request_all(requests)

    async def _request_all(self, requests: list[PageRequest]) -> None:
        waiting, known = iter(requests), self._paginator.known

        async def work() -> None:
            for request in waiting:
                page = await self._session.page(self._paginator.query, request, known=known, observer=self)
                self._paginator.add_page(request, page)
                self.on_page(*self._paginator.progress)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._session.slots.maximum(), len(requests))):
                    group.create_task(work())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the first one ended the others

    async def _end(self) -> None:
        """Wait until the task that nobody waits for any more has cleaned up."""
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.exception()  # seen: nobody is left to raise it for

    def _deadline_error(self, seconds: float) -> DeadlineError:
        """The error of a caller whose time is over: how far it came, and what it was waiting for."""
        text = f"no complete list within {seconds:g} s (pages requested: {self._paginator.request_count})"
        if (wait := self._waits_until - self._clock.monotonic()) > 0:
            text += f"; {limit_text(wait)}. Give a longer timeout, or let fewer tools use the account at once"
        if waiting_for := self._session.waiting_for:
            text += f"; still waiting for {waiting_for}"
        return DeadlineError(f"{text}; last error: {self._last_error}" if self._last_error else text)


@contextmanager
def _fewer_collections() -> Iterator[None]:
    """Collect garbage less often: a list makes many objects and hardly a cycle (a tenth of its CPU)."""
    usual = gc.get_threshold()
    if not 0 < usual[0] < _OBJECTS:  # switched off, or another query is under way
        yield
        return
    gc.set_threshold(_OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def limit_text(seconds: float) -> str:
    """What a wait for the account's limit is called in messages."""
    return f"the account's limit of requests is reached, and the next may be sent in {seconds:.0f} s"
