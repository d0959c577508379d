"""Which pages next, and when the list is whole: `Paginator` against a fleet that moves, without a network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.backup_client import from_wire
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.codec import Page, PageRequest
from pulumi_hbr_clients.protocol.paginator import READINGS, Paginator

NOW = 1_700_000_000.0
LONG_AGO = NOW - 86_400


def query_of(**arguments: Any) -> Query:
    query = queries.parse({"client_type": "ECS_CLIENT", **arguments})
    assert query is not None
    return query


@dataclass
class Fleet:
    """Numbers stand for clients: 7 is client c-00007 on instance i-00007."""

    numbers: list[int]
    after_page: Callable[["Fleet"], None] = lambda _fleet: None
    holds: int = 99
    says_holds: bool = True
    total: Callable[[int], int] = lambda count: count
    created: Callable[[int], float] = lambda _number: LONG_AGO
    asked: list[PageRequest] = field(default_factory=list)

    def page(self, ask: PageRequest) -> Page:
        self.asked.append(ask)
        rows = [n for n in self.numbers if _asked_for(ask.client_ids, "c", n) and _asked_for(ask.instance_ids, "i", n)]
        size = min(ask.page_size or 10, self.holds)
        first = ((ask.page_number or 1) - 1) * size
        found = from_wire([row_of(number, CreatedTime=self.created(number)) for number in rows[first : first + size]])
        page = Page(found, self.total(len(rows)), size if self.says_holds else ask.page_size, date=formatdate(NOW))
        self.after_page(self)
        return page


def _asked_for(ids: tuple[str, ...] | None, letter: str, number: int) -> bool:
    return not ids or f"{letter}-{number:05}" in ids


def row_of(number: int, **more: Any) -> dict[str, Any]:
    return {"ClientId": f"c-{number:05}", "InstanceId": f"i-{number:05}", "Status": "ACTIVATED", **more}


def read(fleet: Fleet, **arguments: Any) -> ClientList:
    state = Paginator(query_of(**arguments))
    while asks := state.asks():
        for ask in asks:
            state.take(ask, fleet.page(ask))
    return state.result()


def numbers_of(found: ClientList) -> list[int]:
    return [int(i[2:]) for i in found.ids]


@pytest.mark.parametrize("count", [0, 1, 98, 99, 100, 198, 1000])
def test_a_calm_fleet(count: int) -> None:
    """Exactly the pages it takes, once each; sorted by id whatever order they came in."""
    fleet = Fleet(list(reversed(range(count))))
    found = read(fleet)
    assert numbers_of(found) == list(range(count))
    assert found.complete
    assert [ask.page_number for ask in fleet.asked] == list(range(1, max(1, -(-count // 99)) + 1))
    assert found.request_count == len(fleet.asked)


def test_all_other_pages_go_out_at_once() -> None:
    """Page 1 alone tells the total; then there is nothing to wait for."""
    fleet, state = Fleet(list(range(1000))), Paginator(query_of())
    (first,) = state.asks()
    state.take(first, fleet.page(first))
    assert len(state.asks()) == 10


def test_a_short_page_ends_nothing() -> None:
    """A service that holds its pages shorter than asked, and says so, is read to its total."""
    found = read(Fleet(list(range(500)), holds=50))
    assert (len(found.clients), found.complete, found.request_count) == (500, True, 10)


def test_a_short_page_that_says_nothing() -> None:
    """What cannot be found is told: the list is marked incomplete, never silently short."""
    found = read(Fleet(list(range(500)), holds=50, says_holds=False))
    assert len(found.clients) < 500
    assert not found.complete


def test_long_id_lists_are_split() -> None:
    """99 ids a request, one page each, joined; and what has no client is named."""
    fleet = Fleet(list(range(250)))
    ids = [f"i-{n:05}" for n in range(300)]
    found = read(fleet, instance_ids=ids)
    assert numbers_of(found) == list(range(250))
    assert [len(ask.instance_ids or ()) for ask in fleet.asked] == [99, 99, 99, 3]
    assert list(found.missing_instance_ids) == ids[250:]
    assert found.missing_client_ids == ()


def test_two_long_id_lists() -> None:
    """Both are split, and every pair of parts is asked."""
    fleet = Fleet(list(range(250)))
    found = read(
        fleet, client_ids=[f"c-{n:05}" for n in range(150)], instance_ids=[f"i-{n:05}" for n in range(100, 220)]
    )
    assert numbers_of(found) == list(range(100, 150))
    assert len(fleet.asked) == 4
    assert len(found.missing_client_ids) == 100


@pytest.mark.parametrize("name", ["client_ids", "instance_ids"])
def test_an_empty_id_list_asks_nothing(name: str) -> None:
    """Never the whole fleet, not even one request."""
    fleet = Fleet(list(range(5)))
    found = read(fleet, **{name: []})
    assert (found.clients, found.complete, found.request_count, fleet.asked) == ((), True, 0, [])


def test_a_single_page() -> None:
    """PageNumber and PageSize ask for that page only, and the result says if that was not all."""
    fleet = Fleet(list(range(25)))
    assert numbers_of(read(fleet, page_number=2, page_size=10)) == list(range(10, 20))
    assert numbers_of(read(fleet, page_number=3)) == list(range(20, 25))
    assert not read(fleet, page_size=10).complete
    assert read(fleet, page_size=25).complete
    assert len(fleet.asked) == 4


def test_totals_that_disagree_are_read_again() -> None:
    """A client that arrives between two pages is seen; both readings are joined."""
    fleet = Fleet(list(range(150)))
    fleet.after_page = lambda f: f.numbers.append(150) if len(f.asked) == 1 else None
    found = read(fleet)
    assert (numbers_of(found), found.complete, found.request_count) == (list(range(151)), True, 4)


def test_what_has_gone_is_not_listed() -> None:
    """A client of the first reading that the second lacks is asked for by its id before it is dropped."""
    fleet = Fleet(list(range(150)))

    def leave(f: Fleet) -> None:
        if len(f.asked) == 1:
            f.numbers.remove(3)

    fleet.after_page = leave
    found = read(fleet)
    assert numbers_of(found) == [n for n in range(150) if n != 3]
    assert found.complete
    assert fleet.asked[-1] == PageRequest(1, 99, ("c-00003",), ())


def test_a_total_that_never_fits() -> None:
    """Reading again is bounded, and the result says that it is not whole."""
    fleet = Fleet(list(range(10)), total=lambda count: count + 1)
    found = read(fleet)
    assert (len(found.clients), found.complete, found.request_count) == (10, False, READINGS)


def test_verified_reads_twice() -> None:
    """Two whole readings that agree, when nothing moves."""
    found = read(Fleet(list(range(150))), consistency="verified")
    assert (len(found.clients), found.complete, found.request_count) == (150, True, 4)


def shift(fleet: Fleet) -> None:
    """One client leaves at the front and one arrives at the end, between any two pages."""
    fleet.numbers = [*fleet.numbers[1:], fleet.numbers[-1] + 1]


@pytest.mark.parametrize("holds", [99, 20])
def test_shifting_pages_miss_no_one_who_stayed(holds: int) -> None:
    """With one leaving and one arriving per page, whoever was there all along is listed; and it says so if not calm."""
    fleet = Fleet(list(range(1960)), after_page=shift, holds=holds)
    found = read(fleet, consistency="verified")
    stayed = set(fleet.numbers) & set(range(1960))
    assert stayed - set(numbers_of(found)) == set()
    assert not found.complete


def test_shifting_pages_are_seen_without_being_asked_to() -> None:
    """Whoever leaves and whoever arrives cancel out in every total; that somebody is new gives it away."""
    fleet = Fleet(list(range(1960)), after_page=shift, created=lambda number: NOW if number >= 1960 else LONG_AGO)
    found = read(fleet)
    stayed = set(fleet.numbers) & set(range(1960))
    assert stayed - set(numbers_of(found)) == set()
    assert not found.complete


@pytest.mark.parametrize(("count", "requests"), [(99, 1), (150, 4)])
def test_a_new_client_costs_a_second_reading(count: int, requests: int) -> None:
    """Two whole readings agree then; a list of one page is a moment and needs no second one."""
    fleet = Fleet(list(range(count)), created=lambda number: NOW - 30 if number == 7 else LONG_AGO)
    found = read(fleet)
    assert (len(found.clients), found.complete, found.request_count) == (count, True, requests)


def test_own_filters_come_after() -> None:
    """They narrow the list, and what they drop does not count as missing."""
    rows = from_wire([row_of(1, ZoneId="a", OsType="linux"), row_of(2, Status="STOPPED", ClientVersion="1")])
    state = Paginator(query_of(statuses=["ACTIVATED"], instance_ids=["i-00001", "i-00002", "i-00003"]))
    for ask in state.asks():
        state.take(ask, Page(rows, 2))
    assert state.asks() == []
    found = state.result()
    assert (found.ids, found.missing_instance_ids) == (("c-00001",), ("i-00003",))
    assert found.counts_by_status == {"ACTIVATED": 1}
    assert found.total_count == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"statuses": ["STOPPED"]}, [2]),
        ({"backup_statuses": ["PROTECTED"]}, [1]),
        ({"zone_ids": ["z-1", "z-2"]}, [1, 2]),
        ({"os_types": ["windows"]}, [2]),
        ({"outdated": True}, [1]),
        ({"outdated": False}, [2]),
        ({"statuses": []}, []),
    ],
    ids=repr,
)
def test_each_own_filter(arguments: dict[str, Any], expected: list[int]) -> None:
    """Statuses, backup statuses, zones, systems and versions."""
    rows = [
        row_of(1, BackupStatus="PROTECTED", ZoneId="z-1", OsType="linux", ClientVersion="1.9", MaxClientVersion="1.10"),
        {**row_of(2, ZoneId="z-2", OsType="windows", ClientVersion="2", MaxClientVersion="2"), "Status": "STOPPED"},
    ]
    state = Paginator(query_of(**arguments))
    (ask,) = state.asks()
    state.take(ask, Page(from_wire(rows), 2))
    assert state.asks() == []
    assert numbers_of(state.result()) == expected


def test_a_client_without_an_id_is_not_lost() -> None:
    """Rows are told apart by client id, else by instance, else by all they say."""
    rows = from_wire([{"InstanceId": "i-1"}, {"Hostname": "a"}, {"Hostname": "b"}, {"ClientId": "c-1"}])
    state = Paginator(query_of())
    (ask,) = state.asks()
    state.take(ask, Page(rows, 4))
    assert state.asks() == []
    found = state.result()
    assert (len(found.clients), found.complete, found.ids) == (4, True, ("c-1",))


@given(
    count=st.integers(0, 400),
    moves=st.lists(st.tuples(st.integers(1, 12), st.sampled_from(["leave", "arrive", "both"])), max_size=6),
    verified=st.booleans(),
)
def test_any_movement(count: int, moves: list[tuple[int, str]], *, verified: bool) -> None:
    """Once the fleet is calm, a list called complete holds no one who has gone, and everyone if it was verified."""
    fleet = Fleet(list(range(count)))

    def move(f: Fleet) -> None:
        for when, what in moves:
            if len(f.asked) == when:
                f.numbers = f.numbers[what != "arrive" :]
                f.numbers += [1000 + when] if what != "leave" else []

    fleet.after_page = move
    found = read(fleet, consistency="verified" if verified else "counted")
    if found.complete and verified:
        stayed = set(fleet.numbers) & set(range(count))
        assert stayed <= set(numbers_of(found))
    assert len(set(found.ids)) == len(found.ids)
    assert found.request_count <= (READINGS + 1) * (count // 99 + 3)
