"""What arguments may be: a model and arguments → a value, or every fault: its path, what is allowed, what was given.

First the types of arguments: each returns a value in one form, or says what is allowed ("must …"). Then `validate`,
which adds the path and what was given.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Annotated, Any, Final, TypeVar, get_args

from packaging.version import VERSION_PATTERN
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from pulumi_hbr_clients.model.backup_client import CLIENT_FIELDS, field_name
from pulumi_hbr_clients.model.errors import REDACTED, SUGGESTION_PREFIX, ValidationIssue

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


def at_most(limit: int, things: str) -> AfterValidator:
    """As many as the API document allows in one request."""
    return rule(
        lambda values: len(values) <= limit, f"be at most {limit} {things}", lambda values: f", not {len(values)}"
    )


def account_id(value: Any) -> str:
    """Account ids are 64-bit; JSON and protobuf may hand them over as whole floats."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = str(int(value)) if is_number and 0 < value < ACCOUNT_ID_END and value == int(value) else value
    if not isinstance(text, str) or not re.fullmatch(r"[1-9]\d{0,18}", text, re.ASCII):
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


def optional(description: str, *environment: str, default: Any = None) -> Any:
    """An argument that may be left out, and the environment variables that are read then, the first first."""
    extra: dict[str, Any] = {"environment": list(environment)} if environment else {}
    return Field(default, description=description, json_schema_extra=extra)


M = TypeVar("M", bound=BaseModel)
_SHOWN_MAX = 80
"""Characters of a given value in an error: a terminal's line."""


def validate(model: type[M], given: Mapping[str, Any]) -> tuple[M | None, list[ValidationIssue]]:
    """The model's value and no faults, or None and all of them."""
    try:
        return model.model_validate(given), []
    except ValidationError as error:
        return None, [_issue(item, model) for item in error.errors(include_url=False)]


def materialize(value: Any) -> Any:
    """Members of enums become their values, iterators and sets lists: once, before anything reads them.

    Whatever else is given stays as it is, Outputs of Pulumi too.
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {materialize(key): materialize(item) for key, item in value.items()}
    if isinstance(value, list | tuple | AbstractSet | ValuesView | Iterator):
        return [materialize(item) for item in value]
    return value


def unknown_value_warnings(
    arguments: BaseModel, open_sets: Mapping[str, Collection[str]], secret: Collection[str]
) -> Iterator[str]:
    """A sentence for each value of an open set that this version does not know: it is newer, or mistyped."""
    for name, known in open_sets.items():
        given = getattr(arguments, name)
        # types of clients differ in the part before _CLIENT only, so that any two of them are alike
        alike = 0.85 if known is CLIENT_TYPES else 0.6
        for value in (given,) if isinstance(given, str) else given or ():
            if value not in known:
                shown, hint = (REDACTED, "") if name in secret else (value, nearest(value, known, alike))
                yield f"{name}: {shown} is not known to this version and is used unchanged{hint}"


def snake(name: str) -> str:
    """`clientType` → `client_type`; what is snake_case already stays."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _issue(item: Any, model: type[BaseModel]) -> ValidationIssue:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in item["loc"]).lstrip(".")
    if item["type"] == "extra_forbidden":
        names = _names(model, item["loc"])
        hint = nearest(snake(str(item["loc"][-1])), names)
        rest = hint or (f"; allowed here: {', '.join(names)}" if len(item["loc"]) > 1 else "")
        return ValidationIssue(path, f"no such argument{rest}")
    if item["type"] == "missing":
        allowed = f"; one of {', '.join(CLIENT_TYPES)}" if path == "client_type" else ""
        return ValidationIssue(path, f"is required{allowed}")
    reason = item["msg"].removeprefix("Value error, ").removeprefix("Input should ").strip()
    return ValidationIssue(path, f"must {reason}" if reason.startswith("be ") else reason, _given(item["input"]))


def _names(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The names that are allowed where an unknown one was given: of the model, or of a part of it."""
    for part in loc[:-1]:
        if part in model.model_fields:
            model = next(_models(model.model_fields[str(part)].annotation), model)
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _given(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  any object may be given, and an int of 5,000 digits has no repr
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 3]}…"
