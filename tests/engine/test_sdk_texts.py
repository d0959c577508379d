"""What other languages read of this package: generated names, marks of secrets, PulumiPlugin.yaml.

Nothing is compiled here; `test_sdks` does that.
"""

import ast
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from pydantic.alias_generators import to_snake

import pulumi_hbr_clients
from pulumi_hbr_clients import ActivationGate, BackupClient, ClientList
from pulumi_hbr_clients.model import names
from pulumi_hbr_clients.model.backup_client import ClientSettings
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.plugin import schema

ROOT = Path(__file__).parents[2]
SCHEMA = schema.schema()
GATE = SCHEMA["resources"][names.GATE_TOKEN]
pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]  # the first run on a machine compiles the generators


@pytest.mark.parametrize(
    ("path", "marks"),
    [
        ("nodejs/provider.ts", ['{key}"] = args?.{key} ? pulumi.secret(args.{key}) : undefined', '"{key}"']),
        ("go/hbrclients/provider.go", ["args.{Key} = pulumi.ToSecret(args.{Key})", '\t\t"{key}",\n']),
        ("python/pulumi_hbr_clients/provider.py", ["else pulumi.Output.secret({snake})", '"{key}"']),
    ],
    ids=["typescript", "go", "python"],
)
def test_keys_are_secrets(sdks: Path, path: str, marks: list[str]) -> None:
    """As what is given to a provider, and as what is kept of it. A result's passwords: see the two providers."""
    text = (sdks / path).read_text()
    assert re.search("additional_?secret_?outputs", text, re.IGNORECASE)
    for key in ("accessKey", "secretKey", "securityToken"):
        for mark in marks:
            assert mark.format(key=key, Key=key[0].upper() + key[1:], snake=to_snake(key)) in text


def parsed(path: Path) -> dict[str, Any]:
    """The functions and classes of a module by name, of several of one name the last."""
    found = ast.parse(path.read_text()).body
    return {node.name: node for node in found if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def arguments(function: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in function.args.args + function.args.kwonlyargs}


def attributes(kind: ast.ClassDef) -> set[str]:
    functions = (node for node in kind.body if isinstance(node, ast.FunctionDef))
    return {node.name for node in functions if "property" in " ".join(map(ast.unparse, node.decorator_list))}


def public(kind: type) -> set[str]:
    """The fields and properties of a class of ours, without what Pulumi's own classes bring."""
    ours = (base for base in kind.__mro__ if base.__module__.startswith("pulumi_hbr_clients"))
    properties = {name for base in ours for name, found in vars(base).items() if isinstance(found, property)}
    return {name for name in (*getattr(kind, "__dataclass_fields__", {}), *properties) if not name.startswith("_")}


def test_names_of_the_function(sdks: Path) -> None:
    """Arguments, results and clients have the same names in the Python SDK that would be made and in ours."""
    module = sdks / "python" / "pulumi_hbr_clients"
    made, records = parsed(module / "get_backup_clients.py"), parsed(module / "outputs.py")
    assert arguments(made["get_backup_clients"]) ^ Query.model_fields.keys() == {
        "opts",  # of a provider or a version: ours reads in the program's own process
    }
    assert arguments(made["get_backup_clients_output"]) == {"opts", *Query.model_fields}
    assert attributes(made["GetBackupClientsResult"]) ^ public(ClientList) == schema.NOT_IN_OUTPUTS
    assert attributes(records["BackupClient"]) ^ public(BackupClient) == {
        "outdated",  # worked out of two fields, which no generated type can
        "identity",  # the same
    }
    assert attributes(records["ClientSettings"]) == public(ClientSettings)


def test_names_of_the_gate(sdks: Path) -> None:
    """Arguments and outputs have the same names; a resource of a provider tells its inputs too."""
    made = parsed(sdks / "python" / "pulumi_hbr_clients" / "activation_gate.py")
    (taken,) = (node for node in made["ActivationGate"].body if getattr(node, "name", "") == "_internal_init")
    ours = inspect.signature(ActivationGate.__init__).parameters.keys() - {"self"}
    assert arguments(taken) - {"__self__", "__props__"} == ours
    inputs = {to_snake(name) for name in GATE["inputProperties"]}
    assert attributes(made["ActivationGate"]) - (inputs - {"instance_ids"}) ^ public(ActivationGate) == {
        "settings_digest",  # of no use in a program
        "by_instance_id",  # made in Python only
    }


@pytest.fixture
def host() -> Iterator[str]:
    """The address of our provider, started as Pulumi's Python host starts a folder with PulumiPlugin.yaml."""
    command = [sys.executable, "-m", "pulumi.run.plugin", "pulumi-hbr-clients"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


def test_the_repository_is_a_plugin(host: str) -> None:
    """The file that makes it one names what its runtime needs; what that runs is our provider, with our schema.

    The host itself is not here, so `pulumi package add` of this repository has never been run.
    """
    settings = yaml.safe_load((ROOT / "PulumiPlugin.yaml").read_text())
    assert settings["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}}
    assert (ROOT / "requirements.txt").read_text().splitlines()[-1] == "."
    with grpc.insecure_channel(host) as channel:
        provider = provider_pb2_grpc.ResourceProviderStub(channel)
        answer = json.loads(provider.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert answer == schema.schema(pulumi_hbr_clients.__version__)
