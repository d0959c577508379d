"""Waiting at a gate against the emulator: one poller for many gates, one timeout, outages survived and told."""

import asyncio
import threading
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any

import pytest

from pulumi_hbr_clients import wait_until_activated
from pulumi_hbr_clients.activation import poller as watch
from pulumi_hbr_clients.activation.condition import ActivationCondition
from pulumi_hbr_clients.activation.waiter import ActivationArgs, ActivationResult, Progress
from pulumi_hbr_clients.emulator import Backend, new_rows
from pulumi_hbr_clients.model.errors import (
    GateError,
    GateFailedError,
    GateTimeoutError,
    InputError,
    ServiceError,
)
from pulumi_hbr_clients.model.query import Query, QueryArgs
from pulumi_hbr_clients.model.validators import STATUSES
from pulumi_hbr_clients.resources.old_gate_inputs import ActivationInputs, QueryInputs

ECS: Any = {"client_type": "ECS_CLIENT"}
SOON: Any = {"timeout": 5, "poll": 0.1}
pytestmark = pytest.mark.usefixtures("emulator")


@pytest.fixture
def backend() -> Backend:
    return Backend(new_rows(10, Status="ACTIVATED"))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """PollResult often: these fleets need no patience."""
    monkeypatch.setattr(watch, "LONGEST", 0.3)
    monkeypatch.setattr(watch, "EAGER", 0.05)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def waited(**arguments: Any) -> ActivationResult:
    passed: ActivationResult = run(wait_until_activated(**{**ECS, **SOON, **arguments}))
    return passed


def refused(**arguments: Any) -> GateError:
    with pytest.raises(GateError) as caught:
        waited(**arguments)
    return caught.value


def instances(backend: Backend) -> list[str]:
    return [row["InstanceId"] for row in backend.rows()]


def test_it_passes_at_once(backend: Backend) -> None:
    """All are activated: one look, no wait."""
    passed = waited()
    assert passed.found.total_count == 10
    assert passed.waited < 1
    assert backend.requests == 1


def test_it_passes_late(backend: Backend) -> None:
    """As soon as the last one is activated."""
    ids = instances(backend)
    backend.set_status("INSTALLING", *ids[:3])
    for number, instance in enumerate(ids[:3], 1):
        backend.later(0.3 * number, partial(backend.activate, instance))
    passed = waited(instance_ids=ids)
    assert 0.8 <= passed.waited < 3
    assert passed.found.counts_by_status == {"ACTIVATED": 10}


def test_a_client_that_appears_later(backend: Backend) -> None:
    """An instance without a client is waited for, and named."""
    told: list[str] = []
    backend.later(0.4, lambda: backend.add(*new_rows(1, seed=9, InstanceId="i-late", Status="ACTIVATED")))
    work = wait_until_activated(
        **ECS, **SOON, instance_ids=["i-late"], on_progress=lambda progress: told.append(str(progress))
    )
    assert run(work).found.instance_ids == ("i-late",)
    assert "0 of 1 activated; waiting for i-late: missing" in told[0]


def test_a_client_that_vanishes(backend: Backend) -> None:
    """Once seen and gone again is missing, not passed."""
    ids = instances(backend)[:2]
    backend.set_status("INSTALLING", ids[0])
    backend.later(0.3, lambda: backend.remove(ids[0]))
    error = refused(instance_ids=ids, timeout=1)
    assert isinstance(error, GateTimeoutError)
    assert f"{ids[0]}: there is no such client yet. Install the client, or check the id" in str(error)


@pytest.mark.parametrize("status", [s for s in STATUSES if s.endswith("FAILED")] + ["DEACTIVATED"])
def test_it_fails_at_once(backend: Backend, status: str) -> None:
    """A status that nobody leaves by waiting ends the wait, and every such client is named with what to do."""
    first, second = backend.rows()[:2]
    backend.set_status(status, first["ClientId"], second["ClientId"])
    error = refused()
    assert isinstance(error, GateFailedError)
    assert str(error).startswith("2 of 10 backup clients will not be activated by waiting:")
    for row in (first, second):
        assert f"{row['ClientId']} ({row['InstanceId']}): {status} since " in str(error)
    assert backend.requests == 1


def test_a_tolerated_status_is_waited_out(backend: Backend) -> None:
    """It neither fails the gate nor opens it."""
    ids = instances(backend)
    backend.set_status("UPGRADE_FAILED", ids[0])
    backend.later(0.4, lambda: backend.activate(ids[0]))
    assert waited(tolerate=["UPGRADE_FAILED"]).waited >= 0.3


def test_unknown_recovers_within_its_grace(backend: Backend) -> None:
    """Disconnected for a moment is no failure."""
    backend.set_status("UNKNOWN", instances(backend)[0])
    backend.later(0.3, lambda: backend.activate(instances(backend)[0]))
    assert waited(unknown_grace=2).waited >= 0.2


def test_unknown_beyond_its_grace_fails(backend: Backend) -> None:
    """Disconnected for longer is one, well before the timeout."""
    backend.set_status("UNKNOWN", instances(backend)[0])
    error = refused(unknown_grace=0.3)
    assert isinstance(error, GateFailedError)
    assert "UNKNOWN for " in str(error)


