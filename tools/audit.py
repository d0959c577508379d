"""The audit of what this project is built from: the lock, what is installed, licences, and known vulnerabilities.

    tools/audit.py [--offline]

What needs no network is always checked. pip-audit then asks the package index for known vulnerabilities; where that
has none to give, and a mirror often has not, this is said and is no fault. pip-audit itself would say "No known
vulnerabilities found" of packages that it could not look up. Ends with 1 if anything is wrong.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pip_requirements_parser import InstallRequirement, RequirementsFile

ROOT: Final = Path(__file__).parent.parent
LOCK: Final = ROOT / "requirements-dev.lock"
BIN: Final = Path(sys.executable).parent
OURS: Final = "pulumi-hbr-clients"
PATIENCE: Final = 300.0
"""Seconds for all look-ups together; 15 for each."""
LICENCES: Final = (
    "Apache-2.0",
    "Apache-2.0 AND MIT",
    "Apache-2.0 OR BSD-2-Clause",
    "Apache Software License",
    "Apache Software License; BSD License",
    "Apache Software License; MIT License",
    "BSD License",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "3-Clause BSD License",
    "MIT",
    "MIT License",
    "Mozilla Public License 2.0 (MPL 2.0)",  # certifi: a file of certificates, used as it is
    "PSF-2.0",
    "Python Software Foundation License",
)
"""What the package may need: licences that ask for no more than to be named, in the packages' own spellings."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking for known vulnerabilities."""

    known: int = 0
    """Packages that the index had something to say of."""
    unknown: int = 0
    found: list[str] = field(default_factory=list)
    trouble: str = ""

    def __str__(self) -> str:
        """Which of the two was done, in plain words."""
        if not self.known:
            why = self.trouble or "the package index answers, but has no such data"
            return f"known vulnerabilities: NOT looked up, of no package: {why}"
        rest = f"; NOT looked up: {self.unknown}" if self.unknown else ""
        return f"known vulnerabilities: {len(self.found)} in {self.known} packages{rest}"


def main() -> int:
    """Check, say what was done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offline", action="store_true", help="ask nobody")
    asked = parser.parse_args()
    pins = pinned(LOCK)
    bad = [
        *told(f"{LOCK.name}: {len(pins)} pins, each one version with hashes", unpinned(LOCK)),
        *told("installed: the lock and nothing else", drift(pins)),
        *told("requirements of what is installed: met", conflicts()),
        *told(f"licences of the {len(needed())} packages that ours needs: allowed", licences(needed())),
    ]
    looked = Looked(trouble="--offline") if asked.offline else vulnerabilities(LOCK)
    bad += told(str(looked), looked.found)
    return 1 if bad else 0


def told(what: str, faults: list[str]) -> list[str]:
    """Say what was checked, and each fault below it."""
    print(f"{'WRONG' if faults else 'ok   '}  {what}", *(f"         {fault}" for fault in faults), sep="\n", flush=True)
    return faults


def pinned(lock: Path) -> list[InstallRequirement]:
    """The lock's lines."""
    return list(RequirementsFile.from_file(str(lock)).requirements)


def unpinned(lock: Path) -> list[str]:
    """Lines that are no pin of one version with a hash."""
    found = RequirementsFile.from_file(str(lock))
    lines = [f"not understood: {line.line}" for line in found.invalid_lines]
    bad = (pin for pin in found.requirements if not (pin.is_pinned and pin.hash_options and not pin.link))
    return lines + [f"not one version with a hash: {pin.line}" for pin in bad]


def drift(pins: Iterable[InstallRequirement]) -> list[str]:
    """Where this environment is not the lock. What the lock pins for other systems is no fault."""
    wanted = {canonicalize_name(pin.name): pin.get_pinned_version for pin in pins if _applies(pin.marker)}
    there = {canonicalize_name(found.name): found.version for found in metadata.distributions()}
    tools = {OURS, "setuptools"}  # the second comes with a new environment up to Python 3.11
    return [
        f"{name}: {there.get(name, 'nothing')} is installed, the lock has {wanted.get(name, 'nothing')}"
        for name in sorted((wanted.keys() | there.keys()) - tools)
        if there.get(name) != wanted.get(name)
    ]


def conflicts() -> list[str]:
    """What uv's check of requirements finds."""
    done = _run(str(BIN / "uv"), "pip", "check", "--python", sys.executable)
    return [] if done.returncode == 0 else done.stderr.splitlines()


def needed() -> list[str]:
    """Our package's requirements and theirs, the extra included, as they are installed here."""
    found, waiting = set[str](), [(OURS, frozenset({"emulator"}))]
    while waiting:
        name, extras = waiting.pop()
        for asked in map(Requirement, metadata.requires(name) or ()):
            other = canonicalize_name(asked.name)
            if other not in found and _applies(asked.marker, extras):
                found.add(other)
                waiting.append((other, frozenset(asked.extras)))
    return sorted(found)


def licences(names: Iterable[str]) -> list[str]:
    """Packages with a licence that is not allowed."""
    done = _run(str(BIN / "pip-licenses"), "--python", sys.executable, "--format=json", "--with-system")
    rows: dict[str, str] = {canonicalize_name(row["Name"]): row["License"] for row in json.loads(done.stdout)}
    return [f"{name}: {rows.get(name, 'not found')}" for name in names if rows.get(name) not in LICENCES]


def vulnerabilities(lock: Path) -> Looked:
    """Ask pip-audit, which asks the package index that pip's own certificates and proxies lead to."""
    command = [str(BIN / "pip-audit"), "--format=json", "--progress-spinner=off", "--timeout=15"]
    try:
        done = _run(*command, "--require-hashes", "--disable-pip", "--requirement", str(lock))
    except subprocess.TimeoutExpired:
        return Looked(trouble=f"no answer within {PATIENCE:g} s")
    try:
        return judged(json.loads(done.stdout))
    except ValueError:
        return Looked(trouble=(done.stderr.splitlines() or ["pip-audit says nothing"])[-1])


def judged(document: dict[str, Any]) -> Looked:
    """What pip-audit's report says, the packages it skipped told apart."""
    rows = document["dependencies"]
    known = [row for row in rows if "skip_reason" not in row]
    found = [
        f"{row['name']} {row['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'nothing yet'}"
        for row in known
        for fault in row["vulns"]
    ]
    return Looked(len(known), len(rows) - len(known), found)


def _applies(marker: Marker | None, extras: Iterable[str] = ()) -> bool:
    return marker is None or any(Marker(str(marker)).evaluate({"extra": extra}) for extra in ("", *extras))


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)


if __name__ == "__main__":
    sys.exit(main())
