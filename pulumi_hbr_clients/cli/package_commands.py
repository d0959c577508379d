"""The package in Pulumi's backend: its schema, and its plugin where the engine looks for one.

Installed, the plugin is a folder with a script that starts this very Python's provider; the engine then finds it
without PATH and without its warning about that.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

import click

from pulumi_hbr_clients import __version__

COMMAND: Final = "pulumi-resource-hbr-clients"


@click.command(short_help="Print the Pulumi package schema.")
def schema() -> None:
    """Print the Pulumi package schema, from which Pulumi makes SDKs for its languages.

    It is read off the models that the query itself uses.
    """
    from pulumi_hbr_clients.plugin.schema import text  # noqa: PLC0415  pydantic costs 0.2 s

    click.echo(text(), nl=False)


@click.group(short_help="Put the provider plugin where the Pulumi engine finds it.")
def plugin() -> None:
    """Put the provider plugin, for programs in other languages, where the Pulumi engine finds it."""


@plugin.command()
def install() -> None:
    """Install the plugin for this user. It starts the Python that runs this command."""
    folder = _folder()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    script = folder / COMMAND
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pulumi_hbr_clients.plugin "$@"\n')
    script.chmod(0o755)
    click.echo(f"installed {folder}")


@plugin.command()
def uninstall() -> None:
    """Remove what `install` made, of this version."""
    folder = _folder()
    found = folder.is_dir()
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(f"{folder.suffix}.lock").unlink(missing_ok=True)
    click.echo(f"removed {folder}" if found else f"not installed: {folder}")


def _folder() -> Path:
    """Where the engine keeps this version: workspace/plugins.go, `resource-<name>-v<version>`."""
    home = os.environ.get("PULUMI_HOME")
    root = Path(home) if home else Path.home() / ".pulumi"
    return root / "plugins" / f"resource-hbr-clients-v{__version__}"
