"""Every example is a whole Pulumi project, and runs as it stands."""

import json
import runpy
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi import automation as auto

from pulumi_hbr_clients.emulator import Backend, Cloud, account_credentials, new_rows, serve

EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.engine


def example(name: str) -> Callable[[], None]:
    def program() -> None:
        folder = str(EXAMPLES / name)
        sys.path.insert(0, folder)  # as `python folder` does
        try:
            runpy.run_path(f"{folder}/__main__.py", run_name="__main__")
        finally:
            sys.path.remove(folder)

    return program


def example_stack(engine: Any, name: str) -> Any:
    """A stack of an example, whose own modules the provider process finds as it does in a project's folder."""
    engine.environment["PYTHONPATH"] = str(EXAMPLES / name)
    return engine.stack("dev", project(name))


def project(name: str) -> str:
    found: str = yaml.safe_load((EXAMPLES / name / "Pulumi.yaml").read_text())["name"]
    return found


def test_no_example_is_forgotten() -> None:
    """Each folder has a project file, a program, its requirements, and a test here."""
    for folder in (path.parent for path in EXAMPLES.glob("*/__main__.py")):  # other languages': test_sdks
        assert {"Pulumi.yaml", "__main__.py", "requirements.txt"} <= {path.name for path in folder.iterdir()}
        assert f"test_{folder.name}" in globals()


def test_fleet(engine: Any, backend: Backend) -> None:
    """Counts, versions and the clients themselves are exported."""
    stack = example_stack(engine, "fleet")
    stack.up(example("fleet"))
    outputs = stack.outputs()
    assert outputs["totalCount"] == len(outputs["clients"])
    assert outputs["countsByStatus"]["ACTIVATED"] == 6
    old = {row["Hostname"] for row in backend.rows() if row["ClientVersion"] not in {"", row["MaxClientVersion"]}}
    assert set(outputs["outdated"]) == old


def test_consumer(engine: Any, backend: Backend) -> None:
    """Another stack uses the exported clients by their attributes."""
    example_stack(engine, "fleet").up(example("fleet"))
    stack = example_stack(engine, "consumer")
    stack.stack.set_config("fleetStack", auto.ConfigValue(f"organization/{project('fleet')}/dev"))
    stack.up(example("consumer"))
    prod = {"Key": "env", "Value": "prod"}
    ours = [row for row in backend.rows() if row["ClientType"] == "ECS_CLIENT"]
    rows = [row for row in ours if row["Status"] == "ACTIVATED" and prod in (row.get("Tags") or [])]
    assert stack.outputs()["backedUpAddresses"] == {row["Hostname"]: row["PrivateIpV4"] for row in rows}


def test_coverage(engine: Any, backend: Backend) -> None:
    """Instances without a client, and those whose client does not work, are told apart."""
    names = {row["Hostname"]: row["InstanceId"] for row in backend.rows()}
    stack = example_stack(engine, "coverage")
    for index, instance in enumerate([names["web-1"], names["desk-2"], "i-without-client"]):
        stack.stack.set_config(f"instanceIds[{index}]", auto.ConfigValue(instance), path=True)
    text = stack.up(example("coverage"))
    assert stack.outputs()["withoutClient"] == ["i-without-client"]
    assert stack.outputs()["notWorking"] == {names["desk-2"]: "STOPPED"}
    assert "1 of 3 instances have no backup client" in text


def test_gate(engine: Any, backend: Backend) -> None:
    """What is behind the gate comes only after the last client is activated."""
    names = {row["Hostname"]: row["InstanceId"] for row in backend.rows()}
    nodes = [names["web-1"], names["batch-1"]]
    stack = example_stack(engine, "gate")
    for index, instance in enumerate(nodes):
        stack.stack.set_config(f"instanceIds[{index}]", auto.ConfigValue(instance), path=True)
    backend.later(2, lambda: backend.activate(nodes[1]))
    text = stack.up(example("gate"))
    assert "1 of 2 activated; waiting for" in text
    assert stack.outputs()["servedBy"] == nodes
    assert len(stack.outputs()["clientIds"]) == 2


