"""A real Pulumi engine, stacks on a local backend, and an emulated service. Nothing is mocked.

Everything that any run prints or stores is searched for secrets, by value, when its test ends.
"""

import gc
import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation as auto

from pulumi_hbr_clients import emulator
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, RunningEmulator
from tests.engine.projects import Project, lay_out
from tools import plugin_archive
from tools.cache import locked
from tools.engine import missing
from tools.sdks import generate

Program = Callable[[], None]
PASSPHRASE = "FAKE-PASSPHRASE"  # noqa: S105  of a backend that a test makes and throws away


@dataclass
class Stack:
    """A stack, and the texts of all runs of the engine."""

    stack: auto.Stack
    file: Path
    texts: list[str]
    steps: list[Any] = field(default_factory=list)

    def preview(self, program: Program, **options: Any) -> str:
        return self._run("preview", program, **options)

    def up(self, program: Program, **options: Any) -> str:
        return self._run("up", program, **options)

    def refresh(self, program: Program = lambda: None, **options: Any) -> str:
        return self._run("refresh", program, **options)

    def destroy(self, program: Program = lambda: None, **options: Any) -> str:
        return self._run("destroy", program, **options)

    def fails(self, verb: str, program: Program, **options: Any) -> str:
        """The text of a run that must not succeed."""
        with pytest.raises(auto.errors.CommandError):
            self._run(verb, program, **options)
        return self.texts[-1]

    def outputs(self) -> dict[str, Any]:
        return {name: output.value for name, output in self.stack.outputs().items()}

    def state(self) -> list[dict[str, Any]]:
        """The resources in the state file, secrets still encrypted."""
        checkpoint = json.loads(self.file.read_text())["checkpoint"]["latest"]
        resources: list[dict[str, Any]] = checkpoint["resources"]
        return resources

    def resource(self, kind: str) -> dict[str, Any]:
        return next(found for found in self.state() if found["type"].endswith(kind))

    def names(self, kind: str = "dynamic:Resource") -> set[str]:
        """The names of the resources of a type in state."""
        return {found["urn"].rpartition("::")[2] for found in self.state() if found["type"].endswith(kind)}

    def urn(self, name: str) -> str:
        return next(str(found["urn"]) for found in self.state() if found["urn"].endswith(f"::{name}"))

    def _run(self, verb: str, program: Program, **options: Any) -> str:
        lines: list[str] = []
        self.steps.clear()
        self.stack.workspace.program = program
        try:
            getattr(self.stack, verb)(on_output=lines.append, on_event=self.steps.append, color="never", **options)
        finally:
            self.texts.append("\n".join(lines))
        return self.texts[-1]

    def operations(self) -> list[str]:
        """What the last run did to each resource but the stack and its providers, as the engine names it."""
        found = (event.resource_pre_event for event in self.steps if event.resource_pre_event)
        steps = (event.metadata for event in found)
        return [step.op.value for step in steps if not step.type.startswith("pulumi:")]


@dataclass
class Engine:
    """The engine's backend in a folder, and the text of every run."""

    folder: Path
    environment: dict[str, str]
    texts: list[str] = field(default_factory=list)

    def stack(self, name: str = "dev", project: str = "fleet", **config: str) -> Stack:
        """A stack. Config keys are spelled `hbr_clients__region`."""
        backend = auto.ProjectBackend(url=f"file://{self.folder}")
        options = auto.LocalWorkspaceOptions(
            project_settings=auto.ProjectSettings(name=project, runtime="python", backend=backend),
            secrets_provider="passphrase",
            env_vars=self.environment,
        )
        made = auto.create_or_select_stack(name, project_name=project, program=lambda: None, opts=options)
        for key, value in config.items():
            full = key.replace("__", ":").replace("_", "-")
            made.set_config(full, auto.ConfigValue(value, secret="Key" in key or "Token" in key))
        return Stack(made, self.folder / ".pulumi" / "stacks" / project / f"{name}.json", self.texts)


