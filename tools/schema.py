"""The Pulumi package schema: what the engine, the registry and the SDKs of other languages know of this package.

    Query, Condition, Configuration, BackupClient, ClientList  →  pydantic's JSON schema  →  Pulumi's

What a model says is read off it: names, types, descriptions, what is secret and what is required. Tokens and what is
an input where stand here; names in each language, texts and programs in schema_texts/, with which tests compare docs/.
"""

import inspect
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter
from pydantic.alias_generators import to_camel, to_pascal

from pulumi_hbr_clients.activation import condition as gate
from pulumi_hbr_clients.activation.condition import ResourceCondition
from pulumi_hbr_clients.activation.messages import format_duration
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model import validators
from pulumi_hbr_clients.model.backup_client import BackupClient, ClientSettings, Record
from pulumi_hbr_clients.model.configuration import AssumeRole, Configuration
from pulumi_hbr_clients.model.names import FUNCTION_TOKEN, GATE_TOKEN, PACKAGE
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Filter, Query, Tag

Spec = dict[str, Any]
"""A part of a JSON schema: of pydantic's, which comes in, or of Pulumi's, which goes out."""

_NAME: Final = f"{PACKAGE}:index:{{model}}"
_REFERENCE: Final = f"#/types/{_NAME}"

NOT_IN_OUTPUTS: Final = frozenset({"request_count", "request_ids", "server_time", "by_instance_id"})
"""How the list was read, and what can be derived from the clients: on Python's results only."""
_OPTIONAL_OUTPUTS: Final = frozenset({"proxyPasswords", "profile", "pageNumber", "pageSize"})
OF_GATE: Final = frozenset({"clients", "ids", "instance_ids", "total_count", "counts_by_status"})
"""Outputs of a list that a gate has. Not how long it waited: that would be a change in every state."""
_GATE_OUTPUTS: Final[Mapping[str, Spec]] = {
    "bypassed": {
        "type": "boolean",
        "description": "Whether the gate did not hold, because `gates` was `warn` or `off`. "
        "It then waits as soon as gates are enforced.",
    },
    "settingsDigest": {
        "type": "string",
        "description": "A digest of region, endpoint and credential source. The gate waits again when it changes.",
    },
}

_OPEN_SETS: Final[Mapping[str, tuple[str, ...]]] = {
    to_camel(name): known
    for name, known in {**queries.OPEN_SETS, **gate.OPEN_SETS}.items()
    if known is not validators.BACKUP_STATUSES  # their descriptions name both
}
"""Inputs whose known values may become more. The values of a closed set are in its type."""
_WIDE: Final = frozenset({"maxMemory"})
"""Bytes: a number, because Pulumi's integer has 32 bits in C# and Java."""
_PAIRS: Final[Spec] = {
    _REFERENCE.format(model=Tag.__name__): {"type": "string"},
    _REFERENCE.format(model=Filter.__name__): {"type": "array", "items": {"type": "string"}},
}
"""Lists of a key and its value or values, which other languages write as maps."""

LANGUAGES: Final = {"typescript": "ts", "python": "py", "go": "go", "yaml": "yaml", "csharp": "cs", "java": "java"}
"""Languages as Pulumi's documentation calls them in a fence, and the suffix of their files."""


def _read(name: str) -> str:
    return (Path(__file__).with_name("schema_texts") / name).read_text()


LISTING: Final = {language: _read(f"list.{suffix}") for language, suffix in LANGUAGES.items()}
"""The clients of production: the same function in each language."""
GATE: Final = {language: _read(f"gate.{suffix}") for language, suffix in LANGUAGES.items()}
"""New instances, and what waits for their clients."""


def schema() -> Spec:
    """The whole schema, without a version: the provider adds its own."""
    keys = _inputs(Configuration)
    return {
        **json.loads(_read("package.json")),
        "config": {"variables": _config(keys)},
        "functions": {FUNCTION_TOKEN: _function()},
        "provider": {"description": _read("provider.md").rstrip(), "inputProperties": keys, "properties": keys},
        "resources": {GATE_TOKEN: _gate()},
        "types": _types(),
    }


def _described(text: str, title: str, programs: Mapping[str, str]) -> str:
    """A description whose example each SDK's documentation shows in its own language."""
    fences = "\n".join(f"```{language}\n{program}```" for language, program in programs.items())
    example = f"{{{{% example %}}}}\n### {title}\n\n{fences}\n{{{{% /example %}}}}"
    return f"{_read(text)}\n{{{{% examples %}}}}\n## Example Usage\n\n{example}\n{{{{% /examples %}}}}\n"


def _function() -> Spec:
    outputs = _outputs()
    return {
        "description": _described("list.md", "The clients of production", LISTING),
        "inputs": {"type": "object", "properties": _inputs(Query), "required": _required(Query)},
        "outputs": {"type": "object", "properties": outputs, "required": sorted(outputs.keys() - _OPTIONAL_OUTPUTS)},
    }


def _gate() -> Spec:
    inputs = _inputs(Query, gate.REFUSED) | _inputs(ResourceCondition)
    outputs = {**_outputs(OF_GATE), **_GATE_OUTPUTS}
    return {
        "description": _described("gate.md", "New instances wait for their clients", GATE),
        "inputProperties": inputs,
        "requiredInputs": _required(Query),
        # `instanceIds` is both: asked for as an input, and those that have a client as an output
        "properties": inputs | outputs,
        "required": sorted({*_required(Query), *outputs}),
    }


