"""Speaks to one provider plugin as the engine does, and says what that took.

    speaking.py SECONDS

Starts the process, asks it who it is, for ten clients, for all clients, and lets 200 gates wait for so many seconds.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

COMMAND: Final = str(Path(sys.executable).parent / "pulumi-resource-hbr-clients")
FUNCTION: Final = "hbr-clients:index:getBackupClients"
URN: Final = "urn:pulumi:dev::bench::hbr-clients:index:ActivationGate::gate"
GATES: Final = 200
TICK: Final = os.sysconf("SC_CLK_TCK")
NO_LIMIT: Final = [("grpc.max_receive_message_length", -1)]


def bag(**values: Any) -> Struct:
    """Property values."""
    struct = Struct()
    struct.update(values)
    return struct


def call(path: str, body: Any = None) -> Any:
    """Ask or command the emulator."""
    address = f"{os.environ['ALIBABA_CLOUD_ENDPOINT_HBR']}/_emulator/{path}"
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address, data), timeout=60) as answer:  # noqa: S310  loopback
        return json.load(answer)


def cpu(pid: int) -> float:
    """Seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pid: int) -> float:
    """Resident MB of a process (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Speak, say."""
    start, figures = time.perf_counter(), dict[str, float]()
    with subprocess.Popen([COMMAND], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout  # noqa: S101  a pipe was asked for
        channel = grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}", options=NO_LIMIT)
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        stub.GetPluginInfo(Empty())
        figures["answers"] = time.perf_counter() - start
        stub.Configure(provider_pb2.ConfigureRequest(args=bag()))
        invoke(stub, pageSize=10)
        figures["first"], figures["memory"] = time.perf_counter() - start, memory(process.pid)
        before = time.perf_counter()
        invoke(stub)
        figures["invoke"] = time.perf_counter() - before
        figures |= gates(stub, process.pid, float(sys.argv[1]))
        process.kill()
    print(json.dumps(figures))


def invoke(stub: Any, **arguments: Any) -> None:
    """One list."""
    args = bag(clientType="ECS_CLIENT", **arguments)
    stub.Invoke(provider_pb2.InvokeRequest(tok=FUNCTION, args=args))


def gates(stub: Any, pid: int, seconds: float) -> dict[str, float]:
    """Two hundred wait; then Cancel."""
    ids = [row["InstanceId"] for row in call("fleet")["clients"]][:GATES]
    call("set_status", {"clients": ids, "status": "INSTALLING"})
    inputs = [bag(clientType="ECS_CLIENT", instanceIds=[instance]) for instance in ids]
    waits = [stub.Create.future(provider_pb2.CreateRequest(urn=URN, properties=given)) for given in inputs]
    time.sleep(5)
    before, used = time.perf_counter(), cpu(pid)
    time.sleep(seconds)
    idle = (cpu(pid) - used) / (time.perf_counter() - before)
    before = time.perf_counter()
    stub.Cancel(Empty())
    cancelled = time.perf_counter() - before
    for wait in waits:
        wait.exception(timeout=60)
    ended = time.perf_counter() - before
    call("activate", {"clients": ids})
    return {"idle": idle, "cancel": cancelled, "ended": ended}


if __name__ == "__main__":
    main()
