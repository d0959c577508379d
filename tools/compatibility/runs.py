"""The tests in one environment: an environment → pytest in a process → how many passed, failed and were skipped."""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tools.compatibility.environments import BUILD, Environment
from tools.compatibility.pythons import ROOT

DOORS: Final = ("test_backup_clients.py", "test_gate.py", "test_doors.py", "test_plugin_engine.py", "test_state.py")
ALL: Final = "all without an engine"
ON_ENGINE: Final = "the doors on an engine"
OF_THE_LOCK: Final = "tests/test_audit.py::test_what_is_installed_is_the_lock"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run of the tests."""

    python: str
    dependencies: str
    tests: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    exit_code: int

    @property
    def good(self) -> bool:
        """Whether pytest ended well and something passed."""
        return self.exit_code == 0 and self.passed > 0

    def row(self) -> tuple[str | float, ...]:
        """For the table."""
        counts = (self.passed, self.failed, self.skipped, round(self.seconds))
        return (self.python, self.dependencies, self.tests, *counts)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """One line."""
        where = f"Python {self.python}, {self.dependencies}, {self.tests}"
        return f"{where}: {self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def engine() -> str | None:
    """The folder of an engine that is there already: to build one takes minutes and is not this run's work."""
    from tools import engine as engines  # noqa: PLC0415  a script of its own

    version = engines.required(r"pulumi/pkg/v3 v(\S+)")
    found = engines.on_path() or next(
        (home / "bin" for home in engines.cache_root().glob(f"engine-{version}-*") if engines.is_complete(home)), None
    )
    return str(found) if found else None


def tested(environment: Environment, on_engine: str | None) -> Iterator[Outcome]:
    """Each run of the tests in it."""
    excluded_fields = [f"--deselect={OF_THE_LOCK}"] if environment.lowest else []
    yield _run(environment, ALL, ["-m", "not engine", *excluded_fields], [])
    if on_engine:
        doors = [f"tests/engine/{name}" for name in DOORS]
        yield _run(environment, ON_ENGINE, ["-m", "engine", *doors], [on_engine])


def _run(environment: Environment, tests: str, words: Sequence[str], path: Sequence[str]) -> Outcome:
    name = f"{environment.name}-engine" if path else environment.name
    report, log = BUILD / f"{name}.xml", BUILD / f"{name}.log"
    report.unlink(missing_ok=True)
    folders = [*path, str(environment.bin), os.environ["PATH"]]
    python = str(environment.bin / "python")
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *words]
    started = time.monotonic()
    with log.open("w") as said:
        env = {**os.environ, "PATH": os.pathsep.join(folders)}
        done = subprocess.run(command, check=False, cwd=ROOT, env=env, stdout=said, stderr=subprocess.STDOUT)
    if done.returncode:
        print(_end(log), file=sys.stderr, flush=True)
    passed, failed, skipped = counted(report)
    seconds = time.monotonic() - started
    which = "lowest" if environment.lowest else "locked"
    return Outcome(
        str(environment.python.version), which, tests, passed, failed, skipped, round(seconds, 1), done.returncode
    )


def counted(report: Path) -> tuple[int, int, int]:
    """Passed, failed and skipped, of pytest's own report; nothing passed if there is none."""
    if not report.exists():
        return 0, 0, 0
    suite = next(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314  pytest wrote it just now
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    return total - failed - skipped, failed, skipped


def _end(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-40:])
