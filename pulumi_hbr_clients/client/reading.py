"""One query under way: all its pages, and what its callers can be told meanwhile.

Several callers may wait for one `Reading` (`client.single_flight`), each until a deadline of its own.
"""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pulumi_hbr_clients.client.clock import Clock
from pulumi_hbr_clients.client.session import NOTABLE_WAIT, Callbacks, EndpointSession, OnRetry, OnWait
from pulumi_hbr_clients.model.errors import DeadlineError, HbrError
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.codec import PageRequest
from pulumi_hbr_clients.protocol.paginator import Paginator

Progress = Callable[[int, int], None]
"""Called after each page with the clients read so far in this pass over the list, and the total the service named."""


_OBJECTS: Final = 50_000
"""New objects until garbage is collected."""


class Reading:
    """Requests the pages of a query with as many workers as there are slots, until its paginator has enough."""

    def __init__(
        self, session: EndpointSession, query: Query, clock: Clock, progress: Progress, on_retry: OnRetry
    ) -> None:
        self.paginator = Paginator(query)
        self.last_error: HbrError | None = None
        self._session, self._query, self._clock = session, query, clock
        self._progress = progress
        self._callbacks = Callbacks(self._note_error, on_retry, self._note_wait)
        self._waits_until = float("-inf")
        self._on_wait: list[OnWait] = []

    async def run(self) -> None:
        """Read to the end. Raises the error that ends it."""
        async with self._session.in_use():
            with _fewer_collections():
                while requests := self.paginator.next_requests():
                    await self._request_all(requests)

    async def _request_all(self, requests: list[PageRequest]) -> None:
        waiting, known = iter(requests), self.paginator.known

        async def work() -> None:
            for request in waiting:
                page = await self._session.page(self._query, request, known=known, callbacks=self._callbacks)
                self.paginator.add_page(request, page)
                self._progress(*self.paginator.progress)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._session.slots.maximum(), len(requests))):
                    group.create_task(work())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # the first one ended the others

    def _note_error(self, error: HbrError) -> None:
        self.last_error = error

    def _note_wait(self, seconds: float) -> None:
        """Report a wait for the account's limit once, although all workers wait."""
        until = self._clock.monotonic() + seconds
        if until > self._waits_until + NOTABLE_WAIT:
            self._waits_until = until
            for report in self._on_wait:
                report(seconds)

    @contextmanager
    def waits_beyond(self, timeout: float, on_wait: OnWait) -> Iterator[asyncio.Future[None]]:
        """Report waits, and finish the future as soon as one lasts longer than what is left of the timeout."""
        too_long = asyncio.get_running_loop().create_future()
        deadline = self._clock.monotonic() + timeout

        def report(seconds: float) -> None:
            on_wait(seconds)
            if self._clock.monotonic() + seconds > deadline and not too_long.done():
                too_long.set_result(None)

        self._on_wait.append(report)
        if (left := self._waits_until - self._clock.monotonic()) > 0:
            report(left)
        try:
            yield too_long
        finally:
            self._on_wait.remove(report)

    def deadline_error(self, timeout: float) -> DeadlineError:
        """Return the error of a caller whose time is over: how far it came, and what it was waiting for."""
        text = f"no complete list within {timeout:g} s (pages requested: {self.paginator.request_count})"
        if (wait := self._waits_until - self._clock.monotonic()) > 0:
            text += f"; {limit_text(wait)}. Give a longer timeout, or let fewer tools use the account at once"
        if waiting_for := self._session.waiting_for:
            text += f"; still waiting for {waiting_for}"
        return DeadlineError(f"{text}; last error: {self.last_error}" if self.last_error else text)


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
