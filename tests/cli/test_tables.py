"""Tables for people: what fits, what is marked, and the summary."""

from typing import Any

import pytest

from pulumi_hbr_clients import HbrClient
from pulumi_hbr_clients.cli.tables import ago, fit, summary, table
from pulumi_hbr_clients.cli.targets import Target
from pulumi_hbr_clients.model.backup_client import from_wire
from pulumi_hbr_clients.model.outputs import ClientList, counts_by_status
from pulumi_hbr_clients.model.query import Query
from tests.cli.terminals import row

QUERY = Query.model_validate({"client_type": "ECS_CLIENT"})
NOW = 1_700_000_100.0


def listed(*rows: dict[str, Any], region: str = "cn-beijing") -> list[Target]:
    clients = tuple(from_wire(rows))
    found = ClientList(clients=clients, counts_by_status=counts_by_status(clients))
    return [Target(QUERY, region, HbrClient(), found=found)]


def cells(line: str) -> int:
    return sum(2 if char > "\u2e7f" else 1 for char in line)


@pytest.mark.parametrize("width", range(40, 180, 7))
def test_a_table_fits(width: int) -> None:
    """On a narrow terminal names shrink and columns go, but client, name and status stay whole."""
    rows = [row(number, InstanceName="\u4e2d\u6587 name of some length", ZoneId="cn-hangzhou-h") for number in range(3)]
    *lines, _ = ["".join(text for text, _ in line) for line in table(listed(*rows), now=NOW, width=width)]
    lines = [line for line in lines if not line.startswith("(no room")]
    assert max(map(cells, lines)) <= width
    assert lines[0].split()[0] == "CLIENT"
    assert {"NAME", "STATUS"} <= set(lines[0].split())
    assert [line.split()[0] for line in lines[1:]] == ["c-0", "c-1", "c-2"][: len(lines) - 1]
    assert len({cells(line) for line in lines}) == 1


def test_what_goes_first() -> None:
    """The system is dropped before the zone, heartbeats last; a line names what was dropped."""
    *_, last = table(listed(row(1, ClientId="c-" + "0" * 20, InstanceId="i-" + "0" * 20)), now=NOW, width=95)
    assert last == [("(no room for zone, os: widen the terminal, or see --output)", "dim")]
    assert fit({"CLIENT": 5, "STATUS": 5}, 3) == {"CLIENT": 5, "STATUS": 5}


def test_ago() -> None:
    """Ages are in the largest unit that says enough, and never in the future."""
    ages = {-5: "0s ago", 59.9: "59s ago", 60: "1m ago", 7199: "119m ago", 7200: "2h ago", 172_800: "2d ago"}
    assert {seconds: ago(seconds) for seconds in ages} == ages


def test_ages_and_marks() -> None:
    """A client that never reported, one that fell silent, and one that is out of date are marked."""
    rows = [row(1), row(2, LastHeartBeatTime=0, ClientVersion="2.0.0"), row(3, LastHeartBeatTime=1_699_000_000)]
    _, *lines = table(listed(*rows), now=NOW)
    marked = [[cell for cell in line if cell[0].strip()] for line in lines]
    assert [line[3] for line in marked] == [("1m ago   ", ""), ("never    ", "dim"), ("11d ago  ", "yellow")]
    assert [line[4] for line in marked] == [("1.0.0 (old)", "yellow"), ("2.0.0      ", ""), ("1.0.0 (old)", "yellow")]
    total = next(summary(listed(row(1))))
    assert "".join(text for text, _ in total) == "1 client in cn-beijing: 1 ACTIVATED; 1 outdated"
