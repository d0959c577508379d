"""What this project is built from: pinned, hashed, installed so, and free; and an audit that says what it did."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import audit

PROJECT: dict[str, Any] = tomllib.loads((audit.ROOT / "pyproject.toml").read_text())
SOME_HASH = f"--hash=sha256:{'0' * 64}"


def lock(folder: Path, *lines: str) -> Path:
    path = folder / "some.lock"
    path.write_text("\n".join(lines))
    return path


def test_the_lock_is_whole() -> None:
    """Each line is one version with its hashes, and all that pyproject.toml asks for is among them."""
    assert audit.unpinned(audit.LOCK) == []
    names = {canonicalize_name(pin.name) for pin in audit.pinned(audit.LOCK)}
    asked = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["emulator"],
        *PROJECT["dependency-groups"]["dev"],
    ]
    assert {canonicalize_name(Requirement(text).name) for text in asked} - names == set()


@pytest.mark.parametrize(
    "line",
    ["httpx==0.28.1", f"httpx>=0.28 {SOME_HASH}", f"httpx {SOME_HASH}", "httpx @ https://example.com/httpx.whl", "=="],
)
def test_a_line_that_is_no_pin_is_found(tmp_path: Path, line: str) -> None:
    """Without a hash, with a range, from an address, or not to be read."""
    assert audit.unpinned(lock(tmp_path, f"anyio==4.16.0 {SOME_HASH}")) == []
    (fault,) = audit.unpinned(lock(tmp_path, f"anyio==4.16.0 {SOME_HASH}", line))
    assert line.split(" ", maxsplit=1)[0] in fault


def test_what_is_installed_is_the_lock() -> None:
    """This environment is what the lock says, and everybody's requirements are met."""
    assert audit.drift(audit.pinned(audit.LOCK)) == []
    assert audit.conflicts() == []


def test_an_environment_that_is_not_the_lock_is_found(tmp_path: Path) -> None:
    """Another version, one that is missing, and all that nobody asked for; not what is for other systems."""
    pins = audit.pinned(
        lock(
            tmp_path,
            f"httpx==0.1 {SOME_HASH}",
            f"not-there==1 {SOME_HASH}",
            f"elsewhere==1 ; sys_platform == 'none' {SOME_HASH}",
        )
    )
    found = {fault.partition(":")[0]: fault for fault in audit.drift(pins)}
    assert "the lock has 0.1" in found["httpx"]
    assert "nothing is installed" in found["not-there"]
    assert "the lock has nothing" in found["pytest"]
    assert "elsewhere" not in found


def test_licences() -> None:
    """All that our package needs, down to the last, may be used by anyone; another licence would be seen."""
    needed = audit.needed()
    assert {"pulumi", "grpcio", "starlette", "h11", "tenacity"} <= set(needed)
    assert "hypothesis" not in needed
    assert audit.licences(needed) == []
    assert audit.licences(["hypothesis", "not-there"]) == ["hypothesis: MPL-2.0", "not-there: not found"]


def test_a_package_that_was_skipped_was_not_looked_up() -> None:
    """Pip-audit calls an index without data free of vulnerabilities; the audit says that nothing was looked up."""
    skipped = {"name": "a", "skip_reason": "Dependency not found"}
    fine = {"name": "b", "version": "1", "vulns": []}
    bad = {"name": "c", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
    nothing = audit.judged({"dependencies": [skipped]})
    assert str(nothing).startswith("known vulnerabilities: NOT looked up, of no package")
    some = audit.judged({"dependencies": [skipped, fine, bad]})
    assert str(some) == "known vulnerabilities: 1 in 2 packages; NOT looked up: 1"
    assert some.found == ["c 1: CVE-1, mended in 2"]


def test_the_command_says_what_it_did() -> None:
    """Offline it checks the rest, and says that vulnerabilities were not looked up."""
    command = [sys.executable, str(audit.ROOT / "tools" / "audit.py"), "--offline"]
    said = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    assert "pins, each one version with hashes" in said
    assert said.splitlines()[-1] == "ok     known vulnerabilities: NOT looked up, of no package: --offline"
