"""What a registry wants to know of the repository follows from one setting, and is left out while that is empty."""

import json
import shutil
from pathlib import Path

import pytest

from tools import registry

ADDRESSES = ("homepage", "repository", "pluginDownloadURL", "logoUrl")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that name the owner."""
    for name in ("docs", "examples", "pulumi_hbr_clients/plugin", "tests/engine/sdks"):
        shutil.copytree(registry.ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("sdks?", "node_modules"))
    return tmp_path


def contents(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".pyc", ".png"})
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


def test_nothing_is_left_to_write(copy: Path) -> None:
    """With the owner of pyproject.toml: what is checked in is what follows from it."""
    before = contents(copy)
    registry.write(copy, registry.owner(registry.ROOT))
    assert contents(copy) == before


def test_without_an_owner() -> None:
    """No address at all, and a Go module that only a `replace` line can explain."""
    found = json.loads(registry.text(""))
    assert found.keys().isdisjoint(ADDRESSES)
    assert found["language"]["go"]["importBasePath"] == "pulumi-hbr-clients/sdk/go/hbrclients"
    assert "github.com" not in registry.text("").replace("github.com/pulumi/pulumi/sdk", "")


def test_with_an_owner(copy: Path) -> None:
    """Every address names it; programs and pages import Go's SDK from there; with another owner nothing stays of it."""
    before = contents(copy)
    registry.write(copy, "acme-cloud")
    found = json.loads((copy / registry.SCHEMA).read_text())
    assert found["repository"] == found["homepage"] == "https://github.com/acme-cloud/pulumi-hbr-clients"
    assert found["pluginDownloadURL"] == "github://api.github.com/acme-cloud/pulumi-hbr-clients"
    assert found["logoUrl"].startswith("https://raw.githubusercontent.com/acme-cloud/pulumi-hbr-clients/")
    assert found["publisher"] == "acme-cloud"
    path = "github.com/acme-cloud/pulumi-hbr-clients/sdk/go"
    assert found["language"]["go"]["importBasePath"] == f"{path}/hbrclients"
    for name in ("examples/go/main.go", "docs/_index.md", "pulumi_hbr_clients/plugin/examples/list.go"):
        assert f'hbr "{path}/hbrclients"' in (copy / name).read_text()
    assert f"replace {path} => ./sdks/hbr-clients" in (copy / "examples" / "go" / "go.mod").read_text()
    registry.write(copy, registry.owner(registry.ROOT))
    assert contents(copy) == before
