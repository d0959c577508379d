"""The environments that tests run in: the lock, or the lock with the lowest versions that we claim put into it.

The development tools stay at the lock's versions: what we claim is what the package needs, and its extra. What those
need in turn is the newest that they take, as an installer would choose it. Every file is checked by its hash.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools.compatibility.pythons import ROOT, Python

LOCK: Final = ROOT / "requirements-dev.lock"
BUILD: Final = ROOT / "build" / "compat"
UV: Final = str(Path(sys.executable).parent / "uv")


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python and what is installed for it."""

    name: str
    python: Python
    lowest: bool = False

    @property
    def folder(self) -> Path:
        """Where it is made."""
        return BUILD / self.name

    @property
    def bin(self) -> Path:
        """Its commands."""
        return self.folder / "bin"


def lowest(python: Python) -> Environment:
    """The environment of the lowest versions."""
    return Environment("lowest", python, lowest=True)


def made(environment: Environment) -> None:
    """Make it afresh. Raises `SystemExit` if a claim is not what an installer would take."""
    shutil.rmtree(environment.folder, ignore_errors=True)
    BUILD.mkdir(parents=True, exist_ok=True)
    _uv("venv", "--python", str(environment.python.path), str(environment.folder))
    wanted = BUILD / f"{environment.name}.txt"
    wanted.write_text(low(environment.python) if environment.lowest else LOCK.read_text())
    _install(environment, "--require-hashes", "-r", str(wanted))
    _install(environment, "--no-build-isolation", "--editable", str(ROOT))
    _uv("pip", "check", "--python", str(environment.bin / "python"))


def low(python: Python) -> str:
    """The pins of the lowest versions, and of the tools beside them. Raises `SystemExit` on a claim never met."""
    lowest_pins = resolved(python, "--extra", "emulator", "--resolution", "lowest-direct", "pyproject.toml")
    if faults := unmet(claims(), lowest_pins):
        raise SystemExit("claimed, but never installed so low: " + "; ".join(faults))
    tools = resolved(python, "--group", "dev", "--constraints", str(LOCK))
    return "".join((tools | lowest_pins).values())


def pins(lock: str) -> dict[str, str]:
    """A lock's text → name → its lines, hashes and all."""
    blocks = re.findall(r"^[A-Za-z0-9].*\n(?:[ ]+.*\n)*", lock, flags=re.MULTILINE)
    return {canonicalize_name(re.split(r"[=\s\[]", block, maxsplit=1)[0]): block for block in blocks}


def resolved(python: Python, *options: str) -> dict[str, str]:
    """What uv chooses for this Python, by name."""
    common = ("--python", str(python.path), "--generate-hashes", "--no-emit-index-url", "--no-header")
    return pins(_uv("pip", "compile", *common, *options))


def claims() -> list[Requirement]:
    """What pyproject.toml asks for, the extra included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = (text for texts in project["optional-dependencies"].values() for text in texts)
    return [Requirement(text) for text in (*project["dependencies"], *extras)]


def unmet(claimed: Sequence[Requirement], found: dict[str, str]) -> list[str]:
    """Claims whose lowest version is not the one that was resolved, because another dependency asks for more."""
    return [
        f"{claim.name}>={floor} ({version} was)"
        for claim in claimed
        if (floor := _floor(claim)) != (version := _version(found[canonicalize_name(claim.name)]))
    ]


def _floor(claim: Requirement) -> Version:
    (floor,) = (Version(part.version) for part in claim.specifier if part.operator == ">=")
    return floor


def _version(block: str) -> Version:
    return Version(re.split(r"[\s;\\]", block.partition("==")[2], maxsplit=1)[0])


def _install(environment: Environment, *what: str) -> None:
    _uv("pip", "install", "--no-deps", "--python", str(environment.bin / "python"), *what)


def _uv(*words: str) -> str:
    command = [UV, *words, "--quiet", "--no-config"]
    return subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
