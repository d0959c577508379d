"""Faults, limits, forms of responses, and how the list changes between pages: each is what its name says."""

import json
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from pulumi_hbr_clients.emulator import Backend, Turnover, Window, new_row, new_rows, service
from pulumi_hbr_clients.emulator.responses import FAULTS, ApiResponse
from tests.emulator.caller import Caller
from tests.virtual_clock import VirtualClock


def body(response: ApiResponse) -> Any:
    return json.loads(response.body)


def has_code(status: int, code: str) -> Callable[[ApiResponse], bool]:
    return lambda response: (response.status, response.code, body(response)["Code"]) == (status, code, code)


def is_html(status: int) -> Callable[[ApiResponse], bool]:
    return lambda r: (r.status, r.content_type) == (status, "text/html; charset=utf-8") and r.body.startswith(b"<html>")


FAULTS_AS_SEEN: dict[str, Callable[[ApiResponse], bool]] = {
    "throttle": lambda r: (r.status, r.code, r.headers) == (400, "Throttling.User", ()),
    "throttle:700": lambda r: r.headers == (("x-acs-retry-after", "700"),),
    "throttle_seconds:3": lambda r: r.headers == (("retry-after", "3"),),
    "throttle_date:3": lambda r: parsedate_to_datetime(dict(r.headers)["retry-after"]).timestamp() == 1_760_000_003,
    "unavailable_html": is_html(503),
    "html": is_html(200),
    "redirect": lambda r: (r.status, r.body, r.headers[0][0]) == (302, b"", "location"),
    "xml": lambda r: r.content_type == "text/xml;charset=utf-8" and b"<Code>BadRequest</Code>" in r.body,
    "empty": lambda r: (r.status, r.body) == (200, b""),
    "half_json": lambda r: r.status == 200 and not r.body.endswith(b"}"),
    "drop": lambda r: (r.drop, r.body) == ("before", b""),
    "drop_body": lambda r: r.drop == "within" and len(body(r)["Clients"]) == 12,
    "drop_after": lambda r: r.drop == "after" and r.code == "200",
    "slow:0.2": lambda r: r.delay == 0.2 and r.code == "200",
    "refused": lambda r: r.status == 200 and body(r)["Success"] is False and r.code == "InternalError",
    "wrong_clients": lambda r: body(r)["Clients"] == 5,
    "no_total": lambda r: "TotalCount" not in body(r) and len(body(r)["Clients"]) == 12,
    "no_page": lambda r: (body(r)["TotalCount"], body(r)["Clients"]) == (12, []),
    "ServiceNotActivated": has_code(403, "ServiceNotActivated"),
    "SignatureDoesNotMatch": has_code(403, "SignatureDoesNotMatch"),
    "400 9990040003 Throttling.Resource: slow down": lambda r: body(r)["Message"] == "Throttling.Resource: slow down",
    "503 systembusy": has_code(503, "systembusy"),
    "200 InternalError": lambda r: r.status == 200 and body(r)["Success"] is False,
    "none": has_code(200, "200"),
}


@pytest.mark.parametrize("fault", FAULTS_AS_SEEN)
def test_faults(backend: Backend, caller: Caller, fault: str) -> None:
    """A fault is what its name says, hits one request, and is in the log."""
    backend.next_faults += [fault]
    assert FAULTS_AS_SEEN[fault](caller.call())
    assert caller.code() == "200"
    assert [record.fault for record in backend.log] == [fault, None]


def test_every_fault_is_seen() -> None:
    """No fault goes without its test above, but those that only say a code."""
    assert {name for name in FAULTS if name.islower()} <= {fault.partition(":")[0] for fault in FAULTS_AS_SEEN}


