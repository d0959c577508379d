"""Gates that wait in a fresh process, and what it took. The last clients are activated while they wait.

    gating.py function|engine|idle|interrupt GATES INSTANCES SECONDS FOLDER

INSTANCES are shared out among GATES. SECONDS after the start the late ones (a tenth) are activated; `idle` only waits
that long. Says when dependants started after that, how often the service was asked a round, and CPU.
"""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi import automation as auto
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

from tools.benchmarks.emulated import call
from tools.benchmarks.stacks import stack

ECS: Final[dict[str, Any]] = {"client_type": "ECS_CLIENT", "timeout": "10m"}
Groups = Sequence[Sequence[str]]


class Noted(ResourceProvider):
    """Notes when it was created."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """A dependant of a gate starts."""
        return CreateResult("noted", {**props, "at": time.time()})


class Dependant(Resource):
    """Something that a gate holds back."""

    at: pulumi.Output[float]

    def __init__(self, name: str, gate: pulumi.Resource) -> None:
        """Wait for the gate."""
        super().__init__(Noted(), name, {"at": None}, pulumi.ResourceOptions(depends_on=[gate]))


async def function(groups: Groups) -> list[float]:
    """All gates as `wait_until_activated`: when each passed."""
    from pulumi_hbr_clients import wait_until_activated  # noqa: PLC0415

    async def one(instances: Sequence[str]) -> float:
        await wait_until_activated(**ECS, instance_ids=instances)
        return time.time()

    return list(await asyncio.gather(*map(one, groups)))


def program(groups: Groups) -> None:
    """All gates as `ActivationGate`, each with a dependant."""
    from pulumi_hbr_clients import ActivationGate  # noqa: PLC0415

    for number, instances in enumerate(groups):
        gate = ActivationGate(f"gate-{number}", **ECS, instance_ids=instances, fields=["status"])
        pulumi.export(f"{number}", Dependant(f"after-{number}", gate).at)


def gated(groups: Groups, folder: Path) -> auto.Stack:
    """A new stack with all gates. The provider process finds this module, where the dependants' provider is."""
    return stack(partial(program, groups), folder, PYTHONPATH=str(Path(__file__).parent))


def engine(groups: Groups, folder: Path) -> list[float]:
    """All gates on the engine: when each dependant started."""
    outputs = gated(groups, folder).up(color="never").outputs
    return [output.value for output in outputs.values()]


def interrupt(groups: Groups, folder: Path, seconds: float) -> float:
    """Seconds from Ctrl-C at the engine until `up` has ended."""
    made, sent = gated(groups, folder), []

    def send() -> None:
        sent.append(time.perf_counter())
        subprocess.run(["pkill", "-INT", "-P", str(os.getpid()), "pulumi"], check=True)  # noqa: S607  as found

    threading.Timer(seconds, send).start()
    try:
        made.up(color="never")
    except auto.errors.CommandError:
        return time.perf_counter() - sent[0]
    raise AssertionError("up went through a shut gate")


def cpu() -> float:
    """Seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def rounds(log: Sequence[dict[str, Any]]) -> list[int]:
    """How many requests each look took: requests within half a second are one look."""
    found: list[int] = []
    last = float("-inf")
    for record in log:
        if record["time"] - last > 0.5:  # noqa: PLR2004  looks are two seconds apart at least
            found.append(0)
        found[-1] += 1
        last = record["time"]
    return found


def waits(how: str, groups: Groups, seconds: float, folder: Path) -> dict[str, float]:
    """Shut the late tenth, wait, activate them meanwhile."""
    late = [instance for instances in groups[-max(1, len(groups) // 10) :] for instance in instances]
    late = late[-max(1, sum(map(len, groups)) // 10) :]
    call("set_status", {"clients": late, "status": "INSTALLING"})
    activated: list[float] = []

    def activate() -> None:
        activated.append(time.time())
        call("activate", {"clients": late})

    threading.Timer(seconds, activate).start()
    before, started = cpu(), time.time()
    passed = asyncio.run(function(groups)) if how == "function" else engine(groups, folder)
    subscribe = rounds(call("log")["log"])
    early = [at for at in passed if at < activated[0]]
    return {
        "first": min(passed) - started,
        "after": max(passed) - activated[0],
        "early": len(early),
        "subscribe": len(subscribe),
        "most": max(subscribe),
        "cpu_waiting": cpu() - before,
    }


def idle(groups: Groups, seconds: float) -> dict[str, float]:
    """Wait for so long at a gate that stays shut: the CPU of that, without the first look and the imports."""
    call("set_status", {"clients": list(groups[0]), "status": "INSTALLING"})

    async def wait() -> float:
        waiting = asyncio.create_task(function(groups))
        await asyncio.sleep(3)
        before = cpu()
        await asyncio.sleep(seconds)
        used = cpu() - before
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return used

    return {"cpu_waiting": asyncio.run(wait())}


def main() -> None:
    """Wait, say."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    how, gates, instances, seconds, folder = sys.argv[1:]
    ids = [row["InstanceId"] for row in call("fleet")["clients"]][: int(instances)]
    call("activate", {"clients": ids})
    call("clear_log", {})
    size = len(ids) // int(gates)
    groups = [ids[start : start + size] for start in range(0, len(ids), size)]
    if how == "interrupt":
        call("set_status", {"clients": ids, "status": "INSTALLING"})
        figures = {"ended": interrupt(groups, Path(folder), float(seconds))}
    elif how == "idle":
        figures = idle(groups, float(seconds))
    else:
        figures = waits(how, groups, float(seconds), Path(folder))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
