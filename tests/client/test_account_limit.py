"""Lists within the account's limit of requests: simulated time, 600 requests in 60 s, pages of 10 clients."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal

import pytest

from pulumi_hbr_clients import DeadlineError, HbrClient
from pulumi_hbr_clients.client.session import SILENT, Observer
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, InMemoryTransport, new_rows
from pulumi_hbr_clients.emulator.behaviour import RetryHeader, Window
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.outputs import ClientList
from tests.client.in_memory import Recorder
from tests.virtual_clock import VirtualClock

PAGE = 10
QUERY = {"client_type": "ECS_CLIENT", "region": "cn-hangzhou", "consistency": "counted", "timeout": "30m"}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def service(clock: VirtualClock, pages: int, **behaviour: Any) -> Backend:
    return Backend(new_rows(pages * PAGE), clock=clock.time, page_size_max=PAGE, latency=0.1, **behaviour)


def client(clock: VirtualClock, backend: Backend, **settings: Any) -> HbrClient:
    transport = InMemoryTransport(backend)
    return HbrClient(credentials=FAKE_CREDENTIALS, clock=clock, transport=lambda _: transport, **settings)


async def listed(client: HbrClient, observer: Observer = SILENT, **arguments: Any) -> ClientList:
    return await client.list(queries.parse({**QUERY, **arguments}), observer)


def throttled(backend: Backend) -> int:
    return sum(record.code.startswith("Throttling") for record in backend.log)


@pytest.mark.parametrize("retry_header", [None, "x-acs-retry-after", "retry-after"])
@pytest.mark.parametrize("kind", ["fixed", "sliding"])
def test_more_pages_than_a_window_holds(
    clock: VirtualClock, kind: Literal["fixed", "sliding"], retry_header: RetryHeader | None
) -> None:
    """The list is complete soon after the next window opens, few requests are refused, and the wait is reported."""
    backend = service(clock, 700, window=Window(limit=600, kind=kind, retry_header=retry_header))
    seen = Recorder()
    found = clock.run(listed(client(clock, backend), seen))
    assert (found.complete, found.total_count) == (True, 7000)
    assert clock.elapsed < 65
    assert throttled(backend) <= 14
    assert len(seen.waits) <= 2
    assert max(seen.waits) > 30


def test_the_next_window_is_after_the_deadline(clock: VirtualClock) -> None:
    """The query ends as soon as that is known, and says how long the wait would have been."""
    backend = service(clock, 700, window=Window(limit=600, kind="sliding"))
    with pytest.raises(DeadlineError, match=r"within 30 s .* limit of requests is reached.* may be sent in \d\d s"):
        clock.run(listed(client(clock, backend), timeout=30))
    assert clock.elapsed < 10


def test_who_joins_a_waiting_list_keeps_its_own_deadline(clock: VirtualClock) -> None:
    """Equal queries share one reading; the one with the short timeout ends at once, the other gets its list."""
    backend = service(clock, 700, window=Window(limit=600, kind="sliding"))

    async def work() -> tuple[ClientList | BaseException, ...]:
        shared = client(clock, backend)
        patient = asyncio.create_task(listed(shared))
        await asyncio.sleep(20)
        hasty = asyncio.create_task(listed(shared, timeout=10))
        await asyncio.wait({hasty})
        assert clock.elapsed < 21
        return tuple(await asyncio.gather(patient, hasty, return_exceptions=True))

    patient, hasty = clock.run(work())
    assert isinstance(patient, ClientList)
    assert isinstance(hasty, DeadlineError)


def test_clients_of_one_account_share_its_budget(clock: VirtualClock) -> None:
    """Four clients side by side send no more requests than their lists have pages, apart from a few refused ones."""
    backend = service(clock, 175, window=Window(limit=600))

    async def work() -> list[ClientList]:
        queries: list[Coroutine[Any, Any, ClientList]] = [
            listed(client(clock, backend), filters={"ClientType": ["ECS_CLIENT", f"NONE_{n}"]}) for n in range(4)
        ]
        return await asyncio.gather(*queries)

    assert {found.total_count for found in clock.run(work())} == {1750}
    assert clock.elapsed < 65
    assert throttled(backend) <= 14
    assert backend.requests == 4 * 175 + throttled(backend)
