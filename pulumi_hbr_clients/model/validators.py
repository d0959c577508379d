"""What one argument may be: a validator takes a value and returns it in one form, or says what is allowed.

A reason starts with "must"; `validation` adds the argument's path and what was given.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Final, TypeVar

from packaging.version import VERSION_PATTERN
from pydantic import AfterValidator, BeforeValidator

from pulumi_hbr_clients.model.backup_client import CLIENT_FIELDS, field_name
from pulumi_hbr_clients.model.errors import SUGGESTION_PREFIX

CLIENT_TYPES: Final = ("ECS_CLIENT", "CONTAINER_CLIENT", "LOCAL_CLIENT")
STATUSES: Final = (
    *("REGISTERED", "ACTIVATED", "DEACTIVATED", "INSTALLING", "INSTALL_FAILED", "NOT_INSTALLED"),
    *("UPGRADING", "UPGRADE_FAILED", "UNINSTALLING", "UNINSTALL_FAILED", "STOPPED", "UNKNOWN"),
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


def rule(holds: Callable[[Any], Any], allowed: str, hint: Callable[[Any], str] = lambda _: "") -> AfterValidator:
    """A validator of values for which something holds; a refusal says what is allowed, and a hint for the value."""

    def check(value: Any) -> Any:
        if not holds(value):
            raise ValueError(f"must {allowed}{hint(value)}")
        return value

    return AfterValidator(check)


def constant(known: tuple[str, ...], form: str = "[A-Z][A-Z0-9_]*", allowed: str = "be in capitals, as in {}") -> Any:
    """A value of an open set, whose form is fixed."""
    pattern, names = re.compile(form), ", ".join(known)
    return rule(pattern.fullmatch, allowed.format(names), lambda value: nearest(value.upper(), known))


def at_most(limit: int, things: str) -> BeforeValidator:
    """As many as the API document allows in one request."""

    def check(value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) > limit:
            raise ValueError(f"must be at most {limit} {things}, not {len(value)}")
        return value

    return BeforeValidator(check)


def account_id(value: Any) -> str:
    """Account ids are 64-bit; JSON and protobuf may hand them over as whole floats."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value) if isinstance(value, str) or (isinstance(value, int) and 0 < value < ACCOUNT_ID_END) else ""
    if isinstance(value, bool) or not re.fullmatch(r"[1-9]\d{0,18}", text, re.ASCII):
        raise ValueError("must be an Alibaba Cloud account id: a number of at most 19 digits")
    return text


def as_tuple(value: Any) -> Any:
    """A single text given for a list would be taken apart into letters."""
    if isinstance(value, str | bytes | Mapping):
        raise ValueError("must be a list of strings")  # noqa: TRY004  pydantic collects ValueError only
    return tuple(value) if isinstance(value, Iterable) else value


def as_pairs(name: str) -> BeforeValidator:
    """A map becomes a list of {key, `name`}."""

    def pairs(value: Any) -> Any:
        return [{"key": key, name: item} for key, item in value.items()] if isinstance(value, Mapping) else value

    return BeforeValidator(pairs)


def unique(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sorted, each once: order and repetition mean nothing."""
    return tuple(sorted(set(values), key=str))


def seconds(value: Any) -> float:
    """A time as seconds, or as text: 90, "90s", "15m", "1h30m"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 0 <= value <= SECONDS_MAX:
            return float(value)
    elif isinstance(value, str) and value:
        number = r"(\d+(?:\.\d+)?)"
        parts = re.fullmatch(f"(?:{number}d)?(?:{number}h)?(?:{number}m)?(?:{number}s?)?", value, re.ASCII)
        units = zip(parts.groups(), (86400, 3600, 60, 1), strict=True) if parts else ()
        total = sum(float(number or 0) * unit for number, unit in units) if parts else None
        if total is not None and total <= SECONDS_MAX:
            return total
    raise ValueError("must be a time: seconds, or text like 90s, 15m or 1h30m; at most 365 days")


def client_field(value: str) -> str:
    """A field of a client, in either spelling; gives the attribute's."""
    name = field_name(value)
    if name not in CLIENT_FIELDS:
        fields = f": {', '.join(CLIENT_FIELDS)}"
        raise ValueError(f"must be a field of a client{nearest(name, CLIENT_FIELDS) or fields}")
    return name


def between(low: int, high: int | None = None) -> AfterValidator:
    """A number within bounds."""
    return rule(lambda value: low <= value <= (high or value), f"be {low} to {high}" if high else f"be {low} or more")


T = TypeVar("T")
ListOf = Annotated[tuple[T, ...], BeforeValidator(as_tuple), AfterValidator(unique)]
NotEmpty = Annotated[str, rule(bool, "not be empty")]
Word = Annotated[str, rule(re.compile(r"\S+").fullmatch, "not be empty or hold white space")]
TagText = Annotated[
    NotEmpty,
    rule(lambda text: not text.lower().startswith(("aliyun", "acs:")), "not start with aliyun or acs:"),
    rule(lambda text: not re.search("https?://", text), "not contain http:// or https://"),
]
ClientType = Annotated[str, constant(CLIENT_TYPES, "[A-Z][A-Z0-9_]*_CLIENT", "be one of {} (or a newer X_CLIENT)")]
AccountId = Annotated[str, BeforeValidator(account_id)]
BackupStatus = Annotated[str, constant(BACKUP_STATUSES)]
CrossAccountType = Annotated[str, constant(CROSS_ACCOUNT_TYPES)]
Seconds = Annotated[float, BeforeValidator(seconds)]
Duration = Annotated[Seconds, rule(lambda value: value > 0, "be longer than 0 s")]
_VERSION: Final = re.compile(rf"\s*{VERSION_PATTERN}\s*", re.VERBOSE | re.IGNORECASE)
ClientVersion = Annotated[str, rule(_VERSION.fullmatch, "be a version, for example 2.13.0")]
PageNumber = Annotated[int, between(1)]
PageSize = Annotated[int, between(1, PAGE_SIZE_MAX)]
Ids = ListOf[Word]
Statuses = ListOf[Annotated[str, constant(STATUSES)]]
BackupStatuses = ListOf[BackupStatus]
ClientFields = ListOf[Annotated[str, AfterValidator(client_field)]]
FilterValues = Annotated[ListOf[NotEmpty], at_most(FILTER_VALUES_MAX, "values"), rule(bool, "hold at least one value")]
