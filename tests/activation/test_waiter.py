"""Waiting at a gate, in simulated time: it passes, fails or times out; outages are survived and reported."""

import asyncio
from functools import partial
from typing import Any, get_args

import pytest

from pulumi_hbr_clients.activation.condition import GateMode
from pulumi_hbr_clients.activation.waiter import wait_until_activated
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, new_rows
from pulumi_hbr_clients.model.errors import (
    CredentialsError,
    GateFailedError,
    GateTimeoutError,
    InputError,
    Retry,
    ServiceError,
)
from pulumi_hbr_clients.protocol.signing import Credentials
from tests.activation.worlds import World


def test_it_passes_soon_after_the_last_client(world: World) -> None:
    """At most one interval and a request after the last activation."""
    world.backend.set_status("INSTALLING", *world.instances[:3])
    for number, instance in enumerate(world.instances[:3], 1):
        world.at(60 * number, partial(world.backend.activate, instance))
    passed = world.wait(instance_ids=world.instances)
    assert 180 <= passed.waited <= 180 + 15 * 1.2 + 1
    assert passed.found.counts_by_status == {"ACTIVATED": 10}


def test_a_client_that_appears_later(world: World) -> None:
    """An instance without a client is waited for, and named."""
    row = new_rows(1, seed=9, InstanceId="i-late", Status="ACTIVATED")
    world.at(20, lambda: world.backend.add(*row))
    assert world.wait(instance_ids=["i-late"]).found.instance_ids == ("i-late",)
    assert str(world.progress[0]) == "0 of 1 activated; waiting for i-late: missing"


def test_it_fails_at_once(world: World) -> None:
    """A status that no client leaves by itself ends the wait."""
    world.backend.set_status("INSTALL_FAILED", *world.instances[:2])
    with pytest.raises(GateFailedError, match="2 of 10 backup clients will not be activated by waiting:\n"):
        world.wait()
    assert world.backend.requests == 1


def test_unknown_has_a_grace_period(world: World) -> None:
    """Disconnected for longer than the grace period is a failure, well before the timeout."""
    world.backend.set_status("UNKNOWN", world.instances[0])
    with pytest.raises(GateFailedError, match=r"UNKNOWN for 1[23]. s"):
        world.wait(unknown_grace="2m")
    assert world.clock.monotonic() < 150


def test_a_client_that_recovers_from_unknown(world: World) -> None:
    """Disconnected for less than the grace period is no failure; after a break it starts anew."""
    for seconds, status in {0: "UNKNOWN", 90: "INSTALLING", 120: "UNKNOWN", 210: "ACTIVATED"}.items():
        world.at(seconds, partial(world.backend.set_status, status, world.instances[0]))
    assert world.wait(unknown_grace="2m").waited >= 210


def test_a_timeout_says_what_was_missing(world: World) -> None:
    """One timeout over the whole selection."""
    world.installing()
    with pytest.raises(GateTimeoutError) as caught:
        world.wait(instance_ids=[*world.instances, "i-none"], timeout="15m")
    assert world.clock.monotonic() == pytest.approx(900)
    assert str(caught.value).startswith("not activated within 15m00s: 9 of 11 activated; waiting for ")
    assert "i-none: there is no such client yet" in str(caught.value)


def test_the_service_decides_how_old_a_heartbeat_is(world: World) -> None:
    """This machine's clock may be wrong: ages are taken from the service's time."""
    for row in world.backend.rows():
        world.backend.change(row["ClientId"], {"LastHeartBeatTime": int(world.clock.time()) - 420})
    local_time = world.clock.time
    world.backend.clock = lambda: local_time() - 360  # the service is 6 minutes behind this machine
    assert world.wait(max_heartbeat_age="5m").waited < 1


def test_an_outage_is_survived_and_reported(world: World) -> None:
    """5xx, dropped and hanging requests while polling: it goes on when the service is back."""
    world.installing(until=100)
    world.backend.next_faults += ["none", *["ServiceUnavailable"] * 10, *["drop"] * 10, *["slow:60"] * 3]
    assert world.wait().found.complete
    outages = {progress.outage.partition(":")[0] for progress in world.progress}
    assert {"", "ServiceUnavailable"} < outages


def test_a_long_outage_is_reported_before_its_poll_ends(world: World) -> None:
    """Eight tries of 10 s each: the second failing one is reported already."""
    reported: list[float] = []
    world.backend.next_faults += ["slow:60"] * 30
    with pytest.raises(GateTimeoutError, match="the service does not answer: no answer from"):
        world.run(
            world.gate(timeout=60, on_progress=lambda p: reported.append(world.clock.monotonic()) if p.outage else None)
        )
    assert reported[0] < 30


@pytest.mark.parametrize(("fault", "requests"), [("NoPermission", 2), ("InvalidSecurityToken.Expired", 3)])
def test_a_refusal_ends_the_wait(world: World, fault: str, requests: int) -> None:
    """Waiting does not give a permission; expired credentials are renewed once, not until the timeout."""
    world.installing()
    world.backend.next_faults += ["none", *[fault] * 50]
    with pytest.raises(ServiceError, match=fault):
        world.wait()
    assert world.clock.monotonic() < 30
    assert world.backend.requests <= requests


