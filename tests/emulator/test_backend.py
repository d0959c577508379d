"""The fleet: heartbeats, installations, arrivals and departures on the backend's clock; fleets from files."""

import json
from pathlib import Path

import pytest

from pulumi_hbr_clients.emulator import Backend, Cloud, new_row, new_rows, open_fleet
from pulumi_hbr_clients.emulator.fake_client import HEARTBEAT, ROW_FIELDS
from pulumi_hbr_clients.model.errors import InputError
from tests.emulator.caller import ALL_ECS, Caller
from tests.virtual_clock import VirtualClock


def test_heartbeats_move_with_the_clock(backend: Backend, clock: VirtualClock) -> None:
    """ACTIVATED clients report once a minute, each at its own second; the others do not."""

    def beats() -> dict[str, int]:
        return {row["Hostname"]: row.get("LastHeartBeatTime", 0) for row in backend.rows()}

    first = beats()
    assert all(clock.time() - HEARTBEAT < first[name] <= clock.time() for name in ("web-1", "node-1"))
    assert len({first[name] % HEARTBEAT for name in ("web-1", "web-2", "web-3", "db-1")}) > 1
    clock.advance(2 * HEARTBEAT)
    moved = {name for name, beat in beats().items() if beat == first[name] + 2 * HEARTBEAT}
    assert moved == set(first) - {"db-2", "desk-2", "batch-1", "batch-2", "cache-1", "queue-1"}


def test_a_client_that_stops_reporting(backend: Backend, clock: VirtualClock) -> None:
    """A client keeps its last heartbeat when it leaves ACTIVATED, is stopped, or is given one."""
    web = [new_row(f"sample/web-{n}")["ClientId"] for n in (1, 2, 3)]
    last = clock.time()
    backend.set_status("UNKNOWN", web[0])
    backend.stop_heartbeats(web[1])
    backend.change(web[2], {"lastHeartBeatTime": 1_700_000_000})
    clock.advance(3600)
    beats = {row["ClientId"]: row["LastHeartBeatTime"] for row in backend.rows()}
    assert all(last - HEARTBEAT < beats[identity] <= last for identity in web[:2])
    assert beats[web[2]] == 1_700_000_000


def test_installation(backend: Backend, clock: VirtualClock) -> None:
    """An installation goes INSTALLING, REGISTERED, ACTIVATED on the backend's clock, or fails at its end."""
    (good,) = backend.install(["i-new"], seconds=60)
    (bad,) = backend.install([new_row("sample/batch-2")["InstanceId"]], seconds=60, fails=True)
    seen = []
    for seconds in (0, 29, 2, 28, 2):
        clock.advance(seconds)
        backend.tick()
        seen.append((backend.find(good).row["Status"], backend.find(bad).row["Status"]))
    assert [a for a, _ in seen] == ["INSTALLING", "INSTALLING", "REGISTERED", "REGISTERED", "ACTIVATED"]
    assert (seen[-1][1], backend.find(good).row["InstanceId"]) == ("INSTALL_FAILED", "i-new")


def test_history(clock: VirtualClock) -> None:
    """Each change since the backend was made, in the order in which they were due: who, and the row from then on."""
    backend = Backend(new_rows(2), clock=clock.time)
    client = backend.find(backend.rows()[0]["ClientId"])
    identity, row = client.row["ClientId"], client.row
    backend.later(20, lambda: backend.remove(identity))
    backend.later(10, lambda: backend.change(identity, {"hostname": "new", "lastHeartBeatTime": 1, "updatedTime": 1}))
    clock.advance(30)
    backend.tick()
    arrived = backend.arrive("ECS_CLIENT")
    changed = {**row, "Hostname": "new", "LastHeartBeatTime": 1, "UpdatedTime": 1}
    assert list(backend.history) == [
        (identity, changed),
        (identity, None),
        (arrived.row["ClientId"], arrived.row),
    ]


def test_time_passes_for_the_fleet_alone(backend: Backend, caller: Caller) -> None:
    """`advance` moves the fleet, and requests dated now are still good."""
    backend.install(["i-new"], seconds=60)
    backend.advance(3600)
    assert caller.document(ALL_ECS, {"InstanceIds": '["i-new"]'})["Clients"][0]["Status"] == "ACTIVATED"