def test_random_faults_repeat() -> None:
    """The same seed draws the same faults, about as many as the rate says."""
    first, again = (Backend(fault_rate=0.05, seed=3) for _ in range(2))
    drawn = [first.take_fault() for _ in range(2000)]
    assert drawn == [again.take_fault() for _ in range(2000)]
    assert 60 < len(drawn) - drawn.count(None) < 140


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("next_faults", ["thottle"], "next_faults: no such fault: 'thottle'; one of none, throttle,"),
        ("latency", -1, "latency: Input should be greater than or equal to 0 (given: -1)"),
        ("order", "sorted", "order: Input should be 'arrival', 'id'"),
        ("turnover", {"form": 1}, "turnover.form: Extra inputs are not permitted (given: 1)"),
        ("window", {}, "window.limit: Field required (given: {})"),
    ],
)
def test_behaviours_are_checked(name: str, value: object, message: str) -> None:
    """A value that makes no sense is refused where it is set, and the backend stays as it was."""
    backend = Backend()
    before = getattr(backend, name)
    with pytest.raises(ValueError, match=r".") as raised:
        setattr(backend, name, value)
    assert str(raised.value).startswith(message)
    assert getattr(backend, name) == before
    with pytest.raises(ValueError, match="no such behaviour: latancy"):
        Backend(latancy=1)


@pytest.mark.parametrize(
    ("limit", "steps"),
    [
        pytest.param({"rate": 4.0}, [(0, 6, 4), (0.5, 3, 2), (60, 6, 4)], id="a bucket of 4 tokens"),
        pytest.param({"window": Window(limit=5)}, [(50, 7, 5), (9.5, 1, 0), (0.5, 6, 5)], id="a minute of the clock"),
        pytest.param(
            {"window": Window(limit=2, kind="sliding")},
            [(20, 1, 1), (20, 1, 1), (20, 1, 0), (20, 1, 1), (20, 1, 1), (20, 1, 0), (20, 1, 1)],
            id="any minute, throttled requests not counted",
        ),
    ],
)
def test_limits(clock: VirtualClock, limit: dict[str, Any], steps: list[tuple[float, int, int]]) -> None:
    """After each pause, the limit lets this many of the requests pass; the others are throttled."""
    clock.advance(-clock.time() % 60)  # a minute begins
    caller = Caller(Backend(clock=clock.time, **limit))
    for seconds, requests, passing in steps:
        clock.advance(seconds)
        codes = [caller.code() for _ in range(requests)]
        assert codes == ["200"] * passing + ["Throttling.User"] * (requests - passing)


@pytest.mark.parametrize(
    ("kind", "header", "value"),
    [
        ("fixed", "x-acs-retry-after", "15000"),
        ("sliding", "x-acs-retry-after", "35000"),
        ("fixed", "retry-after", "15"),
        ("sliding", None, None),
    ],
)
def test_a_window_says_when(caller: Caller, clock: VirtualClock, kind: Any, header: Any, value: str | None) -> None:
    """A throttled response names the time until the next request passes, in the header that is set, if any."""
    clock.advance(-clock.time() % 60 + 20)
    caller.backend.window = Window(limit=1, kind=kind, retry_header=header)
    caller.call()
    clock.advance(25)
    assert dict(caller.call().headers) == ({header: value} if header else {})


# How the list changes


def ids(clients: list[dict[str, Any]]) -> list[str]:
    return [row["ClientId"] for row in clients]


@pytest.fixture
def plain(clock: VirtualClock) -> Caller:
    """A caller of a backend of 100 clients, every second one tagged group=a and with BackupStatus PROTECTED."""
    rows = [
        {**row, "Tags": [{"Key": "group", "Value": "ab"[n % 2]}], "BackupStatus": ["PROTECTED", "UNPROTECTED"][n % 2]}
        for n, row in enumerate(new_rows(100))
    ]
    return Caller(Backend(rows, clock=clock.time))


def read(caller: Caller, pages: int, tagged: dict[str, str] | None = None, **query: Any) -> list[str]:
    """The ids of some pages, read one after another."""
    return [i for n in range(1, pages + 1) for i in ids(caller.page(n, body=tagged, **query)["Clients"])]


def test_pages_are_cut_from_the_order(plain: Caller) -> None:
    """Pages give every client once, in the order that is set, and nothing beyond the end."""
    backend, rows = plain.backend, plain.backend.rows()
    assert read(plain, 11) == ids(rows) != sorted(ids(rows))
    backend.order = "id"
    assert read(plain, 11) == sorted(ids(rows))
    backend.order = "name"
    assert read(plain, 11) == ids(sorted(rows, key=lambda row: str(row["Hostname"])))
    backend.order = "random"
    assert read(plain, 11) == read(plain, 11) != ids(rows)
    backend.order = "shuffled"
    assert read(plain, 1) != read(plain, 1)
    assert len(set(read(plain, 10))) < 100


