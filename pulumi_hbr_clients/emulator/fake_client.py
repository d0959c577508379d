"""One client of the backend: its row, whose it is, its heartbeat, and the bytes that an answer holds of it.

An ACTIVATED client reports once a minute, each at its own second; the row's two moving fields are then computed
from the clock. All else of the row is encoded once and kept until the row changes: a page is
a join of bytes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from zlib import crc32

from pulumi_hbr_clients.emulator.fixtures import ROW_FIELDS, SETTINGS_FIELDS, Row

BEAT: Final = 60
"""Seconds between heartbeats. No source names the service's own."""
MOVING: Final = ("LastHeartBeatTime", "UpdatedTime")
VARIETIES: Final = frozenset({"wrapped", "strings", "nulls", "empty_strings", "excluded_fields", "no_settings"})
"""Other forms that answers may take: lists wrapped as {"Client": […]}, values of the other type, empty values as
null, as "" or left out, and no Settings."""

encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
Owner = tuple[str, str]
"""Another account's id, and the role in it that lets this account in."""


@dataclass(slots=True, eq=False)
class FakeClient:
    """A client. Replace its row through `change` only: the encoded bytes follow."""

    row: Row
    cluster_id: str | None = None
    owner: Owner | None = None
    beats: bool = True
    _phase: int = field(init=False)
    _kept: tuple[frozenset[str], bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._phase = crc32(str(self.row.get("ClientId")).encode()) % BEAT

    def is_called(self, identity: str) -> bool:
        """Whether this is the client, or the client of the instance."""
        return identity in (self.row.get("ClientId"), self.row.get("InstanceId"))

    def change(self, fields: Row, now: float) -> None:
        """Set fields of the row; one set to `...` goes. A heartbeat that is given no longer moves."""
        row = {**self.row, **self.moving(now), **fields}
        self.row = {name: value for name, value in row.items() if value is not ...}
        self.beats = self.beats and "LastHeartBeatTime" not in fields
        self._kept = None

    def moving(self, now: float) -> dict[str, int]:
        """The two moving fields as the clock has them, if they move."""
        if not self.beats or self.row.get("Status") != "ACTIVATED":
            return {}
        return dict.fromkeys(MOVING, self._last_beat(now))

    def encoded(self, now: float, variety: frozenset[str]) -> bytes:
        """The client as JSON."""
        if self._kept is None or self._kept[0] != variety:
            self._kept = variety, encode(vary(self._still(), variety)).encode()
        if not self.beats or self.row.get("Status") != "ACTIVATED":
            return self._kept[1]
        beat = b'"%d"' if "strings" in variety else b"%d"
        return (b'%b,"LastHeartBeatTime":' + beat + b',"UpdatedTime":' + beat + b"}") % (
            self._kept[1][:-1],
            last := self._last_beat(now),
            last,
        )

    def _still(self) -> Row:
        if not self.moving(0):
            return self.row
        return {name: value for name, value in self.row.items() if name not in MOVING}

    def _last_beat(self, now: float) -> int:
        return int(now - self._phase) // BEAT * BEAT + self._phase


def vary(row: Row, variety: frozenset[str]) -> Row:
    """The row in other forms."""
    if not variety:
        return row
    if isinstance(settings := row.get("Settings"), Mapping):
        row = {**row, "Settings": _forms(settings, SETTINGS_FIELDS, variety)}
    row = _forms(row, [name for name in ROW_FIELDS if name not in MOVING], variety)
    if "wrapped" in variety and row.get("Tags"):
        row["Tags"] = {"Tag": row["Tags"]}
    if "no_settings" in variety:
        row.pop("Settings", None)
    return row


def _forms(row: Row, names: Any, variety: frozenset[str]) -> dict[str, Any]:
    empty = {name for name in (*names, *row) if row.get(name) in ("", None, [], {})}
    kept = {name: value for name, value in row.items() if name not in empty}
    if "nulls" in variety:
        kept.update(dict.fromkeys(empty))
    elif "empty_strings" in variety:
        kept.update(dict.fromkeys(empty, ""))
    elif "excluded_fields" not in variety:
        kept = dict(row)
    return {name: other_type(v) for name, v in kept.items()} if "strings" in variety else kept


def other_type(value: Any) -> Any:
    """`3` → "3", `true` → "true", and back; anything else as it is."""
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, str) and value in {"true", "false"}:
        return value == "true"
    if isinstance(value, str) and value.isdecimal() and str(int(value)) == value:
        return int(value)
    return value
