"""`make compat`: which Pythons and versions are chosen, and what is made of pytest's report. It runs itself by hand."""

import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tools import compat
from tools.compatibility import environments, pythons, runs
from tools.compatibility.pythons import Python

HASH = "    --hash=sha256:00 \\\n    --hash=sha256:11\n"


def python(version: str) -> Python:
    return Python(Path(f"/python/{version}"), Version(version))


def test_this_python_is_offered() -> None:
    """The one that runs the tests is found or a newer patch of it, and each minor version stands once."""
    offered = pythons.offered()
    names = [found.name for found in offered]
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in names
    assert len(names) == len(set(names))
    assert [found.version for found in offered] == sorted(found.version for found in offered)


def test_the_newest_of_each_that_is_claimed() -> None:
    """Neither what is too old nor what is not released."""
    found = [python(version) for version in ("3.12.1", "3.10.13", "3.12.7", "3.11.2", "3.15.0a1", "2.7.18")]
    chosen = pythons.best(found, SpecifierSet(">=3.11"))
    assert [str(one.version) for one in chosen] == ["3.11.2", "3.12.7"]


def test_what_does_not_run_is_not_offered(tmp_path: Path) -> None:
    """A shim of pyenv, say, for a version that is not chosen."""
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert pythons.asked(shim) is None
    assert pythons.asked(tmp_path / "nothing") is None


def test_a_lock_by_name() -> None:
    """Each pin with its hashes, comments left out, one pin in the place of another."""
    lock = environments.pins(f"# made by uv\na-b==1 \\\n{HASH}    # via c\nC.d==2 ; os_name == 'nt' \\\n{HASH}")
    assert lock == {"a-b": f"a-b==1 \\\n{HASH}    # via c\n", "c-d": f"C.d==2 ; os_name == 'nt' \\\n{HASH}"}
    assert len(environments.pins(environments.LOCK.read_text())) >= 100


def test_a_claim_that_is_never_installed_is_found() -> None:
    """Another dependency that asks for more makes a lower bound a claim that nobody can hold us to."""
    claims = [Requirement("a>=1"), Requirement("b>=1.0,<2")]
    assert environments.unmet(claims, {"a": "a==1.0 \\\n", "b": "b==1.0.0 ; x\n"}) == []
    assert environments.unmet(claims, {"a": "a==2 \\\n", "b": "b==1\n"}) == ["a>=1 (2 was)"]


def test_every_claim_has_a_floor() -> None:
    """Whatever the package needs is claimed from some version on."""
    claims = environments.claims()
    assert {"pulumi", "uvicorn"} <= {claim.name for claim in claims}
    assert [claim for claim in claims if ">=" not in str(claim.specifier)] == []


def test_which_runs() -> None:
    """The lowest versions on the oldest Python, the lock on each; another name is refused with those that are there."""
    here = [python("3.11.7"), python("3.13.0")]
    every = compat.chosen([], here)
    assert [(run.name, run.python.name, run.lowest) for run in every] == [
        ("lowest", "3.11", True),
        ("3.11", "3.11", False),
        ("3.13", "3.13", False),
    ]
    assert compat.chosen(["3.13"], here) == [every[2]]
    with pytest.raises(SystemExit, match=r"no such run here: 3\.12; some of lowest, 3\.11, 3\.13"):
        compat.chosen(["3.12"], here)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ('<testsuites><testsuite tests="9" failures="2" errors="1" skipped="1"/></testsuites>', (5, 3, 1)),
        (None, (0, 0, 0)),
    ],
)
def test_counts(tmp_path: Path, report: str | None, expected: tuple[int, int, int]) -> None:
    """Errors count as failures; no report is no success."""
    path = tmp_path / "report.xml"
    if report:
        path.write_text(report)
    assert runs.counted(path) == expected


def test_a_run_without_a_test_is_not_good() -> None:
    """Nor one that ended badly; the table has a row for each."""
    outcomes = [
        runs.Outcome("3.11.7", "locked", runs.ALL, passed, 0, 0, 1.0, exit_code)
        for passed, exit_code in ((5, 0), (0, 0), (5, 1))
    ]
    assert [outcome.good for outcome in outcomes] == [True, False, False]
    assert str(compat.table(outcomes)).count("| 3.11.7 |") == 3
