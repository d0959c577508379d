"""What can happen to a list and its service, for Hypothesis to draw from."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import hypothesis.strategies as st

from pulumi_hbr_clients.emulator import Turnover, Window
from pulumi_hbr_clients.emulator.fake_client import SETTINGS, Row

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


def grouped(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows, all ACTIVATED, in two groups by tag; three have a proxy password, and are in a form of other SDKs."""
    made = [
        {**row, "Status": "ACTIVATED", "Tags": [{"Key": "group", "Value": GROUPS[number % 2]}]}
        for number, row in enumerate(rows)
    ]
    for row in made[:3]:
        row["Settings"] = {**SETTINGS, "ProxyPassword": f"FAKE-PROXY-PASSWORD-{row['ClientId']}"}
        row |= {
            "ProductName": "Alibaba Cloud ECS",
            "Hostname": f"{row['Hostname']}\ud83d",
            "Appliance": "false",
            "OsType": None,
        }
    return made
