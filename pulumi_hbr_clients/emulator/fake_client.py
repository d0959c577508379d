"""A client of the backend: its row, made up or given, its owner, its heartbeat, and its bytes in a response.

A row is one client of the response's `Clients`, a dict under the document's names. The same label makes the same row.
Settings and tags of made-up rows are shared between them (a fleet of 100,000 would not fit a small machine otherwise):
never change one in place.

An ACTIVATED client reports once a minute, each at its own second; the row's two moving fields are computed from the
clock. The rest of the row is encoded once and kept until the row changes: a page is a join of bytes.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from hashlib import sha256
from typing import Any, Final
from zlib import crc32

from pulumi_hbr_clients.model.backup_client import BackupClient, wire_name

Row = Mapping[str, Any]

SETTINGS: Final = {
    "ProxyHost": "",
    "MaxCpuCore": "0",
    "ProxyPort": 0,
    "UseHttps": "false",
    "ProxyPassword": "",
    "ProxyUser": "",
    "DataProxySetting": "",
    "DataNetworkType": "VPC",
    "MaxWorker": "0",
    "MaxMemory": 0,
    "AlertOnPartialComplete": False,
}
"""What a client has that nobody configured: unset texts come as "", as Terraform's acceptance test pins."""
MOVING: Final = ("LastHeartBeatTime", "UpdatedTime")
"""Fields that follow the clock."""
ROW_FIELDS: Final = tuple(
    wire_name(field.name) for field in fields(BackupClient) if field.name not in {"region", "cluster_id"}
)
HIDDEN_FIELDS: Final = ("ClusterId", "CrossAccountUserId", "CrossAccountRoleName", "Beats", "Region")
"""What a row may say of its client that responses do not show: filters see it, or the emulator."""
_SPELLINGS: Final = {name[0].lower() + name[1:]: name for name in (*ROW_FIELDS, *HIDDEN_FIELDS, *SETTINGS)}
_SETTINGS: Final = (
    SETTINGS,
    {**SETTINGS, "MaxCpuCore": "1", "MaxWorker": "2", "UseHttps": "true"},
    {**SETTINGS, "DataNetworkType": "PUBLIC", "MaxMemory": 1 << 30, "AlertOnPartialComplete": True},
)
_TAGS: Final = tuple(
    [{"Key": "env", "Value": env}, {"Key": "team", "Value": team}]
    for env in ("prod", "staging", "dev")
    for team in ("web", "data")
)
_ZONES: Final = ("cn-hangzhou-f", "cn-hangzhou-g", "cn-hangzhou-h", "cn-hangzhou-i")
_NEWEST: Final = "2.13.1"
_VERSIONS: Final = (_NEWEST, _NEWEST, _NEWEST, "2.9.0")
_UNUSUAL: Final = ("REGISTERED", "INSTALLING", "UNKNOWN", "STOPPED", "INSTALL_FAILED")
LONG_AGO: Final = 1_700_000_000
"""UNIX seconds about which made-up clients were created."""
_ECS_ONLY: Final = ("ArchType", "PrivateIpV4", "InstanceName", "OsType", "ZoneId")
"""The document calls these valid for ECS only."""


