"""Projects that run as users run them: a folder, and `pulumi` from the command line."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pulumi_hbr_clients.emulator import Backend
from tools.sdks import generate

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
LEFT_BY_A_PERSON = shutil.ignore_patterns("sdks", "node_modules", "bin", "package-lock.json", "Pulumi.*.yaml", "venv")
LIMIT = 240  # seconds for one command: a gate that nobody opens would wait for 15 minutes


@dataclass
class Project:
    """A project with the stack `dev`; everything that `pulumi` prints is kept in `texts`."""

    folder: Path
    environment: dict[str, str]
    texts: list[str]

    def pulumi(self, *words: str) -> tuple[int, str]:
        """The exit code and the text of a command."""
        command = ["pulumi", *words, "--non-interactive", "--color=never"]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=LIMIT
        )
        self.texts.append(done.stdout + done.stderr)
        return done.returncode, self.texts[-1]

    def run(self, *words: str) -> str:
        """The text of a command, which must succeed."""
        code, text = self.pulumi(*words)
        assert code == 0, text
        return text

    def up(self) -> str:
        return self.run("up", "--yes", "--skip-preview")

    def init(self, **config: str | list[str]) -> "Project":
        """Make the stack, with values of config."""
        self.run("stack", "init", "dev")
        for key, value in config.items():
            values = {f"{key}[{index}]": one for index, one in enumerate(value)} if isinstance(value, list) else {}
            for path, one in (values or {key: str(value)}).items():
                self.run("config", "set", "--path", path, one)
        return self

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("stack", "output", "--json"))
        return found

    def state(self) -> dict[str, dict[str, Any]]:
        """The resources in state by their names, secrets still encrypted."""
        resources = json.loads(self.run("stack", "export"))["deployment"].get("resources", [])
        return {resource["urn"].rpartition("::")[2]: resource for resource in resources}


def lay_out(example: str, folder: Path, sdks: Path) -> None:
    """A copy of an example as it stands, with what its user installs: an environment, or an SDK and packages."""
    shutil.copytree(EXAMPLES / example, folder, ignore=LEFT_BY_A_PERSON, dirs_exist_ok=True)
    runtime = yaml.safe_load((EXAMPLES / example / "Pulumi.yaml").read_text())["runtime"]
    match runtime if isinstance(runtime, str) else runtime["name"]:
        case "python":
            (folder / "venv").symlink_to(sys.prefix)
        case "go":
            shutil.copytree(sdks / "go", folder / "sdks" / "hbr-clients")
        case "nodejs":
            sdk, modules, packages = folder / "sdks" / "hbr-clients", folder / "node_modules", generate.node_packages()
            shutil.copytree(sdks / "nodejs", sdk)
            modules.mkdir()
            for package in packages.iterdir():
                (modules / package.name).symlink_to(package)
            (modules / "pulumi-hbr-clients").symlink_to(sdk)
            path = f"{packages / '.bin'}{os.pathsep}{os.environ['PATH']}"
            compiled("node", "scripts/postinstall.js", folder=sdk, PATH=path)  # as `npm install` does


def compiled(*command: str | Path, folder: Path, **environment: str) -> str:
    """What a compiler prints, which is an error if it fails."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def instances(backend: Backend, *names: str) -> list[str]:
    """Ids of instances by their host names."""
    return [row["InstanceId"] for name in names for row in backend.rows() if row["Hostname"] == name]


def once_waited_for(backend: Backend, instance: str, run: Callable[[], str]) -> tuple[str, float]:
    """Activate a client two seconds after a gate first asked for it. The text of the run, and when that was."""
    backend.clear_log()
    moments: list[float] = []

    def activate() -> None:
        while not any(instance in str(record.arguments) for record in list(backend.log)):
            time.sleep(0.05)
        time.sleep(2)
        backend.activate(instance)
        moments.append(time.time())

    threading.Thread(target=activate, daemon=True).start()
    return run(), moments[0]
