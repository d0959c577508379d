"""What the backend itself says: which client was there when, and how it was.

A moment is the number of changes so far, so that two of them are told apart although no time has passed. The judges
stand on this and on nothing that the package says.
"""

from collections.abc import Callable, Mapping

from pulumi_hbr_clients.emulator import Backend
from pulumi_hbr_clients.emulator.fake_client import Row

Matches = Callable[[Row], bool]


class History:
    """A fleet's past, from the moment at which this is made."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._first: dict[str, Row] = {str(client.row["ClientId"]): client.row for client in backend.members}
        self._skipped = len(backend.history)

    def now(self) -> int:
        """The present moment."""
        return len(self.backend.history) - self._skipped

    def versions(self, since: int, until: int) -> Mapping[str, list[Row | None]]:
        """Every row that a client had between two moments, in order; None where it was not there."""
        rows: dict[str, Row | None] = dict(self._first)
        seen: dict[str, list[Row | None]] = {}
        changes = list(self.backend.history)[self._skipped :][:until]
        for moment, (client_id, row) in enumerate(changes):
            if moment >= since:
                seen.setdefault(client_id, [rows.get(client_id)]).append(row)
            rows[client_id] = row
        return {client_id: seen.get(client_id) or [row] for client_id, row in rows.items()}


def throughout(versions: Mapping[str, list[Row | None]], matches: Matches) -> set[str]:
    """Clients that were there and matched all the time."""
    return {i for i, rows in versions.items() if all(row is not None and matches(row) for row in rows)}


def ever(versions: Mapping[str, list[Row | None]], matches: Matches) -> set[str]:
    """Clients that were there and matched at some moment."""
    return {i for i, rows in versions.items() if any(row is not None and matches(row) for row in rows)}
