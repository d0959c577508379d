"""Which pages to request next, and when the list is complete.

A pass requests page 1 of every part of the query, which names the total, and then all other pages at once. The list is
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
from collections.abc import Set as AbstractSet
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

    def add(self, page: Page, records: Mapping[str, BackupClient]) -> None:
        row_count = len(page.ids)
        self.ids.update([records[i].identity for i in page.ids])  # their own texts: one copy of each id is enough
        self.totals.add(page.total)
        self.row_count += row_count
        self.longest_page = max(self.longest_page, row_count)
        if page.page_size and row_count <= page.page_size < self.page_size:
            self.page_size = page.page_size  # the service holds its pages shorter than requested, and says so

    def plan(self) -> None:
        """Find out how many pages there are, when all that were requested have come."""
        self.pages = max(self.pages, -(-self.total // self.page_size))
        if self.requested == self.pages and self.longest_page and len(self.ids) < self.total:
            self.pages = max(self.pages, -(-self.total // self.longest_page))  # shorter pages, without saying so


class Part:
    """One part of the query: the whole of it, or ids that fit one request."""

    def __init__(self, client_ids: Ids, instance_ids: Ids) -> None:
        self.client_ids, self.instance_ids = client_ids, instance_ids
        self.last = _Pass()
        self.earlier: list[list[str]] = []
        """The ids of earlier passes. Lists: a set of 100,000 takes five times as much memory."""
        self.is_complete = self.is_done = False

    def next_requests(self, *, verify: bool) -> list[PageRequest]:
        """Further pages of this pass, or those of another one, now that all earlier ones have come."""
        self.last.plan()
        if self.last.requested == self.last.pages and not self.is_done:
            self._end_pass(verify=verify)
        numbers = range(self.last.requested + 1, self.last.pages + 1)
        self.last.requested = self.last.pages
        return [PageRequest(number, PAGE_SIZE_MAX, self.client_ids, self.instance_ids) for number in numbers]

    def _end_pass(self, *, verify: bool) -> None:
        """Judge the pass, and begin another unless the part is done."""
        last = self.last
        before = self.earlier[-1] if self.earlier else None
        is_repeated = before is not None and len(before) == len(last.ids) and last.ids.issuperset(before)
        self.is_complete = last.is_consistent and (not verify or last.pages == 1 or is_repeated)
        self.is_done = self.is_complete or len(self.earlier) + 1 == MAX_PASSES
        if not self.is_done:
            self.earlier.append(list(last.ids))
            self.last = _Pass(pages=last.pages)

    def all_ids(self) -> set[str]:
        """The ids that count: of the last pass if the part is complete, else of all passes."""
        return self.last.ids if self.is_complete else self.last.ids.union(*self.earlier)


class Paginator:
    """The state of one query between its first request and its list."""

    def __init__(self, query: Query, *, region: str | None = None, profile: str | None = None) -> None:
        """Nothing is requested yet. The result names the region, and the profile that signs, if one does."""
        self.query, self.region, self.profile = query, region, profile
        self.request_count = 0
        self.request_ids: list[str] = []
        self.records: dict[str, BackupClient] = {}
        self.parts = [Part(*ids) for ids in product(_chunks(query.client_ids), _chunks(query.instance_ids))]
        self.look_ups: list[Part] = []
        """The clients to look up by id, if the parts are not complete."""
        self.last_page: Page | None = None
        self.progress = (0, 0)
        """Clients read so far in the current pass, and the total that the service names."""
        self._passwords: dict[str, SecretStr] = {}
        self._requested: dict[PageRequest, Part] = {}
        self._single_page: PageRequest | None = None
        if query.is_single_page() and self.parts:
            self._single_page = PageRequest(query.page_number or 1, query.page_size or _DEFAULT_PAGE_SIZE)
            self.parts = [Part(None, None)]

    @classmethod
    def union(cls, query: Query, finished: Iterable["Paginator"]) -> Self:
        """Return one list out of the lists of one query at several targets: an id is missing if none has it."""
        joined = cls(query)
        joined.parts = []
        for each in finished:
            joined.request_count = max(joined.request_count, each.request_count)
            joined.records |= each.records
            joined.parts += each.parts
            joined.look_ups += each.look_ups
            joined.last_page = each.last_page
        return joined

    def next_requests(self) -> list[PageRequest]:
        """Return the pages to request now, in any order, at once; [] when the list is done."""
        self._requested = self._next_requests()
        self.request_count += len(self._requested)
        current = [part.last for part in self.parts]
        self.progress = sum(each.row_count for each in current), sum(each.total for each in current)
        return list(self._requested)

    def _next_requests(self) -> dict[PageRequest, Part]:
        if self._single_page:
            return {} if self.request_count else {self._single_page: self.parts[0]}
        requests = self._of_parts(self.look_ups or self.parts)
        if not requests and not self.look_ups:
            self.look_ups = [Part(ids, ()) for ids in _chunks(tuple(sorted(self._absent())))]
            requests = self._of_parts(self.look_ups)
        return requests

    def _of_parts(self, parts: list[Part]) -> dict[PageRequest, Part]:
        verify = self.query.consistency == "verified"
        return {request: part for part in parts for request in part.next_requests(verify=verify)}

    def _absent(self) -> Iterator[str]:
        """Clients of an incomplete part that the last pass did not return. Rows without an id cannot be looked up."""
        for part in self.parts:
            if not part.is_complete:
                yield from (i for i in part.all_ids() - part.last.ids if self.records[i].client_id)

    def add_page(self, request: PageRequest, page: Page) -> None:
        """Take in the response to a request, once for each, in any order."""
        for client in page.clients:
            self.records.setdefault(client.identity, client)
        for client_id, password in page.passwords.items():
            self._passwords.setdefault(client_id, password)
        if page.request_id:
            self.request_ids.append(page.request_id)
        self.last_page = page
        current = self._requested[request].last
        total_before = current.total
        current.add(page, self.records)
        if not self.look_ups:
            read, total = self.progress
            self.progress = read + len(page.ids), total + current.total - total_before

    @property
    def known(self) -> AbstractSet[str]:
        """Clients whose records later pages need not bring again. Empty in the first pass, where all are new."""
        return self.records.keys() if any(part.earlier for part in self.parts) else frozenset()

    @property
    def is_complete(self) -> bool:
        """Whether this is certainly the whole list."""
        if self._single_page:
            return self.parts[0].last.is_consistent
        return all(part.is_complete for part in self.parts)

    def result(self, query: Query | None = None) -> ClientList:
        """Return the list, once no requests are left, with this query's own filters or those of a narrower one."""
        query = query or self.query
        ids = self.parts[0].all_ids() if len(self.parts) == 1 else set().union(*(p.all_ids() for p in self.parts))
        gone = {i for part in self.look_ups for i in part.client_ids or () if i not in part.last.ids}
        listed = [self.records[identity] for identity in sorted(ids) if identity not in gone]
        clients = tuple(apply_filters(query, listed))
        return ClientList(
            clients=clients,
            counts_by_status=counts_by_status(clients),
            missing_client_ids=self._missing(query.client_ids, (c.client_id for c in listed)),
            missing_instance_ids=self._missing(query.instance_ids, (c.instance_id for c in listed)),
            proxy_passwords={i: self._passwords[i] for c in clients if (i := c.client_id) and i in self._passwords},
            complete=self.is_complete,
            service_total_count=sum(part.last.total for part in self.parts),
            page_number=self._single_page.page_number if self._single_page else None,
            page_size=self._single_page.page_size if self._single_page else None,
            request_count=self.request_count,
            request_ids=tuple(self.request_ids),
            server_time=self.last_page.server_time if self.last_page else None,
            region=self.region,
            profile=self.profile,
        )

    def _missing(self, wanted: Iterable[str] | None, found: Iterable[str | None]) -> tuple[str, ...]:
        """Requested ids that were not returned; unknown for a single page that is not the whole list."""
        if not wanted or (self._single_page and not self.is_complete):
            return ()
        return tuple(sorted(set(wanted).difference(found)))

    def incomplete_text(self) -> str:
        """Say why the list is not complete, for an error."""
        passes = max(len(part.earlier) for part in self.parts) + 1
        return (
            f"the list is not complete: {passes} passes over its pages ({self.request_count} requests) kept returning "
            "different clients. allow_incomplete (--allow-incomplete) accepts what was found"
        )


def _chunks(ids: Ids) -> list[Ids]:
    if ids is None:
        return [None]
    return [ids[i : i + IDS_MAX] for i in range(0, len(ids), IDS_MAX)]
