"""What is built installs in a clean environment and holds what Pulumi and type-checkers look for."""

import ast
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import grpc
import pytest
import yaml
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

import hatch_build
import pulumi_hbr_clients
from tools import schema
from tools.cache import environment

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the files as they are."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds(wheel: Path) -> None:
    """Only the package: with the types' marker, pulumi-plugin.json (it is no plugin), README without relative links."""
    with zipfile.ZipFile(wheel) as archive:
        texts = {name: archive.read(name).decode(errors="replace") for name in archive.namelist()}
    metadata = {name.rpartition("/")[2]: text for name, text in texts.items() if ".dist-info/" in name}
    assert json.loads(texts["pulumi_hbr_clients/pulumi-plugin.json"]) == {"resource": False}
    assert "pulumi_hbr_clients/py.typed" in texts
    assert "hbr-clients = pulumi_hbr_clients.cli:main" in metadata["entry_points.txt"]
    assert "# pulumi-hbr-clients" in metadata["METADATA"]
    assert "](docs/" not in metadata["METADATA"]
    assert {name.split("/")[0] for name in texts if ".dist-info/" not in name} == {"pulumi_hbr_clients"}


def test_it_installs_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    """A fresh environment with our pinned dependencies runs the command and finds every public name."""
    python = environment(tmp_path / "clean", wheel)
    code = "import pulumi_hbr_clients as p; print(*(getattr(p, name) for name in p.__all__), p.__file__)"
    commands: list[tuple[str | Path, ...]] = [(python, "-c", code), (python.with_name("hbr-clients"), "--version")]
    printed = [subprocess.run(c, check=True, capture_output=True, text=True, cwd=tmp_path).stdout for c in commands]
    assert str(tmp_path) in printed[0]
    assert pulumi_hbr_clients.__version__ in printed[1]


def test_no_registry_is_named() -> None:
    """No file of the project names a host to download packages from."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    hosts = ["py" + "pi.org", "python" + "hosted.org", "proxy.golang" + ".org", "npm" + "js.org", "crates" + ".io"]
    for name in listed.stdout.decode().splitlines():
        path = ROOT / name
        if path.is_file():
            text = path.read_text(errors="replace")
            assert not [host for host in hosts if host in text], name


def test_every_public_name_is_pinned() -> None:
    """Each is used, with its types, in the file that mypy checks for users' sake; an import alone pins nothing."""
    program = ast.parse((ROOT / "tests" / "typing" / "api.py").read_text())
    used = {node.id for node in ast.walk(program) if isinstance(node, ast.Name)}
    assert [name for name in pulumi_hbr_clients.__all__ if name not in used] == []


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("", "See gates. "),
        (
            "https://example.com/r",
            "See [gates](https://example.com/r/blob/main/docs/gates.md). ![p](https://example.com/r/raw/main/p.svg)",
        ),
    ],
)
def test_links_on_a_package_index(repository: str, expected: str) -> None:
    """Links and pictures of README are absolute where there is a repository, and plain text where there is none."""
    assert hatch_build.long_description("See [gates](docs/gates.md). ![p](p.svg)", repository) == expected


def test_the_repository_is_a_plugin() -> None:
    """PulumiPlugin.yaml names what Pulumi's Python host needs; what that host would start is our provider.

    The host itself cannot be built here, so `pulumi package add` of this repository has never been run.
    """
    settings = yaml.safe_load((ROOT / "PulumiPlugin.yaml").read_text())
    assert settings["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}}
    assert (ROOT / "requirements.txt").read_text().splitlines()[-1] == "."
    command = [sys.executable, "-m", "pulumi.run.plugin", "pulumi-hbr-clients"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
                provider = provider_pb2_grpc.ResourceProviderStub(channel)
                response = provider.GetSchema(provider_pb2.GetSchemaRequest())
        finally:
            process.terminate()
    assert json.loads(response.schema) == {**schema.schema(), "version": pulumi_hbr_clients.__version__}
