"""Rows as the service gives them, made up: the same label, the same row.

A row is one client of the answer's `Clients`, a dict under the document's names. Settings and tags of made-up
rows are shared between them (a fleet of 100,000 would not fit a small machine otherwise): never change
one in place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from hashlib import sha256
from typing import Any, Final

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
_SPELLINGS: Final = {name[0].lower() + name[1:]: name for name in (*ROW_FIELDS, *SETTINGS)}
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
