"""What comes out: one record for wire, state and Python, that no odd value can break."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hbr_clients.model import backup_client as clients
from pulumi_hbr_clients.model.backup_client import BackupClient, ClientSettings
from pulumi_hbr_clients.model.views import views

ROW: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "answer.json").read_text())["Clients"][0]
PASSWORD = ROW["Settings"]["ProxyPassword"]


def client(**changes: Any) -> BackupClient:
    return clients.from_wire([{**ROW, **changes}])[0]


def test_every_field_of_the_document() -> None:
    """Each documented field has an attribute; only the proxy password has none."""
    wire = {clients.wire_name(name) for name in clients.CLIENT_FIELDS}
    settings = {clients.wire_name(name) for name in ClientSettings.__dataclass_fields__}
    assert wire - {"Region"} == set(ROW)
    assert settings | {"ProxyPassword"} == set(ROW["Settings"])
    assert len(ROW["Settings"]) == 11


def test_typed() -> None:
    """Numbers are numbers and truths are truths, though the service sends some as text."""
    found = client()
    assert found.created_time == 1554347313
    assert found.settings == ClientSettings(
        ProxyHost="192.168.11.100",
        MaxCpuCore="1",
        ProxyPort=3128,
        UseHttps="false",
        ProxyUser="user",
        DataProxySetting="USE_CONTROL_PROXY",
        DataNetworkType="VPC",
        MaxWorker="1",
        MaxMemory=0,
        AlertOnPartialComplete=False,
    )  # type: ignore[call-arg]  # by their names on the wire
    assert found.settings.use_https is False
    assert found.settings.max_worker == 1
    assert dict(found.tags) == {"TestKey": "TestValue"}


@pytest.mark.parametrize(
    ("wire", "attribute", "expected"),
    [
        ({"CreatedTime": "3"}, "created_time", 3),
        ({"CreatedTime": None}, "created_time", None),
        ({"CreatedTime": ""}, "created_time", None),
        ({"CreatedTime": {"a": 1}}, "created_time", None),
        ({"Appliance": "true"}, "appliance", True),
        ({"Appliance": "perhaps"}, "appliance", None),
        ({"Hostname": 7}, "hostname", "7"),
        ({"Hostname": ""}, "hostname", None),
        ({"Status": "ASLEEP"}, "status", "ASLEEP"),
        ({"Settings": None}, "settings", None),
        ({"Settings": "none"}, "settings", None),
        ({"Settings": {}}, "settings", ClientSettings()),
        ({"Tags": None}, "tags", {}),
        ({"Tags": {"a": "b"}}, "tags", {}),
        ({"Tags": {"Tag": [{"Key": "a", "Value": "b"}]}}, "tags", {"a": "b"}),
        ({"Tags": [{"Key": "b"}, {"Key": "a", "Value": None}, 5]}, "tags", {"a": "", "b": ""}),
        ({"Tags": [{"Key": "a", "Value": 1}]}, "tags", {"a": "1"}),
        ({"Tags": [{"Key": "a", "Value": True}]}, "tags", {"a": "true"}),
        ({"Tags": [{"Key": "a", "Value": 1.0}]}, "tags", {"a": "1.0"}),
        ({"Tags": "x"}, "tags", {}),
    ],
    ids=repr,
)
def test_odd_values(wire: dict[str, Any], attribute: str, expected: Any) -> None:
    """Missing, null, empty or of the other type: never a crash, never a lost client."""
    assert getattr(client(**wire), attribute) == expected


def test_the_password_is_nowhere() -> None:
    """A record cannot hold a proxy password, whatever shows it."""
    row = {**ROW, "Settings": {**ROW["Settings"], "ProxyPassword": "FAKE-PASSWORD"}}
    found = clients.from_wire([row])
    assert "FAKE-PASSWORD" not in repr(found) + clients.to_json(found) + str(clients.to_dicts(found))


def test_canonical_json() -> None:
    """State names, sorted at every level, empty values left out."""
    text = clients.to_json([client(Hostname="", Tags=[], ArchType=None)])
    (row,) = json.loads(text)
    assert text == json.dumps([row], sort_keys=True, separators=(",", ":"))
    assert not {"hostname", "tags", "archType", "region"} & row.keys()
    assert row["privateIpV4"] == "192.168.1.1"
    assert row["lastHeartBeatTime"] == 1554347313


def test_a_view_is_a_real_dict() -> None:
    """What a program holds: plain values to whoever serializes it, a client to whoever reads it."""
    row = {**ROW, "Hostname": ""}
    (record,), plain = clients.from_wire([row]), clients.to_dicts(clients.from_wire([row]))
    found: list[Any] = [*views(plain), *views(clients.to_json([record]))]
    for view in found:
        assert [isinstance(view, kind) for kind in (dict, BackupClient)] == [True, True]
        assert isinstance(view.settings, ClientSettings)
        assert json.loads(json.dumps(view)) == plain[0]
        for name in clients.CLIENT_FIELDS:
            if name != "settings":
                assert getattr(view, name) == getattr(record, name)
        assert view.settings is not None
        assert view.settings.use_https is False
        assert view.outdated is record.outdated
        assert "private_ip_v4" in dir(view)
        with pytest.raises(AttributeError, match="BackupClient has no field 'clientId'"):
            _ = view.clientId


def test_moving_fields_can_be_left_out() -> None:
    """Heartbeats move by themselves and would show in every diff."""
    (row,) = json.loads(clients.to_json([client()], leave_out=clients.VOLATILE_FIELDS))
    assert "lastHeartBeatTime" not in row
    assert "updatedTime" not in row


def test_projection_keeps_what_identifies() -> None:
    """Only the fields asked for, and always both ids and the region."""
    hidden = clients.excluded_fields(["status", "tags"])
    (plain,) = clients.to_dicts([client()], leave_out=hidden)
    assert plain == {
        "clientId": ROW["ClientId"],
        "instanceId": ROW["InstanceId"],
        "status": "ACTIVATED",
        "tags": {"TestKey": "TestValue"},
    }
    assert clients.excluded_fields(None) == frozenset()


@pytest.mark.parametrize(
    ("version", "newest", "expected"),
    [
        ("2.4.5", "2.4.5", False),
        ("2.4.5", "2.10.0", True),
        ("2.13.0", "2.4.5", False),
        (None, "2.4.5", False),
        ("x", "y", False),
    ],
)
def test_outdated(version: str | None, newest: str, *, expected: bool) -> None:
    """Versions are compared as numbers; what cannot be read is not called outdated."""
    assert client(ClientVersion=version, MaxClientVersion=newest).outdated is expected


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from(sorted(ROW)), ODD), max_size=4))
def test_any_row_is_a_client(rows: list[dict[str, Any]]) -> None:
    """As many clients as rows, whatever stands in them, and they survive state."""
    found = clients.from_wire(rows)
    assert len(found) == len(rows)
    assert views(clients.to_json(found)) == views(clients.to_dicts(found))
