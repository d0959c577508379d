"""The shape of the package, read off its imports: a core without I/O, and one file a door."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pulumi_hbr_clients

PACKAGE = Path(pulumi_hbr_clients.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
CORE = [path for path in MODULES if path.parent.name == "core"]
# What would let a clock, a socket, the environment or chance into the core.
IO = {"os", "sys", "io", "time", "random", "secrets", "socket", "ssl", "asyncio", "threading", "subprocess", "logging"}
FOREIGN = {"pathlib", "uuid", "tempfile", "http", "urllib3", "requests", "httpx", "anyio", "pulumi", "tenacity"}


def imports(path: Path) -> set[str]:
    """Every module that a file names, at the top or inside a function, relative to the package if it is ours."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def importers(name: str) -> list[str]:
    found = (p for p in MODULES if any(m == name or m.startswith(f"{name}.") for m in imports(p)))
    return [path.relative_to(PACKAGE).as_posix() for path in found]


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_core_does_no_io(path: Path) -> None:
    """No socket, clock, environment, randomness, and nothing of the package outside the core."""
    names = imports(path)
    assert {name.split(".")[0] for name in names} & (IO | FOREIGN) == set()
    ours = {name for name in names if name.startswith("pulumi_hbr_clients")}
    assert {name for name in ours if not name.startswith("pulumi_hbr_clients.core")} == set()


def test_one_importer_each() -> None:
    """Httpx is the conversation's, the credentials library is the signer's; both load on use."""
    assert importers("httpx") == ["lanes.py"]
    assert importers("alibabacloud_credentials") == ["credentials.py"]
    assert importers("starlette") == importers("uvicorn") or set(importers("uvicorn")) <= set(importers("starlette"))
    assert all(name.startswith("emulator/") for name in importers("starlette"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_module_has_a_law_and_a_size(path: Path) -> None:
    """A docstring that says what the module is for, and at most 300 lines."""
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 300


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import pulumi_hbr_clients", {"pulumi", "pydantic", "httpx", "alibabacloud_credentials", "starlette"}),
        ("from pulumi_hbr_clients import get_backup_clients", {"pulumi", "httpx", "alibabacloud_credentials"}),
        ("from pulumi_hbr_clients import BackupClients", {"httpx", "alibabacloud_credentials", "starlette", "click"}),
        ("from pulumi_hbr_clients import HbrClient", {"pulumi", "alibabacloud_credentials", "starlette"}),
    ],
)
def test_what_loads(statement: str, absent: set[str]) -> None:
    """Cold starts are a feature: what a name does not need is not loaded with it."""
    code = f"{statement}; import sys; print(*sorted({{n.split('.')[0] for n in sys.modules}}))"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert set(out.split()) & absent == set()


def test_public_names() -> None:
    """Every promised name exists, and nothing else is promised."""
    assert all(getattr(pulumi_hbr_clients, name) is not None for name in pulumi_hbr_clients.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Backup'"):
        _ = pulumi_hbr_clients.Backup


def test_every_test_is_a_sentence() -> None:
    """Each test says in its docstring which behaviour it holds."""
    for path in sorted(Path(__file__).parent.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"
