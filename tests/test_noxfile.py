"""`make audit` and `make compat`: what their sessions read from the reports of other tools."""

import pytest

pytest.importorskip("nox", reason="not installed with the lowest versions")

import noxfile

FLOORS = {
    claim.partition(">=")[0]: claim.partition(">=")[2].partition(",")[0] for claim in noxfile.PROJECT["dependencies"]
}


def test_every_dependency_has_a_lower_bound() -> None:
    """The lowest versions that `make compat` installs are those that pyproject.toml names."""
    assert all(FLOORS.values())
    pins = "".join(f"{name}=={version} \\\n    --hash=sha256:00\n" for name, version in FLOORS.items())
    assert noxfile.unmet_claims(pins) == []


def test_a_lower_bound_that_is_never_installed_is_found() -> None:
    """If another dependency needs more, nobody can install what we claim, and the session fails."""
    pins = "".join(f"{name}=={'99' if name == 'pydantic' else version}\n" for name, version in FLOORS.items())
    assert noxfile.unmet_claims(pins) == [f"pydantic>={FLOORS['pydantic']} (got 99)"]


def test_packages_that_were_not_looked_up_are_counted() -> None:
    """pip-audit calls a package clean that its index has no data about; the audit says that it was not looked up."""
    skipped = {"name": "a", "skip_reason": "Dependency not found"}
    fine = {"name": "b", "version": "1", "vulns": []}
    bad = {"name": "c", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
    summary, found = noxfile.vulnerabilities({"dependencies": [skipped, fine, bad]})
    assert summary == "known vulnerabilities: 1 in 2 packages; NOT looked up: 1 packages"
    assert found == ["c 1: CVE-1, fixed in 2"]
