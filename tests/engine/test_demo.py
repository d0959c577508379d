"""`make demo` runs what it prints, and leaves nothing behind however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

DEMO = [sys.executable, str(Path(__file__).parents[2] / "tools" / "demo.py")]
pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """The demo, started in a place of its own."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        DEMO, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        yield process
        process.kill()


def left_behind(folder: Path) -> tuple[list[str], list[str]]:
    """Processes that still run for the demo, and its folders that are still there."""
    time.sleep(1)  # the engine's own plugins end a moment after the engine
    found = list[str]()
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and f"TMPDIR={folder}" in map("=".join, process.environ().items()):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found, [path.name for path in folder.glob("hbr-clients-demo-*")]


def test_the_story(demo: "subprocess.Popen[str]", tmp_path: Path) -> None:
    """A table, values known in preview, what changed in the fleet, a gate that waits and opens, and nothing left."""
    text, _ = demo.communicate(timeout=200)
    assert demo.returncode == 0, text
    steps = text.split("\n\n")
    assert "12 clients in cn-hangzhou: 6 ACTIVATED" in steps[0]
    assert "totalCount    : 12" in steps[1]
    assert "totalCount    : 12" in steps[2]
    assert 'db-1: ~ status          : "ACTIVATED" => "STOPPED"' in steps[3]
    assert "1 of 2" in steps[4]
    assert "servedBy" in steps[4]
    assert "deleted" in steps[5]
    assert [step.split("$ ")[1].splitlines()[0] for step in steps[:6]] == [
        "hbr-clients list --client-type ECS_CLIENT",
        "pulumi preview",
        "pulumi up --yes --skip-preview",
        "pulumi preview --diff",
        "pulumi up --yes --skip-preview",
        "pulumi destroy --yes --skip-preview",
    ]
    assert len(text.splitlines()) < 110
    assert left_behind(tmp_path) == ([], [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminated"])
def test_interrupted(demo: "subprocess.Popen[str]", tmp_path: Path, number: signal.Signals) -> None:
    """In the middle of an engine run it ends by itself: no process, no state."""
    assert demo.stdout is not None
    while "pulumi preview" not in demo.stdout.readline():
        assert demo.poll() is None
    time.sleep(1)
    demo.send_signal(number)
    demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert left_behind(tmp_path) == ([], [])
