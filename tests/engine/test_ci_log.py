"""docs/ci-log.md shows the log of a CI job whose gate waits: it is what a run prints, but for durations and times."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_hbr_clients.emulator import Backend
from tests.engine.projects import ROOT, Project, instances, once_waited_for

PAGE = ROOT / "docs" / "ci-log.md"
pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


def normalised(text: str) -> str:
    """Durations as `Ns`, times as `TIME`, ports as `PORT`; without the engine's dots."""
    text = re.sub(r"\b\d+(\.\d+)?s\b", "Ns", text)
    text = re.sub(r"\b(\d{4}-\d\d-\d\d )?\d\d:\d\d(:\d\d)?Z?", "TIME", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines() if line and not line.startswith("@ "))


def test_the_log(project: Callable[[str], Project], backend: Backend) -> None:
    """A gate that waits writes few lines: what it waits for and until when, and that it passed.

    WRITE=1 writes the page.
    """
    nodes = instances(backend, "web-1", "batch-1")
    gate = project("gate").init(instanceIds=nodes)
    text, _ = once_waited_for(backend, nodes[1], gate.up)
    log = f"```console\n$ pulumi up --yes --skip-preview --non-interactive\n{normalised(text)}```\n"
    before, _, after = re.split(r"(```console\n.*?```\n)", PAGE.read_text(), flags=re.DOTALL)
    if os.environ.get("WRITE"):
        Path(PAGE).write_text(before + log + after)
    assert PAGE.read_text() == before + log + after
    assert "Ns" in log
