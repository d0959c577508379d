"""The shape of the repository, as far as no linter checks it. Layers: `[tool.importlinter]` in pyproject.toml."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pulumi_hbr_clients

ROOT = Path(__file__).parents[1]
CODE = sorted(path for folder in ("pulumi_hbr_clients", "tests", "tools") for path in (ROOT / folder).rglob("*.py"))


def test_no_module_is_long() -> None:
    """At most 300 lines: more is two modules."""
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in CODE}
    assert {path: length for path, length in lengths.items() if length > 300} == {}


def test_every_test_is_a_sentence() -> None:
    """Each test says in its docstring which behaviour it holds."""
    tests = [path for path in CODE if path.name.startswith("test_")]
    functions = [(path.name, node) for path in tests for node in ast.walk(ast.parse(path.read_text()))]
    silent = [
        (name, node.name)
        for name, node in functions
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert len(tests) > 10
    assert silent == []


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import pulumi_hbr_clients", {"pulumi", "pydantic", "httpx", "alibabacloud_credentials"}),
        ("from pulumi_hbr_clients import get_backup_clients", {"pulumi", "httpx", "alibabacloud_credentials"}),
        ("from pulumi_hbr_clients import BackupClients", {"httpx", "alibabacloud_credentials", "click"}),
        ("from pulumi_hbr_clients import HbrClient", {"pulumi", "alibabacloud_credentials"}),
    ],
)
def test_an_import_loads_only_what_it_needs(statement: str, absent: set[str]) -> None:
    """Programs start fast: heavy modules are loaded when they are used."""
    code = f"{statement}; import sys; print(*sorted({{n.split('.')[0] for n in sys.modules}}))"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert set(out.split()) & absent == set()


def test_public_names() -> None:
    """Every name in `__all__` can be imported, and no other."""
    assert all(getattr(pulumi_hbr_clients, name) is not None for name in pulumi_hbr_clients.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Backup'"):
        _ = pulumi_hbr_clients.Backup
