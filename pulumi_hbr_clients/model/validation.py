"""A model and what was given → a value, or every fault in our own words: the argument, the reason, what was given."""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pulumi_hbr_clients.model.errors import REDACTED, SUGGESTION_PREFIX, ValidationIssue
from pulumi_hbr_clients.model.validators import CLIENT_TYPES, nearest

M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], given: Mapping[str, Any]) -> tuple[M | None, list[ValidationIssue]]:
    """The model's value and no faults, or None and all of them."""
    try:
        return model.model_validate(given), []
    except ValidationError as error:
        return None, [_fault(item, model.model_fields) for item in error.errors(include_url=False)]


def unknown_value_warnings(
    name: str, values: Iterable[str], known: Collection[str], secret: Collection[str], *, alike: float = 0.6
) -> Iterator[str]:
    """A sentence for each value of an open set that this version does not know: it is newer, or mistyped."""
    for value in values:
        if value not in known:
            shown, hint = (REDACTED, "") if name in secret else (value, nearest(value, known, alike))
            yield f"{name}: {shown} is not known to this version, and taken as it is{hint}"


def snake(name: str) -> str:
    """`clientType` → `client_type`; what is snake_case already stays."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _fault(item: Any, names: Iterable[str]) -> ValidationIssue:
    path = _path(item["loc"])
    if item["type"] == "extra_forbidden":
        match = difflib.get_close_matches(path, names, 1)
        return ValidationIssue(path, f"no such argument{f'{SUGGESTION_PREFIX}{match[0]}?' if match else ''}")
    if item["type"] == "missing":
        allowed = f"; one of {', '.join(CLIENT_TYPES)}" if path == "client_type" else ""
        return ValidationIssue(path, f"is required{allowed}")
    reason = item["msg"].removeprefix("Value error, ").removeprefix("Input should ").strip()
    return ValidationIssue(path, f"must {reason}" if reason.startswith("be ") else reason, _given(item["input"]))


def _path(loc: tuple[int | str, ...]) -> str:
    """`("tags", 2, "key")` → `tags[2].key`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.lstrip(".")


def _given(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"  # noqa: PLR2004  a terminal's line
