"""Which Pythons this machine offers: PATH and pyenv's folder → one of each minor version that we claim.

Each is asked for its version: pyenv's shims stand on PATH for versions that do not run.
"""

import os
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT: Final = Path(__file__).parents[2]
_ASK: Final = "import platform, sys; print(platform.python_implementation(), platform.python_version(), sys.executable)"


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter that runs."""

    path: Path
    version: Version

    @property
    def name(self) -> str:
        """Its minor version: `3.12`."""
        return f"{self.version.major}.{self.version.minor}"


def offered() -> list[Python]:
    """One of each minor version, the oldest first."""
    found = (python for path in candidates() if (python := asked(path)))
    return best(found, claimed())


def claimed() -> SpecifierSet:
    """What pyproject.toml says of Python."""
    return SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])


def candidates() -> Iterator[Path]:
    """Every `python3.N` on PATH, and what pyenv installed."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield from sorted(path for path in Path(folder or ".").glob("python3.*") if path.suffix[1:].isdigit())
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob("versions/*/bin/python3"))


def asked(path: Path) -> Python | None:
    """The interpreter, if it runs and is CPython; its own path, not a shim's."""
    try:
        done = subprocess.run([path, "-I", "-c", _ASK], check=True, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    kind, version, executable = done.stdout.strip().split(" ", 2)
    return Python(Path(executable), Version(version)) if kind == "CPython" else None


def best(found: Iterable[Python], claim: SpecifierSet) -> list[Python]:
    """The newest of each minor version that is claimed and released."""
    newest: dict[str, Python] = {}
    for python in sorted(found, key=lambda python: python.version):
        if python.version in claim and not python.version.is_prerelease:
            newest[python.name] = python
    return list(newest.values())
