"""Speaks to one provider plugin as the engine does, and prints what that took.

    python -m tools.bench.plugin_worker SECONDS

Starts the process, asks for its name, for ten clients and for all clients, and lets 200 gates wait for SECONDS.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import grpc
import psutil
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tools.bench.admin import call

COMMAND: Final = str(Path(sys.executable).parent / "pulumi-resource-hbr-clients")
GATES: Final = 200
URN: Final = "urn:pulumi:dev::bench::hbr-clients:index:ActivationGate::gate"


def properties(**values: Any) -> Struct:
    """Property values of the engine."""
    struct = Struct()
    struct.update(values)
    return struct


def invoke(stub: Any, **arguments: Any) -> None:
    """One list."""
    args = properties(clientType="ECS_CLIENT", **arguments)
    stub.Invoke(provider_pb2.InvokeRequest(tok="hbr-clients:index:getBackupClients", args=args))


def gates(stub: Any, process: psutil.Process, seconds: float) -> dict[str, float]:
    """Gates wait side by side; then Cancel."""
    ids = [row["InstanceId"] for row in call("fleet")["clients"]][:GATES]
    call("set_status", {"clients": ids, "status": "INSTALLING"})
    inputs = [properties(clientType="ECS_CLIENT", instanceIds=[instance]) for instance in ids]
    waiting = [stub.Create.future(provider_pb2.CreateRequest(urn=URN, properties=given)) for given in inputs]
    time.sleep(5)  # the first polls are close together
    start, before = time.perf_counter(), sum(process.cpu_times()[:2])
    time.sleep(seconds)
    idle = (sum(process.cpu_times()[:2]) - before) / (time.perf_counter() - start)
    start = time.perf_counter()
    stub.Cancel(Empty())
    cancelled = time.perf_counter() - start
    for call_under_way in waiting:
        call_under_way.exception(timeout=60)
    return {"idle": idle, "cancel": cancelled, "ended": time.perf_counter() - start}


def main() -> None:
    """Speak, print the figures."""
    start, figures = time.perf_counter(), dict[str, float]()
    with subprocess.Popen([COMMAND], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout  # noqa: S101  a pipe was requested
        address = f"127.0.0.1:{int(child.stdout.readline())}"
        channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        stub.GetPluginInfo(Empty())
        figures["answers"] = time.perf_counter() - start
        stub.Configure(provider_pb2.ConfigureRequest(args=properties()))
        invoke(stub, pageSize=10)
        process = psutil.Process(child.pid)
        figures["first"], figures["memory"] = time.perf_counter() - start, process.memory_info().rss / 1e6
        before = time.perf_counter()
        invoke(stub)
        figures["invoke"] = time.perf_counter() - before
        figures |= gates(stub, process, float(sys.argv[1]))
        child.kill()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
