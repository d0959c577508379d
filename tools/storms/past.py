"""What the backend says of itself: which client was there when, and how it was.

The first rows and the backend's own record of changes → the states of a client within a time. The judges stand on this
and on nothing that the package says.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pulumi_hbr_clients.emulator import Change
from pulumi_hbr_clients.emulator.fixtures import Row

BEFORE: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class State:
    """How a client was from one moment to another. `row` None: it was not there."""

    since: float
    until: float
    row: Row | None


class Past:
    """A fleet's past."""

    def __init__(self, rows: Iterable[Row], history: Iterable[Change]) -> None:
        """Rows as they were at first, and what changed after that, in order."""
        self.first = {str(row["ClientId"]): row for row in rows}
        self._changes: Mapping[str, list[Change]] = defaultdict(list)
        for change in history:
            self._changes[change.client_id].append(change)

    @property
    def known(self) -> set[str]:
        """Everybody who was ever there."""
        return self.first.keys() | self._changes.keys()

    def states(self, client_id: str, since: float, until: float) -> Iterator[State]:
        """Every state that the client was in at some moment of this time."""
        row: Mapping[str, Any] | None = self.first.get(client_id)
        began = BEFORE
        for change in self._changes.get(client_id, ()):
            if change.time > until:
                break
            if change.time >= since:
                yield State(began, change.time, row)
            began, row = change.time, None if change.fields is None else {**(row or {}), **change.fields}
        yield State(began, until, row)

    def stayed(self, client_id: str, since: float, until: float) -> bool:
        """Whether the client was there throughout."""
        return all(state.row is not None for state in self.states(client_id, since, until))
