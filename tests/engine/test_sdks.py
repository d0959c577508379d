"""The SDKs of other languages: made from schema.json, compiled, and run on a real engine.

    schema.json → Pulumi's generators → SDK + examples/<language> + a driver → engine → our plugin → emulator

A driver runs programs through its language's own Automation API, in a process of its own. Compilers and packages come
from the user's cache folder; what is missing there is made, once per machine, which takes some minutes.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic.alias_generators import to_snake

from pulumi_hbr_clients import get_backup_clients
from pulumi_hbr_clients.emulator import Backend
from pulumi_hbr_clients.model import names
from pulumi_hbr_clients.plugin import schema
from pulumi_hbr_clients.plugin import schema_docs as guide
from tools import cache
from tools.sdks import node

ROOT = Path(__file__).parents[2]
DRIVERS = Path(__file__).parent / "sdks"
RESULTS: list[str] = schema.schema()["functions"][names.FUNCTION_TOKEN]["outputs"]["required"]
LEFT_BY_A_PERSON = shutil.ignore_patterns("sdks", "node_modules", "bin", "package-lock.json", "Pulumi.*.yaml")
SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105  the engine's mark of a secret in state
pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]  # the first run on a machine compiles for minutes


@dataclass(frozen=True)
class Language:
    """An example with its SDK and a driver, compiled."""

    folder: Path
    driver: list[str | Path]


def ran(*command: str | Path, folder: Path, **environment: str) -> str:
    """What a compiler says, which is an error if it fails."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def laid_out(example: str, sdk: Path, folder: Path) -> None:
    """An example as it stands, with the SDK where `pulumi package add` puts it, and the driver beside it."""
    shutil.copytree(ROOT / "examples" / example, folder, ignore=LEFT_BY_A_PERSON, dirs_exist_ok=True)
    shutil.copytree(sdk, folder / "sdks" / "hbr-clients")


# Of the session, not of a test, so that compilers see the machine's own HOME and its caches.


@pytest.fixture(scope="session")
def typescript(sdks: Path, tmp_path_factory: pytest.TempPathFactory) -> Language:
    folder, packages = tmp_path_factory.mktemp("typescript"), node.packages()
    laid_out("typescript", sdks / "nodejs", folder)
    modules = folder / "node_modules"
    modules.mkdir()
    for package in packages.iterdir():
        (modules / package.name).symlink_to(package)
    (modules / "pulumi-hbr-clients").symlink_to(folder / "sdks" / "hbr-clients")
    path = f"{packages / '.bin'}{os.pathsep}{os.environ['PATH']}"
    ran("node", "scripts/postinstall.js", folder=folder / "sdks" / "hbr-clients", PATH=path)  # as `npm install` does
    programs = {"listing.ts": guide.LISTING["typescript"], "gate.ts": guide.GATE["typescript"]}
    programs |= {name: (DRIVERS / name).read_text() for name in ("driver.ts", "scenarios.ts")}
    compile_typescript(folder, "index.ts", **programs)
    return Language(folder, ["node", folder / "bin" / "driver.js"])


def compile_typescript(folder: Path, *there: str, **programs: str) -> None:
    """With the example's own compiler options, which are strict."""
    for name, text in programs.items():
        (folder / name).write_text(text)
    project = {"extends": "./tsconfig.json", "files": [*there, *programs]}
    (folder / "tsconfig.all.json").write_text(json.dumps(project))
    ran(folder / "node_modules" / ".bin" / "tsc", "--project", "tsconfig.all.json", folder=folder)


@pytest.fixture(scope="session")
def go(sdks: Path, tmp_path_factory: pytest.TempPathFactory) -> Language:
    folder, go = tmp_path_factory.mktemp("go"), cache.needed("go", "Go 1.25 or newer")
    laid_out("go", sdks / "go", folder)
    ran(go, "build", "-o", os.devnull, ".", folder=folder, GOWORK="off")
    for name, program in (("listing", guide.LISTING), ("gate", guide.GATE)):
        (folder / name).mkdir()
        (folder / name / "main.go").write_text(program["go"])
    ran(go, "vet", "./...", "pulumi-hbr-clients/sdk/go/hbrclients/...", folder=folder, GOWORK="off")
    for name in ("go.mod", "go.sum", "driver.go", "scenarios.go"):
        shutil.copy(DRIVERS / name, folder)
    ran(go, "build", "-o", "driver", ".", folder=folder, GOWORK="off")
    return Language(folder, [folder / "driver"])


@pytest.fixture(scope="session", params=["typescript", "go"])
def language(request: pytest.FixtureRequest) -> Language:
    found: Language = request.getfixturevalue(request.param)
    return found


