"""`Query` and a gate's `ActivationCondition` as options, by one rule read off the models, and back, or every fault at once.

    client_ids: tuple[str, ...]   →  --client-id ID, repeatable; a lone empty one is the empty list
    page_size: int                →  --page-size N
    timeout: float                →  --timeout TIME
    outdated: bool | None         →  --outdated/--up-to-date

A new field of a model is an option without an edit here. Faults come back as the options are spelled. Sends nothing.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar, cast, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pulumi_hbr_clients.activation import condition as gates
from pulumi_hbr_clients.activation import messages as telling
from pulumi_hbr_clients.activation.condition import REFUSED, ActivationCondition
from pulumi_hbr_clients.client.settings import Settings
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.backup_client import CLIENT_FIELDS
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.query import Query

if TYPE_CHECKING:
    from pulumi_hbr_clients.client.client import HbrClient

LEFT_OUT: Final = frozenset({"include_heartbeats", "allow_incomplete", "timeout", "profile", "assume_role"})
"""No options of their own: the command line always gives heartbeats and prints what it has."""
SETTINGS: Final = ("region", "endpoint", "network", "profile")
_OPPOSITE: Final = {"outdated": "up-to-date"}
_ALSO: Final = {"include_proxy_passwords": "Prints them in clear text!"}
_METAVARS: Final = {int: "N", float: "TIME", "tolerate": "STATUS"}
_FIELDS: Final[Mapping[str, FieldInfo]] = {**ActivationCondition.model_fields, **Query.model_fields}

T = TypeVar("T")
Gate = tuple[Query, ActivationCondition]


@cache
def options(model: type[BaseModel] = Query) -> list[click.Option]:
    """An option for every field of the model."""
    return [_option(name, info) for name, info in model.model_fields.items() if name not in LEFT_OUT]


def of_gate(condition: type[BaseModel] = ActivationCondition) -> list[click.Option]:
    """An option for every field of a query that a gate takes, and of its condition."""
    return [*(option for option in options() if option.name not in REFUSED), *options(condition)]


def option_name(name: str, info: FieldInfo | None = None) -> str:
    """`client_ids` → `--client-id`. What is no field of a model keeps its number."""
    info = info or _FIELDS.get(name)
    if info is not None and _kind(info.annotation) is tuple:
        name = re.sub(r"(?<=s)es$|s$", "", name)
    return f"--{name.replace('_', '-')}"


def _option(name: str, info: FieldInfo) -> click.Option:
    kind, spelling = _kind(info.annotation), option_name(name, info)
    text = " ".join(filter(None, [info.description, _ALSO.get(name)]))
    if kind is bool:
        pair = info.default is None
        spelling += f"/--{_OPPOSITE.get(name, f'no-{name}')}" if pair else ""
        return click.Option([name, spelling], is_flag=True, default=info.default, help=text)
    notes = ["required"] * info.is_required() + ["repeatable"] * (kind is tuple) + list(_default(info))
    text += f"  [{', '.join(notes)}]" if notes else ""
    metavar = _METAVARS.get(name) or _METAVARS.get(kind) or _metavar(spelling, info.annotation)
    return click.Option([name, spelling], multiple=kind is tuple, metavar=metavar, help=text)


def _default(info: FieldInfo) -> Iterator[str]:
    """What stands where nothing was typed; a float is a time."""
    value = info.get_default()
    if isinstance(value, str | int | float):
        yield f"default: {telling.span(value).removesuffix('00s') if isinstance(value, float) else value}"


def _metavar(spelling: str, annotation: Any) -> str:
    bare = _bare(annotation)
    if get_origin(bare) is Literal:
        return f"[{'|'.join(get_args(bare))}]"
    if pair := _pair(annotation):
        return "KEY=VALUE[,VALUE]" if "values" in pair.model_fields else "KEY[=VALUE]"
    return spelling.rpartition("-")[2].upper()


def _bare(annotation: Any) -> Any:
    """The type without what stands around it: `Annotated`, and `| None`."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    rest = [item for item in get_args(annotation) if item is not NoneType]
    is_union = NoneType in get_args(annotation)
    return _bare(rest[0]) if is_union and len(rest) == 1 else annotation


def _kind(annotation: Any) -> Any:
    bare = _bare(annotation)
    return get_origin(bare) or bare


def _pair(annotation: Any) -> type[BaseModel] | None:
    """The model of a list's items, where they are pairs of a key and its value or values."""
    inner = [_bare(item) for item in get_args(_bare(annotation))]
    models = [item for item in inner if isinstance(item, type) and issubclass(item, BaseModel)]
    return models[0] if models else None


def arguments(values: Mapping[str, Any], *models: type[BaseModel]) -> dict[str, Any]:
    """What was typed → arguments of the models. What was not typed is not there."""
    fields = {name: info for model in models for name, info in model.model_fields.items()}
    given = {name: value for name in fields if (value := values.get(name)) not in {None, ()}}
    return {name: _value(fields[name].annotation, value) for name, value in given.items()}


