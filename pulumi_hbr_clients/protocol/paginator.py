"""Which pages next, and when the list is whole.

A reading asks for page 1 of every part of the query, which tells the total, then for all other pages at once.
It is whole when all pages name the same total and that many different clients came; where somebody may have arrived
between its pages, so that totals prove nothing, when the next reading finds the same clients. If not, everything is
read again and the readings are joined; a client that the last reading lacks is asked for by its id, so what has gone
is not listed. After `READINGS` readings without agreement the list says that it is not complete.

    while asks := listing.asks():
        for ask in asks: listing.take(ask, page_for(ask))
    listing.result()
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import product
from typing import Final

from pydantic import SecretStr

from pulumi_hbr_clients.model.backup_client import BackupClient
from pulumi_hbr_clients.model.outputs import ClientList, apply_filters, counts_by_status
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.model.validators import PAGE_SIZE_MAX
from pulumi_hbr_clients.protocol.codec import Page, PageRequest

IDS_MAX: Final = 99
"""Ids in one request. No source names a limit; with 99, a part's clients fit one page."""
READINGS: Final = 5
ARRIVING: Final = 60.0
"""Seconds: a client created so shortly before a reading may have come into the list between two of its pages. No source
says how soon after its CreatedTime a client is listed."""
_DEFAULT_PAGE_SIZE: Final = 10

Part = tuple[tuple[str, ...] | None, tuple[str, ...] | None]
"""Client ids and instance ids of one part of the query."""


class _Stage(Enum):
    READING = "reading"
    LOOKING_UP = "looking up"
    DONE = "done"


