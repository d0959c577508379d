"""What the release workflow calls: the checks before a release, its notes and checksums, and publishing."""

import copy
import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools import generated, release

CHANGELOG = "# Changelog\n\n## Unreleased\n\n## 1.2.0 (2026-11-25)\n\n- Lists are quicker.\n\n## 1.1.0\n\n- First.\n"
SCHEMA: dict[str, Any] = json.loads(generated.SCHEMA.read_text())
FUNCTION, GATE = next(iter(SCHEMA["functions"])), next(iter(SCHEMA["resources"]))


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository of version 1.2.0 whose last release was 1.1.0, with the same schema."""
    folder = tmp_path / "repository"
    (folder / "pulumi_hbr_clients" / "plugin").mkdir(parents=True)
    (folder / release.SCHEMA).write_text(json.dumps(SCHEMA))
    (folder / "pulumi_hbr_clients" / "_version.py").write_text('__version__ = "1.2.0"\n')
    (folder / "CHANGELOG.md").write_text(CHANGELOG)
    (folder / "pyproject.toml").write_text('[tool.hbr-clients]\nowner = "acme"\n')
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=1.1.0")
    git(folder, "tag", "v1.1.0")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=1.2.0")
    return folder


def test_a_release_that_is_ready(root: Path) -> None:
    """It says what was compared; before there is a tag, too."""
    expected = ["version 1.2.0, in CHANGELOG.md", "schema compared with v1.1.0: 0 breaking changes"]
    assert release.check(root, "v1.2.0") == release.check(root) == expected
    git(root, "tag", "--delete", "v1.1.0")
    assert release.check(root)[1] == "no earlier tag to compare the schema with"


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("pulumi_hbr_clients/_version.py", '__version__ = "1.3.0"', "the tag is v1.2.0, but .* says 1.3.0"),
        ("CHANGELOG.md", "## 1.2.0\n\n## 1.1.0\n\n- First.\n", "CHANGELOG.md says nothing about 1.2.0"),
        ("CHANGELOG.md", "## Unreleased\n\n- Lists are quicker.\n", "CHANGELOG.md says nothing about 1.2.0"),
        ("pyproject.toml", '[tool.hbr-clients]\nowner = ""\n', "names no owner"),
        (release.SCHEMA, json.dumps({**SCHEMA, "functions": {}}), f"{FUNCTION} is gone.* another major version"),
    ],
)
def test_a_release_that_is_not_ready(root: Path, file: str, text: str, reason: str) -> None:
    """Another version than the tag's, nothing to tell users, no owner, or a schema that breaks programs."""
    (root / file).write_text(text)
    with pytest.raises(release.ReleaseError, match=reason):
        release.check(root, "v1.2.0")


def test_a_major_version_may_break(root: Path) -> None:
    """The same change, with another major version."""
    (root / release.SCHEMA).write_text(json.dumps({**SCHEMA, "functions": {}}))
    (root / "pulumi_hbr_clients" / "_version.py").write_text('__version__ = "2.0.0"\n')
    (root / "CHANGELOG.md").write_text("## 2.0.0\n\n- Another function.\n")
    assert release.check(root, "v2.0.0")[1] == "schema compared with v1.1.0: 1 breaking changes"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: s["resources"][GATE]["inputProperties"].pop("timeout"), f"{GATE}: input timeout is gone"),
        (lambda s: s["functions"][FUNCTION]["outputs"]["properties"].pop("ids"), f"{FUNCTION}: result ids is gone"),
        (lambda s: s["resources"][GATE]["requiredInputs"].append("tags"), f"{GATE}: tags is now required"),
        (
            lambda s: s["functions"][FUNCTION]["inputs"]["properties"]["clusterId"].update(type="integer"),
            f"{FUNCTION}: argument clusterId has another type",
        ),
        (lambda s: s["resources"][GATE]["inputProperties"].update(new={"type": "string"}), None),
        (lambda s: s["resources"][GATE]["inputProperties"]["timeout"].update(description="Other words."), None),
    ],
)
def test_what_breaks_programs(change: Callable[[Any], object], expected: str | None) -> None:
    """Something gone, something required, another type; not a new argument, nor other words."""
    new = copy.deepcopy(SCHEMA)
    change(new)
    assert expected in [*release.breaking(SCHEMA, new), None]
    assert bool(list(release.breaking(SCHEMA, new))) is (expected is not None)


def test_publish(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The release has the notes, the sums and every file; Go's tag has the SDK; no branch gets anything."""
    git(root, "tag", "v1.2.0")
    git(tmp_path, "init", "--quiet", "--bare", "origin")
    git(root, "remote", "add", "origin", str(tmp_path / "origin"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(f'#!/bin/sh\nfor word; do echo "$word"; done >> {tmp_path}/called\n')
    (tmp_path / "bin" / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    (root / "dist").mkdir()
    (root / "SHA256SUMS").write_text("")
    (tmp_path / "go.mod").write_text("module example\n")
    with tarfile.open(root / "dist" / "sdk-go-v1.2.0.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "go.mod", "go.mod")
    (root / "dist" / "p.whl").write_text("wheel")
    release.publish(root, "v1.2.0")
    called = (tmp_path / "called").read_text().splitlines()
    assert called[:4] == ["release", "create", "v1.2.0", "--verify-tag"]
    assert "- Lists are quicker." in called
    assert {Path(word).name for word in called} >= {"SHA256SUMS", "p.whl", "sdk-go-v1.2.0.tar.gz"}
    assert git(tmp_path / "origin", "show", "sdk/go/v1.2.0:sdk/go/go.mod") == "module example\n"
    assert git(tmp_path / "origin", "branch", "--list") == ""
