"""The schema and the Python programs that README and the schema show, on a real engine."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients.emulator import Backend
from tests.engine.projects import ROOT, instances
from tools import generated, schema

README = (ROOT / "README.md").read_text()
pytestmark = pytest.mark.engine


def checked(path: Path) -> str:
    done = subprocess.run(["pulumi", "schema", "check", str(path)], check=True, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_the_engine_accepts_the_schema(tmp_path: Path) -> None:
    """As it is checked in and as the plugin gives it, without a warning."""
    versioned = tmp_path / "schema.json"
    versioned.write_text(json.dumps({**schema.schema(), "version": "0.1.0"}))
    assert checked(generated.SCHEMA) == ""
    assert checked(versioned) == ""


def run(*programs: str) -> None:
    for program in programs:
        exec(compile(program, "documentation", "exec"), {})  # noqa: S102  it is our own


def test_the_first_program_of_the_readme(engine: Any) -> None:
    """It runs as it stands, and prints what README says, in a preview already."""
    program = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)[0]
    assert len([line for line in program.splitlines() if line]) <= 10
    text = engine.stack().preview(lambda: run(program))
    (printed,) = re.findall(r"```\n(Outputs:.*?)```", README, flags=re.DOTALL)
    words = [re.sub(r"\s+\+?\s*", " ", each).strip() for each in (printed, text)]
    assert words[0] in words[1]


def test_the_programs_of_the_schema(engine: Any, backend: Backend) -> None:
    """The function's example gives the clients of production; the gate's passes when its clients are activated."""
    first, second = instances(backend, "web-1", "web-2")
    stack = engine.stack(fleet__instanceIds=f'["{first}", "{second}"]')
    stack.up(lambda: run(schema.LISTING["python"], schema.GATE["python"]))
    outputs = stack.outputs()
    assert {client["tags"]["env"] for client in outputs["clients"]} == {"prod"}
    assert sum(outputs["countsByStatus"].values()) == len(outputs["clients"])
    assert len(outputs["clientIds"]) == 2
