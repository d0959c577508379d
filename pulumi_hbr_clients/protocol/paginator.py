"""Which pages to request next, and when the list is complete.

A pass requests page 1 of every part of the query, which tells the total, and then all other pages at once. The list is
complete, by the query's `consistency`:

    verified    when two consecutive passes return the same set of ids, and as many as the service counts
    counted     when one pass returns as many different ids as all its pages say there are

A part of one page is complete by its count, for a page is one moment. After five passes that do not agree the list is
incomplete: the clients of all passes, without those that a look-up by id no longer finds.

Why two passes: equal totals prove nothing where one client leaves while another joins. Where no client comes back that
left, two equal passes prove the list: each of its ids was there between the passes, so a further client would make the
second pass's total greater. One that leaves and comes back in step with the passes can hide another
(docs/decisions/two-passes.md).

    while requests := paginator.next_requests():
        for request in requests:
            paginator.add_page(request, page_for(request))
    paginator.result()
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Final, Self

from pydantic import SecretStr

from pulumi_hbr_clients.model.backup_client import BackupClient
from pulumi_hbr_clients.model.outputs import ClientList, apply_filters, counts_by_status
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.model.validators import PAGE_SIZE_MAX
from pulumi_hbr_clients.protocol.codec import PageRequest
from pulumi_hbr_clients.protocol.decoder import Page

IDS_MAX: Final = 99
"""Ids in one request. No source names a limit; with 99, a part's clients fit one page."""
MAX_PASSES: Final = 5
_DEFAULT_PAGE_SIZE: Final = 10

Ids = tuple[str, ...] | None


