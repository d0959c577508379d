"""The bench runs, and its tables are well formed. What it measures is no matter of a test."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools import bench
from tools.benchmarks import measure, page, terraform
from tools.benchmarks.table import Must, Table

BENCH = Path(__file__).parent.parent / "tools" / "bench.py"


@pytest.mark.engine
def test_every_question_has_a_table(tmp_path: Path) -> None:
    """`--quick` asks questions at a small size; text and page hold the same tables, and no client is missed."""
    asked = ["growth-0", "growth-100", "throttled", "limited", "faults", "shifting", "state", "imports", "previews"]
    command = [sys.executable, str(BENCH), "--quick", "--page", str(tmp_path), *asked]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    answers, words = json.loads((tmp_path / "benchmarks.json").read_text()), (tmp_path / "benchmarks.md").read_text()
    assert list(answers) == asked
    for table in (answer["table"] for answer in answers.values()):
        assert f"## {table['title']}\n" in done.stdout
        assert f"### {table['title']}\n" in words
        assert {len(row) for row in table["rows"]} == {len(table["header"])}
        assert [must for must in table["musts"] if must["limit"] == 0 and not must["reached"]] == []


def test_the_page_keeps_what_was_not_asked_again(tmp_path: Path) -> None:
    """A question asked anew replaces its own answer only, and what falls short is named at the top."""
    about = {"when": "now", "system": "here", "load": 0.1, "python": "3", "packages": {"pulumi": "3"}}

    def answer(figure: float) -> dict[str, Any]:
        return {
            "machine": about,
            "table": Table("Speed", ("", "s"), [("ours", figure)], [Must("s:", figure, 5)]).plain(),
        }

    page.keep(tmp_path, {"throttled": answer(4.0), "imports": answer(9.0)})
    page.keep(tmp_path, {"throttled": answer(7.0)})
    words = (tmp_path / "benchmarks.md").read_text()
    assert "Of 2 figures that the project asks of itself, 2 fall short." in words
    assert "- `throttled`: FALLS SHORT: s: 7 (at most 5)." in words
    assert "- `imports`: FALLS SHORT: s: 9 (at most 5)." in words
    assert "| ours | 4 |" not in words


def test_the_page_says_what_was_measured() -> None:
    """docs/benchmarks.md is made of docs/benchmarks.json, with an answer to every question, and of nothing else."""
    answers = json.loads((page.FOLDER / "benchmarks.json").read_text())
    assert answers.keys() == {*bench.QUESTIONS, *page.BESIDE}
    assert (page.FOLDER / "benchmarks.md").read_text() == "\n".join(page.text(answers))


def test_the_judge_of_a_moving_fleet() -> None:
    """A serial loop over pages that shift misses clients and says nothing: the judge sees it."""
    with measure.fleet(300, turnover={}) as service:
        figures = measure.run(str(BENCH.parent / "benchmarks" / "judging.py"), "peer", environment=service.environment)
    assert (figures["error"], figures["whole"], figures["wrong"]) == (0, 1, 1)
    assert figures["missed"] > 0


def test_terraform_is_measured_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only with both programs on PATH; a plan against the service, whose clients are counted."""
    plan = {"planned_values": {"outputs": {"clients": {"value": [{"id": "c-1"}, {"id": "c-2"}, {"id": "c-2"}]}}}}
    for name in terraform.PROGRAMS:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho '{json.dumps(plan)}'\n")
        program.chmod(0o755)
    assert not terraform.found()
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert terraform.found()
    with measure.fleet(3) as service:
        script = str(BENCH.parent / "benchmarks" / "terraform.py")
        figures = measure.run(script, environment={**service.environment, "PATH": os.environ["PATH"]})
    assert (figures["clients"], figures["twice"]) == (2, 1)


def test_a_question_that_is_not_there() -> None:
    """Is refused with those that are."""
    done = subprocess.run(
        [sys.executable, str(BENCH), "speed"], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "no such question: speed; some of growth-0, growth-20" in done.stderr


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
