"""Equal queries at the same time: sent once for each event loop, waited for by each caller as long as it likes."""

import asyncio
import gc
import weakref
from typing import Any

import pytest

from pulumi_hbr_clients import HbrClient, get_backup_clients
from pulumi_hbr_clients.emulator import FAKE_STS_CREDENTIALS, Backend
from pulumi_hbr_clients.model.errors import DeadlineError, ServiceError
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query
from tests.client.in_memory import ECS, Recorder, World


def test_equal_queries_are_sent_once() -> None:
    """By one client or by several; own filters, fields and timeouts are each caller's own."""
    world = World(250, latency=0.1)

    async def work() -> tuple[ClientList, ...]:
        async with world.client() as one, world.client() as two:
            return await asyncio.gather(
                one.list_backup_clients(**ECS),
                one.list_backup_clients(**ECS, timeout=9, fields=["status"]),
                two.list_backup_clients(**ECS),
                two.list_backup_clients(**ECS, statuses=["ACTIVATED"], region="cn-hangzhou"),
            )

    *whole, activated = world.run(work())
    assert world.backend.requests == 6
    assert [found.total_count for found in whole] == [250] * 3
    assert set(activated.counts_by_status) == {"ACTIVATED"}


def test_every_caller_sees_the_pages() -> None:
    """Whoever joins a query sees its progress as the first caller does."""
    world, seen = World(250, latency=0.1), [Recorder(), Recorder()]

    async def work() -> None:
        async with world.client() as client:
            await asyncio.gather(*(client.list(Query(**ECS), each) for each in seen))

    world.run(work())
    assert seen[0].pages == seen[1].pages != []


@pytest.mark.parametrize(
    "other", [{"credentials": FAKE_STS_CREDENTIALS}, {"region": "cn-shanghai"}, {"endpoint": "http://127.0.0.1:2"}]
)
def test_different_callers_do_not_share(other: dict[str, Any]) -> None:
    """Other credentials, another region or endpoint: nothing is shared between them."""
    world = World(5, latency=0.1)

    async def work() -> None:
        async with world.client() as one, world.client(**other) as two:
            await asyncio.gather(one.list_backup_clients(**ECS), two.list_backup_clients(**ECS))

    world.run(work())
    assert world.backend.requests == 2


def test_who_leaves_takes_nobody_along() -> None:
    """The first caller is cancelled and its client closed: the other one's list comes, at no further request."""
    world = World(250, latency=0.1)

    async def first() -> None:
        async with world.client() as client:
            await client.list_backup_clients(**ECS)

    async def work() -> ClientList:
        async with world.client() as two:
            leaving = asyncio.create_task(first())
            await asyncio.sleep(0.05)
            staying = asyncio.create_task(two.list_backup_clients(**ECS))
            await asyncio.sleep(0.05)
            leaving.cancel()
            await asyncio.wait({leaving})
            assert world.closed == 0
            return await staying

    assert world.run(work()).total_count == 250
    assert (world.backend.requests, world.opened, world.closed) == (6, 2, 2)


def test_the_last_to_leave_ends_the_query() -> None:
    """Nobody is left who waits for it: nothing more is sent, and connections are closed."""
    world = World(5, latency=60.0)

    async def work() -> None:
        async with world.client() as client:
            calls = [asyncio.create_task(client.list_backup_clients(**ECS)) for _ in range(3)]
            await asyncio.sleep(0.1)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    world.run(work())
    assert (world.backend.requests, world.closed, world.clock.monotonic()) == (1, 1, 0.1)


@pytest.mark.parametrize(("first", "second"), [(1, 30), (30, 1)])
def test_each_caller_has_its_own_deadline(first: float, second: float) -> None:
    """Whoever waits 1 s ends after 1 s, whoever waits 30 s gets the list, in either order."""
    world, ended = World(5, latency=5.0), dict[float, float]()

    async def call(hbr: Any, seconds: float) -> str:
        try:
            await hbr.list_backup_clients(**ECS, timeout=seconds)
        except DeadlineError:
            return "too late"
        finally:
            ended[seconds] = world.clock.monotonic()
        return "listed"

    async def work() -> tuple[str, ...]:
        async with world.client() as client:
            return await asyncio.gather(call(client, first), call(client, second))

    assert sorted(world.run(work())) == ["listed", "too late"]
    assert ended == {1: pytest.approx(1), 30: pytest.approx(5)}
    assert world.backend.requests == 1


def test_an_error_reaches_everyone() -> None:
    """Sharing a response is sharing its error."""
    world = World(5, latency=0.1, fault_rate=1.0, random_faults=("NoPermission",))

    async def work() -> list[Any]:
        async with world.client() as client:
            calls = [client.list_backup_clients(**ECS) for _ in range(3)]
            return await asyncio.gather(*calls, return_exceptions=True)

    assert [type(result) for result in world.run(work())] == [ServiceError] * 3
    assert world.backend.requests == 1


@pytest.mark.usefixtures("emulator")
def test_a_blocking_call_does_not_wait_for_its_own_loop(backend: Backend) -> None:
    """`get_backup_clients` in a callback of the loop that has the same query under way: both return the list."""
    backend.latency = 0.3
    found = []

    async def work() -> None:
        async with HbrClient() as client:
            call = asyncio.create_task(client.list_backup_clients(**ECS))
            await asyncio.sleep(0.1)
            asyncio.get_running_loop().call_soon(lambda: found.append(get_backup_clients(**ECS)))
            found.append(await call)

    asyncio.run(asyncio.wait_for(work(), 30))
    assert found[0].ids == found[1].ids != ()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # asyncio's, of tasks left behind
def test_nothing_survives_a_loop_that_was_left() -> None:
    """A program that failed left its loop with a query under way: the next one asks anew, and the old loop can go."""
    world = World(5)
    world.backend.latency = 1.0
    loop = asyncio.new_event_loop()
    client, kept = world.client(), []

    async def start() -> None:
        kept.append(asyncio.create_task(client.list_backup_clients(**ECS)))
        await asyncio.sleep(0)

    loop.run_until_complete(start())
    assert world.run(client.list_backup_clients(**ECS)).total_count == 5
    loop.close()
    gone = weakref.ref(loop)
    world.run(client.list_backup_clients(**ECS))  # the client forgets loops that are closed
    del loop, kept[:]
    gc.collect()
    assert gone() is None
