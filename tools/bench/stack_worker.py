"""Measured processes with a new stack on the real engine. FOLDER is empty and holds the backend.

    python -m tools.bench.stack_worker preview PROGRAM FOLDER          how long a preview takes
    python -m tools.bench.stack_worker secrets PROGRAM FOLDER          what an `up` leaves readable in state
    python -m tools.bench.stack_worker gates GATES INSTANCES FOLDER    gates that wait while clients are activated

What a program imports in addition to Pulumi is part of the figures, as it is for a user. `gates` also runs with 0.1.0.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi import automation as auto
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

import pulumi_hbr_clients as hbr  # its names load their modules when a program asks for them
from tools.bench.list_worker import admin, sdk

Figures = dict[str, float]
FEW: Final = ["client_id", "instance_id", "status"]
DELAY: Final = 10.0
"""Seconds from the start of `up` until the last clients of the gates are activated."""


def new_stack(program: Callable[[], Any], folder: str) -> auto.Stack:
    """A new stack whose backend is in the folder."""
    backend = auto.ProjectBackend(url=f"file://{folder}")
    variables = {
        "PULUMI_CONFIG_PASSPHRASE": "FAKE-PASSPHRASE",
        "PULUMI_HOME": f"{folder}/home",
        "PULUMI_PYTHON_CMD": sys.executable,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    options = auto.LocalWorkspaceOptions(
        project_settings=auto.ProjectSettings(name="bench", runtime="python", backend=backend),
        secrets_provider="passphrase",
        env_vars=variables,
    )
    return auto.create_stack("bench", project_name="bench", program=program, opts=options)


def source(**arguments: Any) -> Any:
    """The data source, read by the dynamic provider."""
    return hbr.BackupClients("fleet", client_type="ECS_CLIENT", **arguments)


def plugin(**arguments: Any) -> None:
    """The provider plugin's function, as other languages call it."""
    pulumi.runtime.invoke("hbr-clients:index:getBackupClients", {"clientType": "ECS_CLIENT", **arguments})


def passwords() -> None:
    """The data source with passwords, everything exported."""
    fleet = source(include_proxy_passwords=True)
    pulumi.export("clients", fleet.clients)
    pulumi.export("proxyPasswords", fleet.proxy_passwords)


PROGRAMS: Final[Mapping[str, Callable[[], Any]]] = {
    "empty": lambda: None,
    "function": lambda: hbr.get_backup_clients(client_type="ECS_CLIENT"),
    "resource": source,
    "resource, 3 fields": lambda: source(fields=FEW),
    "export": lambda: pulumi.export("clients", source().clients),
    "export, 3 fields": lambda: pulumi.export("clients", source(fields=FEW).clients),
    "plugin": plugin,
    "plugin, 3 fields": lambda: plugin(fields=["clientId", "instanceId", "status"]),
    "verified": passwords,
    "sdk": lambda: pulumi.export("clients", [client.to_map() for client in sdk()()]),
}


def preview(name: str, folder: str) -> Figures:
    """Seconds of a preview alone."""
    stack, start = new_stack(PROGRAMS[name], folder), time.perf_counter()
    stack.preview(color="never")
    return {"preview": time.perf_counter() - start}


def secrets(name: str, folder: str) -> Figures:
    """How many secrets an `up` leaves readable in the backend's files: a tenth of the clients has a proxy password."""
    rows = {f"FAKE-PROXY-PASSWORD-{number}-": row for number, row in enumerate(admin("fleet")["clients"][::10])}
    for password, row in rows.items():
        fields = {"Settings": {**row["Settings"], "ProxyPassword": password}}
        admin("change", {"client": row["ClientId"], "fields": fields})
    new_stack(PROGRAMS[name], folder).up(color="never")
    files = [path for path in Path(folder).rglob("*") if path.is_file() and "stacks" in path.parts]
    text = "\n".join(path.read_text(errors="replace") for path in files)
    return {
        "passwords": len(rows),
        "seen": sum(password in text for password in rows),
        "keys": int(os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] in text),
    }


class Timestamps(ResourceProvider):
    """Stores the time at which a dependant was created."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("dependant", {**props, "at": time.time()})


class Dependant(Resource):
    """Depends on a gate."""

    at: pulumi.Output[float]

    def __init__(self, name: str, gate: pulumi.Resource) -> None:
        super().__init__(Timestamps(), name, {"at": None}, pulumi.ResourceOptions(depends_on=[gate]))


def gates(count: str, instances: str, folder: str) -> Figures:
    """Gates that share the instances among them, a dependant each; seconds are counted from the last activation."""
    ids = [row["InstanceId"] for row in admin("fleet")["clients"]][: int(instances)]
    size = len(ids) // int(count)
    late = ids if size == 1 else ids[-len(ids) // 10 :]
    admin("activate", {"clients": ids})
    admin("set_status", {"clients": late, "status": "INSTALLING"})
    admin("clear_log", {})
    activated: list[float] = []

    def activate() -> None:
        activated.append(time.time())
        admin("activate", {"clients": late})

    def program() -> None:
        for start in range(0, len(ids), size):
            chosen, name = ids[start : start + size], f"gate-{start}"
            query: Any = {"client_type": "ECS_CLIENT", "instance_ids": chosen, "fields": ["status"]}
            gate = hbr.ActivationGate(name, timeout="10m", **query)
            pulumi.export(f"{start}", Dependant(f"after-{start}", gate).at)

    stack = new_stack(program, folder)
    threading.Timer(DELAY, activate).start()
    outputs = stack.up(color="never").outputs
    ended, times = time.time(), [output.value for output in outputs.values()]
    waiting = rounds([record["time"] for record in admin("log")["log"] if record["time"] < activated[0]])
    return {
        "early": sum(at < activated[0] for at in times),
        "dependants": max(times) - activated[0],
        "end": ended - activated[0],
        "rounds": len(waiting),
        "most": max(waiting),
    }


def rounds(times: Sequence[float]) -> list[int]:
    """Requests of each round: requests within half a second, while polls are two seconds apart at least."""
    found: list[int] = []
    for before, at in zip([float("-inf"), *times], times, strict=False):
        if at - before > 0.5:  # noqa: PLR2004  see above
            found.append(0)
        found[-1] += 1
    return found


TASKS: Final[Mapping[str, Callable[..., Figures]]] = {"preview": preview, "secrets": secrets, "gates": gates}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](*sys.argv[2:])))
