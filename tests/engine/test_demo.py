"""`make demo` tells its story, and leaves nothing behind however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DEMO = [sys.executable, str(Path(__file__).parents[2] / "tools" / "demo.py")]
pytestmark = pytest.mark.engine


def started(folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.Popen(
        DEMO, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def left_behind(group: int, folder: Path) -> tuple[list[str], list[str]]:
    """Processes of the demo's group that still run, and demo folders that are still there."""
    time.sleep(0.5)  # the engine's own plugins end a moment after the engine
    processes = subprocess.run(["pgrep", "-g", str(group), "-a"], capture_output=True, text=True, check=False)
    return processes.stdout.splitlines(), [path.name for path in folder.glob("hbr-clients-demo-*")]


def test_the_story(tmp_path: Path) -> None:
    """A table, values known in preview, a second stack, and what changed, in under half a minute."""
    before = time.monotonic()
    demo = started(tmp_path)
    text, _ = demo.communicate(timeout=100)
    assert demo.returncode == 0, text
    assert "12 clients in cn-hangzhou: 6 ACTIVATED" in text
    assert text.count("totalCount    : 12") == 2
    assert 'web-1: "' in text
    assert 'db-1: ~ status          : "ACTIVATED" => "STOPPED"' in text
    assert time.monotonic() - before < 90  # no timed test: a bound on a machine that is very busy
    assert left_behind(demo.pid, tmp_path) == ([], [])


@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminated"])
def test_interrupted(tmp_path: Path, wanted: signal.Signals) -> None:
    """In the middle of an engine run it ends by itself: no process, no state."""
    demo = started(tmp_path)
    assert demo.stdout is not None
    while "pulumi preview" not in demo.stdout.readline():
        pass
    time.sleep(1)
    if wanted is signal.SIGINT:
        os.killpg(demo.pid, wanted)
    else:
        demo.send_signal(wanted)
    demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert left_behind(demo.pid, tmp_path) == ([], [])
