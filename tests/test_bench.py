"""`make bench` runs, and its tables are well formed. What it measures is no matter of a test."""

import subprocess
import sys
from pathlib import Path

from tools.bench import __main__ as bench
from tools.bench import report
from tools.bench.report import Requirement, Table
from tools.cache import ROOT

TABLE = Table(
    "Speed",
    ["", "runs", "complete"],
    [["verified", 3, 1.2344], ["sdk", 3, 12345]],
    [Requirement("speed", 8.1234, 8, at_least=True), Requirement("time", 1.6, 1.5, " s")],
    "A note.",
    "here and now",
)


def test_questions_are_answered() -> None:
    """With `--quick` a question is measured against a service, in processes of their own; ours misses no client."""
    command = [sys.executable, "-m", "tools.bench", "--quick", "lists-0ms", "changes"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=110, cwd=ROOT)
    assert done.stdout.count("## ") == 2
    assert "- met: clients missed or listed twice: 0 (at most 0)" in done.stdout
    assert "- met: verified: silently wrong: 0 (at most 0)" in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith("| all")]
    wrong = {row.split("|")[2].strip(): int(row.split("|")[7]) for row in rows}
    assert wrong["verified"] == 0
    assert wrong["sdk"] > 0  # the comparison can fail: a loop over moving pages misses clients


def test_pages_have_the_figures_that_were_measured() -> None:
    """Blocks in README and docs/ have what docs/benchmarks.json says; docs/benchmarks.md has every table."""
    tables = report.load()
    assert tables.keys() == bench.QUESTIONS.keys()
    pages = report.pages(tables, [*bench.QUESTIONS])
    assert [path.name for path, text in pages.items() if path.read_text() != text] == []
    shown = pages[ROOT / "docs" / "benchmarks.md"]
    assert [table.title for table in tables.values() if f"## {table.title}\n\n{table}\n" not in shown] == []


def test_saving(tmp_path: Path) -> None:
    """What was saved loads as it was; blocks are replaced, and say what is not met and what was not measured."""
    names = ("in short", "requirements", "faults", "gates")
    page = tmp_path / "README.md"
    page.write_text("".join(f"<!-- figures: {name} -->\nold\n<!-- end of figures -->\n" for name in names))
    (tmp_path / "docs").mkdir()
    report.save({"faults": TABLE}, ["gates", "faults"], tmp_path)
    assert report.load(tmp_path) == {"faults": TABLE}
    lines = page.read_text().splitlines()
    assert "| 5 % of requests meet a fault: complete lists of 3 | 1.23     | -       | 12,345 |" in lines
    assert lines[lines.index("<!-- figures: requirements -->") + 1 :] == [
        "1 of 2 are met.",
        "",
        "- `faults`: **not met**: time: 1.6 s (at most 1.5 s)",
        "- `gates`: **not measured**",
        "<!-- end of figures -->",
        "<!-- figures: faults -->",
        "|          | runs | complete |",
        "|----------|------|----------|",
        "| verified | 3    | 1.23     |",
        "| sdk      | 3    | 12,345   |",
        "<!-- end of figures -->",
        "<!-- figures: gates -->",
        "Not measured: `make bench ASK=gates`.",
        "<!-- end of figures -->",
    ]
