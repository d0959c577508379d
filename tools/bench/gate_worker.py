"""Gates that wait while their clients are activated, in a new stack on the real engine.

    python -m tools.bench.gate_worker GATES INSTANCES SECONDS FOLDER

INSTANCES are shared out among GATES. SECONDS after the start the last clients are activated. Also runs with 0.1.0.
"""

import json
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

from tools.bench.admin import call
from tools.bench.stack_worker import new_stack


class Timestamps(ResourceProvider):
    """Stores the time at which a dependant was created."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("dependant", {**props, "at": time.time()})


class Dependant(Resource):
    """Depends on a gate."""

    at: pulumi.Output[float]

    def __init__(self, name: str, gate: pulumi.Resource) -> None:
        super().__init__(Timestamps(), name, {"at": None}, pulumi.ResourceOptions(depends_on=[gate]))


def program(groups: Sequence[Sequence[str]]) -> None:
    """One gate for each group of instances, each with a dependant."""
    from pulumi_hbr_clients import ActivationGate  # noqa: PLC0415  the import is part of the figure

    for number, instances in enumerate(groups):
        gate = ActivationGate(
            f"gate-{number}", client_type="ECS_CLIENT", instance_ids=instances, timeout="10m", fields=["status"]
        )
        pulumi.export(f"{number}", Dependant(f"after-{number}", gate).at)


def rounds(log: Sequence[dict[str, Any]]) -> list[int]:
    """Requests of each round: requests within half a second, while polls are two seconds apart at least."""
    found: list[int] = []
    last = float("-inf")
    for record in log:
        if record["time"] - last > 0.5:  # noqa: PLR2004  see above
            found.append(0)
        found[-1] += 1
        last = record["time"]
    return found


def main() -> None:
    """Wait, print the figures."""
    gates, instances, seconds, folder = sys.argv[1:]
    ids = [row["InstanceId"] for row in call("fleet")["clients"]][: int(instances)]
    size = len(ids) // int(gates)
    late = ids if size == 1 else ids[-len(ids) // 10 :]
    call("activate", {"clients": ids})
    call("set_status", {"clients": late, "status": "INSTALLING"})
    call("clear_log", {})
    activated: list[float] = []

    def activate() -> None:
        activated.append(time.time())
        call("activate", {"clients": late})

    groups = [ids[start : start + size] for start in range(0, len(ids), size)]
    stack = new_stack(lambda: program(groups), Path(folder))
    timer = threading.Timer(float(seconds), activate)
    timer.start()
    outputs = stack.up(color="never").outputs
    ended, times = time.time(), [output.value for output in outputs.values()]
    waiting = [record for record in call("log")["log"] if record["time"] < activated[0]]
    figures = {
        "early": sum(at < activated[0] for at in times),
        "dependants": max(times) - activated[0],
        "end": ended - activated[0],
        "rounds": len(rounds(waiting)),
        "most": max(rounds(waiting)),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
