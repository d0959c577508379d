"""Speaks to one provider plugin as the engine does: asks for its name, for ten clients, and for all clients."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc


def invoke(stub: Any, **arguments: Any) -> None:
    struct = Struct()
    struct.update({"clientType": "ECS_CLIENT", **arguments})
    stub.Invoke(provider_pb2.InvokeRequest(tok="hbr-clients:index:getBackupClients", args=struct))


def main() -> None:
    start = time.perf_counter()
    command = str(Path(sys.executable).parent / "pulumi-resource-hbr-clients")
    with subprocess.Popen([command], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout  # noqa: S101  a pipe was requested
        address = f"127.0.0.1:{int(child.stdout.readline())}"
        channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        stub.GetPluginInfo(Empty())
        answers = time.perf_counter()
        stub.Configure(provider_pb2.ConfigureRequest(args=Struct()))
        invoke(stub, pageSize=10)
        first = time.perf_counter()
        invoke(stub)
        everything = time.perf_counter()
        child.terminate()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = {"answers": answers - start, "first": first - start, "invoke": everything - first}
    print(json.dumps({**seconds, "plugin_peak": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)}))


if __name__ == "__main__":
    main()
