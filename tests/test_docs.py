"""What the pages say is what the package does. Figures: tests/test_bench.py; settings: tests/settings."""

import re
import tomllib
from pathlib import Path

import pytest

from pulumi_hbr_clients.activation.condition import ActivationCondition
from pulumi_hbr_clients.model.errors import HbrError
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def _exists(path: Path) -> bool:
    # The registry serves docs/_index.md at a folder's address.
    return path.exists() or path.with_suffix(".md").exists()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    """Every file that a page links to exists."""
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", path.read_text())
    assert [target for target in targets if not _exists(path.parent / target)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_of_the_repository_that_are_named_exist(path: Path) -> None:
    """A page names modules, tests and tools that are there."""
    named = re.findall(r"`((?:tests|tools|docs|examples|pulumi_hbr_clients)/[\w./-]+)`", path.read_text())
    assert [name for name in named if path.name != "CHANGELOG.md" and not _exists(ROOT / name)] == []


def test_every_argument_output_and_error_has_a_row() -> None:
    """Nothing public is missing from the pages of arguments and errors."""
    arguments = (ROOT / "docs" / "arguments.md").read_text()
    outputs = {*ClientList.__dataclass_fields__, "ids", "instance_ids", "by_instance_id", "total_count"}
    only_in_python = {"request_count", "request_ids", "server_time"}
    names = {*Query.model_fields, *ActivationCondition.model_fields, *(outputs - only_in_python)}
    assert {name for name in names if f"`{name}` |" not in arguments} == set()
    errors = (ROOT / "docs" / "errors.md").read_text()
    assert {kind.__name__ for kind in _below(HbrError) if f"| `{kind.__name__}` |" not in errors} == set()


def _below(kind: type[HbrError]) -> list[type[HbrError]]:
    return [
        found
        for child in kind.__subclasses__()
        if child.__module__ == HbrError.__module__
        for found in (child, *_below(child))
    ]


def test_the_map_names_every_package() -> None:
    """CONTRIBUTING's map has a line for each folder of the package, and no other."""
    package = ROOT / "pulumi_hbr_clients"
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## The package")[2].partition("##")[0]
    assert set(re.findall(r"^    (\w+)/ ", text, flags=re.MULTILINE)) == folders


def test_verbs_of_the_makefile_are_explained() -> None:
    """Each verb that a contributor needs is in CONTRIBUTING."""
    verbs = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert [verb for verb in verbs if f"`make {verb}`" not in text and verb != "help"] == []


def test_decisions_are_listed() -> None:
    """The list of decisions has a row for each record, and each is half a page."""
    folder = ROOT / "docs" / "decisions"
    records = {path.name for path in folder.glob("*.md")} - {"README.md"}
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text())) == records
    assert [name for name in records if len((folder / name).read_text().splitlines()) > 40] == []


def test_supported_pythons() -> None:
    """README names the lowest Python that pyproject.toml requires."""
    lowest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    assert f"Python {lowest}" in (ROOT / "README.md").read_text()
