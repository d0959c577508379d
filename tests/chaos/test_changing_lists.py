"""Lists whose members change while they are read, in every way that the emulator knows, one way at a time."""

import hypothesis.strategies as st
from hypothesis import given, settings

from pulumi_hbr_clients.emulator import Backend, new_rows
from tests.chaos.runs import Run
from tests.chaos.strategies import EVEN_TURNOVERS, ORDERS, SELECTIONS, TURNOVERS, grouped
from tests.virtual_clock import VirtualClock


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
