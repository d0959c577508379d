"""`BackupClient`: one type for the service's rows, state and Python, that no odd value can break."""

import copy
import dataclasses
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime import rpc, stack

from pulumi_hbr_clients.model import backup_client as model
from pulumi_hbr_clients.model.backup_client import BackupClient, ClientSettings
from pulumi_hbr_clients.model.errors import InputError

ROW: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "answer.json").read_text())["Clients"][0]
OLD_SDK_FIELDS = {"RegisterTime": 1, "ProductName": "x", "ProductSerialNumber": "y", "UserDefinedKey": "z"}


def client(**changes: Any) -> BackupClient:
    return model.from_wire([{**ROW, **changes}])[0]


def test_every_field_of_the_document() -> None:
    """Each documented field has an attribute, but the proxy password; of the older SDK's fields the cluster's id."""
    wire = {model.wire_name(name) for name in model.CLIENT_FIELDS}
    settings = {model.wire_name(name) for name in ClientSettings.__dataclass_fields__}
    assert wire - {"Region", "ClusterId"} == set(ROW)
    assert settings | {"ProxyPassword"} == set(ROW["Settings"])
    assert client(ClusterId="cc-1", **OLD_SDK_FIELDS) == dataclasses.replace(client(), cluster_id="cc-1")