def test_a_timeout_tells_the_last_picture(backend: Backend) -> None:
    """One timeout over the whole selection; who was missing, in which status, and what to do."""
    ids = instances(backend)
    backend.set_status("INSTALLING", ids[0])
    before = time.monotonic()
    error = refused(instance_ids=[*ids, "i-none"], timeout=1)
    assert time.monotonic() - before < 3
    assert isinstance(error, GateTimeoutError)
    assert str(error).startswith("not activated within 1s: 9 of 11 activated; waiting for ")
    assert "INSTALLING since" in str(error)
    assert "i-none: there is no such client yet" in str(error)


def test_an_outage_is_survived_and_told(backend: Backend) -> None:
    """Throttled, 5xx and dropped while polling: it goes on when the service is back."""
    told: list[Progress] = []
    ids = instances(backend)
    backend.set_status("INSTALLING", ids[0])
    backend.next_faults += ["none"] + ["unavailable"] * 8
    backend.later(0.5, lambda: backend.activate(ids[0]))
    work = wait_until_activated(**ECS, poll=0.1, timeout=30, on_progress=told.append)
    assert run(work).found.complete
    assert any(progress.outage.startswith("ServiceUnavailable") for progress in told)


def test_a_refusal_ends_the_wait(backend: Backend) -> None:
    """Missing permission does not come by waiting."""
    backend.next_faults += ["no_permission"]
    with pytest.raises(ServiceError, match="NoPermission"):
        waited()


def test_bad_input_is_refused_first(backend: Backend) -> None:
    """Of query and condition, all at once; nothing is sent."""
    with pytest.raises(InputError) as caught:
        waited(client_type="ecs", timeout="soon", min_clients=0)
    assert {fault.path for fault in caught.value.faults} == {"client_type", "timeout", "min_clients"}
    with pytest.raises(InputError, match="http is only for an emulator"):
        waited(endpoint="http://example.com")
    assert backend.requests == 0


def test_an_empty_id_list_passes(backend: Backend) -> None:
    """Nothing was selected, so there is nothing to wait for, or to ask."""
    assert waited(instance_ids=[]).found.total_count == 0
    assert backend.requests == 0


def test_many_gates_share_a_poller(backend: Backend) -> None:
    """200 gates on 200 instances: three requests a round, and each passes by itself, not when all have."""
    backend.add(*new_rows(190, seed=3, Status="ACTIVATED"))
    ids = instances(backend)
    backend.set_status("INSTALLING", *ids[:5])
    backend.later(3, lambda: backend.activate(*ids[:5]))

    async def work() -> list[ActivationResult]:
        gates = [wait_until_activated(**ECS, **SOON, instance_ids=[instance]) for instance in ids]
        return await asyncio.gather(*gates)

    passed = run(work())
    assert sum(gate.waited > 2 for gate in passed) == 5
    assert [gate.found.instance_ids for gate in passed] == [(instance,) for instance in ids]
    rounds = {record.arguments.get("page_number"): 0 for record in backend.log}
    assert set(rounds) == {"1"}
    first_round = [record for record in backend.log if len(record.arguments["instance_ids"]) > 50]
    assert len(first_round) <= -(-200 // 99) + 1


def test_gates_with_different_conditions_share_too(backend: Backend) -> None:
    """The answers are shared, the judgements are each gate's own."""
    backend.set_status("DEACTIVATED", instances(backend)[0])
    backend.later(0.4, lambda: backend.activate(instances(backend)[0]))

    async def work() -> list[Any]:
        strict = wait_until_activated(**ECS, **SOON)
        patient = wait_until_activated(**ECS, **SOON, tolerate=["DEACTIVATED"])
        return list(await asyncio.gather(strict, patient, return_exceptions=True))

    strict, patient = run(work())
    assert isinstance(strict, GateFailedError)
    assert isinstance(patient, ActivationResult)
    assert max(sum(1 for r in backend.log if abs(r.time - other.time) < 0.04) for other in backend.log) == 1


def test_a_gate_that_joins_later(backend: Backend) -> None:
    """It does not wait for the slow rhythm of those who are waiting already."""
    backend.set_status("INSTALLING", instances(backend)[0])

    async def work() -> ActivationResult:
        slow = asyncio.create_task(wait_until_activated(**ECS, timeout=20, poll=15))
        await asyncio.sleep(0.3)
        passed = await wait_until_activated(**ECS, timeout=5, poll=0.2, instance_ids=[instances(backend)[1]])
        slow.cancel()
        return passed

    assert run(work()).waited < 3


def test_nothing_stays_behind(backend: Backend) -> None:
    """No poller, task or thread, however a gate ends."""

    async def work() -> int:
        backend.set_status("INSTALLING", instances(backend)[0])
        gates = [asyncio.create_task(wait_until_activated(**ECS, **SOON)) for _ in range(3)]
        await asyncio.sleep(0.3)
        for gate in gates:
            gate.cancel()
        await asyncio.gather(*gates, return_exceptions=True)
        await asyncio.sleep(0.05)
        return len(asyncio.all_tasks()) - 1

    assert run(work()) == 0
    threads = threading.active_count()  # after a first time: the emulated service may have needed another by then
    assert run(work()) == 0
    assert watch._pollers == {}  # noqa: SLF001  what must be empty is private
    assert threading.active_count() == threads


def test_argument_types_are_the_models() -> None:
    """Keyword types of function and resource name exactly the fields of query and condition."""
    fields = Query.model_fields.keys() | ActivationCondition.model_fields.keys()
    assert ActivationArgs.__annotations__.keys() | QueryArgs.__annotations__.keys() == fields
    assert ActivationInputs.__annotations__.keys() | QueryInputs.__annotations__.keys() == fields
    assert [name for name, field in ActivationCondition.model_fields.items() if not field.description] == []
