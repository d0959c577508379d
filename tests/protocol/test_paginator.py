"""`Paginator` against a simulated fleet that changes between pages: exactly these requests, never silently short."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.backup_client import from_wire
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.protocol.codec import PageRequest
from pulumi_hbr_clients.protocol.decoder import Page
from pulumi_hbr_clients.protocol.paginator import MAX_PASSES, Paginator


def row_of(number: int, **more: Any) -> dict[str, Any]:
    return {"ClientId": f"c-{number:05}", "InstanceId": f"i-{number:05}", "Status": "ACTIVATED", **more}


@dataclass
class Fleet:
    """Numbers stand for clients, in the service's order: 7 is client c-00007 on instance i-00007."""

    numbers: list[int]
    after_page: Callable[["Fleet"], None] = lambda _fleet: None
    page_size_max: int = 99
    names_page_size: bool = True
    total: Callable[[int], int] = lambda count: count
    instance: Callable[[int], int] = lambda number: number
    requests: list[PageRequest] = field(default_factory=list)

    def page(self, request: PageRequest) -> Page:
        self.requests.append(request)
        numbers = [
            n
            for n in self.numbers
            if (not request.client_ids or f"c-{n:05}" in request.client_ids)
            and (not request.instance_ids or f"i-{self.instance(n):05}" in request.instance_ids)
        ]
        size = min(request.page_size or 10, self.page_size_max)
        first = ((request.page_number or 1) - 1) * size
        named = size if self.names_page_size else request.page_size
        note = f"request {len(self.requests)}"
        rows = [row_of(n, InstanceId=f"i-{self.instance(n):05}", Hostname=note) for n in numbers[first : first + size]]
        page = page_of(rows, self.total(len(numbers)), named)
        self.after_page(self)
        return page


def page_of(rows: list[dict[str, Any]], total: int, page_size: int | None = None) -> Page:
    clients = from_wire(rows)
    return Page(ids=[client.identity for client in clients], clients=clients, total=total, page_size=page_size)


def paginator(**arguments: Any) -> Paginator:
    return Paginator(queries.parse({"client_type": "ECS_CLIENT", **arguments}))


def read(fleet: Fleet, **arguments: Any) -> ClientList:
    state = paginator(**arguments)
    while requests := state.next_requests():
        for request in requests:
            state.add_page(request, fleet.page(request))
    return state.result()


def numbers_of(found: ClientList) -> list[int]:
    return [int(i[2:]) for i in found.ids]


