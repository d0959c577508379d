"""One stack on the real engine: how long its preview takes, or what its state shows.

    python -m tools.bench.stack_worker preview|secrets PROGRAM FOLDER

FOLDER is empty and holds the backend. `preview` times the preview alone; what a program imports beside Pulumi is part
of it, as it is for a user. `secrets` gives a tenth of the clients a proxy password, deploys, and searches every file of
the backend for each password and for the access key's secret, by value.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi import automation as auto

from tools.bench.admin import call

FEW: Final = ["client_id", "instance_id", "status"]


def new_stack(program: Callable[[], None], folder: Path) -> auto.Stack:
    """A new stack whose backend is in the folder."""
    backend = auto.ProjectBackend(url=f"file://{folder}")
    variables = {
        "PULUMI_CONFIG_PASSPHRASE": "FAKE-PASSPHRASE",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_PYTHON_CMD": sys.executable,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    options = auto.LocalWorkspaceOptions(
        project_settings=auto.ProjectSettings(name="bench", runtime="python", backend=backend),
        secrets_provider="passphrase",
        env_vars=variables,
    )
    return auto.create_stack("bench", project_name="bench", program=program, opts=options)


def empty() -> None:
    """A program that does nothing."""


def function(**arguments: Any) -> None:
    """The look-up in the program's own process."""
    from pulumi_hbr_clients import get_backup_clients  # noqa: PLC0415  the import is part of the figure

    get_backup_clients(client_type="ECS_CLIENT", **arguments)


def resource(**arguments: Any) -> Any:
    """The data source, read by the dynamic provider."""
    from pulumi_hbr_clients import BackupClients  # noqa: PLC0415  the import is part of the figure

    return BackupClients("fleet", client_type="ECS_CLIENT", **arguments)


def export(**arguments: Any) -> None:
    """The data source, its clients exported as structured values."""
    pulumi.export("clients", resource(**arguments).clients)


def plugin(**arguments: Any) -> None:
    """The provider plugin's function, as other languages call it."""
    pulumi.runtime.invoke("hbr-clients:index:getBackupClients", {"clientType": "ECS_CLIENT", **arguments})


def ours() -> None:
    """The data source with passwords, everything exported."""
    fleet = resource(include_proxy_passwords=True)
    pulumi.export("clients", fleet.clients)
    pulumi.export("proxyPasswords", fleet.proxy_passwords)


def sdk() -> None:
    """The official SDK's clients as they come."""
    from tools.bench import list_worker  # noqa: PLC0415  only this program needs the SDK

    pulumi.export("clients", [client.to_map() for client in list_worker.sdk()()])


PROGRAMS: Final[Mapping[str, Callable[[], Any]]] = {
    "empty": empty,
    "function": function,
    "resource": resource,
    "resource, 3 fields": lambda: resource(fields=FEW),
    "export": export,
    "export, 3 fields": lambda: export(fields=FEW),
    "plugin": plugin,
    "plugin, 3 fields": lambda: plugin(fields=["clientId", "instanceId", "status"]),
    "verified": ours,
    "sdk": sdk,
}


def preview(program: Callable[[], None], folder: Path) -> dict[str, float]:
    """Seconds of a preview."""
    stack, start = new_stack(program, folder), time.perf_counter()
    stack.preview(color="never")
    return {"preview": time.perf_counter() - start}


def secrets(program: Callable[[], None], folder: Path) -> dict[str, float]:
    """How many secrets an `up` leaves readable in the backend's files."""
    rows = call("fleet")["clients"][::10]
    passwords = [f"FAKE-PROXY-PASSWORD-{number}-" for number, _ in enumerate(rows)]
    for row, password in zip(rows, passwords, strict=True):
        call(
            "change",
            {"client": row["ClientId"], "fields": {"Settings": {**row["Settings"], "ProxyPassword": password}}},
        )
    new_stack(program, folder).up(color="never")
    files = [path for path in folder.rglob("*") if path.is_file() and "stacks" in path.parts]
    texts = [path.read_text(errors="replace") for path in files]
    secret = os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
    return {
        "passwords": len(passwords),
        "seen": sum(any(password in text for text in texts) for password in passwords),
        "keys": int(any(secret in text for text in texts)),
    }


def main() -> None:
    """Run one program, print the figures."""
    task, name, folder = sys.argv[1:]
    print(json.dumps((secrets if task == "secrets" else preview)(PROGRAMS[name], Path(folder))))


if __name__ == "__main__":
    main()
