"""Under fire: a state machine breaks the service in every known way while lists are read and gates wait.

Each rule is one thing that happens: a list or a gate starts, clients change, the list turns over while it is read, the
service throttles, fails, lies or slows down, time passes. At the end everything that came out is judged against the
backend's own history. A failure prints the shortest program that repeats it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from pulumi_hbr_clients.emulator import Backend, Turnover, Window, new_rows
from pulumi_hbr_clients.emulator.fake_client import SETTINGS, Row
from pulumi_hbr_clients.emulator.responses import FAULTS, MIXED
from tests.chaos.judge import UNKNOWN_ID
from tests.chaos.runs import Run, Vault
from tests.virtual_clock import VirtualClock

GROUPS: Final = ("red", "blue")
SELECTIONS: Final[tuple[Mapping[str, Any], ...]] = (
    {},
    {"tags": {"group": GROUPS[0]}},
    {"filters": {"BackupStatus": ["PROTECTED"]}},
)
SOMETIMES: Final = st.sampled_from([True, False, False])
POSITIONS: Final = st.sampled_from(["front", "end", "anywhere"])
ORDERS: Final = st.sampled_from(["arrival", "id", "name", "random", "shuffled"])
TURNOVERS: Final = st.builds(
    Turnover,
    leaving=st.integers(0, 3),
    arriving=st.integers(0, 3),
    leave_from=POSITIONS,
    arrive_at=POSITIONS,
    arrivals=st.sampled_from(["new", "old"]),
    by=st.sampled_from(["presence", "tags", "filters"]),
    every=st.integers(1, 4),
    times=st.none() | st.integers(1, 5),
)
EVEN_TURNOVERS: Final = TURNOVERS.map(lambda change: change.model_copy(update={"arriving": change.leaving}))
"""As many arrive as leave: totals tell nothing."""
BEHAVIOURS: Final[Mapping[str, st.SearchStrategy[Any]]] = {
    "latency": st.sampled_from([0.0, 0.1, 3.0]),
    "rate": st.none() | st.floats(5, 100),
    "window": st.none()
    | st.builds(
        Window,
        limit=st.integers(10, 60),
        kind=st.sampled_from(["fixed", "sliding"]),
        retry_header=st.sampled_from([None, "x-acs-retry-after", "retry-after"]),
    ),
    "fault_rate": st.sampled_from([0.0, 0.02, 0.2]),
    "clock_offset": st.sampled_from([0.0, -86_400.0, -1_000.0, 1_000.0, 86_400.0]),
    "date_header": st.booleans(),
    "order": ORDERS,
    "turnover": st.none() | TURNOVERS | EVEN_TURNOVERS,
    "total_drift": st.sampled_from([0, 1, 3, 100]),
    "page_size_max": st.none() | st.integers(20, 98),
}
STATUSES: Final = st.sampled_from(
    ["ACTIVATED", "ACTIVATED", "INSTALLING", "REGISTERED", "UPGRADING", "STOPPED", "UNKNOWN", "DEACTIVATED", "THAWING"]
)
# Sizes do not depend on the fleet's: what is drawn must not depend on what happened.
SLICES: Final = st.tuples(st.integers(0, 400), st.sampled_from([1, 3, 20, 99, 100, 250]))
COUNTS: Final = Counter[str]()
"""What came out of all runs."""


def grouped(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows, all ACTIVATED, in two groups by tag; three have a proxy password and unusual values."""
    made = [
        {**row, "Status": "ACTIVATED", "Tags": [{"Key": "group", "Value": GROUPS[number % 2]}]}
        for number, row in enumerate(rows)
    ]
    for row in made[:3]:
        row["Settings"] = {**SETTINGS, "ProxyPassword": f"FAKE-PROXY-PASSWORD-{row['ClientId']}"}
        row |= {"ProductName": "ECS", "Hostname": f"{row['Hostname']}\ud83d", "Appliance": "false", "OsType": None}
    return made


class Chaos(RuleBasedStateMachine):
    """See the module."""

    @initialize(
        count=st.sampled_from([0, 5, 99, 100, 150, 250, 400]),
        fleet=st.fixed_dictionaries(
            {"seed": st.integers(0, 3), "turnover": st.none() | EVEN_TURNOVERS, "order": ORDERS}
        ),
        vault=st.fixed_dictionaries(
            {
                "life": st.none() | st.floats(1, 600),
                "failures": st.sampled_from([*[0] * 9, 1, 3]),
                "suffix": st.sampled_from([*[""] * 40, "\n", "\r", " ", "ü"]),
            }
        ),
    )
    def start(self, count: int, fleet: dict[str, Any], vault: dict[str, Any]) -> None:
        clock, rows = VirtualClock(), grouped(new_rows(count, seed=fleet["seed"]))
        backend = Backend(rows, clock=clock.time, **fleet)
        self.run = Run(backend, clock, Vault(backend, **vault))

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
        consistency=st.sampled_from(["verified", "verified", "counted"]),
        options=st.fixed_dictionaries(
            dict.fromkeys(("include_proxy_passwords", "shared", "allow_incomplete"), st.booleans())
        ),
    )
    def list_by_selection(self, group: str | None, consistency: str, options: Any, *, filtered: bool) -> None:
        selection: dict[str, Any] = {"tags": {"group": group}} if group else {}
        selection |= {"filters": {"BackupStatus": ["PROTECTED"]}} if filtered else {}
        self.run.start_list(**selection, consistency=consistency, **options)

    @rule(some=SLICES, unknown=st.integers(0, 3))
    def list_by_ids(self, some: tuple[int, int], unknown: int) -> None:
        self.run.start_list(client_ids=self._some(some) + [f"{UNKNOWN_ID}{n}" for n in range(unknown)])

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
            wrong = self.run.finish()
            COUNTS.update(["runs", *self.run.ends])
            assert wrong == []


IS_LONG = settings.get_current_profile_name() == "chaos"
"""`make chaos`."""
LENGTH = settings(max_examples=1_200 if IS_LONG else 40, stateful_step_count=25 if IS_LONG else 15)


@pytest.mark.timeout(3_600)  # five minutes of CPU; hangs are seen on the virtual clock
def test_chaos() -> None:
    """No list is silently wrong, no gate passes early or fails for nothing, nothing hangs, leaks or is not our own."""
    run_state_machine_as_test(Chaos, settings=LENGTH)
    assert COUNTS["list complete"] > COUNTS["runs"]
    if IS_LONG:  # of forty runs there may be few by chance
        assert COUNTS["list incomplete"] > COUNTS["runs"] / 20
        assert COUNTS["gate passed"] > COUNTS["runs"] / 10


@settings(max_examples=40)
@given(
    count=st.sampled_from([100, 198, 250, 400]),
    turnover=TURNOVERS | EVEN_TURNOVERS,
    behaviours=st.fixed_dictionaries({name: BEHAVIOURS[name] for name in ("order", "date_header")}),
    selection=st.sampled_from(SELECTIONS),
)
def test_a_list_that_changes_and_comes_to_rest(count: int, turnover: Turnover, behaviours: Any, selection: Any) -> None:
    """Whatever changes meanwhile, a list has everybody who stayed or is not complete; at rest it is complete."""
    clock = VirtualClock()
    backend = Backend(grouped(new_rows(count)), clock=clock.time, latency=0.1, **behaviours)
    run = Run(backend, clock)
    backend.turnover = turnover
    run.start_list(**selection, consistency="verified")
    run.pass_time(60)
    backend.turnover, backend.order = None, "id"
    run.start_list(**selection, consistency="verified")
    assert run.finish() == []
    assert run.ends[-1] == "list complete"


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