@dataclass
class Project:
    """A language's project on the engine of a test."""

    language: Language
    engine: Any
    folder: Path

    def run(self, verb: str, program: str, **config: str) -> tuple[int, str]:
        """The exit code, and all that the engine said."""
        settings = yaml.safe_load((self.language.folder / "Pulumi.yaml").read_text())
        if program != "example":
            del settings["config"]
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
        command = [*self.language.driver, verb, program, self.folder, json.dumps(config)]
        environment, limit = self._environment(), 120  # a gate that nobody opens would wait for 15 minutes
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=limit)
        self.engine.said.append(done.stdout + done.stderr)
        return done.returncode, done.stdout + done.stderr

    def up(self, program: str, **config: str) -> str:
        code, text = self.run("up", program, **config)
        assert code == 0, text
        return text

    def state(self) -> dict[str, dict[str, Any]]:
        """The resources in the state file by their names, secrets still encrypted."""
        (path,) = (self.engine.folder / ".pulumi" / "stacks").rglob("dev.json")
        found = json.loads(path.read_text())["checkpoint"]["latest"].get("resources", [])
        return {resource["urn"].rpartition("::")[2]: resource for resource in found}

    def outputs(self) -> dict[str, Any]:
        return next(found["outputs"] for found in self.state().values() if found["type"] == "pulumi:pulumi:Stack")

    def _environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # our plugin
        backend = {"PULUMI_BACKEND_URL": f"file://{self.engine.folder}"}
        return {**os.environ, **self.engine.environment, **backend, "PATH": path}


@pytest.fixture
def project(language: Language, engine: Any, tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(language, engine, folder)


def pythons(**arguments: Any) -> dict[str, Any]:
    """What Python's function gives, under the names of the schema."""
    found = get_backup_clients(**arguments)
    plain = {name: getattr(found, to_snake(name)) for name in RESULTS}
    result: dict[str, Any] = json.loads(json.dumps(plain, default=dict))
    return result


def instances(backend: Backend, *names: str) -> list[str]:
    return [row["InstanceId"] for name in names for row in backend.rows() if row["Hostname"] == name]


def hold_still(backend: Backend, *, but: str = "") -> None:
    """No heartbeats from now on, so that two look-ups can be compared by every field."""
    backend.stop_heartbeats(*(row["ClientId"] for row in backend.rows() if row["InstanceId"] != but))


def once_waited_for(backend: Backend, instance: str, run: Callable[[], str]) -> tuple[str, float]:
    """Activate a client two seconds after a gate first asked for it. What the run said, and when that was."""
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


def test_the_example(project: Project, backend: Backend) -> None:
    """Known in preview: the list. Held back until the last client is activated: what depends on the gate."""
    chosen = instances(backend, "web-1", "batch-1")
    hold_still(backend, but=chosen[1])
    config = {f"instanceIds[{index}]": instance for index, instance in enumerate(chosen)}
    code, preview = project.run("preview", "example", **config)
    assert code == 0, preview
    assert "1 of 2 activated" in preview
    assert "hostname" in preview
    text, activated = once_waited_for(backend, chosen[1], lambda: project.up("example", **config))
    assert "1 of 2 activated; waiting for" in text
    outputs, gate = project.outputs(), project.state()["backed-up"]
    assert outputs["clients"] == pythons(client_type="ECS_CLIENT", tags={"env": "prod"})["clients"]
    assert outputs["clientIds"] == pythons(client_type="ECS_CLIENT", instance_ids=chosen)["ids"]
    assert datetime.fromisoformat(gate["created"]).timestamp() >= activated
    assert outputs["countsBehindTheGate"] == {"ACTIVATED": 2}


def test_two_providers(project: Project, backend: Backend) -> None:
    """Each asks its own region; every field is the one that Python gives; keys and passwords are encrypted in state."""
    hold_still(backend)
    project.up("providers")
    outputs, state = project.outputs(), project.state()
    for region in ("cn-beijing", "cn-shanghai"):
        expected = pythons(client_type="ECS_CLIENT", region=region)
        assert {client["region"] for client in expected["clients"]} == {region}
        assert outputs[region] == expected
        assert state[region]["inputs"]["region"] == region
        assert SECRET in state[region]["inputs"]["accessKey"]
        assert SECRET in state[region]["inputs"]["secretKey"]
    assert SECRET in outputs["passwords"]


def test_a_gate_that_cannot_pass(project: Project) -> None:
    """One error, which names the clients; no trace of a program or a provider; nothing behind the gate."""
    code, text = project.run("up", "fails")
    assert code != 0
    diagnostics = text.partition("Diagnostics:")[2]
    assert diagnostics.count("error: ") == 2, text  # the gate's, and the engine's "update failed"
    assert "error: 2 of 12 backup clients will not be activated by waiting:" in text
    assert "): INSTALL_FAILED since " in diagnostics
    assert not re.search(r"Traceback|panic|goroutine|\n\s+at |exit status", text)
    assert not {"all-of-them", "behind"} & set(project.state())


def test_what_does_not_fit_is_refused(typescript: Language) -> None:
    """By TypeScript's compiler, so what it accepts means something."""
    torn = guide.GATE["typescript"].replace("timeout:", "timeOut:")
    with pytest.raises(AssertionError, match=r"timeOut.*ActivationGateArgs"):
        compile_typescript(typescript.folder, **{"torn.ts": torn})


@pytest.mark.parametrize(("name", "program"), [("typescript", "index.ts"), ("go", "main.go")])
def test_examples_are_those_of_the_documentation(name: str, program: str) -> None:
    """Every line of the programs in the schema and in docs/ stands in the example that runs here."""
    lines = {line.strip() for line in (ROOT / "examples" / name / program).read_text().splitlines()}
    shown = {line.strip() for text in (guide.LISTING[name], guide.GATE[name]) for line in text.splitlines()}
    assert shown - lines <= {"pulumi.Run(func(ctx *pulumi.Context) error {", "})"}


def test_a_missing_compiler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, in one sentence; nothing is skipped for it."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(cache.ToolError, match=r"no `node` on PATH: install Node\.js 20 or newer"):
        node.packages()
