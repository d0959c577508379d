"""One preview on the real engine, of a new stack, in a fresh process, and what it took.

    preview.py empty|function|resource|fields|export|export_fields|plugin|plugin_fields FOLDER

FOLDER is empty and holds the backend. Only the preview is timed, not the making of the stack; what a program imports
beside Pulumi is part of the preview, as it is for a user.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi

from tools.benchmarks.stacks import stack

FEW: Final = ["client_id", "instance_id", "status"]


def empty() -> None:
    """A program that does nothing."""


def function() -> None:
    """The look-up in the program's own process."""
    from pulumi_hbr_clients import get_backup_clients  # noqa: PLC0415  the import is part of the figure

    get_backup_clients(client_type="ECS_CLIENT")


def resource() -> None:
    """The data source, on the dynamic provider."""
    _clients()


def fields() -> None:
    """The data source with three fields of each client."""
    _clients(fields=FEW)


def export() -> None:
    """The data source, and its clients exported as structured values."""
    pulumi.export("clients", _clients())


def export_fields() -> None:
    """The same with three fields of each client."""
    pulumi.export("clients", _clients(fields=FEW))


def plugin() -> None:
    """The provider plugin's function, as other languages call it."""
    _invoke()


def plugin_fields() -> None:
    """The same with three fields of each client."""
    _invoke(fields=["clientId", "instanceId", "status"])


def _clients(**arguments: Any) -> Any:
    from pulumi_hbr_clients import BackupClients  # noqa: PLC0415  the import is part of the figure

    return BackupClients("fleet", client_type="ECS_CLIENT", **arguments).clients


def _invoke(**arguments: Any) -> None:
    pulumi.runtime.invoke("hbr-clients:index:getBackupClients", {"clientType": "ECS_CLIENT", **arguments})


PROGRAMS: Final[Mapping[str, Callable[[], None]]] = {
    program.__name__: program
    for program in (empty, function, resource, fields, export, export_fields, plugin, plugin_fields)
}


def main() -> None:
    """Preview, say."""
    made = stack(PROGRAMS[sys.argv[1]], Path(sys.argv[2]))
    start = time.perf_counter()
    made.preview(color="never")
    print(json.dumps({"preview": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
