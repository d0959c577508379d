"""Lists whose members change while they are read, in every way that the emulator knows, one way at a time."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from pulumi_hbr_clients.emulator import Backend, Turnover, new_rows
from tests.chaos.runs import Run
from tests.chaos.strategies import EVEN_TURNOVERS, ORDERS, SELECTIONS, TURNOVERS, grouped
from tests.virtual_clock import VirtualClock

FLEET = 1_960


@settings(max_examples=40)
@given(
    count=st.sampled_from([100, 198, 250, 400]),
    turnover=TURNOVERS | EVEN_TURNOVERS,
    order=ORDERS,
    dated=st.booleans(),
    latency=st.sampled_from([0.0, 0.1]),
    selection=st.sampled_from(SELECTIONS),
)
def test_no_list_is_silently_wrong(count, turnover, order, dated, latency, selection) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001, PLR0917  hypothesis gives them
    """Whatever changes meanwhile, a list has everybody who stayed or is not complete; at rest it is complete."""
    clock = VirtualClock()
    backend = Backend(grouped(new_rows(count)), clock=clock.time, order=order, date_header=dated, latency=latency)
    run = Run(backend, clock)
    backend.turnover = turnover
    run.start_list(**selection, consistency="verified")
    run.pass_time(60)
    backend.turnover, backend.order = None, "id"
    run.start_list(**selection, consistency="verified")
    assert run.finish() == []
    assert run.ends[-1] == "list complete"


def test_one_pass_would_miss_clients() -> None:
    """The change is what it is said to be: pages read once lack clients that were there all along."""
    backend = Backend(new_rows(FLEET), turnover=Turnover(arrivals="old"))
    before = {row["ClientId"] for row in backend.rows()}
    clock = VirtualClock()
    run = Run(backend, clock)
    for number in range(1, FLEET // 50 + 2):
        run.start_list(page_number=number, page_size=50, allow_incomplete=True)
        run.pass_time(1)
    seen = {client.client_id for found in run.lists for client in found.clients}
    after = {row["ClientId"] for row in backend.rows()}
    assert len((before & after) - seen) >= 10
    assert run.finish() == []


@pytest.mark.parametrize("times", [1, None])
def test_a_large_fleet(times: int | None) -> None:
    """Old clients take the places of others: once, and the list is complete; all the time, and it is not."""
    clock = VirtualClock()
    run = Run(Backend(new_rows(FLEET), clock=clock.time, turnover=Turnover(arrivals="old", times=times)), clock)
    run.start_list(consistency="verified")
    assert run.finish() == []
    assert run.ends == ["list complete" if times else "list incomplete"]
