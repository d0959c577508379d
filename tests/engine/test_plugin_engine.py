"""The provider plugin on a real engine: installed from its archive, in two regions at once, and from an older state."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest

from pulumi_hbr_clients import BackupClients, HbrClient, Query, __version__
from pulumi_hbr_clients.activation.stack_gate import settings_digest
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend
from tests.engine.programs import PluginGate, plugin_list
from tests.engine.projects import ROOT, instances

pytestmark = pytest.mark.engine
RECORDED = ROOT / "tests" / "data" / "stack-0.1.0.json"


def on_path(value: str) -> str:
    """A PATH without this environment's scripts: nobody finds the plugin there."""
    here = str(Path(sys.executable).parent)
    return os.pathsep.join(part for part in value.split(os.pathsep) if part != here)


def assert_it_lists(engine: Any) -> None:
    """The plugin that the engine finds lists the fleet, and the engine does not warn of PATH."""
    stack = engine.stack()
    text = stack.up(lambda: pulumi.export("total", plugin_list(clientType="ECS_CLIENT")["totalCount"]))
    assert stack.outputs()["total"] == 12
    assert "$PATH" not in text


def test_from_its_archive(engine: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Packed, installed by the engine, and found without PATH: no warning about that."""
    packed = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "plugin_archive.py")], check=True, capture_output=True, text=True
    )
    archive = packed.stdout.splitlines()[-1]
    monkeypatch.setenv("PATH", on_path(os.environ["PATH"]))
    home = {"PULUMI_HOME": str(tmp_path / "home")}
    install = ["pulumi", "plugin", "install", "resource", "hbr-clients", __version__, "--file", archive]
    subprocess.run(install, check=True, capture_output=True, env={**os.environ, **home})
    engine.environment.update(home)
    assert_it_lists(engine)


def test_installed_by_the_command(engine: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`hbr-clients plugin install` does the same for one's own Python."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    subprocess.run([str(Path(sys.executable).parent / "hbr-clients"), "plugin", "install"], check=True)
    monkeypatch.setenv("PATH", on_path(os.environ["PATH"]))
    engine.environment["PULUMI_HOME"] = str(tmp_path / "home")
    assert_it_lists(engine)


def test_half_a_key(engine: Any) -> None:
    """A provider that cannot sign is refused in preview; the engine is not led to print the secret."""

    def program() -> None:
        keys = {"secretKey": pulumi.Output.secret(FAKE_CREDENTIALS.access_key_secret)}
        pulumi.ProviderResource("hbr-clients", "half", keys)

    text = engine.stack().fails("preview", program)
    assert "hbr-clients:accessKey is not set although" in text


def recorded_program(chosen: list[str]) -> None:
    BackupClients("fleet", client_type="ECS_CLIENT")
    PluginGate("ready", clientType="ECS_CLIENT", instanceIds=chosen)


def test_a_stack_of_before_previews_unchanged(engine: Any, backend: Backend) -> None:
    """State that version 0.1.0 wrote needs no update: names and shapes in state are for ever.

    To record another version: RECORD_STATE=1 make test, and commit the file.
    """
    chosen = instances(backend, "web-1", "web-2")
    endpoint = engine.environment["ALIBABA_CLOUD_ENDPOINT_HBR"]
    stack = engine.stack()
    if os.environ.get("RECORD_STATE"):
        stack.up(lambda: recorded_program(chosen))
        recorded = json.loads(stack.file.read_text().replace(endpoint, "ENDPOINT"))
        for resource in recorded["checkpoint"]["latest"]["resources"]:
            for where in ("sourcePosition", "stackTrace"):
                resource.pop(where, None)
        RECORDED.write_text(json.dumps(recorded, separators=(",", ":")) + "\n")
    stack.file.parent.mkdir(parents=True, exist_ok=True)
    digest = settings_digest(HbrClient(), Query(client_type="ECS_CLIENT"))  # of an endpoint that differs in every run
    state = re.sub(r'(?<="settingsDigest":")\w+', digest, RECORDED.read_text())
    stack.file.write_text(state.replace("ENDPOINT", endpoint))
    text = stack.preview(lambda: recorded_program(chosen), diff=True)
    assert set(stack.operations()) == {"same", "read"}
    assert "~" not in text
    assert json.loads(RECORDED.read_text())["checkpoint"]
