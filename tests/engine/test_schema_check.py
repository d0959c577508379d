"""What a real engine says of the schema, and of the Python programs in it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients.emulator import Backend
from tests.engine.projects import instances
from tools import generated, schema

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


def test_the_listing_runs(engine: Any) -> None:
    """The function's example gives the clients of production."""
    stack = engine.stack()
    stack.up(lambda: exec(compile(schema.LISTING["python"], "schema.json", "exec"), {}))  # noqa: S102  it is our own
    assert {client["tags"]["env"] for client in stack.outputs()["clients"]} == {"prod"}
    assert sum(stack.outputs()["countsByStatus"].values()) == len(stack.outputs()["clients"])


def test_the_gate_runs(engine: Any, backend: Backend) -> None:
    """The gate's example passes where the clients of its instances are activated."""
    chosen = instances(backend, "web-1", "web-2")
    stack = engine.stack(fleet__instanceIds=f'["{chosen[0]}", "{chosen[1]}"]')
    stack.up(lambda: exec(compile(schema.GATE["python"], "schema.json", "exec"), {}))  # noqa: S102  it is our own
    assert len(stack.outputs()["clientIds"]) == 2