@pytest.mark.parametrize("consistency", ["verified", "counted"])
@pytest.mark.parametrize("count", [0, 1, 98, 99, 100, 198, 1000])
def test_fleet_that_does_not_change(count: int, consistency: str) -> None:
    """One page is requested once; several pages twice each where they are verified; clients come sorted by id."""
    fleet = Fleet(list(reversed(range(count))))
    found = read(fleet, consistency=consistency)
    pages = max(1, -(-count // 99))
    passes = 2 if pages > 1 and consistency == "verified" else 1
    assert (numbers_of(found), found.complete) == (list(range(count)), True)
    assert [request.page_number for request in fleet.requests] == [*range(1, pages + 1)] * passes
    assert found.request_count == len(fleet.requests)


def test_records_come_from_the_first_pass() -> None:
    """A later pass that finds the same ids changes no record."""
    found = read(Fleet(list(range(150))))
    assert {client.hostname for client in found.clients} == {"request 1", "request 2"}


@pytest.mark.parametrize("names_page_size", [True, False])
def test_pages_shorter_than_requested(names_page_size: bool) -> None:  # noqa: FBT001  pytest passes it
    """They do not end the list, whether the service names their real size or not."""
    found = read(Fleet(list(range(500)), page_size_max=50, names_page_size=names_page_size))
    assert (len(found.clients), found.complete, found.request_count) == (500, True, 20)


def test_long_id_lists_are_split() -> None:
    """99 ids a request, one page each, joined; ids without a client are named."""
    fleet = Fleet(list(range(250)))
    ids = [f"i-{n:05}" for n in range(300)]
    found = read(fleet, instance_ids=ids)
    assert (numbers_of(found), found.complete) == (list(range(250)), True)
    assert [len(request.instance_ids or ()) for request in fleet.requests] == [99, 99, 99, 3]
    assert list(found.missing_instance_ids) == ids[250:]
    assert found.missing_client_ids == ()


def test_a_part_of_several_pages_is_verified() -> None:
    """Instances may have several clients: a part of 99 instances with 150 clients is read twice, the others once."""
    fleet = Fleet(list(range(200)), instance=lambda number: number % 150 if number < 150 else number - 150)
    found = read(fleet, instance_ids=[f"i-{n:05}" for n in range(150)])
    assert (numbers_of(found), found.complete) == (list(range(200)), True)
    parts = [(len(request.instance_ids or ()), request.page_number) for request in fleet.requests]
    assert parts == [(99, 1), (51, 1), (99, 2), (99, 1), (99, 2)]


def test_two_long_id_lists() -> None:
    """Both are split, and every pair of parts is requested."""
    fleet = Fleet(list(range(250)))
    clients, instances = [f"c-{n:05}" for n in range(150)], [f"i-{n:05}" for n in range(100, 220)]
    found = read(fleet, client_ids=clients, instance_ids=instances)
    assert numbers_of(found) == list(range(100, 150))
    assert (len(fleet.requests), len(found.missing_client_ids)) == (4, 100)


@pytest.mark.parametrize("name", ["client_ids", "instance_ids"])
def test_an_empty_id_list_requests_nothing(name: str) -> None:
    """Never the whole fleet, not even one request."""
    fleet = Fleet(list(range(5)))
    found = read(fleet, **{name: []})
    assert (found.clients, found.complete, found.request_count, fleet.requests) == ((), True, 0, [])


def test_a_single_page() -> None:
    """PageNumber and PageSize request that page only; the result is complete if that was all."""
    fleet = Fleet(list(range(25)))
    assert numbers_of(read(fleet, page_number=2, page_size=10)) == list(range(10, 20))
    assert numbers_of(read(fleet, page_number=3)) == list(range(20, 25))
    assert not read(fleet, page_size=10).complete
    assert read(fleet, page_size=25).complete
    assert len(fleet.requests) == 4


def test_a_list_that_grows_by_a_page() -> None:
    """A page that names a greater total than the ones before it brings the further page into the same pass."""
    fleet = Fleet(list(range(198)))
    fleet.after_page = once_after(1, lambda numbers: numbers.extend(range(500, 510)))
    assert len(read(fleet).clients) == 208
    assert [request.page_number for request in fleet.requests] == [1, 2, 3] * 2


def once_after(number: int, change: Callable[[list[int]], object]) -> Callable[[Fleet], None]:
    def after_page(fleet: Fleet) -> None:
        if len(fleet.requests) == number:
            change(fleet.numbers)

    return after_page


def swap(leaves: int, joins_at: int) -> Callable[[list[int]], object]:
    """One client leaves while an old one, with a low number, or a new one joins: the total stays."""

    def change(numbers: list[int]) -> None:
        numbers.pop(leaves)
        numbers.insert(joins_at if joins_at >= 0 else len(numbers), 9_999)

    return change


@pytest.mark.parametrize("after", [1, 3, 7, 19])
@pytest.mark.parametrize("leaves", [0, 250, 500, -1], ids=lambda at: f"leaves at {at}")
@pytest.mark.parametrize("joins_at", [0, 250, 500, -1], ids=lambda at: f"joins at {at}")
def test_one_leaves_while_one_joins(after: int, leaves: int, joins_at: int) -> None:
    """All totals agree, yet a pass may have missed a client: the list is read until nobody who stayed is missing."""
    fleet = Fleet(list(range(1960)))
    fleet.after_page = once_after(after, swap(leaves, joins_at))
    found = read(fleet)
    assert found.complete
    assert numbers_of(found) == sorted(fleet.numbers)


def test_counted_trusts_the_totals() -> None:
    """That is its price: in one pass the client that moved across a page's edge is lost, and nothing shows it."""
    fleet = Fleet(list(range(1960)))
    fleet.after_page = once_after(6, swap(500, -1))
    found = read(fleet, consistency="counted")
    assert (found.complete, found.request_count) == (True, 20)
    assert set(fleet.numbers) - set(numbers_of(found)) == {594}


@pytest.mark.parametrize("consistency", ["counted", "verified"])
def test_totals_that_disagree_are_read_again(consistency: str) -> None:
    """A client that joins between two pages is seen, and one more pass finds totals that agree."""
    fleet = Fleet(list(range(150)))
    fleet.after_page = once_after(1, lambda numbers: numbers.append(150))
    found = read(fleet, consistency=consistency)
    assert (numbers_of(found), found.complete, found.request_count) == (list(range(151)), True, 4)


def test_a_page_that_is_empty_or_anothers() -> None:
    """It shows in the count, and another pass is made."""
    fleet, state, seen = Fleet(list(range(250))), paginator(consistency="counted"), 0
    while requests := state.next_requests():
        for request in requests:
            seen += 1
            page = fleet.page(PageRequest(1, 99) if seen == 2 else request)
            state.add_page(request, page_of([], 250, 99) if seen == 3 else page)
    assert (len(state.result().clients), state.is_complete, state.request_count) == (250, True, 6)


def test_a_total_that_never_fits() -> None:
    """Five passes over one page and the next, and the result says that it is not complete."""
    found = read(Fleet(list(range(10)), total=lambda count: count + 1))
    assert (len(found.clients), found.complete, found.request_count) == (10, False, 2 * MAX_PASSES)


@pytest.mark.parametrize("page_size_max", [99, 20])
def test_a_fleet_that_never_rests(page_size_max: int) -> None:
    """One leaves and one joins after every page: incomplete, with all who stayed, without who left before the last."""

    def churn(fleet: Fleet) -> None:
        fleet.numbers = [*fleet.numbers[1:], fleet.numbers[-1] + 1]

    fleet = Fleet(list(range(1960)), churn, page_size_max=page_size_max)
    state = paginator()
    while requests := state.next_requests():
        if requests[0].client_ids:
            fleet.after_page = lambda _fleet: None  # the look-up of the absent, at one moment
        for request in requests:
            state.add_page(request, fleet.page(request))
    found = state.result()
    stayed = set(fleet.numbers) & set(range(1960))
    assert not found.complete
    assert stayed <= set(numbers_of(found))
    pages = -(-1960 // page_size_max)
    assert min(numbers_of(found)) >= (MAX_PASSES - 1) * pages
    assert f"{MAX_PASSES} passes" in state.incomplete_text()


CHANGE = st.tuples(st.integers(1, 40), st.lists(st.integers(0, 10**6), max_size=3), st.integers(0, 3), st.booleans())


@given(st.integers(80, 420), st.lists(CHANGE, max_size=8), st.randoms(use_true_random=False))
def test_complete_never_misses_who_stayed(
    count: int, changes: list[tuple[int, list[int], int, bool]], dice: random.Random
) -> None:
    """Whatever leaves, joins or is re-ordered after any page: a complete list has everyone who was there all along."""
    fleet, ever = Fleet(list(range(count))), set(range(count))

    def change(fleet: Fleet) -> None:
        for when, leave, join, shuffle in changes:
            if when == len(fleet.requests):
                for place in leave:
                    fleet.numbers and fleet.numbers.pop(place % len(fleet.numbers))
                for _ in range(join):
                    fleet.numbers.insert(dice.randint(0, len(fleet.numbers)), number := len(ever))
                    ever.add(number)
                if shuffle:
                    dice.shuffle(fleet.numbers)

    fleet.after_page = change
    found = read(fleet)
    listed, stayed = set(numbers_of(found)), set(fleet.numbers) & set(range(count))
    if found.complete:
        assert stayed <= listed
    assert len(set(found.ids)) == len(found.ids)
    assert found.request_count <= (MAX_PASSES + 1) * (count // 99 + 3)


def test_a_client_without_ids_is_listed_once() -> None:
    """Rows are told apart by client id, else by instance, else by all that does not change by itself."""
    rows: list[dict[str, Any]] = [{"InstanceId": "i-1"}, {"Hostname": "a"}, {"Hostname": "b"}, {"ClientId": "c-1"}]
    state, heartbeat = paginator(), 0
    while requests := state.next_requests():
        for request in requests:
            heartbeat += 1
            state.add_page(request, page_of(rows, 150 if heartbeat == 1 else 4))
    found = state.result()
    assert (len(found.clients), found.complete, found.ids) == (4, True, ("c-1",))


def test_filters_narrow_the_list() -> None:
    """What they drop was there: it is counted by the service, and not missing."""
    fleet = Fleet(list(range(3)))
    found = read(fleet, instance_ids=["i-00000", "i-00001"], statuses=["STOPPED"])
    assert (found.clients, found.service_total_count, found.missing_instance_ids, found.complete) == ((), 2, (), True)
