"""The bench runs, and its tables are well formed. What it measures is no matter of a test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.benchmarks.table import Must, Table

BENCH = Path(__file__).parent.parent / "tools" / "bench.py"


@pytest.mark.engine
def test_every_question_has_a_table(tmp_path: Path) -> None:
    """`--quick` asks questions at a small size; text and JSON hold the same tables, and no client is missed."""
    file, asked = tmp_path / "bench.json", ["pages", "throttled", "unthrottled", "large", "imports", "previews"]
    command = [sys.executable, str(BENCH), "--quick", "--json", str(file), *asked]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    tables = json.loads(file.read_text())["tables"]
    assert list(tables) == asked
    for table in tables.values():
        assert f"## {table['title']}\n" in done.stdout
        assert {len(row) for row in table["rows"]} == {len(table["header"])}
        assert all(must["reached"] for must in table["musts"] if "clients missed" in must["what"])


def test_a_question_that_is_not_there() -> None:
    """Is refused with those that are."""
    done = subprocess.run(
        [sys.executable, str(BENCH), "speed"], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "no such question: speed; some of pages, throttled" in done.stderr


def test_a_table() -> None:
    """Figures have three digits that count; a must says what, how much, and whether it is reached."""
    musts = [Must("speed:", 8.1234, 8, at_least=True), Must("time:", 1.6, 1.5, " s")]
    assert str(Table("Title", ("", "s"), [("ours", 1.23456), ("sdk", 12345)], musts)).splitlines() == [
        "## Title",
        "",
        "|      | s      |",
        "|------|--------|",
        "| ours | 1.23   |",
        "| sdk  | 12,345 |",
        "",
        "- reached:     speed: 8.12 (at least 8)",
        "- FALLS SHORT: time: 1.6 s (at most 1.5 s)",
    ]
