"""A model and arguments → a value, or every fault in our own words: the argument, what is allowed, what was given."""

import re
from collections.abc import Collection, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from enum import Enum
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from pulumi_hbr_clients.model.errors import REDACTED, ValidationIssue
from pulumi_hbr_clients.model.validators import CLIENT_TYPES, nearest

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
    if isinstance(value, list | tuple | set | frozenset | Iterator | KeysView | ValuesView | ItemsView):
        return [materialize(item) for item in value]
    return value


def unknown_value_warnings(
    name: str, values: Iterable[str], known: Collection[str], secret: Collection[str], *, alike: float = 0.6
) -> Iterator[str]:
    """A sentence for each value of an open set that this version does not know: it is newer, or mistyped."""
    for value in values:
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


_CROSS_ACCOUNT: Final = ("cross_account_type", "cross_account_user_id", "cross_account_role_name")
_GO_TOGETHER: Final = {
    "SELF_ACCOUNT": {"cross_account_type"},
    "CROSS_ACCOUNT": set(_CROSS_ACCOUNT),
    "CROSS_ACCOUNT_BY_RD": {"cross_account_type", "cross_account_user_id"},
}


def cross_account_issues(given: Mapping[str, Any], unknown: Collection[str]) -> list[ValidationIssue]:
    """What is missing beside the cross-account arguments that are given. A type that is not known may stand alone."""
    present = {name for name in _CROSS_ACCOUNT if name in given or name in unknown}
    if not present:
        return []
    kind = given.get("cross_account_type")
    needed = _GO_TOGETHER.get(kind, {"cross_account_type"}) if isinstance(kind, str) else set(_CROSS_ACCOUNT)
    if kind == "SELF_ACCOUNT" and len(present) > 1:
        reason = "must be CROSS_ACCOUNT or CROSS_ACCOUNT_BY_RD with the arguments of another account"
        return [ValidationIssue("cross_account_type", reason, repr(kind))]
    beside = f" with {kind}" if isinstance(kind, str) else f": {', '.join(_CROSS_ACCOUNT)} go together"
    return [ValidationIssue(name, f"must be given too{beside}") for name in _CROSS_ACCOUNT if name in needed - present]
