"""When a gate passes: the decision as a table of cases, its properties, and its words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hbr_clients.activation import condition as gate
from pulumi_hbr_clients.activation import messages
from pulumi_hbr_clients.activation.evaluation import STATUSES, Verdict, evaluate
from pulumi_hbr_clients.model import validators
from pulumi_hbr_clients.model.backup_client import BackupClient, from_wire
from pulumi_hbr_clients.model.outputs import ClientList

NOW = 1_700_000_000.0
FAILING = ("INSTALL_FAILED", "DEACTIVATED", "UNINSTALL_FAILED", "UPGRADE_FAILED")


def client(number: int = 1, status: str | None = "ACTIVATED", **more: Any) -> BackupClient:
    row = {"ClientId": f"c-{number}", "InstanceId": f"i-{number}", "Status": status, "UpdatedTime": 1_699_999_000}
    return from_wire([{**row, **more}])[0]


def verdict(
    *clients: BackupClient, unknown_for: dict[str, float] | None = None, complete: bool = True, **arguments: Any
) -> Verdict:
    parsed = gate.parse({"client_type": "ECS_CLIENT", **arguments})
    found = ClientList(
        clients=clients,
        missing_client_ids=tuple(sorted(set(parsed.query.client_ids or ()) - {c.client_id for c in clients})),
        missing_instance_ids=tuple(sorted(set(parsed.query.instance_ids or ()) - {c.instance_id for c in clients})),
        complete=complete,
    )
    return evaluate(parsed, found, now=NOW, unknown_for=unknown_for or {})


def record(client_id: str, status: str) -> BackupClient:
    """One of several clients of an instance."""
    return client(1, status, ClientId=client_id)


OLD: dict[str, Any] = {"LastHeartBeatTime": NOW - 400}
DISCONNECTED, LONG = (client(1, "UNKNOWN"),), {"c-1": 120.0}
CASES: list[tuple[str, tuple[BackupClient, ...], dict[str, Any], str]] = [
    ("one that is activated", (client(),), {}, "passed"),
    ("none that matches", (), {}, "waiting"),
    ("fewer than enough", (client(),), {"min_clients": 2}, "waiting"),
    ("enough", (client(1), client(2)), {"min_clients": 2}, "passed"),
    (
        "more than enough, one installing",
        (client(1), client(2), client(3, "INSTALLING")),
        {"min_clients": 2},
        "waiting",
    ),
    ("an id that is activated", (client(),), {"instance_ids": ["i-1"]}, "passed"),
    ("an id without a client", (client(),), {"instance_ids": ["i-1", "i-2"]}, "waiting"),
    ("a client id that is activated", (client(),), {"client_ids": ["c-1"]}, "passed"),
    ("a client id that does not exist", (), {"client_ids": ["c-1"]}, "waiting"),
    (
        "a client id whose instance has another client",
        (record("c-1", "DEACTIVATED"), record("c-2", "ACTIVATED")),
        {"client_ids": ["c-1", "c-2"]},
        "failed",
    ),
    ("an empty id list", (), {"instance_ids": []}, "passed"),
    ("a fresh heartbeat", (client(LastHeartBeatTime=NOW - 100),), {"max_heartbeat_age": "5m"}, "passed"),
    ("an old heartbeat", (client(**OLD),), {"max_heartbeat_age": "5m"}, "waiting"),
    ("no heartbeat", (client(LastHeartBeatTime=None),), {"max_heartbeat_age": "5m"}, "waiting"),
    ("an old heartbeat that nobody asked about", (client(**OLD),), {}, "passed"),
    ("a version that will do", (client(ClientVersion="2.13.0"),), {"min_client_version": "2.9"}, "passed"),
    ("a version too old", (client(ClientVersion="2.8.9"),), {"min_client_version": "2.9"}, "waiting"),
    ("a version nobody can read", (client(ClientVersion="x"),), {"min_client_version": "2.9"}, "waiting"),
    ("protected", (client(BackupStatus="PROTECTED"),), {"backup_status": "PROTECTED"}, "passed"),
    ("not protected", (client(BackupStatus="UNPROTECTED"),), {"backup_status": "PROTECTED"}, "waiting"),
    ("no backup status", (client(),), {"backup_status": "PROTECTED"}, "waiting"),
    ("no status", (client(status=None),), {}, "waiting"),
    ("disconnected just now", DISCONNECTED, {}, "waiting"),
    ("disconnected for less than the grace period", DISCONNECTED, {"unknown_for": {"c-1": 119.0}}, "waiting"),
    ("disconnected for the grace period", DISCONNECTED, {"unknown_for": LONG}, "failed"),
    ("disconnected for long and tolerated", DISCONNECTED, {"unknown_for": LONG, "tolerate": ["UNKNOWN"]}, "waiting"),
    ("disconnected without any grace", DISCONNECTED, {"unknown_grace": 0}, "failed"),
    ("filters: someone might not be listed", (client(),), {"complete": False}, "waiting"),
    ("ids: all were seen", (client(),), {"complete": False, "instance_ids": ["i-1"]}, "passed"),
    ("one of two failed", (client(1), client(2, "INSTALL_FAILED")), {}, "failed"),
    ("failed beats missing", (client(1, "INSTALL_FAILED"),), {"instance_ids": ["i-1", "i-2"]}, "failed"),
]


@pytest.mark.parametrize(("clients", "arguments", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_cases(clients: tuple[BackupClient, ...], arguments: dict[str, Any], expected: str) -> None:
    """Each case by its name."""
    assert verdict(*clients, **arguments).state == expected


def test_every_status() -> None:
    """Four end the wait at once, unless they are tolerated; none but ACTIVATED passes; a new one is waited out."""
    assert set(STATUSES) == set(validators.STATUSES)
    for status in {*STATUSES, "A_NEW_ONE"} - {"ACTIVATED"}:
        assert verdict(client(1), client(2, status)).state == ("failed" if status in FAILING else "waiting")
        assert verdict(client(1), client(2, status), tolerate=[status]).state == "waiting"


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (("DEACTIVATED", "ACTIVATED"), "passed"),
        (("ACTIVATED", "STOPPED"), "passed"),
        (("INSTALL_FAILED", "INSTALLING"), "waiting"),
        (("INSTALL_FAILED", "DEACTIVATED"), "failed"),
        (("STOPPED", "REGISTERED"), "waiting"),
    ],
)
def test_an_instance_with_several_clients(statuses: tuple[str, str], expected: str) -> None:
    """It passes when any of its clients passes, and fails only when none can any more; an old one blocks nothing."""
    clients = [record(f"c-{number}", status) for number, status in enumerate(statuses)]
    found = verdict(*clients, instance_ids=["i-1"])
    assert (found.state, found.wanted, found.ready) == (expected, 1, int(expected == "passed"))
    if statuses == ("INSTALL_FAILED", "INSTALLING"):
        assert [blocking.status for blocking in found.waiting] == ["INSTALLING"]


def test_ids_that_another_filter_drops() -> None:
    """An id whose client does not match the rest is not forgotten."""
    parsed = gate.parse({"client_type": "ECS_CLIENT", "instance_ids": ["i-1", "i-2"], "zone_ids": ["z"]})
    found = evaluate(parsed, ClientList(clients=(client(1),)), now=NOW)
    assert found.state == "waiting"
    assert [blocking.why for blocking in found.waiting] == ["its client does not match the other filters"]


CLIENTS = st.builds(client, st.integers(1, 30), st.sampled_from([*STATUSES, "A_NEW_ONE"]))
LOTS = st.lists(CLIENTS, max_size=12, unique_by=lambda c: c.identity)


@given(LOTS, st.integers(1, 4))
def test_one_more_activated_client_never_closes_a_gate(clients: list[BackupClient], min_clients: int) -> None:
    """What passes still passes when another activated client arrives."""
    before = verdict(*clients, min_clients=min_clients)
    after = verdict(*clients, client(99), min_clients=min_clients)
    assert before.state != "passed" or after.state == "passed"
    assert (before.state == "failed") is (after.state == "failed")


@given(LOTS.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_order_never_matters(orders: tuple[list[BackupClient], list[BackupClient]]) -> None:
    """Only who is there, not in which order."""
    one, other = (verdict(*clients) for clients in orders)
    assert (one.state, one.ready, one.wanted) == (other.state, other.ready, other.wanted)
    assert set(one.waiting) == set(other.waiting)
    assert set(one.failed) == set(other.failed)


def test_the_summary() -> None:
    """How many of how many, which ones are missing, and an outage."""
    found = verdict(client(1), client(2, "INSTALLING"), instance_ids=["i-1", "i-2", "i-3", "i-4", "i-5"])
    assert messages.summary_line(found, "connection refused") == (
        "1 of 5 activated; waiting for c-2 (i-2): INSTALLING, i-3: missing, i-4: missing, and 1 more; "
        "the service does not answer: connection refused"
    )


def test_the_lines_of_a_failure() -> None:
    """Each client with instance, status, since when and what to do; at most ten, then counts."""
    failed = verdict(*(client(number, "INSTALL_FAILED") for number in range(1, 13)))
    head, *lines = messages.failure_text(failed).split("\n  ")
    assert head == "12 of 12 backup clients will not be activated by waiting:"
    assert lines[0] == (
        "c-1 (i-1): INSTALL_FAILED since 2023-11-14 21:56:40Z. "
        "Check Cloud Assistant and that the instance runs, then install again"
    )
    assert len(lines) == 11
    assert lines[-1] == "and 2 more: 2 INSTALL_FAILED"


def test_times_in_words() -> None:
    """Durations are short, for a line; a service may send any number as a time."""
    texts = [messages.format_duration(seconds) for seconds in (9, 65, 3700, -3)]
    assert texts == ["9s", "1m05s", "1h01m", "0s"]
    assert messages.format_timestamp(10**400) == f"{10**400} (UNIX time)"
