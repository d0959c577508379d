"""`hbr-clients schema`, and `hbr-clients plugin`: the provider plugin in a folder where the Pulumi engine looks for it.

The folder has a script that starts this Python's provider, or the executable of a release's archive, which needs no
Python. The engine finds it without PATH, and without the warning that it prints for plugins on PATH.
"""

import os
import shlex
import shutil
import sys
import tarfile
from importlib.resources import files
from pathlib import Path
from typing import Final

import click

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.model.errors import HbrError

EXECUTABLE: Final = "pulumi-resource-hbr-clients"


@click.command("schema")
def schema() -> None:
    """Print the Pulumi package schema, from which Pulumi generates SDKs.

    It was generated from the models that also validate queries.
    """
    click.echo(files("pulumi_hbr_clients.plugin").joinpath("schema.json").read_text(), nl=False)


@click.group("plugin")
def plugin() -> None:
    """Install the provider plugin, for programs in other languages, where the Pulumi engine finds it."""


@plugin.command()
@click.option("--archive", metavar="FILE", help="A release's archive of the plugin, pulumi-resource-….tar.gz.")
def install(archive: str | None) -> None:
    """Install the plugin for this user. Without an archive it runs on the Python that runs this command."""
    click.echo(f"installed {install_plugin(archive)}")


@plugin.command()
def uninstall() -> None:
    """Remove what `install` created for this version."""
    folder = _folder()
    found = folder.is_dir()
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(f"{folder.suffix}.lock").unlink(missing_ok=True)
    click.echo(f"removed {folder}" if found else f"not installed: {folder}")


def install_plugin(archive: str | None, platform: str = os.name) -> Path:
    """Write the archive's executable, or a script, where the engine looks; return the folder. Raises `HbrError`."""
    if platform == "nt":
        raise HbrError("Windows is not supported: install the plugin in WSL")
    script = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pulumi_hbr_clients "$@"\n'
    content = _executable(archive) if archive else script.encode()
    folder = _folder()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / EXECUTABLE).write_bytes(content)
    (folder / EXECUTABLE).chmod(0o755)
    return folder


def _executable(archive: str) -> bytes:
    """The executable in an archive of this version."""
    wanted = f"{EXECUTABLE}-v{__version__}-"
    try:
        with tarfile.open(archive) as packed:
            member = packed.extractfile(EXECUTABLE)
            found = member.read() if member else b""
    except (OSError, tarfile.TarError, KeyError) as error:
        raise HbrError(f"{archive} is not an archive of {EXECUTABLE}: {error}") from None
    if not Path(archive).name.startswith(wanted):
        raise HbrError(f"{archive} is not of this version: install {wanted}<os>-<arch>.tar.gz")
    return found


def _folder() -> Path:
    """Where the engine keeps this version: `resource-<name>-v<version>` (sdk/go/common/workspace/plugins.go)."""
    home = os.environ.get("PULUMI_HOME")
    try:
        root = Path(home) if home else Path.home() / ".pulumi"
    except RuntimeError:  # an unknown user without HOME
        raise HbrError("this user has no home directory: set PULUMI_HOME") from None
    return root / "plugins" / f"resource-hbr-clients-v{__version__}"
