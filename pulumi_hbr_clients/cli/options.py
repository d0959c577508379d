"""Options of the command line, made from the fields of `Query` and `ActivationCondition`, and read back into them.

    client_ids: tuple[str, ...]   →  --client-id ID, repeatable
    page_size: int                →  --page-size N
    timeout: float                →  --timeout TIME
    outdated: bool | None         →  --outdated/--up-to-date
    assume_role: AssumeRole       →  --assume-role ARN, or a JSON object

A new field of a model is an option without an edit here. Sends nothing.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from types import NoneType
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pulumi_hbr_clients.activation.condition import REFUSED, ActivationCondition
from pulumi_hbr_clients.activation.messages import format_duration
from pulumi_hbr_clients.model.configuration import AssumeRole
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.query import Query

WITHOUT_OPTION: Final = frozenset({"include_heartbeats", "allow_incomplete"})
"""The command line always shows heartbeats, and prints an incomplete list before it exits with 1."""
REPEATABLE: Final = frozenset({"region", "profile"})
"""One value for a query, several for a command: `targets` makes a query for each."""
_OPPOSITE: Final = {"outdated": "up-to-date"}
_HELP: Final = {
    "client_ids": "A backup client to list, by its id (c-…).",
    "instance_ids": "An ECS instance whose clients are listed, by its id (i-…).",
    "outdated": "Only clients whose version is known to be below the newest one, or known not to be. Applied "
    "after the service answered.",
    "fields": "A field of each client to print; client id and instance id are always printed.",
    "include_proxy_passwords": "Print proxy passwords too, in clear text!",
    "timeout": "Maximum time for the whole query, in seconds or as text like 90s or 5m.  [default: 5m; doctor: 30s]",
    "assume_role": "A RAM role to assume with the credentials that were found: its ARN, or a JSON object with roleArn "
    "and, if needed, sessionName, externalId, sessionExpiration and policy.",
}
"""In place of a field's description, where one option is one item of a list, or a program would read it otherwise."""
_METAVARS: Final = {int: "N", float: "TIME", AssumeRole: "ARN", "tolerate": "STATUS", "profile": "NAME"}
FIELDS: Final[Mapping[str, FieldInfo]] = {**ActivationCondition.model_fields, **Query.model_fields}


def target_options() -> list[click.Option]:
    """The options of the targets that are no fields of a query."""
    text = "Every region of the service, from hbr:DescribeRegions; where that is not allowed, from a built-in list."
    every = click.Option(["--all-regions"], is_flag=True, help=text)
    text = "Which of the region's endpoints to use.  [default: public]"
    return [every, click.Option(["--network"], metavar="[public|vpc]", help=text)]


def output_option(*formats: str, text: str) -> Callable[..., Any]:
    """`--output` with these formats; the first is the default."""
    return click.option("--output", type=click.Choice(formats), default=formats[0], show_default=True, help=text)


def model_options(model: type[BaseModel] = Query) -> list[click.Option]:
    """An option for every field of the model."""
    return [_option(name, info) for name, info in model.model_fields.items() if name not in WITHOUT_OPTION]


def gate_options() -> list[click.Option]:
    """An option for every field of a query that a gate takes, and of its condition."""
    own = model_options(ActivationCondition)
    names = {*REFUSED, *(option.name for option in own)}
    return [*(option for option in model_options() if option.name not in names), *own]


def option_name(name: str, info: FieldInfo | None = None) -> str:
    """`client_ids` → `--client-id`: one option is one item of a list. Names of no field keep their number."""
    info = info or FIELDS.get(name)
    if info is not None and _kind(info.annotation) is tuple:
        name = re.sub(r"(?<=s)es$|s$", "", name)
    return f"--{name.replace('_', '-')}"


def _option(name: str, info: FieldInfo) -> click.Option:
    kind, spelling = _kind(info.annotation), option_name(name, info)
    text = info.description or ""
    if info is Query.model_fields.get(name):
        text = _HELP.get(name, text)
    if kind is bool:
        if info.default is None:
            spelling += f"/--{_OPPOSITE.get(name, f'no-{name}')}"
        return click.Option([name, spelling], is_flag=True, default=info.default, help=text)
    multiple = kind is tuple or name in REPEATABLE
    notes = [*(["required"] if info.is_required() else []), *(["repeatable"] if multiple else []), *_default(info)]
    text += f"  [{', '.join(notes)}]" if notes else ""
    metavar = _METAVARS.get(name) or _METAVARS.get(kind) or _metavar(spelling, info.annotation)
    return click.Option([name, spelling], multiple=multiple, metavar=metavar, help=text)


def _default(info: FieldInfo) -> Iterator[str]:
    """The value without the option; a float is a duration."""
    value = info.get_default()
    if isinstance(value, str | int | float):
        yield f"default: {format_duration(value).removesuffix('00s') if isinstance(value, float) else value}"


def _metavar(spelling: str, annotation: Any) -> str:
    bare = _bare(annotation)
    if get_origin(bare) is Literal:
        return f"[{'|'.join(get_args(bare))}]"
    if pair := _pair(annotation):
        return "KEY=VALUE[,VALUE]" if "values" in pair.model_fields else "KEY[=VALUE]"
    return spelling.rpartition("-")[2].upper()


def _bare(annotation: Any) -> Any:
    """The type without `Annotated` and `| None` around it."""
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
    return next((item for item in inner if isinstance(item, type) and issubclass(item, BaseModel)), None)


def arguments(values: Mapping[str, Any], *models: type[BaseModel]) -> dict[str, Any]:
    """The typed values as arguments of the models, less those that were not typed and those of `REPEATABLE`."""
    fields = {n: info for model in models for n, info in model.model_fields.items() if n not in REPEATABLE}
    given = {name: value for name in fields if (value := values.get(name)) not in {None, ()}}
    return {name: _value(fields[name].annotation, value) for name, value in given.items()}


def _value(annotation: Any, value: Any) -> Any:
    kind, pair = _kind(annotation), _pair(annotation)
    if kind is int:
        return int(value) if re.fullmatch(r"[+-]?\d{1,18}", value) else value
    if kind is AssumeRole:
        return _role(value)
    if pair is None:
        return value
    parts = [text.partition("=") for text in value]
    if "values" in pair.model_fields:
        return [{"key": key, "values": rest.split(",") if equals else []} for key, equals, rest in parts]
    return [{"key": key, "value": rest} if equals else {"key": key} for key, equals, rest in parts]


def _role(text: str) -> Any:
    """An ARN, or the keys of `AssumeRole` as a JSON object."""
    if not text.lstrip().startswith("{"):
        return {"roleArn": text}
    try:
        return json.loads(text)
    except ValueError:
        issue = ValidationIssue("assume_role", "must be a role's ARN, or a JSON object with roleArn", repr(text))
        raise InputError(issue) from None


def parse_together(*parsers: Callable[[], Any]) -> list[Any]:
    """The values of all parsers. Raises `InputError` with all their issues, one for each argument."""
    values: list[Any] = []
    issues: dict[str, ValidationIssue] = {}
    for parser in parsers:
        try:
            values.append(parser())
        except InputError as error:
            for issue in error.faults:
                several = issue.path in REPEATABLE  # each of its values may have an issue
                issues.setdefault(str(issue) if several else issue.path, issue)
    if issues:
        raise InputError(*issues.values())
    return values
