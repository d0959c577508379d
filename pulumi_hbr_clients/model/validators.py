"""What one argument may be: a validator takes a value and returns it in one form, or says what is allowed.

A reason starts with "must"; `validation` adds the argument's path and what was given.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BeforeValidator

from pulumi_hbr_clients.model.backup_client import CLIENT_FIELDS, field_name
from pulumi_hbr_clients.model.errors import SUGGESTION_PREFIX

CLIENT_TYPES: Final = ("ECS_CLIENT", "CONTAINER_CLIENT", "LOCAL_CLIENT")
STATUSES: Final = (
    "REGISTERED",
    "ACTIVATED",
    "DEACTIVATED",
    "INSTALLING",
    "INSTALL_FAILED",
    "NOT_INSTALLED",
    "UPGRADING",
    "UPGRADE_FAILED",
    "UNINSTALLING",
    "UNINSTALL_FAILED",
    "STOPPED",
    "UNKNOWN",
)
BACKUP_STATUSES: Final = ("PROTECTED", "UNPROTECTED")
OS_TYPES: Final = ("linux", "windows")
CROSS_ACCOUNT_TYPES: Final = ("SELF_ACCOUNT", "CROSS_ACCOUNT", "CROSS_ACCOUNT_BY_RD")
PAGE_SIZE_MAX: Final = 99
TAGS_MAX: Final = 20
FILTERS_MAX: Final = 5
FILTER_VALUES_MAX: Final = 100
ACCOUNT_ID_END: Final = 10**19
SECONDS_MAX: Final = 365 * 86400.0
"""A year: longer waits are typing errors, and event loops cannot hold every float."""


def nearest(given: str, known: Iterable[str], alike: float = 0.6) -> str:
    """`; did you mean …?` where something known is at least so `alike`, from 0 to 1."""
    match = difflib.get_close_matches(given, known, 1, alike)
    return f"{SUGGESTION_PREFIX}{match[0]}?" if match else ""


def client_type(value: str) -> str:
    """The set of types is open, their form is not."""
    if re.fullmatch(r"[A-Z][A-Z0-9_]*_CLIENT", value):
        return value
    hint = nearest(value.upper(), CLIENT_TYPES)
    msg = f"must be one of {', '.join(CLIENT_TYPES)} (or a newer X_CLIENT){hint}"
    raise ValueError(msg)


def constant(known: tuple[str, ...]) -> AfterValidator:
    """A value of an open set that is spelled in capitals."""

    def check(value: str) -> str:
        if re.fullmatch(r"[A-Z][A-Z0-9_]*", value):
            return value
        msg = f"must be in capitals, as in {', '.join(known)}{nearest(value.upper(), known)}"
        raise ValueError(msg)

    return AfterValidator(check)


def not_empty(value: str) -> str:
    """A text that says something."""
    if not value:
        msg = "must not be empty"
        raise ValueError(msg)
    return value


def word(value: str) -> str:
    """A name or an id."""
    if not value or re.search(r"\s", value):
        msg = "must not be empty or hold white space"
        raise ValueError(msg)
    return value


def tag_text(value: str) -> str:
    """Tag keys and values, by the API document."""
    if not_empty(value).lower().startswith(("aliyun", "acs:")):
        msg = "must not start with aliyun or acs:"
        raise ValueError(msg)
    if "http://" in value or "https://" in value:
        msg = "must not contain http:// or https://"
        raise ValueError(msg)
    return value


def account_id(value: Any) -> str:
    """Account ids are 64-bit; JSON and protobuf may hand them over as whole floats."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value) if isinstance(value, str) or (isinstance(value, int) and 0 < value < ACCOUNT_ID_END) else ""
    if isinstance(value, bool) or not re.fullmatch(r"[1-9]\d{0,18}", text, re.ASCII):
        msg = "must be an Alibaba Cloud account id: a number of at most 19 digits"
        raise ValueError(msg)
    return text


def client_field(value: str) -> str:
    """A field of a client, in either spelling; gives the attribute's."""
    name = field_name(value)
    if name not in CLIENT_FIELDS:
        hint = nearest(name, CLIENT_FIELDS) or f": {', '.join(CLIENT_FIELDS)}"
        msg = f"must be a field of a client{hint}"
        raise ValueError(msg)
    return name