@pytest.mark.parametrize(
    ("wire", "attribute", "expected"),
    [
        ({}, "tags", {"TestKey": "TestValue"}),
        ({"CreatedTime": "3"}, "created_time", 3),
        ({"CreatedTime": None}, "created_time", None),
        ({"CreatedTime": {"a": 1}}, "created_time", None),
        ({"CreatedTime": -1}, "created_time", None),
        ({"LastHeartBeatTime": 10**400}, "last_heart_beat_time", None),
        ({"LastHeartBeatTime": 253402300800}, "last_heart_beat_time", None),
        ({"Settings": {"MaxMemory": 2**53 + 1}}, "settings", ClientSettings()),
        (
            {"Settings": {"ProxyPort": "3128", "UseHttps": "no"}},
            "settings",
            ClientSettings(proxy_port=3128, use_https=False),
        ),
        ({"Appliance": "true"}, "appliance", True),
        ({"Appliance": "perhaps"}, "appliance", None),
        ({"Hostname": 7}, "hostname", "7"),
        ({"Status": "ASLEEP"}, "status", "ASLEEP"),
        ({"Settings": None}, "settings", None),
        ({"Settings": "none"}, "settings", None),
        ({"Settings": {}}, "settings", ClientSettings()),
        ({"Tags": None}, "tags", {}),
        ({"Tags": {"Tag": [{"Key": "a", "Value": "b"}]}}, "tags", {"a": "b"}),
        ({"Tags": [{"Key": "b"}, {"Key": "a", "Value": None}, 5]}, "tags", {"a": "", "b": ""}),
        ({"Tags": [{"Key": "a", "Value": 1}]}, "tags", {"a": "1"}),
        ({"Tags": [{"Key": "a", "Value": True}]}, "tags", {"a": "true"}),
        ({"Tags": [{"Key": "a", "Value": 1.0}]}, "tags", {"a": "1.0"}),
        ({"Tags": "x"}, "tags", {}),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_odd_values(wire: dict[str, Any], attribute: str, expected: Any) -> None:
    """Missing, null, empty, too large or of the other type: never a crash, never a lost client."""
    assert getattr(client(**wire), attribute) == expected


def test_a_value_object() -> None:
    """A client is made, compared, hashed, replaced, copied and taken apart like any frozen dataclass."""
    made = BackupClient(client_id="c-1", tags={"env": "prod"}, settings=ClientSettings(proxy_port=3128))
    assert made == BackupClient(client_id="c-1", tags={"env": "prod"}, settings=ClientSettings(proxy_port=3128))
    for found in (made, client()):
        assert dataclasses.replace(found, status="STOPPED").status == "STOPPED"
        assert dataclasses.replace(found, status="STOPPED") != found
        assert {found, dataclasses.replace(found)} == {found}
        assert [pickle.loads(pickle.dumps(found)), copy.deepcopy(found)] == [found, found]  # noqa: S301  our own
        taken = dataclasses.asdict(found)
        assert BackupClient(**{**taken, "settings": ClientSettings(**taken["settings"])}) == found
    with pytest.raises(TypeError, match="clientId"):
        BackupClient(clientId="c-1")  # type: ignore[call-arg]  # that it is refused is the test
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.status = "STOPPED"  # type: ignore[misc]  # that it is refused is the test


def test_tags_are_read_only() -> None:
    """Clients share equal tags, so nobody may change them."""
    tags = client().tags
    assert tags is client(ClientId="c-other").tags
    for method, *values in (("update", {"a": "b"}), ("__setitem__", "a", "b"), ("pop", "TestKey"), ("__ior__", {})):
        with pytest.raises(TypeError, match="read-only"):
            getattr(tags, str(method))(*values)
    assert hash(tags) == hash(copy.deepcopy(tags))


def test_a_mapping() -> None:
    """The keys of state, without empty values."""
    found = BackupClient(client_id="c-1", hostname=None, settings=ClientSettings(use_https=False))
    plain = {"clientId": "c-1", "settings": {"useHttps": False}}
    assert [isinstance(part, Mapping) for part in (found, found.settings)] == [True, True]
    assert dict(found) == {**found} == found.to_dict() == plain
    assert [list(found), list(found.keys()), list(found.items())] == [list(plain), list(plain), list(plain.items())]
    assert (found["clientId"], found.get("hostname"), found.get("hostname", "-"), len(found)) == ("c-1", None, "-", 2)
    assert "hostname" not in found
    with pytest.raises(KeyError):
        found["hostname"]
    match found:
        case {"clientId": matched}:
            assert matched == "c-1"


def test_pulumi_exports_plain_values() -> None:
    """`pulumi.export` and resource inputs make plain values of clients, wherever they are, and of their parts.

    Private names of Pulumi: what is exported is decided there, in every version that we support.
    """
    found = client()
    plain = found.to_dict()
    assert plain["privateIpV4"] == ROW["PrivateIpV4"]
    assert stack.massage({"a": [found], "b": (found,), "c": found}, []) == {"a": [plain], "b": [plain], "c": plain}
    assert stack.massage([found.tags, found.settings], []) == [plain["tags"], plain["settings"]]


def test_pulumi_keeps_clients() -> None:
    """Outputs hold clients, not dicts: attributes work after `Output.all`, `apply` and indexing."""
    found = client()

    async def work() -> None:
        both = pulumi.Output.all(clients=[found], one={"of": found})
        known = await both.future()
        assert known == {"clients": [found], "one": {"of": found}}
        first: Any = pulumi.Output.from_input([found])[0]
        assert await first.private_ip_v4.future() == found.private_ip_v4
        assert await first["privateIpV4"].future() == found.private_ip_v4
        assert await first.apply(lambda one: one).future() is found
        assert await rpc.serialize_property([found, {"in": found}], [], "x") == [
            found.to_dict(),
            {"in": found.to_dict()},
        ]
        text = await pulumi.Output.json_dumps([found], default=dict).future()
        assert json.loads(text or "") == [found.to_dict()]
        with pytest.raises(TypeError, match="not JSON serializable"):
            await pulumi.Output.json_dumps([found]).future()

    pulumi.runtime.sync_await._sync_await(work())  # noqa: SLF001  Outputs need Pulumi's way into its loop


def test_the_password_is_nowhere() -> None:
    """A client cannot hold a proxy password, whatever shows it."""
    row = {**ROW, "Settings": {**ROW["Settings"], "ProxyPassword": "FAKE-PASSWORD"}}
    found = model.from_wire([row])
    assert "FAKE-PASSWORD" not in repr(found) + model.to_json(found) + str(model.to_dicts(found))


def test_canonical_json() -> None:
    """State names, sorted at every level, empty values left out."""
    text = model.to_json([client(Hostname="", Tags=[], ArchType=None, ClusterId="cc-1")])
    (row,) = json.loads(text)
    assert text == json.dumps([row], sort_keys=True, separators=(",", ":"))
    assert not {"hostname", "tags", "archType", "region"} & row.keys()
    assert row["lastHeartBeatTime"] == 1554347313


def test_state_reads_back() -> None:
    """As text, as what a stack exports (whose whole numbers are floats), and as clients: the same clients again."""
    found = [client(), client(ClientId="c-2", Settings={"ProxyPort": 0}, Tags=[{"Key": "Tag", "Value": "x"}])]
    exported = json.loads(model.to_json(found), parse_int=float)
    assert type(exported[0]["createdTime"]) is float
    for value in (model.to_state_text(found), model.to_json(found), exported, found):
        read = model.from_state(value)
        assert read == found
        assert [type(read[0].created_time), type((read[0].settings or ClientSettings()).proxy_port)] == [int, int]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ('{"clients":[],"format":2}', "format 2, which is newer than this version of pulumi-hbr-clients reads"),
        ("not JSON", "must be a list of clients"),
        (7, "must be a list of clients, as pulumi.export makes of `clients` (given: int)"),
        (["c-1"], "must be a list of clients"),
        ({"clients": []}, "must be a list of clients"),
        (None, "must be a list of clients"),
    ],
    ids=repr,
)
def test_what_no_state_holds(value: Any, says: str) -> None:
    """Something else, or a newer format, is our own error."""
    with pytest.raises(InputError) as caught:
        model.from_state(value)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("version", "newest", "expected"),
    [
        ("2.4.5", "2.4.5", False),
        ("2.4.5", "2.10.0", True),
        ("2.13.0", "2.4.5", False),
        (None, "2.4.5", None),
        ("2.4.5", None, None),
        ("x", "2.4.5", None),
    ],
)
def test_outdated(version: str | None, newest: str | None, *, expected: bool | None) -> None:
    """Versions are compared as numbers; one that is missing or unreadable is neither old nor new."""
    assert client(ClientVersion=version, MaxClientVersion=newest).outdated is expected


def test_identity() -> None:
    """The id, else the instance, else everything that does not change by itself."""
    nameless = {"ClientId": "", "InstanceId": None}
    assert [client().identity, client(ClientId=None).identity] == [ROW["ClientId"], ROW["InstanceId"]]
    assert client(**nameless).identity == client(**nameless, LastHeartBeatTime=5, UpdatedTime=6).identity
    assert client(**nameless).identity != client(**nameless, Hostname="other").identity


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from(sorted(ROW)), ODD), max_size=4))
def test_any_row_is_a_client(rows: list[dict[str, Any]]) -> None:
    """As many clients as rows, whatever is in them, and they survive state."""
    found = model.from_wire(rows)
    assert len(found) == len(rows)
    assert model.from_state(model.to_state_text(found)) == found
    assert [BackupClient(**dataclasses.asdict(one)).client_id for one in found] == [one.client_id for one in found]
