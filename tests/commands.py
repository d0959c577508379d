"""The command line, run within this process or as a program of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from click.testing import CliRunner, Result

from pulumi_hbr_clients import HbrClient
from pulumi_hbr_clients.cli import hbr_clients

ECS: Final = ("--client-type", "ECS_CLIENT")


def run(*words: str, client: Callable[..., HbrClient] | None = None) -> Result:
    """What it printed, and its exit code. `client` makes the clients that send its requests."""
    return CliRunner().invoke(hbr_clients, words, prog_name="hbr-clients", obj=client)


@contextmanager
def program(*words: str, first: str = "", **streams: Any) -> Iterator[subprocess.Popen[str]]:
    """A process of it, after the statements of `first`; whatever happens, it ends."""
    command = [sys.executable, "-c", f"{first}\nfrom pulumi_hbr_clients.cli import main\nmain()", *words]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()
