"""`hbr-clients schema` and `hbr-clients plugin`: the package in Pulumi's backend."""

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.cli.plugin_command import install_plugin
from pulumi_hbr_clients.model.errors import HbrError
from tests.commands import run

ROOT = Path(__file__).parents[2]


def test_the_schema() -> None:
    """It prints what is checked in."""
    assert run("schema").stdout == (ROOT / "pulumi_hbr_clients" / "plugin" / "schema.json").read_text()
    assert json.loads(run("schema").stdout)["name"] == "hbr-clients"


@pytest.mark.parametrize("home", ["PULUMI_HOME", "HOME"])
def test_install_and_uninstall(home: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The script lies where the engine looks, starts this Python's provider, and is removed without a trace."""
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    monkeypatch.setenv(home, str(tmp_path))
    plugins = tmp_path / ("plugins" if home == "PULUMI_HOME" else ".pulumi/plugins")
    script = plugins / f"resource-hbr-clients-v{__version__}" / "pulumi-resource-hbr-clients"
    assert run("plugin", "install").stdout == f"installed {script.parent}\n"
    assert run("plugin", "install").stdout == f"installed {script.parent}\n"
    shown = subprocess.run([str(script), "--version"], check=True, capture_output=True, text=True)
    assert shown.stdout == f"{__version__}\n"
    assert run("plugin", "uninstall").stdout == f"removed {script.parent}\n"
    assert list(plugins.iterdir()) == []
    assert run("plugin", "uninstall").stdout == f"not installed: {script.parent}\n"


def test_install_an_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its executable takes the script's place; another version's archive, or what is none, changes nothing."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    executable = tmp_path / "pulumi-resource-hbr-clients"
    executable.write_text("#!/bin/sh\necho frozen\n")
    archive, other = (tmp_path / f"{executable.name}-v{version}-linux-amd64.tar.gz" for version in (__version__, "9.9"))
    for path in (archive, other):
        with tarfile.open(path, "w:gz") as packed:
            packed.add(executable, executable.name)
    assert run("plugin", "install", "--archive", str(archive)).exit_code == 0
    (installed,) = tmp_path.glob("plugins/*/pulumi-resource-hbr-clients")
    for wrong, reason in ((other, "is not of this version: install"), (executable, "is not an archive of")):
        refused = run("plugin", "install", "--archive", str(wrong))
        assert (refused.exit_code, reason in refused.stderr) == (1, True)
    assert subprocess.run([installed], check=True, capture_output=True, text=True).stdout == "frozen\n"


def test_windows_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There the engine could not start the script: nothing is written, and the way out is named."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    with pytest.raises(HbrError, match=r"Windows is not supported: install the plugin in WSL"):
        install_plugin(None, platform="nt")
    assert list(tmp_path.iterdir()) == []
