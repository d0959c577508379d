"""Every example is a whole Pulumi project, and runs as it stands."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi import automation as auto

from pulumi_hbr_clients.emulator import World

EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.engine


def example(name: str) -> Callable[[], None]:
    def program() -> None:
        runpy.run_path(str(EXAMPLES / name / "__main__.py"), run_name="__main__")

    return program


def project(name: str) -> str:
    found: str = yaml.safe_load((EXAMPLES / name / "Pulumi.yaml").read_text())["name"]
    return found


def test_no_example_is_forgotten() -> None:
    """Each folder has a project file, a program, its requirements, and a test here."""
    for folder in (path for path in EXAMPLES.iterdir() if path.is_dir()):
        assert {"Pulumi.yaml", "__main__.py", "requirements.txt"} <= {path.name for path in folder.iterdir()}
        assert f"test_{folder.name}" in globals()


def test_fleet(engine: Any, world: World) -> None:
    """Counts, versions and the clients themselves are exported."""
    stack = engine.stack("dev", project("fleet"))
    stack.up(example("fleet"))
    outputs = stack.outputs()
    assert outputs["totalCount"] == len(outputs["clients"])
    assert outputs["countsByStatus"]["ACTIVATED"] == 6
    old = {row["Hostname"] for row in world.rows() if row["ClientVersion"] not in {"", row["MaxClientVersion"]}}
    assert set(outputs["outdated"]) == old


def test_consumer(engine: Any, world: World) -> None:
    """Another stack uses the exported clients by their attributes."""
    engine.stack("dev", project("fleet")).up(example("fleet"))
    stack = engine.stack("dev", project("consumer"))
    stack.stack.set_config("fleetStack", auto.ConfigValue(f"organization/{project('fleet')}/dev"))
    stack.up(example("consumer"))
    prod = {"Key": "env", "Value": "prod"}
    ours = [row for row in world.rows() if row["ClientType"] == "ECS_CLIENT"]
    rows = [row for row in ours if row["Status"] == "ACTIVATED" and prod in (row.get("Tags") or [])]
    assert stack.outputs()["backedUpAddresses"] == {row["Hostname"]: row["PrivateIpV4"] for row in rows}


def test_coverage(engine: Any, world: World) -> None:
    """Instances without a client, and those whose client does not work, are told apart."""
    names = {row["Hostname"]: row["InstanceId"] for row in world.rows()}
    stack = engine.stack("dev", project("coverage"))
    for index, instance in enumerate([names["web-1"], names["desk-2"], "i-without-client"]):
        stack.stack.set_config(f"instanceIds[{index}]", auto.ConfigValue(instance), path=True)
    text = stack.up(example("coverage"))
    assert stack.outputs()["withoutClient"] == ["i-without-client"]
    assert stack.outputs()["notWorking"] == {names["desk-2"]: "STOPPED"}
    assert "1 of 3 instances have no backup client" in text
