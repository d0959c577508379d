"""A provider process, an engine that it reports to, and the engine's calls."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc

from pulumi_hbr_clients.plugin import values as properties

FUNCTION = "hbr-clients:index:getBackupClients"
URN = "urn:pulumi:dev::p::my:index:Parent$hbr-clients:index:ActivationGate::ready"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
SENTINELS = sorted(properties._UNKNOWNS)  # noqa: SLF001  the engine's seven, checked against its source
COMMAND = str(Path(sys.executable).parent / "pulumi-resource-hbr-clients")
BAD_CODES = {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS}


def bag(**values: Any) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct


def plain(struct: Struct) -> dict[str, Any]:
    return properties.read(struct).values


class Listener(engine_pb2_grpc.EngineServicer):
    """An engine that keeps what is logged."""

    def __init__(self) -> None:
        self.address, self.logged = "", list[Any]()

    def Log(self, request: Any, _: Any) -> Empty:  # noqa: N802  gRPC names it
        self.logged.append(request)
        return Empty()

    def warnings(self) -> list[tuple[str, str]]:
        """URN and text of each warning."""
        return [(each.urn, each.message) for each in self.logged if each.severity == engine_pb2.WARNING]


@contextmanager
def started(environment: dict[str, str], *arguments: str, **configuration: Any) -> Iterator[Any]:
    """A stub of a configured provider process, which ends as the engine ends it."""
    with subprocess.Popen([COMMAND, *arguments], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            try:
                configure(stub, **configuration)
                yield stub
            finally:
                process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def configure(stub: Any, **configuration: Any) -> Any:
    return stub.Configure(provider_pb2.ConfigureRequest(args=bag(**configuration)))


def check_config(stub: Any, **news: Any) -> Any:
    return stub.CheckConfig(provider_pb2.CheckRequest(news=bag(**news)))


def invoke(stub: Any, **arguments: Any) -> Any:
    return stub.Invoke(provider_pb2.InvokeRequest(tok=FUNCTION, args=bag(**arguments)))


def listed(stub: Any, **arguments: Any) -> dict[str, Any]:
    return plain(getattr(invoke(stub, clientType="ECS_CLIENT", **arguments), "return"))


def check(stub: Any, **news: Any) -> Any:
    return stub.Check(provider_pb2.CheckRequest(urn=URN, news=bag(**news))).failures


def diff(stub: Any, state: Any, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What makes a gate with this state wait again. It is never replaced."""
    request = provider_pb2.DiffRequest(urn=URN, id="x", olds=state, old_inputs=bag(**old), news=bag(**new))
    answer = stub.Diff(request)
    assert not answer.replaces
    return list(answer.diffs)


def refused(call: Any, request: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    assert "Traceback" not in caught.value.details()
    assert caught.value.code() not in BAD_CODES
    return caught.value


def create(preview: bool = False, timeout: float = 0, **inputs: Any) -> Any:  # noqa: FBT001, FBT002  as the request names it
    own = {} if timeout else {"timeout": "20s"}
    given = bag(**{"clientType": "ECS_CLIENT", "poll": 0.2, **own, **inputs})
    return provider_pb2.CreateRequest(urn=URN, properties=given, preview=preview, timeout=timeout)
