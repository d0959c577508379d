"""Measuring: fresh processes that do the work, another that serves it, medians of runs taken in turn.

This process imports nothing that it measures: imports, CPU and memory are each contender's own, and the work of the
emulated service is nobody's figure.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeVar

from tools.bench.list_worker import RSS_UNIT

ROOT: Final = Path(__file__).resolve().parents[2]
BUILD: Final = ROOT / "build" / "bench"
PATH: Final = BUILD / "path"
"""Where workers run and find this package, and not the repository's own pulumi_hbr_clients: it may be 0.1.0's turn."""
TIMEOUT: Final = 600.0
"""Seconds for one process."""

Figures = Mapping[str, float]
Measure = Callable[[], Figures]
Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Service:
    """The emulated service, in a process of its own."""

    process: "subprocess.Popen[str]"
    environment: Mapping[str, str]

    def seen(self) -> Figures:
        """Requests and throttled requests since the last call."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return _line(self.process)

    def run(self, worker: str, *arguments: str, python: str = sys.executable) -> Figures:
        """What `tools/bench/<worker>.py` measured against this service, its process, and the requests it took."""
        figures = run("-m", f"tools.bench.{worker}", *arguments, environment=self.environment, python=python)
        return {**figures, **self.seen()}

    def run_many(self, count: int, worker: str, *arguments: str) -> Figures:
        """Wall time of several processes side by side, how many of them failed, and the requests of all."""

        def one(_: int) -> bool:
            try:
                run("-m", f"tools.bench.{worker}", *arguments, environment=self.environment)
            except subprocess.CalledProcessError:
                return True
            return False

        start = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            failed = sum(pool.map(one, range(count)))
        return {"wall": time.perf_counter() - start, "failed": failed, **self.seen()}


@contextmanager
def service(count: int, **behaviour: Any) -> Iterator[Service]:
    """Serve this number of clients, with this behaviour of the emulator, until the block ends."""
    PATH.mkdir(parents=True, exist_ok=True)
    if not (PATH / "tools").exists():
        (PATH / "tools").symlink_to(ROOT / "tools")
    child = [sys.executable, "-m", "tools.bench.serve", json.dumps({"count": count, **behaviour})]
    # Leaving the block closes the child's input, which ends it.
    with subprocess.Popen(child, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Service(process, {**os.environ, **_line(process), "PYTHONPATH": str(PATH)})


def _line(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


def run(*argv: str, environment: Mapping[str, str] | None = None, python: str = sys.executable) -> Figures:
    """What a fresh Python prints as JSON in its last line, its wall time and CPU, and its peak memory in bytes."""
    BUILD.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    with subprocess.Popen([python, *argv], cwd=BUILD, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        timer = threading.Timer(TIMEOUT, child.kill)
        timer.start()
        lines = child.stdout.read().splitlines()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, [python, *argv])
    printed = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * RSS_UNIT, **printed}


def in_turn(rounds: int, contenders: Mapping[Name, Measure]) -> dict[Name, Figures]:
    """The median figures of each contender. They take turns, there and back: a busy moment meets all of them."""
    found: dict[Name, list[Figures]] = {name: [] for name in contenders}
    for number in range(rounds):
        note(f"round {number + 1} of {rounds}: {len(contenders)} contenders")
        for name in [*contenders][:: 1 if number % 2 == 0 else -1]:
            found[name].append(contenders[name]())
    return {name: {key: median(f[key] for f in runs) for key in runs[0]} for name, runs in found.items()}


def python_of(commit: str) -> str:
    """The Python of an environment with the package as it was at this commit, made once with the lock's versions.

    What is compared with it needs one too (`HEAD`): pydantic reads the metadata of all that is installed.
    """
    shown = subprocess.run(["git", "rev-parse", commit], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    commit = shown.stdout.strip()
    folder, uv = BUILD / commit, str(Path(sys.executable).with_name("uv"))
    python, ready = str(folder / "venv" / "bin" / "python"), folder / "ready"
    if not ready.exists():
        note(f"installing commit {commit}")
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, folder / "venv"], check=True)
        options = ["--compile-bytecode", "--python", python, "--constraint", f"{ROOT}/requirements-dev.lock"]
        subprocess.run([uv, "pip", "install", "-q", *options, f"git+file://{ROOT}@{commit}"], check=True)
        ready.touch()
    return python


def needs_engine() -> None:
    """End with an explanation if there is no Pulumi engine."""
    if not shutil.which("pulumi"):
        raise SystemExit(
            "no Pulumi engine on PATH: run `make bench`, or put the folder that `make engine` prints there"
        )


def note(text: str) -> None:
    """Progress, on stderr."""
    print(f"  {text}", file=sys.stderr, flush=True)
