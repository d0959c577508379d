"""Other forms that responses may take: a row or an envelope → the same in the forms that a backend was told to use."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, get_args

from pulumi_hbr_clients.emulator.fixtures import MOVING, ROW_FIELDS, SETTINGS_FIELDS, Row

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
VARIANTS: Final = frozenset(get_args(Variant))
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


def vary(row: Row, variants: frozenset[str], cluster_id: str | None = None) -> Row:
    """The row in other forms."""
    if not variants:
        return row
    if isinstance(settings := row.get("Settings"), Mapping):
        row = {**row, "Settings": _forms(settings, SETTINGS_FIELDS, variants)}
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