@dataclass(slots=True)
class _Reading:
    """One pass over all pages of all parts."""

    pages: dict[PageRequest, Page] = field(default_factory=dict)
    asked: set[PageRequest] = field(default_factory=set)

    def clients(self) -> dict[str, BackupClient]:
        return {c.identity: c for page in self.pages.values() for c in page.clients}

    def pages_of(self, part: Part) -> list[Page]:
        return [page for ask, page in self.pages.items() if part == (ask.client_ids, ask.instance_ids)]

    def arrivals(self, parts: int) -> bool:
        """Whether anybody may have arrived between two pages. Whoever left then would leave the total as it was."""
        if len(self.pages) == parts:  # each part is one page: a moment
            return False
        first = [page.server_time for ask, page in self.pages.items() if ask.page_number == 1]
        since = min((at for at in first if at is not None), default=float("inf")) - ARRIVING
        return any((client.created_time or 0) >= since for page in self.pages.values() for client in page.clients)

    def agrees(self, part: Part) -> bool:
        pages = self.pages_of(part)
        unique = {client.identity for page in pages for client in page.clients}
        return {page.total for page in pages} == {len(unique)}

    def wanted(self, part: Part) -> list[PageRequest]:
        """All pages of a part, as far as its total is known."""
        pages = self.pages_of(part)
        total = max((page.total for page in pages), default=0)
        size = min((_size(page) for page in pages), default=PAGE_SIZE_MAX)
        numbers = range(1, max(1, -(-total // size)) + 1)
        return [PageRequest(number, PAGE_SIZE_MAX, *part) for number in numbers]


def _size(page: Page) -> int:
    """What the service made of 99: it may hold its pages shorter, and then says so on each."""
    size = page.page_size or PAGE_SIZE_MAX
    return size if len(page.clients) <= size < PAGE_SIZE_MAX else PAGE_SIZE_MAX


class Paginator:
    """The state of one query between its first request and its list."""

    def __init__(self, query: Query) -> None:
        """Nothing is asked yet."""
        self.query = query
        self.seen: dict[str, BackupClient] = {}
        self.passwords: dict[str, SecretStr] = {}
        self.request_count = 0
        self.settled = query.selects_nothing()
        self._single = query.page_number is not None or query.page_size is not None
        self._parts = _parts(query)
        self._reading = _Reading()
        self._readings = 0
        self._before: set[str] | None = None
        self._stage = _Stage.DONE if self.settled else _Stage.READING

    def asks(self) -> list[PageRequest]:
        """The pages to ask for now, in any order, at once. Empty: the list is done."""
        asks = [] if self._stage is _Stage.DONE else self._next_pages()
        while not asks and self._stage is not _Stage.DONE:
            asks = self._advance()
        self._reading.asked.update(asks)
        self.request_count += len(asks)
        return asks

    def take(self, ask: PageRequest, page: Page) -> None:
        """An answer. Called once for every ask, in any order."""
        self._reading.pages[ask] = page
        self.passwords.update(page.passwords)

    def result(self, query: Query | None = None) -> ClientList:
        """The list once there is nothing left to ask, with the own filters of this query (or that one) applied."""
        query, seen = query or self.query, [self.seen[identity] for identity in sorted(self.seen)]
        kept = tuple(apply_filters(query, seen))
        return ClientList(
            clients=kept,
            counts_by_status=counts_by_status(kept),
            missing_client_ids=self._missing(query.client_ids, (c.client_id for c in seen)),
            missing_instance_ids=self._missing(query.instance_ids, (c.instance_id for c in seen)),
            proxy_passwords=self._passwords(kept),
            complete=self.settled,
            request_count=self.request_count,
        )

    def incomplete_text(self) -> str:
        """Why the list is not complete, for an error."""
        return (
            f"the list is not complete: {self._readings} passes over its pages ({self.request_count} requests) kept "
            "returning different clients. allow_incomplete (--allow-incomplete) accepts what was found"
        )

    def _missing(self, wanted: Iterable[str] | None, found: Iterable[str | None]) -> tuple[str, ...]:
        """Asked for, not answered. A single page cannot tell."""
        if not wanted or (self._single and not self.settled):
            return ()
        return tuple(sorted(set(wanted).difference(found)))

    def _passwords(self, kept: Iterable[BackupClient]) -> dict[str, SecretStr]:
        found = self.passwords
        return {i: found[i] for c in kept if (i := c.client_id) and i in found} if found else {}

    def _next_pages(self) -> list[PageRequest]:
        if self._single:
            ask = PageRequest(self.query.page_number or 1, self.query.page_size or _DEFAULT_PAGE_SIZE)
            return [] if ask in self._reading.asked else [ask]
        asks = (ask for part in self._parts for ask in self._reading.wanted(part))
        return [ask for ask in asks if ask not in self._reading.asked]

    def _advance(self) -> list[PageRequest]:
        """All that was asked is answered: judge, and read again, look up the absent, or be done."""
        found = self._reading.clients()
        if self._stage is _Stage.LOOKING_UP:
            self._forget({i for ids, _ in self._parts for i in ids or ()} - found.keys())
            return self._end(found)
        self._readings += 1
        self.settled = self._judge(found)
        if not self.settled and self._readings < READINGS and not self._single:
            return self._read_again(found)
        absent = [i for i, c in self.seen.items() if i not in found and c.client_id]
        return self._look_up(absent, found) if absent else self._end(found)

    def _judge(self, found: Mapping[str, BackupClient]) -> bool:
        if self._single:
            return all(page.total == len(found) for page in self._reading.pages.values())
        agreed = self._agree(found)
        if self.query.consistency == "verified" or self._reading.arrivals(len(self._parts)):
            before, self._before = self._before, set(found)
            agreed = agreed and before == self._before
        return agreed

    def _agree(self, found: Mapping[str, BackupClient]) -> bool:
        """Whether each part's pages name one total, and that many different clients came."""
        if len(self._parts) == 1:  # what was found is the part's own: no second set of 100,000 names
            return {page.total for page in self._reading.pages.values()} == {len(found)}
        return all(self._reading.agrees(part) for part in self._parts)

    def _read_again(self, found: dict[str, BackupClient]) -> list[PageRequest]:
        self.seen.update(found)
        self._reading = _Reading()
        return self._next_pages()

    def _look_up(self, absent: list[str], found: dict[str, BackupClient]) -> list[PageRequest]:
        """Ask by id for clients that an earlier reading had and the last one had not."""
        self.seen.update(found)
        self._reading, self._stage = _Reading(), _Stage.LOOKING_UP
        self._parts = [(chunk, ()) for chunk in _chunks(tuple(sorted(absent)))]
        return self._next_pages()

    def _forget(self, gone: Iterable[str]) -> None:
        for identity in gone:
            del self.seen[identity]

    def _end(self, found: dict[str, BackupClient]) -> list[PageRequest]:
        self.seen = {**self.seen, **found} if self.seen else found
        self._reading, self._stage = _Reading(), _Stage.DONE
        return []


def _parts(query: Query) -> list[Part]:
    return list(product(_chunks(query.client_ids), _chunks(query.instance_ids)))


def _chunks(ids: tuple[str, ...] | None) -> list[tuple[str, ...] | None]:
    if ids is None:
        return [None]
    return [ids[i : i + IDS_MAX] for i in range(0, len(ids), IDS_MAX)]
