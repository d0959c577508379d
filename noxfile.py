"""Sessions behind `make compat` and `make audit`; uv makes their environments in build/nox.

    nox -s compat-3.12      the unit tests with the locked dependencies, on every Python that is installed
    nox -s lowest           the same with the lowest versions that pyproject.toml claims, and the tests on the engine
    nox -s audit            the lock, licences, known vulnerabilities

Arguments after `--` go to pytest: `nox -s lowest -- -k gate`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import nox
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT: Final = Path(__file__).parent
LOCK: Final = "requirements-dev.lock"
BIN: Final = Path(sys.executable).parent
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LICENCES: Final = (
    "Apache",
    "BSD",
    "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)",  # certifi: a file of certificates, used unchanged
    "PSF-2.0",
    "Python Software Foundation License",
)
"""Parts of the names of licences that ask for no more than to be named."""
AUDIT_TIMEOUT: Final = 300.0
"""Seconds for all look-ups of vulnerabilities together."""

nox.options.default_venv_backend = "uv"
nox.options.envdir = "build/nox"
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"
# pyenv's own commands fail for versions that are not chosen; the interpreters themselves come first.
_PYENV: Final = map(str, Path.home().glob(".pyenv/versions/*/bin"))
os.environ["PATH"] = os.pathsep.join([str(BIN), *_PYENV, os.environ["PATH"]])


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def compat(session: nox.Session) -> None:
    """Run the unit tests with the locked dependencies."""
    _install_lock(session)
    _test(session, "-m", "not engine")


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """Run the unit tests, and the entry points on an engine, with the lowest versions that pyproject.toml claims."""
    session.install("--group", "test", "--constraint", LOCK)
    folder = Path(session.create_tmp())
    options = ("--resolution=lowest-direct", "--generate-hashes", "--no-emit-index-url")
    session.run(
        "uv", "pip", "compile", "-q", "pyproject.toml", *options, "-o", str(folder / "lowest.txt"), external=True
    )
    if claims := unmet_claims((folder / "lowest.txt").read_text()):
        session.error("claimed, but another dependency needs more: " + ", ".join(claims))
    session.install("--no-deps", "--require-hashes", "-r", str(folder / "lowest.txt"))
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")
    session.run("uv", "pip", "check", external=True)
    _test(session, "-m", "not engine")
    if shutil.which("pulumi"):
        _test(session, "-m", "engine", "tests/engine", "--deselect=tests/engine/test_sdks.py")


@nox.session
def audit(session: nox.Session) -> None:
    """Check that .venv is the lock, the licences of what the package needs, and known vulnerabilities."""
    sync = ("uv", "pip", "sync", "--dry-run", "--require-hashes", "--python", sys.executable, LOCK)
    synced = str(session.run(*sync, external=True, silent=True))
    if drift := [line for line in synced.splitlines() if re.match(r" [-+~] (?!pulumi-hbr-clients)", line)]:
        session.error(".venv is not the lock: " + "; ".join(map(str.strip, drift)))
    session.run("uv", "pip", "check", "--python", sys.executable, external=True)
    session.install(".", "--constraint", LOCK)
    allowed = ("--partial-match", f"--allow-only={';'.join(LICENCES)}", "--ignore-packages=pulumi-hbr-clients")
    session.run("pip-licenses", f"--python={session.bin}/python", *allowed, external=True)
    summary, found = vulnerabilities(_pip_audit())
    session.log(summary)
    if found:
        session.error("; ".join(found))


def unmet_claims(resolved: str) -> list[str]:
    """The package's lower bounds that are not what uv chose when it was asked for the lowest versions."""
    versions = {canonicalize_name(name): version for name, version in re.findall(r"(?m)^(\S+)==([^\s;]+)", resolved)}
    claims = map(Requirement, PROJECT["dependencies"])
    floors = {claim.name: part.version for claim in claims for part in claim.specifier if part.operator == ">="}
    chosen = {name: versions[canonicalize_name(name)] for name in floors}
    return [
        f"{name}>={floor} (got {chosen[name]})"
        for name, floor in floors.items()
        if Version(chosen[name]) != Version(floor)
    ]


def vulnerabilities(report: dict[str, Any]) -> tuple[str, list[str]]:
    """A summary of pip-audit's JSON report, and what it found.

    pip-audit calls packages clean that it could not look up, as with an index that has no such data: they are counted.
    """
    rows = report["dependencies"]
    known = [row for row in rows if "skip_reason" not in row]
    found = [
        f"{row['name']} {row['version']}: {fault['id']}, fixed in {', '.join(fault['fix_versions']) or 'no version'}"
        for row in known
        for fault in row["vulns"]
    ]
    skipped = len(rows) - len(known)
    summary = f"known vulnerabilities: {len(found)} in {len(known)} packages; NOT looked up: {skipped} packages"
    return summary + (f" ({report['problem']})" if "problem" in report else ""), found


def _pip_audit() -> dict[str, Any]:
    """The report of pip-audit about the lock. If it fails, a report of packages that were not looked up, and why."""
    options = ["--format=json", "--progress-spinner=off", "--timeout=15", "--require-hashes", "--disable-pip"]
    command = [str(BIN / "pip-audit"), *options, "-r", LOCK]
    try:  # it exits with 1 if it found something
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=AUDIT_TIMEOUT)  # noqa: S603  ours
        report: dict[str, Any] = json.loads(done.stdout)
    except (ValueError, subprocess.TimeoutExpired) as error:
        pins = re.findall(r"(?m)^(\S+)==", (ROOT / LOCK).read_text())
        skipped = [{"name": name, "skip_reason": str(error)} for name in pins]
        return {"dependencies": skipped, "problem": str(error)[:200]}
    return report


def _install_lock(session: nox.Session) -> None:
    session.install("--require-hashes", "-r", LOCK)
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")


def _test(session: nox.Session, *arguments: str) -> None:
    session.run("pytest", "-q", "-p", "no:cacheprovider", "-n", "2", *arguments, *session.posargs)
