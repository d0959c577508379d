"""The SDKs of other languages: made from schema.json, compiled, and used by programs that run from the command line.

    schema.json → Pulumi's generators → SDK + a program → engine → the self-contained plugin → emulator

Compilers and packages come from the user's cache folder; what is missing there is made, once per machine.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic.alias_generators import to_snake

from pulumi_hbr_clients import get_backup_clients
from pulumi_hbr_clients.emulator import Backend
from tests.engine.programs import secrets
from tests.engine.projects import EXAMPLES, Project, compiled, lay_out
from tools import cache, schema
from tools.sdks import generate

PROGRAMS = Path(__file__).parent / "sdks"
RESULTS: list[str] = next(iter(schema.schema()["functions"].values()))["outputs"]["required"]
LANGUAGES = {"typescript": "index.ts", "go": "main.go"}
pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]  # the first run on a machine compiles for minutes


# Of the session, not of a test, so that compilers see the machine's own HOME and its caches.
@pytest.fixture(scope="session")
def typescript(sdks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("typescript")
    lay_out("typescript", folder, sdks)
    return folder


def compile_typescript(folder: Path, **programs: str) -> None:
    """With the example's own compiler options, which are strict."""
    for name, text in programs.items():
        (folder / name).write_text(text)
    project = {"extends": "./tsconfig.json", "compilerOptions": {"noEmit": True}, "files": ["index.ts", *programs]}
    (folder / "tsconfig.all.json").write_text(json.dumps(project))
    compiled(folder / "node_modules" / ".bin" / "tsc", "--project", "tsconfig.all.json", folder=folder)


def test_typescript_compiles(typescript: Path) -> None:
    """The example and the schema's programs, strictly."""
    compile_typescript(typescript, **{"listing.ts": schema.LISTING["typescript"], "gate.ts": schema.GATE["typescript"]})


def test_go_compiles(sdks: Path, go_caches: dict[str, str], tmp_path: Path) -> None:
    """The example, the schema's programs and the SDK itself; `go vet` has nothing to say."""
    lay_out("go", tmp_path, sdks)
    for name, program in (("listing", schema.LISTING), ("gate", schema.GATE)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.go").write_text(program["go"])
    sdk = re.findall(r'hbr "(.*)"', schema.GATE["go"])
    compiled(cache.needed("go", "Go"), "vet", "./...", f"{sdk[0]}/...", folder=tmp_path, GOWORK="off", **go_caches)


@pytest.fixture(params=LANGUAGES)
def scenario(request: pytest.FixtureRequest, project: Callable[[str], Project]) -> Callable[[str], Project]:
    """Lays out a program of sdks/ as the example of its language."""
    language, target = request.param, LANGUAGES[request.param]

    def laid_out(name: str) -> Project:
        made = project(language)
        (made.folder / target).write_text((PROGRAMS / f"{name}{Path(target).suffix}").read_text())
        return made.init(instanceIds=["i-unused"])

    return laid_out


def pythons(**arguments: Any) -> dict[str, Any]:
    """What Python's function gives, under the names of the schema."""
    found = get_backup_clients(**arguments)
    plain = {name: getattr(found, to_snake(name)) for name in RESULTS}
    result: dict[str, Any] = json.loads(json.dumps(plain, default=dict))
    return result


def test_two_providers(scenario: Callable[[str], Project], backend: Backend) -> None:
    """Each asks its own region; every field is the one that Python gives; keys and passwords are encrypted in state."""
    backend.stop_heartbeats(*(row["ClientId"] for row in backend.rows()))
    program = scenario("providers")
    program.up()
    outputs, state = program.outputs(), program.state()
    for name in ("beijing", "shanghai"):
        region = f"cn-{name}"
        expected = pythons(client_type="ECS_CLIENT", region=region)
        assert {client["region"] for client in expected["clients"]} == {region}
        assert outputs[name] == expected
        assert state[region]["inputs"]["region"] == region
        assert secrets(state[region]["inputs"]) >= {"accessKey", "secretKey"}
    assert outputs["passwords"] == "[secret]"


def test_a_gate_that_cannot_pass(scenario: Callable[[str], Project]) -> None:
    """One error, which names the clients; no trace of a program or a provider; nothing behind the gate."""
    program = scenario("fails")
    code, text = program.pulumi("up", "--yes", "--skip-preview")
    assert code != 0
    diagnostics = text.partition("Diagnostics:")[2]
    assert diagnostics.count("error: ") == 2, text  # the gate's, and the engine's "update failed"
    assert "error: 2 of 12 backup clients will not be activated by waiting:" in text
    assert "): INSTALL_FAILED since " in diagnostics
    assert not re.search(r"Traceback|panic|goroutine|\n\s+at |exit status", text)
    assert not {"all-of-them", "behind"} & set(program.state())


@pytest.mark.parametrize("name", LANGUAGES)
def test_examples_are_those_of_the_documentation(name: str) -> None:
    """Every line of the programs in the schema and in docs/ stands in the example that runs here."""
    lines = {line.strip() for line in (EXAMPLES / name / LANGUAGES[name]).read_text().splitlines()}
    shown = {line.strip() for text in (schema.LISTING[name], schema.GATE[name]) for line in text.splitlines()}
    assert shown - lines <= {"pulumi.Run(func(ctx *pulumi.Context) error {", "})"}


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, in one sentence; nothing is skipped for it."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(cache.ToolError, match=r"no `node` on PATH: install Node\.js 20 or newer"):
        generate.node_packages()