class Source:
    """A credential source that fails for some time."""

    label, identity = "a test", "a test"

    def __init__(self, world: World, fails: tuple[float, float], retry: Retry) -> None:
        self.world, self.fails, self.retry = world, fails, retry

    async def credentials(self, *, renew: bool = False) -> Credentials:
        del renew
        if self.fails[0] <= self.world.clock.monotonic() < self.fails[1]:
            error = CredentialsError("no credentials from a test: connection refused")
            error.retry = self.retry
            raise error
        return FAKE_CREDENTIALS


@pytest.mark.parametrize(("fails", "retry"), [((0, 60), Retry.BACK_OFF), ((5, 60), Retry.NEVER)])
def test_a_failing_credential_source_is_an_outage(world: World, fails: tuple[float, float], retry: Retry) -> None:
    """One that may answer later, or that has answered before, is waited for until the timeout."""
    world.installing(until=80)
    source: Any = Source(world, fails, retry)
    passed = world.wait(client=world.client(credentials=source))
    assert passed.waited >= 80
    assert any("no credentials from a test" in progress.outage for progress in world.progress)


def test_no_credentials_at_all_end_the_wait(world: World) -> None:
    """A source that never had any will not have them by waiting."""
    source: Any = Source(world, (0, 1e9), Retry.NEVER)
    with pytest.raises(CredentialsError):
        world.wait(client=world.client(credentials=source))
    assert world.clock.monotonic() < 5


def test_bad_input_is_refused_first(world: World) -> None:
    """Settings that cannot be end in an error of the input, in every mode; nothing is sent."""
    for mode in get_args(GateMode):
        with pytest.raises(InputError, match="http is only for an emulator"):
            world.wait(mode=mode, endpoint="http://example.com")
    assert world.backend.requests == 0


def test_an_empty_id_list_passes(world: World) -> None:
    """Nothing was selected, so there is nothing to wait for or to ask, and the verdict says so."""
    passed = world.wait(instance_ids=[])
    assert (passed.found.total_count, world.backend.requests) == (0, 0)
    assert passed.verdict.note == "nothing was selected: the id list is empty"


def test_a_slow_list_is_seen(world: World) -> None:
    """A list that takes minutes to read is no outage; progress is reported meanwhile, at least every 30 s."""
    world.backend.add(*new_rows(3000, seed=5, Status="ACTIVATED"))
    world.backend.latency = 9.0
    passed = world.wait(timeout="1h", client=world.client(concurrency=1))
    assert passed.waited > 240
    assert passed.found.total_count == 3010
    assert [progress.verdict.note for progress in world.progress[:3]] == ["no response yet"] * 3


@pytest.mark.parametrize("mode", ["warn", "off"])
def test_a_bypassed_gate_passes(world: World, mode: Any) -> None:
    """`warn` looks once, `off` does not; both say whether the gate did not hold."""
    assert world.wait(mode=mode).bypassed is (mode == "off")
    world.backend.set_status("INSTALL_FAILED", world.instances[0])
    passed = world.wait(mode=mode)
    assert (passed.bypassed, passed.waited, world.backend.requests) == (True, 0, 2 * (mode == "warn"))
    assert len(passed.verdict.failed) == int(mode == "warn")


def test_warn_survives_an_outage(world: World) -> None:
    """A rollback goes on where the service does not answer."""
    world.backend.next_faults += ["NoPermission"]
    passed = world.wait(mode="warn")
    assert passed.bypassed
    assert passed.verdict.note.startswith("not checked: NoPermission")


def test_nothing_stays_behind(world: World) -> None:
    """No poller and no task, however a gate ends."""

    async def work() -> int:
        world.installing()
        gates = [asyncio.create_task(world.gate()) for _ in range(3)]
        await asyncio.sleep(30)
        for gate in gates:
            gate.cancel()
        await asyncio.gather(*gates, return_exceptions=True)
        await asyncio.sleep(1)
        return len(asyncio.all_tasks()) - 1

    assert world.run(work()) == 0


def test_an_exception_in_the_report_ends_the_wait(world: World) -> None:
    """So a gate ends where nobody listens any more."""

    def gone(_: Any) -> None:
        raise ConnectionError("the engine is gone")

    world.installing()
    with pytest.raises(ConnectionError):
        world.run(world.gate(on_progress=gone))


@pytest.mark.usefixtures("emulator")
def test_the_function(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the environment, and so does a bypass; iterators are read once; the result says all."""
    names = {"web-1", "web-2"}
    instances = (row["InstanceId"] for row in backend.rows() if row["Hostname"] in names)
    passed = asyncio.run(wait_until_activated(client_type="ECS_CLIENT", instance_ids=instances, poll=0.2))
    assert (passed.found.total_count, passed.bypassed) == (2, False)
    asked = backend.requests
    monkeypatch.setenv("HBR_CLIENTS_GATES", "off")
    assert asyncio.run(wait_until_activated(client_type="ECS_CLIENT", instance_ids=["i-none"])).bypassed
    assert backend.requests == asked