def test_gate_new_instances(engine: Any) -> None:
    """Instances of the same `up`: unknown in preview, waited for once they exist."""
    stack = example_stack(engine, "gate_new_instances")
    assert "will wait" not in stack.preview(example("gate_new_instances"))
    stack.up(example("gate_new_instances"))
    found = stack.outputs()
    assert {client["instanceId"] for client in found["clients"]} == {"i-node-1", "i-node-2", "i-node-3"}
    assert {client["status"] for client in found["clients"]} == {"ACTIVATED"}
    assert found["ready"] == {"ACTIVATED": 3}


def test_gate_fails(engine: Any) -> None:
    """The message that its docstring shows."""
    text = example_stack(engine, "gate_fails").fails("up", example("gate_fails"))
    assert "failed: 2 of 12 backup clients will not be activated by waiting:" in text
    assert "): DEACTIVATED since " in text
    assert "): INSTALL_FAILED since " in text


def test_accounts(tmp_path: Path, engine: Any, service: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """3 accounts in 4 regions: 12 data sources, each client with its region; a look-up that is refused is left out."""
    accounts, regions = ("prod", "test", "hub"), ("cn-hangzhou", "cn-shanghai", "eu-central-1", "us-west-1")
    places = [(account, region) for account in accounts for region in regions]
    cloud = Cloud({at: Backend([*new_rows(150, seed=number)]) for number, at in enumerate(places)})
    endpoint = service.enter_context(serve(cloud)).environment["ALIBABA_CLOUD_ENDPOINT_HBR"]
    engine.environment["ALIBABA_CLOUD_ENDPOINT_HBR"] = endpoint
    monkeypatch.setenv("ALIBABA_CLOUD_ENDPOINT_HBR", endpoint)
    profiles = [
        {
            "name": account,
            "mode": "AK",
            "access_key_id": account_credentials(account).access_key_id,
            "access_key_secret": account_credentials(account).access_key_secret,
        }
        for account in accounts
    ]
    (tmp_path / ".aliyun").mkdir()
    (tmp_path / ".aliyun" / "config.json").write_text(json.dumps({"current": "prod", "profiles": profiles}))
    stack = example_stack(engine, "accounts")
    for name, value in {"profiles": accounts, "regions": regions}.items():
        stack.stack.set_config(name, auto.ConfigValue(json.dumps(value)))

    stack.up(example("accounts"))

    sources = [found for found in stack.state() if found["type"].endswith("BackupClients")]
    assert {(source["outputs"]["profile"], source["outputs"]["region"]) for source in sources} == set(places)
    found = stack.outputs()["clients"]
    assert Counter(client["region"] for client in found) == dict.fromkeys(regions, 450)
    assert {backend.requests for backend in cloud.backends.values()} == {8}  # two pages twice, tracked and looked up

    cloud.backends["hub", "us-west-1"].next_faults += ["NoPermission"] * 2
    text = stack.fails("preview", example("accounts"))
    assert "hub in us-west-1 was left out: NoPermission" in text
    assert "hub-us-west-1" in text


def test_rollback(engine: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release waits; a rollback beside a dead machine passes with a warning, and the next `up` waits again."""
    (node,) = (row["InstanceId"] for row in backend.rows() if row["Hostname"] == "web-1")
    stack = example_stack(engine, "rollback")
    stack.stack.set_config("instanceIds[0]", auto.ConfigValue(node), path=True)
    stack.stack.set_config("release", auto.ConfigValue("42"))
    stack.up(example("rollback"))
    backend.set_status("STOPPED", node)
    stack.stack.set_config("release", auto.ConfigValue("41"))
    assert "not activated within 5s" in stack.fails("up", example("rollback"))
    monkeypatch.setenv("HBR_CLIENTS_GATES", "warn")
    assert "warning: gate bypassed" in stack.up(example("rollback"))
    assert stack.outputs() == {"release": 41, "bypassed": True}
    monkeypatch.delenv("HBR_CLIENTS_GATES")
    backend.activate(node)
    stack.up(example("rollback"))
    assert stack.outputs() == {"release": 41, "bypassed": False}
