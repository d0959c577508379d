"""One client of the backend: its row, its owner, its heartbeat, and the bytes that a response holds of it.

An ACTIVATED client reports once a minute, each at its own second; the row's two moving fields are computed from the
clock. The rest of the row is encoded once and kept until the row changes: a page is a join of bytes. A backend may
have been told to use other forms than the document's (`Variant`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from zlib import crc32

from pulumi_hbr_clients.emulator.fixtures import MOVING, ROW_FIELDS, SETTINGS, Row

HEARTBEAT: Final = 60
"""Seconds between heartbeats. No source names the service's own."""
encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
Owner = tuple[str, str]
"""Another account's id, and the role in it that this account may assume."""

Variant = Literal[
    "wrapped",  # lists as {"Client": [...]}, {"Tag": [...]}
    "strings",  # values of the other type: "3" for 3, true for "true"
    "nulls",  # empty values as null
    "empty_strings",  # empty values as ""
    "absent",  # empty values left out
    "no_settings",
    "no_ids",  # rows without ClientId and InstanceId
    "old_fields",  # fields that only Alibaba's older SDKs name, ClusterId among them
    "lone_surrogate",  # a host name with half a character
]
# alibaba's Java SDK (aliyun-java-sdk-hbr, DescribeBackupClientsResponse) names these besides the document's.
_OLD_FIELDS: Final = {
    "RegisterTime": 1_700_000_000,
    "ProductName": "Alibaba Cloud ECS",
    "ProductVersion": "pc-i440fx-2.1",
    "ProductPartNumber": "",
    "ProductManufacturer": "Alibaba Cloud",
    "ProductSerialNumber": "",
    "ProductAssetTag": "",
    "UserDefinedKey": "",
}


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

    def is_called(self, identity: "str | FakeClient") -> bool:
        """Whether this is the client's id, its instance's, or the client itself."""
        return identity in (self, self.row.get("ClientId"), self.row.get("InstanceId"))

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


def vary(row: Row, variants: frozenset[str], cluster_id: str | None = None) -> Row:
    """The row in other forms."""
    if not variants:
        return row
    if isinstance(settings := row.get("Settings"), Mapping):
        row = {**row, "Settings": _forms(settings, SETTINGS, variants)}
    row = _forms(row, [name for name in ROW_FIELDS if name not in MOVING], variants)
    if "wrapped" in variants and row.get("Tags"):
        row["Tags"] = {"Tag": row["Tags"]}
    if "old_fields" in variants:
        row |= {**_OLD_FIELDS, "ClusterId": cluster_id or ""}
    if "lone_surrogate" in variants:
        row["Hostname"] = f"{row.get('Hostname')}\ud83d"
    left_out = {"no_settings": ["Settings"], "no_ids": ["ClientId", "InstanceId"]}
    dropped = {name for variant, names in left_out.items() if variant in variants for name in names}
    return {name: value for name, value in row.items() if name not in dropped}


def _forms(row: Row, names: Iterable[str], variants: frozenset[str]) -> dict[str, Any]:
    empty = {name for name in (*names, *row) if row.get(name) in ("", None, [], {})}
    filled = {name: value for name, value in row.items() if name not in empty}
    if "nulls" in variants:
        row = {**filled, **dict.fromkeys(empty)}
    elif "empty_strings" in variants:
        row = {**filled, **dict.fromkeys(empty, "")}
    elif "absent" in variants:
        row = filled
    return {name: other_type(value) for name, value in row.items()} if "strings" in variants else dict(row)


def other_type(value: Any) -> Any:
    """`3` → "3", `true` → "true", and back; anything else as it is."""
    if isinstance(value, bool | int):
        return str(value).lower()
    if value in ("true", "false"):
        return value == "true"
    is_whole = isinstance(value, str) and value.isdecimal() and str(int(value)) == value
    return int(value) if is_whole else value
