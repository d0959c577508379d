"""Ctrl-C while a gate waits, in `pulumi up` as a user runs it: on a terminal and in a pipe, once and twice.

After the first one the engine waits for operations under way, and so for the gate; the second one ends at once and
leaves a pending operation. docs/gates.md says how to clear it.
"""

import json
import os
import pty
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients.emulator import Backend
from tests.cli.terminals import ESCAPE, wait_for
from tests.engine.gates import ids

pytestmark = pytest.mark.engine
PROGRAM = """
import pulumi
from pulumi_hbr_clients import ActivationGate
from tests.engine.gates import Dependant
gate = ActivationGate("ready", client_type="ECS_CLIENT", instance_ids={ids!r}, timeout="60s", poll=0.3)
Dependant("after", pulumi.ResourceOptions(depends_on=[gate]))
"""

PLUGIN_PROGRAM = """
import pulumi
inputs = {{"clientType": "ECS_CLIENT", "instanceIds": {ids!r}, "timeout": "60s", "ids": None}}
pulumi.CustomResource("hbr-clients:index:ActivationGate", "ready", inputs)
"""


class Project:
    """A project folder, and `pulumi` run in it."""

    def __init__(self, folder: Path, engine: Any, chosen: list[str], program: str = PROGRAM) -> None:
        assert shutil.which("pulumi-language-python"), "no language host on PATH: run `make test`"
        self.folder = folder
        (folder / "Pulumi.yaml").write_text("name: interrupted\nruntime: python\n")
        (folder / "__main__.py").write_text(program.format(ids=chosen))
        root = str(Path(__file__).parents[2])
        self.environment = {
            **os.environ,
            **engine.environment,
            "PULUMI_BACKEND_URL": f"file://{engine.folder}",
            "PYTHONPATH": root,
        }
        self.run("stack", "init", "dev")

    def run(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            ["pulumi", *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def state(self) -> tuple[set[str], list[str]]:
        """The names in state, and the types of pending operations."""
        deployment = json.loads(self.run("stack", "export")[1])["deployment"]
        names = {found["urn"].rpartition("::")[2] for found in deployment.get("resources") or []}
        return names, [found["type"] for found in deployment.get("pending_operations") or []]

    @contextmanager
    def up(self, *, terminal: bool) -> Iterator["Run"]:
        words = ["pulumi", "up", "--yes", "--skip-preview", *([] if terminal else ["--non-interactive"])]
        ours, theirs = pty.openpty() if terminal else os.pipe()
        command = subprocess.Popen(
            words,
            cwd=self.folder,
            env={**self.environment, "TERM": "xterm-256color"},
            stdin=theirs if terminal else subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        with command:
            try:
                yield Run(command, ours, terminal=terminal)
            finally:
                command.kill()
                os.close(ours)


class Run:
    """A `pulumi up` that is under way, and what it has written."""

    def __init__(self, process: subprocess.Popen[bytes], output: int, *, terminal: bool) -> None:
        self.process, self.terminal, self._output, self._written = process, terminal, output, b""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while part := os.read(self._output, 65536):
                self._written += part
        except OSError:  # how Linux reports the end of a terminal
            pass

    @property
    def text(self) -> str:
        return ESCAPE.sub("", self._written.decode(errors="replace"))

    def ctrl_c(self) -> None:
        """As a terminal does it: to the whole process group in the foreground."""
        os.killpg(self.process.pid, signal.SIGINT)


@pytest.mark.parametrize("terminal", [True, False])
def test_once(engine: Any, backend: Backend, tmp_path: Path, terminal: bool) -> None:  # noqa: FBT001  a case
    """The gate goes on until it passes; what depends on it is not made, and the next `up` makes it."""
    chosen = ids(backend, "batch-1")
    project = Project(tmp_path, engine, chosen)
    with project.up(terminal=terminal) as run:
        wait_for(lambda: "0 of 1 activated; waiting for" in run.text)
        run.ctrl_c()
        wait_for(lambda: "cancelling" in run.text)
        time.sleep(2)
        assert run.process.poll() is None
        backend.activate(*chosen)
        assert run.process.wait(30) != 0
        # the SDK shows a traceback if the program registers a resource after that (pulumi 3.272); none of it is ours
        assert [line for line in run.text.splitlines() if "File " in line and "pulumi_hbr_clients/" in line] == []
    names, pending = project.state()
    assert ("ready" in names, "after" in names, pending) == (True, False, [])
    assert project.run("up", "--yes", "--skip-preview")[0] == 0
    assert "after" in project.state()[0]


@pytest.mark.parametrize("terminal", [True, False])
def test_twice(engine: Any, backend: Backend, tmp_path: Path, terminal: bool) -> None:  # noqa: FBT001  a case
    """It ends at once and leaves a pending operation; the next `up` waits again and works."""
    chosen = ids(backend, "batch-1")
    project = Project(tmp_path, engine, chosen)
    with project.up(terminal=terminal) as run:
        wait_for(lambda: "0 of 1 activated; waiting for" in run.text)
        run.ctrl_c()
        wait_for(lambda: "cancelling" in run.text)
        time.sleep(1)
        run.ctrl_c()
        before = time.monotonic()
        assert run.process.wait(30) != 0
        assert time.monotonic() - before < 15
        assert "Traceback" not in run.text
    names, pending = project.state()
    assert ("ready" in names, pending) == (False, ["creating"])
    code, text = project.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    assert code == 0, text
    assert project.state()[1] == []
    backend.activate(*chosen)
    code, text = project.run("up", "--yes", "--skip-preview")
    assert code == 0, text
    assert {"ready", "after"} <= project.state()[0]


def test_the_plugin_ends_at_once(engine: Any, backend: Backend, tmp_path: Path) -> None:
    """The engine tells a plugin of the first Ctrl-C; nothing is left behind, and the next `up` waits again."""
    chosen = ids(backend, "batch-1")
    project = Project(tmp_path, engine, chosen, PLUGIN_PROGRAM)
    with project.up(terminal=True) as run:
        wait_for(lambda: "0 of 1 activated; waiting for" in run.text)
        run.ctrl_c()
        before = time.monotonic()
        assert run.process.wait(30) != 0
        assert time.monotonic() - before < 10  # two seconds on a quiet machine
    assert project.state()[1] == []
    backend.activate(*chosen)
    code, text = project.run("up", "--yes", "--skip-preview")
    assert code == 0, text
    assert "ready" in project.state()[0]


def test_a_log_is_short(engine: Any, backend: Backend, tmp_path: Path) -> None:
    """Without a terminal a gate that waits writes a line for each change, and one in 30 s."""
    chosen = ids(backend, "batch-1")
    project = Project(tmp_path, engine, chosen)
    backend.later(20, lambda: backend.activate(*chosen))
    code, text = project.run("up", "--yes", "--skip-preview", "--non-interactive")
    assert code == 0, text
    assert 1 <= len([line for line in text.splitlines() if "activated; waiting for" in line]) <= 3
