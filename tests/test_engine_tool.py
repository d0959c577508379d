"""`make engine`: finds the engine and its language hosts or makes them, and says in one line what is missing."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools import cache, engine

ROOT = Path(__file__).parents[1]
NOWHERE = "http://127.0.0.1:9"  # a proxy that refuses, so that no test downloads a release


def script(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def installed(folder: Path, version: str) -> Path:
    """A folder with an engine of a version and every host."""
    for name in engine.COMMANDS:
        script(folder / name, f"echo v{version}")
    return folder


def started(tmp_path: Path, *path: Path) -> "subprocess.Popen[str]":
    """`make engine` with a cache of its own and nothing on PATH but these folders."""
    environment = {"PATH": os.pathsep.join(map(str, path)), "HOME": str(tmp_path), "https_proxy": NOWHERE}
    command = [sys.executable, "-m", "tools.engine"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ran(tmp_path: Path, *path: Path) -> tuple[int, str, list[str]]:
    """Exit code, the folder, and the lines for a person."""
    with started(tmp_path, *path) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out.strip(), err.splitlines()


def test_the_engine_on_path_is_used(tmp_path: Path) -> None:
    """One that is new enough and has every host: nothing is made and nothing is reported."""
    folder = installed(tmp_path / "bin", engine.OLDEST)
    assert ran(tmp_path, folder) == (0, str(folder), [])
    assert not (tmp_path / ".cache").exists()


def test_an_old_engine_is_not_used(tmp_path: Path) -> None:
    """The first line names it and the version that is needed; the last, what to install."""
    code, out, lines = ran(tmp_path, installed(tmp_path / "bin", "3.199.9"))
    assert (code, out) == (1, "")
    assert lines[0] == f"tools: {tmp_path}/bin/pulumi is 3.199.9, {engine.OLDEST} is needed: not used"
    assert f"no Pulumi {engine.OLDEST} or newer with its language hosts on PATH" in lines[-1]
    assert f"none in {tmp_path}/.cache/" in lines[-1]
    assert f"Install Pulumi, or Go {engine.go_version()} or newer, then run `make engine`." in lines[-1]


def test_a_missing_host_is_named(tmp_path: Path) -> None:
    """With where it was looked for and the command that gets it, in one line."""
    folder = installed(tmp_path / "bin", engine.OLDEST)
    (folder / "pulumi-language-yaml").unlink()
    code, _, lines = ran(tmp_path, folder)
    wanted = f"no pulumi-language-yaml in {folder} or PATH; `make engine` prints a folder that has it: not used"
    assert (code, lines[0]) == (1, f"tools: {wanted}")


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    """The compiler's own last words are in the one line; no half of an engine stays in the cache."""
    script(tmp_path / "bin" / "go", "echo this compiler is broken; exit 2")
    code, out, lines = ran(tmp_path, tmp_path / "bin")
    assert (code, out) == (1, "")
    assert "no build of engine: this compiler is broken." in lines[-1]
    assert [path.name for path in (tmp_path / ".cache" / "pulumi-hbr-clients").iterdir()] == ["cache.lock"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Neither the compiler nor its scratch folder."""
    script(tmp_path / "bin" / "go", f"echo $$ > {tmp_path}/pid; exec /bin/sleep 60")
    with started(tmp_path, tmp_path / "bin") as process:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert [path.name for path in (tmp_path / ".cache" / "pulumi-hbr-clients").iterdir()] == ["cache.lock"]
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_runs_share_what_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once make it once, and later ones find it; from a source that changed it is made again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source, calls = tmp_path / "source", list[Path]()

    def make(folder: Path) -> None:
        calls.append(folder)
        time.sleep(0.3)

    def kept() -> Path:
        return cache.kept("thing", [source], make)

    source.write_text("1")
    with ThreadPoolExecutor(2) as pool:
        homes = {*pool.map(lambda _: kept(), range(2)), kept()}
    assert (len(homes), len(calls)) == (1, 1)
    source.write_text("2")
    assert kept() not in homes


def test_a_command_that_hangs_is_ended() -> None:
    """After its limit, with its last line in the error."""
    with pytest.raises(cache.ToolError, match="no answer: still here; not done after 0 seconds"):
        cache.run(["/bin/sh", "-c", "echo still here; sleep 60"], "no answer", limit=0.0, tick=0.2)
