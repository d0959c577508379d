"""The package schema says what the models say, each thing once, and the pages about it say the same."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.activation import condition as gate
from pulumi_hbr_clients.model import names, validators
from pulumi_hbr_clients.model.configuration import (
    ENDPOINT_VARIABLES,
    KEY_VARIABLES,
    REGION_VARIABLES,
    AssumeRole,
    Configuration,
)
from tools import schema

ROOT = Path(__file__).parents[1]
SCHEMA = schema.schema()
FUNCTION, GATE = SCHEMA["functions"][names.FUNCTION_TOKEN], SCHEMA["resources"][names.GATE_TOKEN]
INPUTS, OUTPUTS = FUNCTION["inputs"]["properties"], FUNCTION["outputs"]["properties"]
CONFIG, TYPES = SCHEMA["config"]["variables"], SCHEMA["types"]
STRING, STRINGS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
TYPES_OF = {
    "clientIds": STRINGS,
    "statuses": STRINGS,
    "tags": {"type": "object", "additionalProperties": STRING},
    "filters": {"type": "object", "additionalProperties": STRINGS},
    "crossAccountUserId": STRING,
    "pageSize": {"type": "integer"},
    "outdated": {"type": "boolean"},
    "timeout": STRING,
    "clientType": {"oneOf": [STRING, {"$ref": "#/types/hbr-clients:index:ClientType"}]},
    "maxMemory": {"type": "number"},
}


def typed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = TYPES[f"hbr-clients:index:{name}"]
    return found


def bare(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in {"description", "secret", "defaultInfo"}}


def walk(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every part of the schema, and where it stands."""
    yield path, node
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, part in parts:
        yield from walk(part, f"{path}/{key}")


def properties() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property, with its path."""
    places = re.compile(r"/(properties|inputProperties|variables)/\w+$")
    yield from ((path, node) for path, node in walk(SCHEMA) if places.search(path))


def test_types() -> None:
    """Maps are maps, ids and times are text, bytes are wider than Pulumi's integers, an open set takes any string."""
    found = {**INPUTS, **GATE["inputProperties"], **typed("ClientSettings")["properties"]}
    assert {name: bare(found[name]) for name in TYPES_OF} == TYPES_OF


@pytest.mark.parametrize(("name", "default"), [("timeout", "15m"), ("poll", "2s"), ("maxHeartbeatAge", None)])
def test_times_are_text(name: str, default: str | None) -> None:
    """The form of a time is described, and so is what stands where it is left out: what the model says."""
    text = GATE["inputProperties"][name]["description"]
    assert "Text like `90s`, `15m` or `1h30m`." in text
    assert re.findall(r"If left out: `(.*)`", text) == ([default] if default else [])
    parsed = gate.parse({"clientType": "ECS_CLIENT"} | ({name: default} if default else {}))
    assert parsed == gate.parse({"clientType": "ECS_CLIENT"})


def test_no_default_is_filled_in() -> None:
    """A default in the schema would be copied into programs' state, and a better one would change every stack."""
    assert [path for path, node in properties() if "default" in node] == []


def test_sets_stay_open() -> None:
    """Known values are named, in a type or in the description of a list, and no property has only them."""
    for node in (INPUTS["statuses"], GATE["inputProperties"]["tolerate"]):
        assert [status for status in validators.STATUSES if f"`{status}`" not in node["description"]] == []
    values = [item["value"] for item in typed("ClientType")["enum"]]
    assert values == list(validators.CLIENT_TYPES)
    assert [item["name"] for item in typed("ClientType")["enum"]] == ["EcsClient", "ContainerClient", "LocalClient"]
    enums = {f"#/types/{name}" for name, found in TYPES.items() if "enum" in found}
    refs = {path: node["$ref"] for path, node in walk(SCHEMA) if isinstance(node, dict) and "$ref" in node}
    assert {path for path, ref in refs.items() if ref in enums and not path.endswith("/oneOf/1")} == set()
    assert {ref.removeprefix("#/types/") for ref in refs.values()} - {"pulumi.json#/Any"} == set(TYPES)


def test_outputs() -> None:
    """Outputs of the function and of the gate: what is always there, and what belongs to some queries."""
    optional = {"proxyPasswords", "profile", "pageNumber", "pageSize"}
    passed = {"clients", "ids", "instanceIds", "countsByStatus", "totalCount"}
    own = {"bypassed", "settingsDigest"}
    assert FUNCTION["outputs"]["required"] == sorted(OUTPUTS.keys() - optional)
    assert GATE["properties"].keys() - GATE["inputProperties"].keys() == passed - {"instanceIds"} | own
    assert GATE["required"] == sorted({*passed, *own, "clientType"})
    assert {name: bare(GATE["properties"][name]) for name in passed} == {name: bare(OUTPUTS[name]) for name in passed}


