"""What each entry point leaves in a stack's state: what SECURITY.md says of it, and no more."""

import json
import re
from pathlib import Path
from typing import Any

import pulumi
import pytest

from pulumi_hbr_clients import ActivationGate, BackupClients, get_backup_clients, get_backup_clients_output
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend
from pulumi_hbr_clients.model.names import ACTIVATION_GATE_TYPE, FUNCTION_TOKEN, GATE_TOKEN
from tests.engine.programs import PluginGate, secrets
from tests.engine.projects import instances

pytestmark = pytest.mark.engine
PAGE = (Path(__file__).parents[2] / "SECURITY.md").read_text()
OURS = {"__provider", "__internal"}


def documented(entry_point: str) -> set[str]:
    """The names that the page gives for an entry point, of what state holds."""
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| {entry_point} |"))
    return set(re.findall(r"`(\w+)`", row.split("|")[2]))


def test_a_look_up_leaves_nothing(engine: Any, backend: Backend) -> None:
    """Neither function is a resource; what the program does not export is nowhere."""

    def program() -> None:
        found = get_backup_clients(client_type="ECS_CLIENT")
        again = get_backup_clients_output(client_type=pulumi.Output.from_input("ECS_CLIENT"))
        pulumi.export("same", again.total_count.apply(lambda total: total == found.total_count))
        pulumi.runtime.invoke(FUNCTION_TOKEN, {"clientType": "ECS_CLIENT"})

    stack = engine.stack()
    stack.up(program)
    assert stack.outputs() == {"same": True}
    kinds = {resource["type"] for resource in stack.state()}
    assert {kind for kind in kinds if not kind.startswith("pulumi:")} == set()
    assert [row["Hostname"] for row in backend.rows() if row["Hostname"] in json.dumps(stack.state())] == []


def test_a_data_source_leaves_its_list(engine: Any) -> None:
    """The arguments and the outputs that the page names; the passwords alone are secret."""
    stack = engine.stack()
    stack.up(lambda: BackupClients("fleet", client_type="ECS_CLIENT", include_proxy_passwords=True))
    outputs = stack.resource(":BackupClients")["outputs"]
    assert {*outputs, "profile"} - OURS - {"clientType", "includeProxyPasswords"} == documented("`BackupClients`")
    assert secrets(outputs) == {"proxyPasswords"}


def test_a_gate_leaves_what_it_saw(engine: Any, backend: Backend) -> None:
    """Its arguments and what it saw, in Python and in the plugin."""
    asked = instances(backend, "web-1", "web-2")

    def program() -> None:
        ActivationGate("ready", client_type="ECS_CLIENT", instance_ids=asked)
        PluginGate("other", clientType="ECS_CLIENT", instanceIds=asked)

    stack = engine.stack()
    stack.up(program)
    for kind, name in {ACTIVATION_GATE_TYPE: "`ActivationGate`", GATE_TOKEN: "the plugin's `ActivationGate`"}.items():
        outputs = stack.resource(kind)["outputs"]
        assert outputs.keys() - OURS - {"clientType"} == documented(name)
        assert secrets(outputs) == set()


@pytest.mark.parametrize("how", ["config", "argument"])
def test_keys_that_a_provider_is_given_are_encrypted(engine: Any, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """A provider keeps its configuration in state: keys only as ciphertext, also those that came in clear text."""
    for name in ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET"):
        monkeypatch.delenv(f"ALIBABA_CLOUD_{name}")
        del engine.environment[f"ALIBABA_CLOUD_{name}"]
    keys = {"accessKey": FAKE_CREDENTIALS.access_key_id, "secretKey": FAKE_CREDENTIALS.access_key_secret}

    def program() -> None:
        provider = pulumi.ProviderResource("hbr-clients", "own", keys) if how == "argument" else None
        options = pulumi.InvokeOptions(provider=provider)
        pulumi.runtime.invoke_output(FUNCTION_TOKEN, {"clientType": "ECS_CLIENT"}, options)

    config = {f"hbr_clients__{name}": value for name, value in keys.items()} if how == "config" else {}
    stack = engine.stack(**config)
    stack.up(program)
    (provider,) = (found for found in stack.state() if found["type"] == "pulumi:providers:hbr-clients")
    assert secrets(provider["inputs"]) == {"accessKey", "secretKey"}
    assert FAKE_CREDENTIALS.access_key_id not in stack.file.read_text()
