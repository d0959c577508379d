"""Lists within the account's limit of requests: simulated time, 600 requests in 60 s, pages of 10 clients."""

import asyncio
from typing import Any, Literal

import pytest

from pulumi_hbr_clients import DeadlineError
from pulumi_hbr_clients.emulator.behaviour import RetryHeader, Window
from pulumi_hbr_clients.model.outputs import ClientList
from tests.client.in_memory import ECS, Recorder, World

PAGE = 10
QUERY: Any = {**ECS, "consistency": "counted", "timeout": "30m"}


def service(pages: int, **window: Any) -> World:
    return World(pages * PAGE, page_size_max=PAGE, latency=0.1, window=Window(limit=600, **window))


def throttled(world: World) -> int:
    return sum(record.code.startswith("Throttling") for record in world.backend.log)


@pytest.mark.parametrize("retry_header", [None, "x-acs-retry-after", "retry-after"])
@pytest.mark.parametrize("kind", ["fixed", "sliding"])
def test_more_pages_than_a_window_holds(kind: Literal["fixed", "sliding"], retry_header: RetryHeader | None) -> None:
    """The list is complete soon after the next window opens, few requests are refused, and the wait is reported."""
    world, seen = service(700, kind=kind, retry_header=retry_header), Recorder()
    found = world.listed(None, seen, **QUERY)
    assert (found.complete, found.total_count) == (True, 7000)
    assert world.clock.elapsed < 65
    assert throttled(world) <= 14
    assert len(seen.waits) <= 2
    assert max(seen.waits) > 30


def test_the_next_window_is_after_the_deadline() -> None:
    """The query ends as soon as that is known, and says how long the wait would have been."""
    world = service(700, kind="sliding")
    with pytest.raises(DeadlineError, match=r"within 30 s .* limit of requests is reached.* may be sent in \d\d s"):
        world.listed(**{**QUERY, "timeout": 30})
    assert world.clock.elapsed < 10


def test_who_joins_a_waiting_list_keeps_its_own_deadline() -> None:
    """Equal queries share one reading; the one with the short timeout ends at once, the other gets its list."""
    world = service(700, kind="sliding")

    async def work() -> tuple[ClientList | BaseException, ...]:
        async with world.client() as client:
            patient = asyncio.create_task(client.list_backup_clients(**QUERY))
            await asyncio.sleep(20)
            hasty = asyncio.create_task(client.list_backup_clients(**{**QUERY, "timeout": 10}))
            await asyncio.wait({hasty})
            assert world.clock.elapsed < 21
            return tuple(await asyncio.gather(patient, hasty, return_exceptions=True))

    patient, hasty = world.run(work())
    assert isinstance(patient, ClientList)
    assert isinstance(hasty, DeadlineError)


def test_clients_of_one_account_share_its_budget() -> None:
    """Four clients side by side send no more requests than their lists have pages, apart from a few refused ones."""
    world = service(175)

    async def listed(number: int) -> ClientList:
        async with world.client() as client:
            return await client.list_backup_clients(**QUERY, filters={"ClientType": ["ECS_CLIENT", f"NONE_{number}"]})

    async def work() -> list[ClientList]:
        return await asyncio.gather(*(listed(number) for number in range(4)))

    assert {found.total_count for found in world.run(work())} == {1750}
    assert world.clock.elapsed < 65
    assert throttled(world) <= 14
    assert world.backend.requests == 4 * 175 + throttled(world)