def test_changes_show_at_once(backend: Backend, caller: Caller) -> None:
    """What a test changes is in the next response."""
    web = new_row("sample/web-1")
    caller.names()
    backend.change(web["ClientId"], {"Settings": ..., "Hostname": "renamed"})
    row = caller.document()["Clients"][0]
    assert (row["Hostname"], "Settings" in row) == ("renamed", False)
    backend.remove(web["InstanceId"])
    backend.add({"clientId": "c-new", "hostname": "new"})
    assert [caller.names()[0], caller.names()[-1]] == ["web-2", "new"]


@pytest.mark.parametrize("wrap", [False, True])
def test_fleet_file(tmp_path: Path, *, wrap: bool) -> None:
    """A fleet comes from JSON or YAML, in either spelling, as a list or as our own command prints it."""
    items = [
        {"ClientId": "c-1", "Tags": [{"Key": "a", "Value": "b"}], "ClusterId": "cl-1"},
        {"clientId": "c-2", "clientType": "LOCAL_CLIENT", "tags": {"a": "b"}, "beats": False},
        {"clientId": "c-3", "crossAccountUserId": 12, "crossAccountRoleName": "r"},
        {"name": "web-1", "status": "STOPPED"},
        {"count": 5, "clientType": "CONTAINER_CLIENT", "seed": 7},
    ]
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps({"clients": items, "totalCount": 9} if wrap else items))
    backend = open_fleet(path)
    assert isinstance(backend, Backend)
    first, second, third, named, *made = backend.members
    assert first.row["Tags"] == second.row["Tags"]
    assert (first.cluster_id, second.beats, third.owner) == ("cl-1", False, ("12", "r"))
    assert (named.row["ClientId"], named.row["Status"]) == (new_row("sample/web-1")["ClientId"], "STOPPED")
    assert [client.row["ClientType"] for client in made] == ["CONTAINER_CLIENT"] * 5


def test_fleet_file_of_several_accounts(tmp_path: Path) -> None:
    """A file may hold a fleet for each account and region; behaviours hold for all of them."""
    path = tmp_path / "fleet.yaml"
    path.write_text("accounts: {prod: {cn-hangzhou: [{count: 2}], cn-shanghai: []}, dev: {cn-hangzhou: [{count: 1}]}}")
    cloud = open_fleet(path, latency=1.0)
    assert isinstance(cloud, Cloud)
    assert {pair: (len(backend.members), backend.latency) for pair, backend in cloud.backends.items()} == {
        ("prod", "cn-hangzhou"): (2, 1.0),
        ("prod", "cn-shanghai"): (0, 1.0),
        ("dev", "cn-hangzhou"): (1, 1.0),
    }


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (["neither JSON nor YAML"], "{unclosed: ["),
        (["must be a list of clients"], "5"),
        (["fleet.yaml[0]: must be a client"], "[1]"),
        (["[0].clientId: is required"], "[{status: X}]"),
        (["[0].stauts: no such argument; did you mean Status?"], "[{clientId: c-1, stauts: X}]"),
        (["[0].count: must be greater", "[1].settings.Colour"], "[{count: -1}, {name: c, settings: {Colour: 1}}]"),
        (["[0].tags[0]: must be a valid dictionary"], "[{clientId: c-1, tags: [x]}]"),
        (["accounts.prod.cn-hangzhou[0].clientId"], "accounts: {prod: {cn-hangzhou: [{}]}}"),
        (["accounts: must be a valid dictionary"], "accounts: [prod]"),
    ],
)
def test_bad_fleet_file(tmp_path: Path, expected: list[str], text: str) -> None:
    """A bad file is refused with the place of every fault in it; one that is not there is named."""
    path = tmp_path / "fleet.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        open_fleet(path)
    assert all(part in str(raised.value) for part in expected)
    with pytest.raises(InputError, match="cannot be read"):
        open_fleet(tmp_path / "none.yaml")


def test_made_up_fleets_are_repeatable() -> None:
    """The same seed makes the same fleet, every client another, whatever the length."""
    long, short = list(new_rows(1000, seed=1)), list(new_rows(10, seed=1))
    assert short == long[:10]
    assert len({row["ClientId"] for row in long}) == len({row["InstanceId"] for row in long}) == 1000
    assert list(new_rows(10, seed=2)) != short
    assert {name for row in long for name in row} == set(ROW_FIELDS)
