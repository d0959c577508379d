"""`HbrClient` against the emulator in memory: exactly these requests, one complete list or an error, one deadline."""

import asyncio
import threading
from typing import Any

import pytest

from pulumi_hbr_clients import get_backup_clients
from pulumi_hbr_clients.emulator import Turnover
from pulumi_hbr_clients.model.errors import DeadlineError, IncompleteListError, InputError, ServiceError
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.decoder import Page
from tests.client.in_memory import ECS, Recorder, World


def test_exactly_these_requests() -> None:
    """Page 1 of 99 tells the total; the others are requested once each, and all of them once more."""
    world = World(250)
    found = world.listed()
    assert (found.total_count, found.complete, found.request_count) == (250, True, 6)
    pages = [(record.arguments["page_number"], record.arguments["page_size"]) for record in world.backend.log]
    assert sorted(pages) == sorted([("1", "99"), ("2", "99"), ("3", "99")] * 2)
    assert list(found.ids) == sorted(row["ClientId"] for row in world.backend.rows())
    assert (found.service_total_count, found.page_number, len(set(found.request_ids))) == (250, None, 6)
    assert found.server_time == pytest.approx(world.clock.time(), abs=1)


def test_the_second_pass_reads_ids_only() -> None:
    """Its pages bring the ids of their clients and not one record: the first pass has them."""
    world = World(250)

    async def work() -> Page | None:
        async with world.client() as client:
            return (await client.fetch(Query(**ECS))).last_page

    page = world.run(work())
    assert page.ids
    assert page.clients == []


def test_two_passes_take_the_time_of_one() -> None:
    """10,000 clients at 100 ms a response: 204 requests, up to 64 at once. One pass, 16 at once, would take 0.8 s."""
    world = World(10_000, latency=0.1)
    found = world.listed()
    assert (found.complete, found.request_count, world.most_under_way) == (True, 204, 64)
    assert world.clock.monotonic() == pytest.approx(0.7)


@pytest.mark.parametrize("concurrency", [1, 2, 16])
def test_concurrency_bounds_the_client(concurrency: int) -> None:
    """However many queries one client is asked at once, no more requests are under way than it may have."""
    world = World(500, latency=0.1)

    async def work() -> None:
        async with world.client(concurrency=concurrency) as client:
            queries = [client.list_backup_clients(**ECS, instance_ids=[f"i-{n}"]) for n in range(40)]
            await asyncio.gather(client.list_backup_clients(**ECS), *queries)

    world.run(work())
    assert world.most_under_way == concurrency


@pytest.mark.parametrize(
    ("name", "value"), [("concurrency", 0), ("concurrency", -3), ("timeout", 0), ("timeout", -1.0)]
)
def test_settings_that_make_no_sense(name: str, value: float) -> None:
    """They are refused with their name, before anything is sent."""
    with pytest.raises(InputError, match=f"^{name}: must be "):
        World().client(**{name: value})


def test_nothing_is_sent_for_bad_input() -> None:
    """Arguments and settings are checked first."""
    world = World()
    with pytest.raises(InputError):
        world.listed(page_size=100)
    with pytest.raises(InputError):
        world.listed({"endpoint": "http://example.com"})
    with pytest.raises(InputError, match="region"):
        world.listed({"region": None})
    assert world.listed(instance_ids=[]).clients == ()
    assert world.backend.requests == 0


def test_an_incomplete_list_is_an_error() -> None:
    """The error has the list; `allow_incomplete` returns it instead; nobody who stayed is missing from it."""
    world = World(250, turnover=Turnover())
    before = {row["ClientId"] for row in world.backend.rows()}
    with pytest.raises(IncompleteListError, match=r"5 passes .* allow_incomplete") as caught:
        world.listed()
    found = world.listed(allow_incomplete=True)
    stayed = before & {row["ClientId"] for row in world.backend.rows()}
    assert (found.complete, caught.value.found.complete) == (False, False)
    assert stayed - set(found.ids) == set()


