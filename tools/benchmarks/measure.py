"""Measuring: fresh processes that do the work, others that serve it, medians of runs taken in turn.

The law: this process imports nothing that it measures. A contender's imports, CPU and memory are its own, and the
emulated service's work is nobody's figure.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeVar

HERE: Final = Path(__file__).resolve().parent
LIMIT: Final = 300.0
"""Seconds for one process."""

Figures = Mapping[str, float]
Measure = Callable[[], Figures]
Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Scale:
    """How much is asked of the machine."""

    repeats: int = 3
    fleets: Sequence[int] = (100, 1000, 10_000, 100_000)
    patience: float = 30.0
    pages: int = 1000
    rate: float = 20.0
    latency: float = 0.1
    seeds: int = 20
    shifting: int = 1960
    sizes: Sequence[int] = (100, 1000, 10_000)
    doors: Sequence[str] = ("function", "resource", "fields", "export", "export_fields", "plugin", "plugin_fields")
    gates: tuple[int, int] = (200, 1000)
    idle: float = 60.0


FULL: Final = Scale()
QUICK: Final = Scale(
    repeats=1,
    fleets=(100, 300),
    pages=24,
    latency=0.01,
    seeds=2,
    shifting=300,
    sizes=(50,),
    doors=("resource",),
    gates=(4, 20),
    idle=3.0,
)
"""For a test that the bench runs at all: its figures mean nothing."""


@dataclass
class Fleet:
    """An emulated service in a process of its own."""

    process: "subprocess.Popen[str]"
    environment: dict[str, str] = field(default_factory=dict)

    def hear(self) -> dict[str, Any]:
        """The next object that it says."""
        assert self.process.stdout  # noqa: S101  a pipe was asked for
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return said

    def seen(self) -> Figures:
        """The requests that it saw since the last time."""
        assert self.process.stdin  # noqa: S101  a pipe was asked for
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.hear()

    def run(self, script: str, *words: str) -> Figures:
        """What a script of this folder says of its work against this service, and the requests that it took."""
        return {**run(str(HERE / script), *words, environment=self.environment), **self.seen()}


@contextmanager
def fleet(count: int, **conditions: Any) -> Iterator[Fleet]:
    """Serve so many clients under these conditions until the block ends."""
    child = [sys.executable, str(HERE / "fleet.py"), json.dumps({"count": count, **conditions})]
    # Leaving the inner block closes the child's input, which ends it.
    with subprocess.Popen(child, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        made = Fleet(process)
        made.environment = {**os.environ, **made.hear()}
        yield made


def run(*argv: str, environment: Mapping[str, str] | None = None) -> Figures:
    """What a fresh Python says of its work, and its wall time and CPU from start to end."""
    before, start = _cpu_of_children(), time.perf_counter()
    child = subprocess.run(
        [sys.executable, *argv], check=True, env=environment, stdout=subprocess.PIPE, text=True, timeout=LIMIT
    )
    wall, cpu = time.perf_counter() - start, _cpu_of_children() - before
    last = child.stdout.splitlines()[-1:]
    said = json.loads(last[0]) if last and last[0].startswith("{") else {}
    return {"wall": wall, "cpu": cpu, **said}


def _cpu_of_children() -> float:
    """Seconds of all children that have ended. The emulated services have not."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def in_turn(repeats: int, contenders: Mapping[Name, Measure]) -> dict[Name, Figures]:
    """The median figures of each contender. They take turns, there and back: a busy moment meets all of them."""
    order = list(contenders)
    runs: dict[Name, list[Figures]] = {name: [] for name in contenders}
    for number in range(repeats):
        tell(f"round {number + 1} of {repeats}: {len(contenders)} contenders")
        for name in order if number % 2 == 0 else reversed(order):
            runs[name].append(contenders[name]())
    return {name: {key: median(f[key] for f in found) for key in found[0]} for name, found in runs.items()}


def lists(service: Fleet, contender: str) -> Measure:
    """A contender that lists a fleet once."""
    return lambda: service.run("listing.py", contender)


def needs_engine() -> None:
    """Say how to get one, where there is none."""
    if not shutil.which("pulumi"):
        raise SystemExit("no Pulumi engine on PATH: run `make bench`, or put `make engine`'s folder there")


def tell(text: str) -> None:
    """Progress, for whoever waits."""
    print(f"  {text}", file=sys.stderr, flush=True)