def test_secrets_are_marked() -> None:
    """Keys, the token and the passwords are secret everywhere; nothing that sounds like one is not."""
    marked = {path.rpartition("/")[2] for path, node in properties() if node.get("secret")}
    assert marked == {"accessKey", "secretKey", "securityToken", "credentialsUri", "proxyPasswords"}
    sounds = re.compile(r"/\w*(key|secret|token|password)\w*$", re.IGNORECASE)
    unmarked = {path for path, node in properties() if sounds.search(path) and not node.get("secret")}
    assert {path.rpartition("/")[2] for path in unmarked} == {"includeProxyPasswords"}


def test_every_property_is_described() -> None:
    """In a sentence, whose names are the schema's."""
    for path, node in properties():
        assert node["description"].endswith("."), path
        assert not re.search(r"\b[a-z]+_[a-z]+", node["description"]), path


def test_configuration_is_one() -> None:
    """Config, the provider's inputs and what it shows are the keys of `Configuration`; none is required."""
    assert list(CONFIG) == [to_camel(name) for name in Configuration.model_fields]
    provider = SCHEMA["provider"]
    assert provider["inputProperties"] == provider["properties"]
    assert {name: {k: v for k, v in node.items() if k != "defaultInfo"} for name, node in CONFIG.items()} == (
        provider["inputProperties"]
    )
    assert "requiredInputs" not in provider
    assert "defaults" not in SCHEMA["config"]
    assert typed("AssumeRole")["required"] == ["roleArn"]


def test_the_environment_never_becomes_an_input() -> None:
    """A default on a provider's input would be read by the SDK, and keys would stand in state."""
    assert {path for path, node in properties() if "defaultInfo" in node and not path.startswith("/config/")} == set()


def test_environment() -> None:
    """The variables that the schema names, as values and in descriptions, are those that are read, in this order."""
    access_key, secret_key, token = KEY_VARIABLES[0]
    read = {
        "region": list(REGION_VARIABLES),
        "endpoint": list(ENDPOINT_VARIABLES),
        "accessKey": [access_key],
        "secretKey": [secret_key],
        "securityToken": [token],
    }
    assert {key: CONFIG[key]["defaultInfo"]["environment"] for key in read} == read
    described = {key: re.findall(r"`([A-Z_]+)`", CONFIG[key]["description"]) for key in read}
    assert described == read


def page(name: str) -> tuple[dict[str, Any], str]:
    """A page's front matter and text."""
    _, front, text = (ROOT / "docs" / name).read_text().split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(front)
    return found, text


def test_pages_have_the_front_matter_of_the_registry() -> None:
    """Title, description and layout, by the registry's validators."""
    index, install = page("_index.md")[0], page("installation-configuration.md")[0]
    assert index["title"] == SCHEMA["displayName"]
    assert install["title"] == f"{SCHEMA['displayName']} Installation & Configuration"
    assert {index["layout"], install["layout"]} == {"package"}
    assert all(50 <= len(front["meta_desc"]) <= 160 for front in (index, install))


@pytest.mark.parametrize("programs", [schema.LISTING, schema.GATE], ids=["function", "gate"])
def test_the_page_shows_the_same_programs(programs: dict[str, str]) -> None:
    """Behind a choice of language, the programs of the schema."""
    choices = [
        f"{{{{% choosable language {name} %}}}}\n\n```{name}\n{programs[name]}```\n\n{{{{% /choosable %}}}}\n"
        for name in schema.LANGUAGES
    ]
    opened = f'{{{{< chooser language "{",".join(schema.LANGUAGES)}" >}}}}\n'
    assert "\n".join([opened, *choices, "{{< /chooser >}}\n"]) in page("_index.md")[1]


def test_the_page_tells_every_key() -> None:
    """Each key of the configuration, with its variables and in the words of the model."""
    text = page("installation-configuration.md")[1]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, flags=re.MULTILINE))
    assert rows.keys() == {to_camel(name) for model in (Configuration, AssumeRole) for name in model.model_fields}
    for name, node in (CONFIG | typed("AssumeRole")["properties"]).items():
        assert rows[name].startswith(node["description"].partition(" Environment:")[0])
        assert ("**Secret.**" in rows[name]) == node.get("secret", False)
        assert re.findall(r"`([A-Z_]+)`", rows[name]) == node.get("defaultInfo", {}).get("environment", [])