@pytest.mark.parametrize(
    ("by", "asked"),
    [("presence", {}), ("tags", {"tags": {"group": "a"}}), ("filters", {"filters": {"BackupStatus": ["PROTECTED"]}})],
    ids=["presence", "tags", "filters"],
)
@pytest.mark.parametrize("leave_from", ["front", "end", "anywhere"])
@pytest.mark.parametrize("arrive_at", ["front", "end", "anywhere"])
@pytest.mark.parametrize("arrivals", ["new", "old"])
def test_one_change_in_every_way(by: Any, asked: Any, leave_from: Any, arrive_at: Any, arrivals: Any) -> None:
    """One client leaves while another arrives, once, between two pages: the list is read until it is right."""
    turnover = Turnover(by=by, leave_from=leave_from, arrive_at=arrive_at, arrivals=arrivals, times=1, every=2)
    world = World(300, turnover=turnover)
    for number, row in enumerate(world.backend.rows()):
        tags = [{"Key": "group", "Value": "a" if number % 8 else "b"}]
        status = "PROTECTED" if number % 8 else "UNPROTECTED"
        world.backend.change(row["ClientId"], {"Tags": tags, "BackupStatus": status})
    found = world.listed(**asked)
    changes = len(world.backend.history) - 300
    assert found.complete
    assert changes >= 1
    assert found.ids == world.listed(**asked).ids


def test_a_page_is_no_list() -> None:
    """A single page that is not all is returned as it is: the caller asked for no more."""
    found = World(250).listed(page_size=10)
    assert (found.total_count, found.complete, found.service_total_count) == (10, False, 250)
    assert (found.page_number, found.page_size) == (1, 10)


def test_the_deadline_is_over_everything() -> None:
    """However it is spent, waiting ends; the error says how far it came and the last error of this query."""
    world = World(250, fault_rate=1.0, random_faults=("throttle:200",))
    with pytest.raises(
        DeadlineError, match=r"no complete list within 5 s \(pages requested: 1\).*; last error: Throttling"
    ) as caught:
        world.listed({"timeout": 5})
    assert isinstance(caught.value.__cause__, ServiceError)
    assert world.clock.monotonic() == pytest.approx(5, abs=0.01)


def test_the_deadline_names_its_own_last_error() -> None:
    """Not one that another query of the same client has seen."""
    world = World(5)

    async def work() -> None:
        async with world.client() as client:
            world.backend.next_faults += ["ServiceUnavailable"]
            await client.list_backup_clients(**ECS)
            world.backend.latency = 9.0
            await client.list_backup_clients(**ECS, timeout=2)

    with pytest.raises(DeadlineError) as caught:
        world.run(work())
    assert "last error" not in str(caught.value)


@pytest.mark.parametrize(("client_timeout", "query_timeout", "seconds"), [(9, None, 9), (9, "2s", 2), (2, 9, 9)])
def test_the_querys_timeout_wins(client_timeout: float, query_timeout: Any, seconds: float) -> None:
    """Over the client's, be it longer or shorter."""
    world = World(5, latency=9.5)
    with pytest.raises(DeadlineError, match=f"within {seconds} s"):
        world.listed({"timeout": client_timeout}, timeout=query_timeout)
    assert world.clock.monotonic() == pytest.approx(seconds)


def test_progress() -> None:
    """Each page reports the clients read so far in its pass, and the total."""
    seen = Recorder()
    World(250).listed(observer=seen)
    assert seen.pages[0] == (99, 250)
    assert seen.pages.count((250, 250)) >= 2


def test_a_copy_shares_all_but_connections() -> None:
    """`with_options` changes what it is given; settings, credentials, transport, clock and policy stay."""
    world = World(5, latency=3.0)

    async def work() -> None:
        async with world.client(timeout=9) as client, client.with_options(timeout=2) as copy:
            await client.list_backup_clients(**ECS)
            with pytest.raises(DeadlineError, match="within 2 s"):
                await copy.list_backup_clients(**ECS)

    world.run(work())
    assert (world.opened, world.closed) == (2, 2)


def test_one_client_on_several_event_loops() -> None:
    """It opens connections on each, and forgets those of a loop that is closed."""
    world = World(5)
    client = world.client()

    async def work() -> int:
        return (await client.list_backup_clients(**ECS)).total_count

    assert (world.run(work()), world.run(work()), world.opened) == (5, 5, 2)


def test_a_warning_of_settings_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A region that looks like a misspelling is used, and the log says so once for each client."""
    world = World(5)

    async def work() -> None:
        async with world.client(region="cn-hangzou", endpoint=None) as client:
            await client.list_backup_clients(**ECS)
            await client.list_backup_clients(client_type="LOCAL_CLIENT")

    world.run(work())
    assert caplog.messages == [
        "region cn-hangzou is not known to this version; did you mean cn-hangzhou? (argument region)"
    ]


@pytest.mark.usefixtures("emulator")
def test_sync_from_anywhere() -> None:
    """The look-up works in a script and inside a running event loop, and leaves no thread behind."""

    async def inside() -> ClientList:
        return get_backup_clients(**ECS)

    before = threading.active_count()
    assert get_backup_clients(**ECS).ids == asyncio.run(inside()).ids != ()
    assert threading.active_count() == before