@dataclass(slots=True)
class _Pass:
    """One pass over all pages of a part."""

    pages: int = 1
    """Pages to request, as far as is known."""
    requested: int = 0
    ids: set[str] = field(default_factory=set)
    totals: set[int] = field(default_factory=set)
    row_count: int = 0
    page_size: int = PAGE_SIZE_MAX
    longest_page: int = 0

    @property
    def total(self) -> int:
        return max(self.totals, default=0)

    @property
    def is_consistent(self) -> bool:
        """Whether all pages name one total, and as many different ids came."""
        return self.totals == {len(self.ids)}

    def add(self, page: Page, known: Mapping[str, BackupClient]) -> None:
        ids = page.identities()
        self.ids.update([known[i].identity for i in ids])  # the records' own texts: one copy of each id is enough
        self.totals.add(page.total)
        self.row_count += len(ids)
        self.longest_page = max(self.longest_page, len(ids))
        if page.page_size and len(ids) <= page.page_size < self.page_size:
            self.page_size = page.page_size  # the service holds its pages shorter than requested, and says so

    def plan(self) -> None:
        """Find out how many pages there are, when all that were requested have come."""
        self.pages = max(self.pages, -(-self.total // self.page_size))
        if self.requested == self.pages and self.longest_page and len(self.ids) < self.total:
            self.pages = max(self.pages, -(-self.total // self.longest_page))  # shorter pages, without saying so


class _Part:
    """One part of the query: the whole of it, or ids that fit one request."""

    def __init__(self, client_ids: Ids, instance_ids: Ids) -> None:
        self.client_ids, self.instance_ids = client_ids, instance_ids
        self.last = _Pass()
        self.earlier: list[list[str]] = []
        """The ids of earlier passes. Lists: a set of 100,000 takes five times as much memory."""
        self.is_complete = self.is_done = False

    @property
    def pass_count(self) -> int:
        return len(self.earlier) + 1

    def next_requests(self) -> list[PageRequest]:
        """The pages to request now that all earlier ones have come."""
        numbers = range(self.last.requested + 1, self.last.pages + 1)
        self.last.requested = self.last.pages
        return [PageRequest(number, PAGE_SIZE_MAX, self.client_ids, self.instance_ids) for number in numbers]

    def advance(self, *, verify: bool) -> None:
        """Plan further pages, or judge the pass and begin another."""
        last = self.last
        last.plan()
        if self.is_done or last.requested < last.pages:
            return
        self.is_complete = last.is_consistent and (not verify or last.pages == 1 or self._is_repeated())
        self.is_done = self.is_complete or self.pass_count == MAX_PASSES
        if not self.is_done:
            self.earlier.append(list(last.ids))
            self.last = _Pass(pages=last.pages)

    def _is_repeated(self) -> bool:
        """Whether the last pass returned the same ids as the one before."""
        before = self.earlier[-1] if self.earlier else None
        return before is not None and len(before) == len(self.last.ids) and self.last.ids.issuperset(before)

    def all_ids(self) -> set[str]:
        """The ids that count: of the last pass if the part is complete, else of all passes."""
        return self.last.ids if self.is_complete else self.last.ids.union(*self.earlier)


class Paginator:
    """The state of one query between its first request and its list."""

    def __init__(self, query: Query) -> None:
        """Nothing is requested yet."""
        self.query = query
        self.request_count = 0
        self.request_ids: list[str] = []
        self._is_single_page = query.page_number is not None or query.page_size is not None
        self._request: PageRequest | None = None  # of the single page
        self._records: dict[str, BackupClient] = {}
        self._passwords: dict[str, SecretStr] = {}
        self._last_page: Page | None = None
        self._parts = [_Part(*ids) for ids in product(_chunks(query.client_ids), _chunks(query.instance_ids))]
        self._parts_by_ids = {(part.client_ids, part.instance_ids): part for part in self._parts}
        self._look_ups: list[_Part] | None = None
        self._gone: set[str] = set()

    @classmethod
    def union(cls, query: Query, finished: Iterable["Paginator"]) -> Self:
        """Return one list out of the lists of one query at several targets: an id is missing if none has it."""
        joined = cls(query)
        joined._parts = []
        for each in finished:
            joined.request_count = max(joined.request_count, each.request_count)
            joined._parts += each._parts  # noqa: SLF001  its own class
            joined._records |= each._records  # noqa: SLF001  its own class
            joined._gone |= each._gone  # noqa: SLF001  its own class
            joined._last_page = each._last_page  # noqa: SLF001  its own class
        return joined

    def next_requests(self) -> list[PageRequest]:
        """Return the pages to request now, in any order, at once; [] when the list is done."""
        requests = self._single_page() if self._is_single_page else self._next_pages()
        self.request_count += len(requests)
        return requests

    def add_page(self, request: PageRequest, page: Page) -> None:
        """Take in the response to a request, once for each, in any order."""
        for client in page.clients:
            self._records.setdefault(client.identity, client)
        for client_id, password in page.passwords.items():
            self._passwords.setdefault(client_id, password)
        if page.request_id:
            self.request_ids.append(page.request_id)
        self._last_page = page
        part = self._parts[0] if self._is_single_page else self._parts_by_ids[request.client_ids, request.instance_ids]
        part.last.add(page, self._records)

    @property
    def known(self) -> Mapping[str, BackupClient]:
        """Clients whose records later pages need not bring again. Empty in the first pass, where all are new."""
        is_first = not any(part.earlier for part in self._parts)
        return {} if is_first else self._records

    @property
    def progress(self) -> tuple[int, int]:
        """Clients read so far in the current pass, and the total that the service names."""
        current = [part.last for part in self._parts]
        return sum(each.row_count for each in current), sum(each.total for each in current)

    @property
    def is_complete(self) -> bool:
        """Whether this is certainly the whole list."""
        if self._is_single_page and self._parts:
            return self._parts[0].last.is_consistent
        return all(part.is_complete for part in self._parts)

    def result(self, query: Query | None = None) -> ClientList:
        """Return the list, once no requests are left, with this query's own filters or those of a narrower one."""
        query = query or self.query
        ids = self._parts[0].all_ids() if len(self._parts) == 1 else set().union(*(p.all_ids() for p in self._parts))
        listed = [self._records[identity] for identity in sorted(ids) if identity not in self._gone]
        clients = tuple(apply_filters(query, listed))
        return ClientList(
            clients=clients,
            counts_by_status=counts_by_status(clients),
            missing_client_ids=self._missing(query.client_ids, (c.client_id for c in listed)),
            missing_instance_ids=self._missing(query.instance_ids, (c.instance_id for c in listed)),
            proxy_passwords={i: self._passwords[i] for c in clients if (i := c.client_id) and i in self._passwords},
            complete=self.is_complete,
            service_total_count=sum(part.last.total for part in self._parts),
            page_number=self._request.page_number if self._request else None,
            page_size=self._request.page_size if self._request else None,
            request_count=self.request_count,
            request_ids=tuple(self.request_ids),
            server_time=self._last_page.server_time if self._last_page else None,
        )

    def incomplete_text(self) -> str:
        """Say why the list is not complete, for an error."""
        passes = max(part.pass_count for part in self._parts)
        return (
            f"the list is not complete: {passes} passes over its pages ({self.request_count} requests) kept returning "
            "different clients. allow_incomplete (--allow-incomplete) accepts what was found"
        )

    def _single_page(self) -> list[PageRequest]:
        if self.request_count or not self._parts:
            return []
        self._request = PageRequest(self.query.page_number or 1, self.query.page_size or _DEFAULT_PAGE_SIZE)
        return [self._request]

    def _next_pages(self) -> list[PageRequest]:
        verify = self.query.consistency == "verified"
        parts = self._parts if self._look_ups is None else self._look_ups
        if self.request_count:
            for part in parts:
                part.advance(verify=verify)
        if requests := [request for part in parts for request in part.next_requests()]:
            return requests
        if self._look_ups is None and (absent := sorted(self._absent())):
            return self._look_up(absent)
        if self._look_ups:
            asked = {i for part in self._look_ups for i in part.client_ids or ()}
            self._gone = asked.difference(*(part.last.ids for part in self._look_ups))
        return []

    def _absent(self) -> Iterator[str]:
        """Clients of an incomplete part that the last pass did not return. Rows without an id cannot be looked up."""
        for part in self._parts:
            if not part.is_complete:
                yield from (i for i in part.all_ids() - part.last.ids if self._records[i].client_id)

    def _look_up(self, absent: list[str]) -> list[PageRequest]:
        self._look_ups = [_Part(chunk, ()) for chunk in _chunks(tuple(absent))]
        self._parts_by_ids = {(part.client_ids, part.instance_ids): part for part in self._look_ups}
        return [request for part in self._look_ups for request in part.next_requests()]

    def _missing(self, wanted: Iterable[str] | None, found: Iterable[str | None]) -> tuple[str, ...]:
        """Requested ids that were not returned; unknown for a single page that is not the whole list."""
        if not wanted or (self._is_single_page and not self.is_complete):
            return ()
        return tuple(sorted(set(wanted).difference(found)))


def _chunks(ids: Ids) -> list[Ids]:
    if ids is None:
        return [None]
    return [ids[i : i + IDS_MAX] for i in range(0, len(ids), IDS_MAX)]
