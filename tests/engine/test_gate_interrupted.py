"""Ctrl-C while a gate waits, in `pulumi up` as a user runs it: once on a terminal, twice in a pipe.

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
from tests.engine.projects import ROOT, Project, instances

pytestmark = pytest.mark.engine
WAITING = "0 of 1 activated; waiting for"
PROGRAM = """
import pulumi
from pulumi_hbr_clients import ActivationGate
from tests.engine.programs import Dependant
gate = ActivationGate("ready", client_type="ECS_CLIENT", instance_ids={ids!r}, timeout="60s", poll=0.3)
Dependant("after", pulumi.ResourceOptions(depends_on=[gate]))
"""

PLUGIN_PROGRAM = """
import pulumi
inputs = {{"clientType": "ECS_CLIENT", "instanceIds": {ids!r}, "timeout": "60s", "ids": None}}
pulumi.CustomResource("hbr-clients:index:ActivationGate", "ready", inputs)
"""


class Interruptible(Project):
    """A project folder in which `pulumi up` can be interrupted."""

    def __init__(self, folder: Path, engine: Any, program: str) -> None:
        assert shutil.which("pulumi-language-python"), "no language host on PATH: run `make test`"
        (folder / "Pulumi.yaml").write_text("name: interrupted\nruntime: python\n")
        (folder / "__main__.py").write_text(program)
        own = {"PULUMI_BACKEND_URL": f"file://{engine.folder}", "PYTHONPATH": str(ROOT)}
        super().__init__(folder, {**os.environ, **engine.environment, **own}, engine.texts)
        self.init()

    def pending(self) -> list[str]:
        """The types of pending operations."""
        deployment = json.loads(self.run("stack", "export"))["deployment"]
        return [found["type"] for found in deployment.get("pending_operations") or []]

    @contextmanager
    def running_up(self, *, terminal: bool) -> Iterator["Run"]:
        """`pulumi up`, which waits at its gate by now."""
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
                run = Run(command, ours)
                wait_for(lambda: WAITING in run.text)
                yield run
            finally:
                command.kill()
                os.close(ours)


class Run:
    """A `pulumi up` that is under way, and what it has written."""

    def __init__(self, process: subprocess.Popen[bytes], output: int) -> None:
        self.process, self._output, self._written = process, output, b""
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

    @property
    def own_traceback(self) -> list[str]:
        """The lines of a traceback that name this package's files."""
        return [line for line in self.text.splitlines() if "File " in line and "pulumi_hbr_clients/" in line]

    def ctrl_c(self) -> None:
        """As a terminal does it: to the whole process group in the foreground."""
        os.killpg(self.process.pid, signal.SIGINT)


def test_once(engine: Any, backend: Backend, tmp_path: Path) -> None:
    """The gate goes on until it passes; what depends on it is not made, and the next `up` makes it."""
    chosen = instances(backend, "batch-1")
    project = Interruptible(tmp_path, engine, PROGRAM.format(ids=chosen))
    with project.running_up(terminal=True) as run:
        run.ctrl_c()
        wait_for(lambda: "cancelling" in run.text)
        time.sleep(2)
        assert run.process.poll() is None
        backend.activate(*chosen)
        assert run.process.wait(30) != 0
        # the SDK shows a traceback if the program registers a resource after that (pulumi 3.272); none of it is ours
        assert run.own_traceback == []
    assert ({"ready", "after"} & project.state().keys(), project.pending()) == ({"ready"}, [])
    project.up()
    assert "after" in project.state()


def test_twice(engine: Any, backend: Backend, tmp_path: Path) -> None:
    """It ends at once and leaves a pending operation; once that is cleared, the next `up` makes the gate."""
    chosen = instances(backend, "batch-1")
    project = Interruptible(tmp_path, engine, PROGRAM.format(ids=chosen))
    with project.running_up(terminal=False) as run:
        run.ctrl_c()
        wait_for(lambda: "cancelling" in run.text)
        time.sleep(1)
        run.ctrl_c()
        before = time.monotonic()
        assert run.process.wait(30) != 0
        assert time.monotonic() - before < 15
        # Pulumi's Python host may print its own KeyboardInterrupt; none of it is ours
        assert run.own_traceback == []
    assert ("ready" in project.state(), project.pending()) == (False, ["creating"])
    project.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    assert project.pending() == []
    backend.activate(*chosen)
    project.up()
    assert {"ready", "after"} <= project.state().keys()


def test_the_plugin_ends_at_once(engine: Any, backend: Backend, tmp_path: Path) -> None:
    """The engine tells a plugin of the first Ctrl-C; nothing is left behind, and the next `up` waits again."""
    chosen = instances(backend, "batch-1")
    project = Interruptible(tmp_path, engine, PLUGIN_PROGRAM.format(ids=chosen))
    with project.running_up(terminal=True) as run:
        run.ctrl_c()
        before = time.monotonic()
        assert run.process.wait(30) != 0
        assert time.monotonic() - before < 10  # two seconds on a quiet machine
    assert project.pending() == []
    backend.activate(*chosen)
    project.up()
    assert "ready" in project.state()
