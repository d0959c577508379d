"""Many gates, one poller: how many requests they cost, asserted by the service's own log."""

import asyncio
from collections import Counter

import pytest

from pulumi_hbr_clients.activation.waiter import ActivationResult
from pulumi_hbr_clients.emulator import new_rows
from pulumi_hbr_clients.model.errors import GateFailedError
from tests.activation.worlds import World


@pytest.fixture
def world(world: World) -> World:
    """200 clients, the first five of them installing until a minute has passed."""
    world.backend.add(*new_rows(190, seed=3, Status="ACTIVATED"))
    world.installing(5, until=60)
    return world


def rounds(world: World) -> Counter[float]:
    """Requests by the moment at which they were sent; a round has one moment."""
    return Counter(round(record.time, 2) for record in world.backend.log)


@pytest.mark.parametrize(("gates", "requests"), [(1, 1), (99, 1), (100, 2), (200, 3)])
def test_gates_share_requests(world: World, gates: int, requests: int) -> None:
    """N gates on N instances cost ceil(N / 99) requests a round, and each passes by itself."""
    chosen = world.instances[:gates]
    passed = world.run_together(*(world.gate(instance_ids=[each]) for each in chosen))
    assert [gate.found.instance_ids for gate in passed] == [(instance,) for instance in chosen]
    assert [gate.waited > 50 for gate in passed] == [number < 5 for number in range(gates)]
    first, *later = rounds(world).values()
    assert first == requests
    assert set(later) == {1}  # only five are still waiting
    assert len(later) <= 12


def test_a_gate_by_filters_passes_on_a_verified_list(world: World) -> None:
    """Each poll reads the three pages once; when the gate would pass, they are read twice more at once."""
    assert world.wait().found.total_count == 200
    *earlier, last = rounds(world).values()
    assert (set(earlier), last) == ({3}, 3 + 2 * 3)


def test_a_gate_that_waits_holds_up_no_other(world: World) -> None:
    """Twenty gates that start one after another pass within a fraction of a second each, while another one waits.

    They are polled for soon, not at the slow pace of the one that has waited for long.
    """

    async def work() -> float:
        waiting = asyncio.create_task(world.gate(instance_ids=world.instances[:1]))
        await asyncio.sleep(30)
        started = world.clock.monotonic()
        for instance in world.instances[100:120]:
            await world.gate(instance_ids=[instance])
        seconds = world.clock.monotonic() - started
        await waiting
        return seconds

    assert world.run(work()) <= 20 * 0.4


def test_conditions_do_not_matter_for_sharing(world: World) -> None:
    """One list a round serves gates with different conditions; each judges it for itself."""
    world.backend.set_status("DEACTIVATED", world.instances[0])
    world.backend.latency = 0.1
    _, patient, failing = world.run_together(
        world.gate(zone_ids=["nowhere"], timeout=5), world.gate(tolerate=["DEACTIVATED"]), world.gate()
    )
    assert isinstance(patient, ActivationResult)
    assert isinstance(failing, GateFailedError)
    assert rounds(world).most_common(1)[0][1] <= 3  # 200 clients are three pages


def test_other_queries_do_not_share(world: World) -> None:
    """Another client type is another question."""
    world.run_together(
        world.gate(instance_ids=world.instances[:1]),
        world.gate(instance_ids=world.instances[:1], client_type="LOCAL_CLIENT", timeout=1),
    )
    assert max(rounds(world).values()) == 2


def test_ids_of_two_kinds_do_not_share(world: World) -> None:
    """Client ids and instance ids cannot be joined: each gate has requests of its own."""
    row = world.backend.rows()[9]
    passed = world.run_together(world.gate(instance_ids=[row["InstanceId"]]), world.gate(client_ids=[row["ClientId"]]))
    assert [gate.found.ids for gate in passed] == [(row["ClientId"],)] * 2


def test_a_poller_ends_with_its_last_gate(world: World) -> None:
    """The next equal gate has a new one, and passes at once."""

    async def work() -> list[float]:
        return [(await world.gate(instance_ids=[world.instances[9]])).waited for _ in range(2)]

    assert max(world.run(work())) < 1


def test_a_poller_outlives_the_gate_that_started_it(world: World) -> None:
    """The first gate passes and closes its client; the others are still polled for."""
    first, second = world.run_together(
        world.gate(instance_ids=[world.instances[9]]), world.gate(instance_ids=world.instances[:1])
    )
    assert (first.waited < 1, second.waited >= 60) == (True, True)


def test_two_event_loops_have_their_own_pollers(world: World) -> None:
    """A poller ends with its loop: a second run in the same process starts anew."""
    for _ in range(2):
        assert world.wait(instance_ids=[world.instances[9]]).waited < 1