def _config(keys: Spec) -> Spec:
    """The provider's inputs as config, with the environment variables that stand in for it.

    The inputs have no such defaults: an SDK would read them in the program and hand them over as given. Keys from the
    environment would then stand in state, and mix with those that are given.
    """
    variables = dict(keys)
    for name, found in _properties(Configuration).items():
        if "environment" in found:
            variables[name] = {**keys[name], "defaultInfo": {"environment": found["environment"]}}
    return variables


def _types() -> Spec:
    records = {record.__name__: _object(record) for record in (BackupClient, ClientSettings)}
    role = {AssumeRole.__name__: _object(AssumeRole) | {"required": _required(AssumeRole)}}
    return {_NAME.format(model=name): found for name, found in (records | role | _enums()).items()}


def _object(kind: type[Record | BaseModel]) -> Spec:
    found = {name: _property(name, node) for name, node in _properties(kind).items()}
    about, _, _ = (inspect.getdoc(kind) or "").partition("\n\n")
    return {"description": _with_camel_names(about), "type": "object", "properties": found}


def _enums() -> Spec:
    """The inputs that are one of a few values: SDKs get names for these, and take any other string as well.

    So a value that is newer than an SDK needs no new SDK. Lists are of plain strings: a list of unions is hard to write
    in C# (pulumi/pulumi#5947). Config too: it would be no string then (pulumi/pulumi#19583).
    """
    found: Spec = {}
    for name, node in _properties(Query).items():
        if (values := _known_values(name, node)) and "items" not in _bare(node):
            # `ECS_CLIENT` is named `EcsClient`, or Go and Python would call it EC_S_CLIENT
            members = [{"name": to_pascal(value.lower()), "value": value} for value in values]
            found[_pascal(name)] = {"type": "string", "enum": members}
    return found


def _inputs(model: type[BaseModel], without: Collection[str] = ()) -> Spec:
    hidden = {to_camel(name) for name in without}
    return {name: _input(name, node) for name, node in _properties(model).items() if name not in hidden}


def _input(name: str, node: Spec) -> Spec:
    found = _property(name, node)
    values = _known_values(name, node)
    if values and "items" in found:
        found["description"] += f" Known values: {', '.join(f'`{value}`' for value in values)}."
    elif values:
        either = [{"type": "string"}, {"$ref": _REFERENCE.format(model=_pascal(name))}]
        return {"oneOf": either, "description": found["description"]}
    return found


def _known_values(name: str, node: Spec) -> tuple[str, ...]:
    return tuple(_bare(node).get("enum") or _OPEN_SETS.get(name) or ())


def _required(model: type[BaseModel]) -> list[str]:
    return sorted(to_camel(name) for name, field in model.model_fields.items() if field.is_required())


def _outputs(names: Collection[str] | None = None) -> Spec:
    """The outputs that a list becomes, its fields and its properties: all, or these."""
    nodes = _properties(ClientList)
    for name, found in vars(ClientList).items():
        if isinstance(found, property):
            nodes[name] = {**_json_schema(found.fget.__annotations__["return"]), "description": found.__doc__}
    chosen = nodes.keys() - NOT_IN_OUTPUTS if names is None else names
    # what stands for an output that is left out concerns nobody who reads outputs
    return {to_camel(name): _property(name, {**nodes[name], "default": None}) for name in chosen}


def _property(name: str, node: Spec) -> Spec:
    bare = _bare(node)  # a `SecretStr`, or a map of them, is only written
    secret = {"secret": True} if "writeOnly" in {**bare, **(bare.get("additionalProperties") or {})} else {}
    sentences = [_with_camel_names(node["description"])]
    if bare.get("type") == "number":
        sentences.append("Text like `90s`, `15m` or `1h30m`.")
    if default := node.get("default"):
        shown = format_duration(default).removesuffix("00s") if isinstance(default, float) else default
        sentences.append(f"If left out: `{shown}`.")
    if variables := node.get("environment"):
        sentences.append(f"Environment: {', '.join(f'`{name}`' for name in variables)}.")
    return {**_type(name, node), **secret, "description": " ".join(sentences)}


def _type(name: str, node: Spec) -> Spec:  # noqa: PLR0911  one for each kind of type
    """Pulumi's word for a type of pydantic's. A number that need not be whole is a time: it travels as text."""
    match _bare(node):
        case {"items": {"$ref": pair}} if pair in _PAIRS:
            return {"type": "object", "additionalProperties": _PAIRS[pair]}
        case {"items": items}:
            return {"type": "array", "items": _type(name, items)}
        case {"additionalProperties": values}:
            return {"type": "object", "additionalProperties": _type(name, values)}
        case {"$ref": reference}:
            return {"$ref": reference}
        case {} as anything if not anything:
            return {"$ref": "pulumi.json#/Any"}
        case {"type": "number"}:
            return {"type": "string"}
        case {"type": kind}:
            return {"type": "number" if name in _WIDE else kind}
    raise TypeError(f"{name}: no type of Pulumi's for {node}")


def _bare(node: Spec) -> Spec:
    """The type of what may be None."""
    match node:
        case {"anyOf": [inner, {"type": "null"}]}:
            return dict(inner)
    return node


def _pascal(name: str) -> str:
    return name[0].upper() + name[1:]


def _with_camel_names(text: str) -> str:
    """A text with the names of fields as the schema has them: `client_type` → `clientType`."""
    return re.sub(r"\b[a-z]+(_[a-z]+)+\b", lambda found: to_camel(found[0]), " ".join(text.split()))


def _properties(kind: type) -> dict[str, Spec]:
    return dict(_json_schema(kind)["properties"])


def _json_schema(kind: Any) -> Spec:
    return TypeAdapter(kind).json_schema(mode="serialization", ref_template=_REFERENCE)
