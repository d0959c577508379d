"""The soak: a clock that runs faster, gates and watchers for a while, and a judge of what stays level."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.storms.level import MEASURES, Sample, evaluate

SOAK = Path(__file__).parent.parent / "tools" / "soak.py"
CALM = Sample(memory=1 << 20, resident=1 << 26, connections=20, tasks=30)


def soaked(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(SOAK), "--minutes", "2", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)


def short(samples: Sequence[Sample]) -> list[str]:
    return [must.what for must in evaluate("", samples).musts if not must.reached]


def test_two_minutes_stay_level(tmp_path: Path) -> None:
    """Gates open, time out and are left, watchers come and go: memory, connections and tasks stay level."""
    file = tmp_path / "soak.json"
    done = soaked("--factor", "20", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text())
    assert len(found["samples"]) >= 12
    assert {"gates opened", "gates timed out", "gates left", "lists", "looks of watchers"} <= found["done"].keys()
    assert f"## {found['title']}" in done.stdout


def test_leaks_on_purpose_are_found() -> None:
    """What is kept once a second is seen, named, and ends with 1."""
    leaks = ("memory", "connections", "tasks")
    done = soaked("--factor", "40", "--leak", *leaks)
    assert done.returncode == 1, done.stdout + done.stderr
    assert [leak for leak in leaks if f"FALLS SHORT: {leak} grew by:" in done.stdout] == [*leaks]


def test_a_process_that_stays_as_it_is_is_level() -> None:
    """No growth, no complaint; and what is held in the warm-up and given back is none."""
    assert short([CALM] * 8) == []
    assert short([Sample(1 << 24, 1 << 28, 90, 90)] * 2 + [CALM] * 6) == []


def test_a_single_busy_moment_is_no_leak() -> None:
    """One sample in the middle of a large list says nothing."""
    assert short([*[CALM] * 7, Sample(1 << 24, 1 << 28, 90, 90)] * 2) == []


@pytest.mark.parametrize("name", MEASURES)
def test_growth_is_named(name: str) -> None:
    """A little more with every sample falls short, in the figure that it is in."""
    grown = [
        Sample(**{field: getattr(CALM, field) + (field == name) * step * (1 << 21) for field in MEASURES})
        for step in range(8)
    ]
    assert short(grown) == [f"{name} grew by:"]


def test_too_few_samples_are_no_verdict() -> None:
    """Quarters of nothing are not level."""
    with pytest.raises(ValueError, match="7 samples are too few to judge: at least 8"):
        evaluate("", [CALM] * 7)