def _value(annotation: Any, value: Any) -> Any:
    if _kind(annotation) is int:
        return int(value) if re.fullmatch(r"[+-]?\d{1,18}", value) else value
    if pair := _pair(annotation):
        row = _filter if "values" in pair.model_fields else _tag
        return [row(text) for text in value]
    return value


def _tag(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    return {"key": key, "value": value} if equals else {"key": key}


def _filter(text: str) -> dict[str, Any]:
    key, equals, values = text.partition("=")
    return {"key": key, "values": values.split(",") if equals else []}


def query(values: Mapping[str, Any]) -> Query:
    """The query that was typed."""
    return cast("Query", queries.parse(arguments(values, Query)))


def gate(values: Mapping[str, Any]) -> Gate:
    """The gate that was typed."""
    return cast("Gate", gates.parse(arguments(values, Query, ActivationCondition)))


def read(
    values: Mapping[str, Any], parse: Callable[[Mapping[str, Any]], T], *seconds: tuple[str, float]
) -> tuple[T, dict[str, float]]:
    """What was typed, and the options that are seconds, each at least so many. Raises `InputError` with all faults."""
    found, times, faults = checked(values, parse, *seconds)
    if found is None or faults:
        raise InputError(*faults)
    return found, times


def checked(
    values: Mapping[str, Any], parse: Callable[[Mapping[str, Any]], T], *seconds: tuple[str, float]
) -> tuple[T | None, dict[str, float], list[ValidationIssue]]:
    """What was typed if it can be that, the seconds, and all faults, one for each argument."""
    times: dict[str, float] = {}
    found: list[T] = []
    faults = _faults(lambda: found.append(parse(values)))
    faults += _faults(lambda: settings(values).target("command line"))
    for name, least in seconds:
        faults += _faults(partial(_read, times, name, values.get(name), least))
    first = {fault.path: fault for fault in reversed(faults)}
    return next(iter(found), None), times, [fault for fault in faults if first[fault.path] is fault]


def settings(values: Mapping[str, Any]) -> Settings:
    """Where region, endpoint and keys come from, with what was typed as the first place."""
    return Settings(arguments={name: values[name] for name in SETTINGS if values.get(name) is not None})


def client(values: Mapping[str, Any], times: Mapping[str, float]) -> "HbrClient":
    """What asks, with these settings."""
    from pulumi_hbr_clients.client.client import TIMEOUT, HbrClient  # noqa: PLC0415  httpx costs 0.25 s: bad input is told before

    return HbrClient(**settings(values).arguments, timeout=times.get("timeout", TIMEOUT))


def _faults(work: Callable[[], object]) -> list[ValidationIssue]:
    try:
        work()
    except InputError as error:
        return list(error.faults)
    return []


def _read(times: dict[str, float], name: str, text: str | None, least: float) -> None:
    """Add an option that is seconds to the others, if it was typed."""
    if text is None:
        return
    if not re.fullmatch(r"\d{1,9}(\.\d+)?", text) or float(text) < least:
        raise InputError(ValidationIssue(name, f"must be a number of seconds, at least {least:g}", repr(text)))
    times[name] = float(text)


def line(fault: ValidationIssue) -> str:
    """A fault in the user's spelling: `--page-size: must be 1 to 99 (given: 100)`."""
    root, _, part = re.sub(r"\[\d+\]", "", fault.path).partition(".")
    as_it_is = fault.path.startswith("--") or root[:1].isupper()  # an option, or a variable of the environment
    path = fault.path if as_it_is else f"{option_name(root)}{part and f' {part}'}"
    given = fault.given.removesuffix("from argument").strip()
    typed = given and not given.startswith(("[", "{", "("))
    return f"{path}: {spelled(fault.reason)}{f' (given: {given})' if typed else ''}"


def spelled(text: str) -> str:
    """Names of arguments in a text, as options."""
    text = _assigned().sub(lambda found: f"{option_name(found[1])} {found[2]}", text)
    return _names().sub(lambda found: option_name(found[0]), text)


@cache
def _assigned() -> re.Pattern[str]:
    """`tolerate=['UPGRADE_FAILED']`, as a program would say it."""
    return re.compile(rf"\b({'|'.join(_FIELDS)})=\['(\w+)'\]")


@cache
def _names() -> re.Pattern[str]:
    """Names with an underscore; where they head a line, all: English words and fields of clients are no arguments."""
    names = sorted(_FIELDS, key=len, reverse=True)
    compound = "|".join(name for name in names if "_" in name and name not in CLIENT_FIELDS)
    return re.compile(rf"\b({compound})\b|^({'|'.join(names)})(?=:)", re.MULTILINE)