def between(low: int, high: int | None = None) -> AfterValidator:
    """A number within bounds."""

    def check(value: int) -> int:
        if value < low or (high and value > high):
            msg = f"must be {low} to {high}" if high else f"must be {low} or more"
            raise ValueError(msg)
        return value

    return AfterValidator(check)


def as_tuple(value: Any) -> Any:
    """A single text given for a list would be taken apart into letters."""
    if isinstance(value, str | bytes | Mapping):
        msg = "must be a list of strings"
        raise ValueError(msg)  # noqa: TRY004  pydantic collects ValueError only
    return tuple(value) if isinstance(value, Iterable) else value


def as_tags(value: Any) -> Any:
    """A map of keys and values becomes a list of {key, value}."""
    return [{"key": key, "value": item} for key, item in value.items()] if isinstance(value, Mapping) else value


def as_filters(value: Any) -> Any:
    """A map of keys and lists of values becomes a list of {key, values}."""
    return [{"key": key, "values": item} for key, item in value.items()] if isinstance(value, Mapping) else value


def unique(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sorted, each once: order and repetition mean nothing."""
    return tuple(sorted(set(values), key=str))


def at_most(limit: int, things: str) -> BeforeValidator:
    """As many as the API document allows in one request."""

    def check(value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) > limit:
            msg = f"must be at most {limit} {things}, not {len(value)}"
            raise ValueError(msg)
        return value

    return BeforeValidator(check)


def seconds(value: Any) -> float:
    """A time as seconds, or as text: 90, "90s", "15m", "1h30m"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 0 <= value <= SECONDS_MAX:
            return float(value)
    elif isinstance(value, str) and value:
        parts = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", value, re.ASCII)
        units = zip(parts.groups(), (86400, 3600, 60, 1), strict=True) if parts else ()
        total = sum(float(number or 0) * unit for number, unit in units) if parts else None
        if total is not None and total <= SECONDS_MAX:
            return total
    msg = "must be a time: seconds, or text like 90s, 15m or 1h30m; at most 365 days"
    raise ValueError(msg)


def more_than_0(value: float) -> float:
    """A time that is not nothing."""
    if value <= 0:
        msg = "must be longer than 0 s"
        raise ValueError(msg)
    return value


def version(value: str) -> str:
    """A client version that can be compared."""
    try:
        Version(value)
    except InvalidVersion:
        msg = "must be a version, for example 2.13.0"
        raise ValueError(msg) from None
    return value


def at_least_one(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """A filter without a value would be none."""
    if not values:
        msg = "must hold at least one value"
        raise ValueError(msg)
    return values


Word = Annotated[str, AfterValidator(word)]
TagText = Annotated[str, AfterValidator(tag_text)]
ClientType = Annotated[str, AfterValidator(client_type)]
ClientField = Annotated[str, AfterValidator(client_field)]
AccountId = Annotated[str, BeforeValidator(account_id)]
Status = Annotated[str, constant(STATUSES)]
BackupStatus = Annotated[str, constant(BACKUP_STATUSES)]
CrossAccountType = Annotated[str, constant(CROSS_ACCOUNT_TYPES)]
Seconds = Annotated[float, BeforeValidator(seconds)]
Duration = Annotated[Seconds, AfterValidator(more_than_0)]
ClientVersion = Annotated[str, AfterValidator(version)]
PageNumber = Annotated[int, between(1)]
PageSize = Annotated[int, between(1, PAGE_SIZE_MAX)]
Ids = Annotated[tuple[Word, ...], BeforeValidator(as_tuple), AfterValidator(unique)]
Statuses = Annotated[tuple[Status, ...], BeforeValidator(as_tuple), AfterValidator(unique)]
BackupStatuses = Annotated[tuple[BackupStatus, ...], BeforeValidator(as_tuple), AfterValidator(unique)]
ClientFields = Annotated[tuple[ClientField, ...], BeforeValidator(as_tuple), AfterValidator(unique)]
FilterValues = Annotated[
    tuple[Annotated[str, AfterValidator(not_empty)], ...],
    at_most(FILTER_VALUES_MAX, "values"),
    BeforeValidator(as_tuple),
    AfterValidator(unique),
    AfterValidator(at_least_one),
]
