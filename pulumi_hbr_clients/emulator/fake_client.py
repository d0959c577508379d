"""One client of the backend: its row, its owner, its heartbeat, and the bytes that a response holds of it.

An ACTIVATED client reports once a minute, each at its own second; the row's two moving fields are computed from the
clock. The rest of the row is encoded once and kept until the row changes: a page is a join of bytes.
"""

import json
from dataclasses import dataclass, field
from typing import Final
from zlib import crc32

from pulumi_hbr_clients.emulator.fixtures import MOVING, Row
from pulumi_hbr_clients.emulator.response_variants import vary

HEARTBEAT: Final = 60
"""Seconds between heartbeats. No source names the service's own."""
encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
Owner = tuple[str, str]
"""Another account's id, and the role in it that this account may assume."""


@dataclass(slots=True, eq=False)
class FakeClient:
    """A client. Replace its row through `change` only: the encoded bytes follow."""

    row: Row
    cluster_id: str | None = None
    owner: Owner | None = None
    beats: bool = True
    _phase: int = field(init=False)
    _encoded: tuple[frozenset[str], bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._phase = crc32(str(self.row.get("ClientId")).encode()) % HEARTBEAT

    def is_called(self, identity: str) -> bool:
        """Whether this is the client's id, or its instance's."""
        return identity in (self.row.get("ClientId"), self.row.get("InstanceId"))

    def change(self, fields: Row, now: float) -> None:
        """Set fields of the row; one set to `...` is removed. A heartbeat that is given no longer moves."""
        row = {**self.row, **self.moving(now), **fields}
        self.row = {name: value for name, value in row.items() if value is not ...}
        self.beats = self.beats and "LastHeartBeatTime" not in fields
        self._encoded = None

    def moving(self, now: float) -> dict[str, int]:
        """The two moving fields at this time, if they move."""
        if not self.beats or self.row.get("Status") != "ACTIVATED":
            return {}
        last = int(now - self._phase) // HEARTBEAT * HEARTBEAT + self._phase
        return dict.fromkeys(MOVING, last)

    def encoded(self, now: float, variants: frozenset[str]) -> bytes:
        """The client as JSON."""
        moving = self.moving(now)
        if self._encoded is None or self._encoded[0] != variants:
            still = {name: value for name, value in self.row.items() if name not in moving}
            text = encode(vary(still, variants, self.cluster_id))
            # A lone surrogate becomes \udXXX, which is JSON's escape for it.
            self._encoded = variants, text.encode(errors="backslashreplace")
        if not moving:
            return self._encoded[1]
        beat = b'"%d"' if "strings" in variants else b"%d"
        beats = b",".join(b'"%b":%b' % (name.encode(), beat % at) for name, at in moving.items())
        return b"%b,%b}" % (self._encoded[1][:-1], beats)
