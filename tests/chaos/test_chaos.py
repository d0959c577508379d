"""Under fire: a state machine breaks the service in every known way while lists are read and gates wait.

Each rule is one thing that happens: a list or a gate starts, clients change, the list turns over while it is read, the
service throttles, fails, lies or slows down, time passes. At the end everything that came out is judged against the
backend's own history. A failure prints the shortest program that repeats it.
"""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from pulumi_hbr_clients.emulator import Backend, Turnover, new_rows
from pulumi_hbr_clients.emulator.responses import FAULTS, MIXED
from tests.chaos.judge import UNKNOWN_ID
from tests.chaos.runs import COUNTS, Run, Vault
from tests.chaos.strategies import (
    BEHAVIOURS,
    EVEN_TURNOVERS,
    GROUPS,
    ORDERS,
    SELECTIONS,
    SLICES,
    SOMETIMES,
    STATUSES,
    grouped,
)
from tests.virtual_clock import VirtualClock


class Chaos(RuleBasedStateMachine):
    """See the module."""

    @initialize(
        count=st.sampled_from([0, 5, 99, 100, 150, 250, 400]),
        turnover=st.none() | EVEN_TURNOVERS,
        order=ORDERS,
        seed=st.integers(0, 3),
        life=st.none() | st.floats(1, 600),
        failures=st.sampled_from([*[0] * 9, 1, 3]),
        suffix=st.sampled_from([*[""] * 40, "\n", "\r", " ", "ü"]),
    )
    def start(  # noqa: PLR0917  hypothesis passes them by name
        self,
        count: int,
        turnover: Turnover | None,
        order: Any,
        seed: int,
        life: float | None,
        failures: int,
        suffix: str,
    ) -> None:
        clock = VirtualClock()
        backend = Backend(
            grouped(new_rows(count, seed=seed)), clock=clock.time, seed=seed, turnover=turnover, order=order
        )
        self.run = Run(backend, clock, Vault(backend, life, suffix, failures))
        COUNTS["runs"] += 1

    @rule(data=st.data(), name=st.sampled_from(sorted(BEHAVIOURS)))
    def behave(self, data: st.DataObject, name: str) -> None:
        self.run.backend.set(name, data.draw(BEHAVIOURS[name], name))

    @rule(turnover=EVEN_TURNOVERS)
    def turn_over(self, turnover: Turnover) -> None:
        self.run.backend.turnover = turnover

    @rule(faults=st.lists(st.sampled_from([*MIXED, *FAULTS, "slow:20", "throttle_date:5"]), max_size=4))
    def fail(self, faults: list[str]) -> None:
        self.run.backend.next_faults += faults

    @rule(
        group=st.none() | st.sampled_from(GROUPS),
        filtered=SOMETIMES,
        counted=SOMETIMES,
        passwords=st.booleans(),
        shared=st.booleans(),
        allow_incomplete=st.booleans(),
    )
    def list_by_selection(
        self, group: str | None, *, filtered: bool, counted: bool, passwords: bool, allow_incomplete: bool, shared: bool
    ) -> None:
        selection: dict[str, Any] = {"tags": {"group": group}} if group else {}
        selection |= {"filters": {"BackupStatus": ["PROTECTED"]}} if filtered else {}
        self.run.start_list(
            **selection,
            consistency="counted" if counted else "verified",
            include_proxy_passwords=passwords,
            allow_incomplete=allow_incomplete,
            shared=shared,
        )

    @rule(some=SLICES, unknown=st.integers(0, 3))
    def list_by_ids(self, some: tuple[int, int], unknown: int) -> None:
        ids = self._some(some) + [f"{UNKNOWN_ID}{n}" for n in range(unknown)]
        self.run.start_list(client_ids=ids)

    @rule(some=SLICES, timeout=st.sampled_from([5.0, 120.0, 900.0]), tolerate=SOMETIMES, shared=SOMETIMES)
    def wait_for_ids(self, some: tuple[int, int], timeout: float, *, tolerate: bool, shared: bool) -> None:
        tolerated = ["DEACTIVATED"] if tolerate else []
        self.run.start_gate(client_ids=self._some(some), timeout=timeout, tolerate=tolerated, shared=shared)

    @rule(group=st.sampled_from(GROUPS), timeout=st.sampled_from([5.0, 120.0]), min_clients=st.integers(1, 20))
    def wait_for_a_group(self, group: str, timeout: float, min_clients: int) -> None:
        self.run.start_gate(tags={"group": group}, timeout=timeout, min_clients=min_clients)

    @rule(some=SLICES, status=STATUSES)
    def change_status(self, some: tuple[int, int], status: str) -> None:
        self.run.backend.set_status(status, *self._some(some))

    @rule(number=st.integers(0, 20), seconds=st.floats(1, 100), fails=SOMETIMES)
    def install(self, number: int, seconds: float, *, fails: bool) -> None:
        self.run.backend.install([f"i-new-{number}"], seconds=seconds, fails=fails)

    @rule(seconds=st.sampled_from([0.0, 0.05, 1.0, 20.0, 300.0]))
    def pass_time(self, seconds: float) -> None:
        self.run.pass_time(seconds)

    def _some(self, slice_: tuple[int, int]) -> list[str]:
        """The ids of a slice of the fleet."""
        members, (start, size) = self.run.backend.members, slice_
        start %= len(members) or 1
        return [str(client.row["ClientId"]) for client in members[start : start + size]]

    def teardown(self) -> None:
        if hasattr(self, "run"):
            for selection in SELECTIONS:
                self.run.start_list(**selection, consistency="verified")
            assert self.run.finish() == []


IS_LONG = settings.get_current_profile_name() == "chaos"
"""`make chaos`."""
LENGTH = settings(max_examples=1_200 if IS_LONG else 40, stateful_step_count=25 if IS_LONG else 15)


@pytest.mark.timeout(900)
def test_chaos() -> None:
    """No list is silently wrong, no gate passes early or fails for nothing, nothing hangs, leaks or is not our own."""
    run_state_machine_as_test(Chaos, settings=LENGTH)
    assert COUNTS["list complete"] > COUNTS["runs"]
    assert COUNTS["list incomplete"] > COUNTS["runs"] / 20
    assert COUNTS["gate passed"] > COUNTS["runs"] / 10


def test_faults_that_pass_cost_time_only() -> None:
    """Where nothing but passing faults is wrong, every list is complete and every gate passes soon after it can."""
    clock = VirtualClock()
    backend = Backend(grouped(new_rows(250)), clock=clock.time, fault_rate=0.1, latency=0.1)
    run = Run(backend, clock)
    clients = backend.install(["i-1", "i-2"], seconds=30)
    run.start_gate(client_ids=clients, timeout=120)
    run.start_gate(tags={"group": GROUPS[0]}, timeout=120)
    for selection in SELECTIONS:
        run.start_list(**selection)
    run.pass_time(60)
    assert sorted(run.ends) == ["gate passed"] * 2 + ["list complete"] * len(SELECTIONS)
    assert run.finish() == []
