"""What entry points make of a list: one projection, filters that never guess, warnings."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from pulumi_hbr_clients.model import outputs, query
from pulumi_hbr_clients.model.backup_client import CLIENT_FIELDS, BackupClient, from_state
from pulumi_hbr_clients.model.outputs import ClientList

OLD, NEW = "2.9.0", "2.13.1"


def client(number: int, **fields: Any) -> BackupClient:
    return BackupClient(**{"client_id": f"c-{number}", "instance_id": f"i-{number}", "status": "ACTIVATED", **fields})


FIRST = {"client_version": NEW, "max_client_version": NEW, "os_type": "linux", "tags": {"a": "b"}}
CLIENTS = [
    client(1, **FIRST, last_heart_beat_time=5, updated_time=6),
    client(2, client_version=OLD, max_client_version=NEW, instance_id="i-1", status=None),
    client(3, status="STOPPED", instance_id=None),
]
FOUND = ClientList(
    clients=tuple(CLIENTS),
    service_total_count=7,
    counts_by_status=outputs.counts_by_status(CLIENTS),
    missing_client_ids=("c-9",),
    proxy_passwords={"c-1": SecretStr("FAKE-PASSWORD")},
    region="cn-hangzhou",
)


def parsed(**arguments: Any) -> query.Query:
    return query.parse({"client_type": "ECS_CLIENT", **arguments})


def test_a_list() -> None:
    """Ids, instances and what belongs to each: an instance may have several clients, a client no instance or status."""
    assert (FOUND.total_count, FOUND.ids, FOUND.instance_ids) == (3, ("c-1", "c-2", "c-3"), ("i-1",))
    assert FOUND.counts_by_status == {"ACTIVATED": 1, "STOPPED": 1, "UNKNOWN": 1}
    assert FOUND.by_instance_id == {"i-1": (CLIENTS[0], CLIENTS[1])}
    assert "FAKE" not in repr(FOUND)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"statuses": ["STOPPED"]}, [3]),
        ({"statuses": ["UNKNOWN"]}, [2]),
        ({"statuses": []}, []),
        ({"os_types": ["linux"]}, [1]),
        ({"outdated": True}, [2]),
        ({"outdated": False}, [1]),
        ({"statuses": ["ACTIVATED", "UNKNOWN"], "instance_ids": ["i-1"], "client_ids": ["c-2", "c-3"]}, [2]),
    ],
    ids=repr,
)
def test_each_filter(arguments: dict[str, Any], expected: list[int]) -> None:
    """A client without a status is UNKNOWN; one whose version is not known is neither outdated nor current."""
    found = outputs.apply_filters(parsed(**arguments), CLIENTS)
    assert [one.client_id for one in found] == [f"c-{number}" for number in expected]


@pytest.mark.parametrize(
    ("arguments", "hidden"),
    [
        ({}, {"last_heart_beat_time", "updated_time"}),
        ({"include_heartbeats": True}, set()),
        ({"fields": ["updated_time"]}, set(CLIENT_FIELDS) - {"client_id", "instance_id", "region", "updated_time"}),
    ],
)
def test_heartbeats_only_if_wanted(arguments: dict[str, Any], hidden: set[str]) -> None:
    """The two fields that change by themselves are left out unless they are included or named."""
    assert outputs.excluded_fields(parsed(**arguments)) == hidden


def test_a_reduced_client_derives_nothing_wrong() -> None:
    """Without its versions nobody knows whether a client is outdated."""
    reduced = outputs.project(parsed(fields=["status"]), FOUND).clients
    assert (reduced[0], reduced[1].outdated) == (client(1), None)


def test_one_projection() -> None:
    """The plugin's result, the state and the look-ups hold the same clients and the same facts."""
    wanted = parsed(fields=["status", "tags"], include_proxy_passwords=True)
    plain, state = outputs.to_outputs(wanted, FOUND), outputs.to_state(wanted, FOUND)
    assert plain == {
        "clients": [
            {"clientId": "c-1", "instanceId": "i-1", "status": "ACTIVATED", "tags": {"a": "b"}},
            {"clientId": "c-2", "instanceId": "i-1"},
            {"clientId": "c-3", "status": "STOPPED"},
        ],
        "ids": ["c-1", "c-2", "c-3"],
        "instanceIds": ["i-1"],
        "totalCount": 3,
        "serviceTotalCount": 7,
        "countsByStatus": {"ACTIVATED": 1, "STOPPED": 1, "UNKNOWN": 1},
        "missingClientIds": ["c-9"],
        "missingInstanceIds": [],
        "complete": True,
        "region": "cn-hangzhou",
        "proxyPasswords": {"c-1": "FAKE-PASSWORD"},
    }
    assert state.keys() == set(outputs.STATE_OUTPUTS) - {"profile", "pageNumber", "pageSize"}
    assert {**state, "clients": 0} == {name: plain[name] for name in state} | {"clients": 0}
    assert json.loads(state["clients"]) == {"clients": plain["clients"], "format": 1}
    assert tuple(from_state(state["clients"])) == outputs.project(wanted, FOUND).clients
    assert "proxyPasswords" not in outputs.to_outputs(parsed(), FOUND)


def test_a_raw_page_says_which() -> None:
    """Paging by hand needs the page's number and size; a whole list has none."""
    page = ClientList(page_number=2, page_size=10, complete=False, service_total_count=250)
    found = outputs.to_outputs(parsed(page_number=2), page)
    assert (found["pageNumber"], found["pageSize"], found["serviceTotalCount"]) == (2, 10, 250)
    assert "pageNumber" not in outputs.to_outputs(parsed(), FOUND)


def test_noise_of_a_refresh() -> None:
    """Moved heartbeats are the same list, and so is one from before an output was added; a status is a change."""
    wanted = parsed(include_heartbeats=True)
    now = outputs.to_state(wanted, FOUND)
    moved = ClientList(clients=(client(1, **FIRST), *CLIENTS[1:]))
    before = {
        **outputs.to_state(wanted, FOUND),
        "clients": outputs.to_state(wanted, moved)["clients"],
        "clientType": "x",
    }
    assert before["clients"] != now["clients"]
    assert outputs.same_but_volatile(before, now)
    del before["serviceTotalCount"]
    assert outputs.same_but_volatile(before, now)
    assert not outputs.same_but_volatile({**before, "complete": False}, now)
    stopped = ClientList(clients=(client(1, status="STOPPED"), *CLIENTS[1:]))
    assert not outputs.same_but_volatile({**before, "clients": outputs.to_state(wanted, stopped)["clients"]}, now)
    assert not outputs.same_but_volatile({}, now)


def test_warnings() -> None:
    """Of a list that may lack clients, and of one that makes the stack slow; a single page is what was requested."""
    short = ClientList(complete=False)
    assert "may be incomplete" in next(outputs.warnings_of(parsed(), short))
    assert [*outputs.warnings_of(parsed(page_size=5), short), *outputs.warnings_of(parsed(), FOUND)] == []
    assert outputs.size_text("x" * 1_000_000) is None
    text = outputs.size_text("x" * 2_500_000) or ""
    assert [part for part in ("2.5 MB", "fields=", "get_backup_clients") if part not in text] == []