@pytest.mark.parametrize("order", ["arrival", "id", "name"])
@pytest.mark.parametrize(("leave_from", "arrive_at", "lost"), [("front", "end", 9), ("end", "front", 0)])
def test_turnover_moves_pages(plain: Caller, order: Any, leave_from: Any, arrive_at: Any, lost: int) -> None:
    """One leaves and one arrives after every page: a naive reader misses a client at each border, or sees it twice."""
    backend = plain.backend
    before = set(ids(backend.rows()))
    backend.order, backend.turnover = order, Turnover(leave_from=leave_from, arrive_at=arrive_at)
    seen = read(plain, 10)
    after = set(ids(backend.rows()))
    assert (len(after), len(after - before)) == (100, 10)
    assert len(seen) == 100
    assert (len((before & after) - set(seen)), len(seen) - len(set(seen))) == (lost, 9 - lost)


TAGGED = {"Tag.1.Key": "group", "Tag.1.Value": "a"}
PROTECTED = {"Filters.1.Key": "BackupStatus", "Filters.1.Values.1": "PROTECTED"}


@pytest.mark.parametrize("arrivals", ["old", "new"])
@pytest.mark.parametrize(("by", "asked"), [("tags", {"tagged": TAGGED}), ("filters", PROTECTED)])
def test_turnover_by_fields(plain: Caller, by: Any, asked: dict[str, Any], arrivals: Any) -> None:
    """Clients stop matching and others start to: the selection changes at equal totals, nobody has left the fleet."""
    backend = plain.backend
    fleet, before = set(ids(backend.rows())), set(read(plain, 5, **asked))
    backend.turnover = Turnover(by=by, arrivals=arrivals)
    seen = read(plain, 5, **asked)
    backend.turnover = None
    after = set(read(plain, 5, **asked))
    assert (len(before), len(after), len(before & after)) == (50, 50, 45)
    assert (before & after) - set(seen)
    assert fleet <= set(ids(backend.rows()))
    assert ((after - before) <= fleet) == (arrivals == "old")
    backend.turnover = Turnover(by=by)
    assert read(plain, 2) == read(plain, 2)  # a query that selects by neither sees no change


def test_turnover_arrivals_and_times(plain: Caller, clock: VirtualClock) -> None:
    """Who arrives was created now or long ago; one event happens once, after its page; leaving needs no arrival."""
    backend = plain.backend
    known = set(ids(backend.rows()))

    def created() -> list[int]:
        return [row["CreatedTime"] for row in backend.rows() if row["ClientId"] not in known]

    backend.turnover = Turnover(every=3, times=1, leave_from="anywhere", arrive_at="anywhere")
    read(plain, 2)
    assert created() == []
    read(plain, 8)
    assert created() == [int(clock.time())]
    backend.turnover = Turnover(arrivals="old", leaving=0, times=2)
    read(plain, 5)
    assert [at < clock.time() - 86_400 for at in created()] == [False, True, True]
    backend.turnover = Turnover(arriving=0, leaving=3, times=1)
    assert [plain.page(1)["TotalCount"] for _ in range(3)] == [102, 99, 99]


def test_wrong_totals_and_short_pages(plain: Caller) -> None:
    """Every second page names a wrong total; pages are shorter than requested, and PageSize says so."""
    backend = plain.backend
    backend.total_drift = -3
    assert [plain.page(n)["TotalCount"] for n in (1, 2, 3, 4)] == [100, 97, 100, 97]
    backend.total_drift, backend.page_size_max = 0, 7
    page = plain.page(1, 99)
    assert (page["PageSize"], len(page["Clients"]), page["TotalCount"]) == (7, 7, 100)


def test_the_date_header(backend: Backend, caller: Caller, clock: VirtualClock) -> None:
    """Responses have the service's time in their Date header, or no such header."""
    backend.clock_offset = 100.0
    date = service.response_headers(backend, caller.call())["date"]
    assert parsedate_to_datetime(date).timestamp() == clock.time() + 100
    backend.date_header = False
    assert "date" not in service.response_headers(backend, caller.call())


def test_a_lone_surrogate(backend: Backend, caller: Caller) -> None:
    """Half a character in a row is sent as JSON's escape for it."""
    backend.change(new_row("sample/web-1")["ClientId"], {"Hostname": "web-1\ud83d"})
    assert rb'"Hostname":"web-1\ud83d"' in caller.call().body
