"""Pages name what is there. Their tables: tests/test_generated.py; their figures: tests/test_bench.py."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_page_names_exists(path: Path) -> None:
    """Every file that it links to, and every module, test, tool and page of the repository that it names."""
    text = path.read_text()
    linked = [path.parent / target for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", text)]
    pattern = r"`((?:tests|tools|docs|examples|pulumi_hbr_clients)/[\w./-]+)`"
    named = [ROOT / name for name in re.findall(pattern, text) if path.name != "CHANGELOG.md"]
    # The registry serves docs/_index.md at a folder's address.
    assert [found for found in linked + named if not found.exists() and not found.with_suffix(".md").exists()] == []


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
