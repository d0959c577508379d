"""Measuring: fresh processes that do the work, a thread of this one that serves it, medians of runs taken in turn.

Imports, CPU and memory are each contender's own, and the work of the emulated service is nobody's figure.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, TypeVar

from pulumi_hbr_clients.emulator import Backend, Cloud, RunningEmulator, new_rows, serve
from pulumi_hbr_clients.protocol.endpoints import REGIONS
from tools.cache import ROOT, environment, say

BUILD: Final = ROOT / "build" / "bench"
"""Where workers run: in the repository's root they would import its package, and it may be 0.1.0's turn."""
TIMEOUT: Final = 600.0
"""Seconds for one process."""

Figures = Mapping[str, float]
Measure = Callable[[], Figures]
Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Service:
    """The emulated service, in a thread of this process."""

    emulator: RunningEmulator

    def run(self, worker: str, *arguments: str, python: str = sys.executable) -> Figures:
        """What `tools/bench/<worker>.py` measured against this service, its process, and the requests it took."""
        return {**self._run(worker, *arguments, python=python), **self._requests()}

    def run_many(self, count: int, worker: str, *arguments: str) -> Figures:
        """Wall time of several processes side by side, how many of them failed, and the requests of all."""
        start = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            runs = [pool.submit(self._run, worker, *arguments) for _ in range(count)]
        failed = sum(each.exception() is not None for each in runs)
        return {"wall": time.perf_counter() - start, "failed": failed, **self._requests()}

    def _run(self, worker: str, *arguments: str, python: str = sys.executable) -> Figures:
        variables = {**os.environ, **self.emulator.environment}
        return run("-m", f"tools.bench.{worker}", *arguments, variables=variables, python=python)

    def _requests(self) -> Figures:
        """Requests and throttled requests since the last call."""
        log = [record for backend in self.emulator.backends for record in backend.log]
        for backend in self.emulator.backends:
            backend.clear_log()
        return {"requests": len(log), "throttled": sum(record.code.startswith("Throttling") for record in log)}


@contextmanager
def service(count: int, *, regions: int = 1, **behaviour: Any) -> Iterator[Service]:
    """Serve this number of clients in each region, with this behaviour of the emulator, until the block ends.

    Nine clients in ten match the selections of list_worker.py.
    """
    rows = list(new_rows(count))
    for row in rows[: count * 9 // 10]:
        row["Tags"], row["Hostname"] = [{"Key": "bench", "Value": "yes"}], "bench"
    backends = {("bench", region): Backend(rows, **behaviour) for region in REGIONS[:regions]}
    for client in (client for backend in backends.values() for client in backend.members):
        client.encoded(0)  # first pages cost no more than later ones
    with serve(Cloud(backends)) as running:
        yield Service(running)


def run(*argv: str, variables: Mapping[str, str] | None = None, python: str = sys.executable) -> Figures:
    """What a fresh Python prints as JSON in its last line, its wall time, and its CPU if nothing else runs."""
    BUILD.mkdir(parents=True, exist_ok=True)
    start, before = time.perf_counter(), _cpu()
    command = [python, *argv]
    done = subprocess.run(
        command, cwd=BUILD, env=variables, check=True, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT
    )
    figures = {"wall": time.perf_counter() - start, "cpu": _cpu() - before}
    last = done.stdout.splitlines()[-1:]
    return {**figures, **(json.loads(last[0]) if last and last[0].startswith("{") else {})}


def _cpu() -> float:
    """CPU seconds of all processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def in_turn(rounds: int, contenders: Mapping[Name, Measure]) -> dict[Name, Figures]:
    """The median figures of each contender. They take turns, there and back: a busy moment meets all of them."""
    found: dict[Name, list[Figures]] = {name: [] for name in contenders}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: {len(contenders)} contenders")
        for name in [*contenders][:: 1 if number % 2 == 0 else -1]:
            found[name].append(contenders[name]())
    return {name: {key: median(f[key] for f in runs) for key in runs[0]} for name, runs in found.items()}


def python_of(commit: str) -> str:
    """The Python of an environment with the package as it was at this commit, made once with the lock's versions.

    What is compared with it needs one too (`HEAD`): pydantic reads the metadata of all that is installed.
    """
    shown = subprocess.run(["git", "rev-parse", commit], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    commit = shown.stdout.strip()
    home = BUILD / commit
    ready = home / "installed"
    if not ready.exists():
        say(f"installing commit {commit}")
        environment(home, f"git+file://{ROOT}@{commit}")
        (packages,) = home.glob("lib/*/site-packages")
        (packages / "tools.pth").write_text(str(ROOT))  # the workers; the package itself is found first, in this folder
        ready.touch()
    return str(home / "bin" / "python")