def new_row(label: str, client_type: str = "ECS_CLIENT", **given: Any) -> dict[str, Any]:
    """One row, everything in it decided by the label; `given` are fields that are decided already."""
    digest = sha256(label.encode()).hexdigest()
    chance = int(digest[40:52], 16)
    host = f"host-{digest[:8]}"
    row = {
        "Status": "ACTIVATED" if chance % 10 else _UNUSUAL[chance // 10 % len(_UNUSUAL)],
        "BackupStatus": "UNPROTECTED" if chance % 7 == 0 else "PROTECTED",
        "ArchType": "amd64",
        "ClientId": f"c-{digest[:20]}",
        "MaxClientVersion": _NEWEST,
        "PrivateIpV4": f"10.{chance % 250}.{chance // 250 % 250}.{chance // 62_500 % 250 + 1}",
        "InstanceName": host,
        "CreatedTime": LONG_AGO + chance % 10_000_000,
        "LastHeartBeatTime": LONG_AGO + 10_000_000,
        "ClientType": client_type,
        "Hostname": host,
        "InstanceId": f"i-{digest[20:40]}",
        "Appliance": False,
        "UpdatedTime": LONG_AGO + 10_000_000,
        "OsType": "windows" if chance % 5 == 0 else "linux",
        "ZoneId": _ZONES[chance % len(_ZONES)],
        "ClientVersion": _VERSIONS[chance // 4 % len(_VERSIONS)],
        "Tags": _TAGS[chance % len(_TAGS)],
        "Settings": _SETTINGS[chance % len(_SETTINGS)],
    }
    if client_type != "ECS_CLIENT":
        row |= dict.fromkeys(_ECS_ONLY, "")
    if client_type == "LOCAL_CLIENT":
        row["InstanceId"] = digest[:32].upper()  # the fingerprint of an on-premises machine
    return row | given


def new_rows(count: int, client_type: str = "ECS_CLIENT", *, seed: int = 0, **given: Any) -> Iterator[dict[str, Any]]:
    """`count` rows, one by one. The same seed gives the same rows, and the first ones of a longer list."""
    return (new_row(f"{seed}/{client_type}/{n}", client_type, **given) for n in range(count))


def as_wire(client: Row) -> dict[str, Any]:
    """A row from the service's spelling or from state's (`clientId`, tags as a map); else untouched."""
    row = {_SPELLINGS.get(name, name): value for name, value in client.items()}
    if isinstance(settings := row.get("Settings"), Mapping):
        row["Settings"] = {_SPELLINGS.get(name, name): value for name, value in settings.items()}
    if isinstance(tags := row.get("Tags"), Mapping):
        row["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return row


def encode(value: Any) -> bytes:
    """JSON. Half a surrogate pair becomes a backslash, u and its number, which is JSON's escape for it."""
    return _ENCODER.encode(value).encode(errors="backslashreplace")


HEARTBEAT: Final = 60
"""Seconds between heartbeats. No source names the service's own."""
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
Owner = tuple[str, str]
"""Another account's id, and the role in it that this account may assume."""


class FakeClient:
    """A client. Replace its row through `change` only: the encoded bytes follow."""

    __slots__ = ("_phase", "_still", "beats", "cluster_id", "owner", "row")

    def __init__(self, row: Row) -> None:
        """`row` is in either spelling, with any of `HIDDEN_FIELDS`; the client's own in the service's, without them."""
        own = {"ClientType": "ECS_CLIENT", **as_wire(row)}
        self.cluster_id, user, role, beats, _ = (own.pop(name, None) for name in HIDDEN_FIELDS)
        self.row: Row = own
        self.owner: Owner | None = (str(user), str(role)) if user else None
        self.beats = beats is not False
        self._phase = crc32(str(own.get("ClientId")).encode()) % HEARTBEAT
        self._still: bytes | None = None

    def is_called(self, identity: str) -> bool:
        """Whether this is the client's id, or its instance's."""
        return identity in (self.row.get("ClientId"), self.row.get("InstanceId"))

    def change(self, fields: Row, now: float) -> None:
        """Set fields of the row; one set to `...` is removed. A heartbeat that is given no longer moves."""
        beat = self.heartbeat(now)
        row = {**self.row, **({} if beat is None else dict.fromkeys(MOVING, beat)), **fields}
        self.row = {name: value for name, value in row.items() if value is not ...}
        self.beats = self.beats and "LastHeartBeatTime" not in fields
        self._still = None

    def heartbeat(self, now: float) -> int | None:
        """UNIX seconds of the last heartbeat; None for a client whose heartbeat is what its row says."""
        if not self.beats or self.row.get("Status") != "ACTIVATED":
            return None
        return int(now - self._phase) // HEARTBEAT * HEARTBEAT + self._phase

    def encoded(self, now: float) -> bytes:
        """The client as JSON."""
        beat = self.heartbeat(now)
        if self._still is None:  # the row without the moving fields
            self._still = encode(
                {name: value for name, value in self.row.items() if beat is None or name not in MOVING}
            )
        if beat is None:
            return self._still
        return b'%b,"LastHeartBeatTime":%d,"UpdatedTime":%d}' % (self._still[:-1], beat, beat)