@pytest.fixture(scope="session")
def sdks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SDKs of all languages, made once: by the machine's own HOME and its caches."""
    shared = tmp_path_factory.getbasetemp()
    folder = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "sdks"
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            generate.generate(folder)
    return folder


@pytest.fixture(scope="session")
def pulumi_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pulumi's folder of a user who installed the self-contained plugin; nothing else is in it."""
    home = tmp_path_factory.mktemp("pulumi")
    command = [str(Path(sys.executable).with_name("hbr-clients")), "plugin", "install"]
    environment = {**os.environ, "PULUMI_HOME": str(home)}
    subprocess.run([*command, "--archive", str(plugin_archive.archive())], check=True, env=environment)
    return home


@pytest.fixture(scope="session")
def go_caches() -> dict[str, str]:
    """Where Go keeps things: a test has another HOME."""
    if shutil.which("go") is None:
        return {}
    found = subprocess.run(["go", "env", "-json", "GOCACHE", "GOMODCACHE"], check=True, capture_output=True, text=True)
    return dict(json.loads(found.stdout))


@pytest.fixture
def project(
    engine: Engine, sdks: Path, pulumi_home: Path, go_caches: dict[str, str], tmp_path: Path
) -> Callable[[str], Project]:
    """Lays out an example in a folder of its own; its stacks are in the engine's backend."""
    assert missing() is None, missing()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PULUMI_HOME": str(pulumi_home), "PULUMI_BACKEND_URL": f"file://{engine.folder}", "PATH": path}
    own["PULUMI_IGNORE_AMBIENT_PLUGINS"] = "true"  # the one on PATH is this environment's own
    own["PULUMI_NODEJS_TRANSPILE_ONLY"] = "true"  # test_sdks checks the types, once and not in every run

    def laid_out(example: str) -> Project:
        folder = tmp_path / "projects" / example  # not at ~/go, which one example has as its name
        lay_out(example, folder, sdks)
        return Project(folder, {**os.environ, **engine.environment, **go_caches, **own}, engine.texts)

    return laid_out


@pytest.fixture
def service() -> Iterator[ExitStack]:
    """What runs the emulated service; closing it early takes the service away."""
    with ExitStack() as running:
        yield running


@pytest.fixture
def engine(tmp_path: Path, service: ExitStack, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The `pulumi` on PATH. Without one these tests fail; `make test` puts it there."""
    assert shutil.which("pulumi"), "no Pulumi engine on PATH: run `make test`, or put `make engine`'s folder there"
    running: RunningEmulator = service.enter_context(emulator.serve(backend))
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    state_folder = tmp_path / "backend"
    state_folder.mkdir()
    made = Engine(
        state_folder,
        {
            **running.environment,
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_PYTHON_CMD": sys.executable,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        },
    )
    yield made
    _sweep_up_after_pulumi(monkeypatch)
    written = [path.read_text(errors="replace") for path in state_folder.rglob("*") if path.is_file()]
    assert_no_secrets(backend, *made.texts, *written)


def _sweep_up_after_pulumi(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed inline program leaves its loop and coroutine unclosed (pulumi 3.272); ours are still watched."""
    with monkeypatch.context() as quiet, warnings.catch_warnings():
        quiet.setattr(sys, "unraisablehook", lambda _: None)
        warnings.simplefilter("ignore")
        gc.collect()
        time.sleep(0.2)  # the thread that ran the program ends a moment later
        gc.collect()


def assert_no_secrets(backend: Backend, *texts: str) -> None:
    """No key, token or password, searched for by value."""
    rows = (row.get("Settings") or {} for row in backend.rows())
    secrets = {settings.get("ProxyPassword") for settings in rows} | {FAKE_CREDENTIALS.access_key_secret}
    secrets |= {os.environ.get("ALIBABA_CLOUD_SECURITY_TOKEN"), PASSPHRASE}
    for secret in filter(None, secrets):
        assert not [text for text in texts if secret in text]
