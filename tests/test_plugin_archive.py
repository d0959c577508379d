"""The plugin as one executable: it runs with an empty PATH, without Python, and answers as the installed one does."""

import json
import resource
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from pulumi_hbr_clients import __version__, get_backup_clients
from pulumi_hbr_clients.emulator import Backend, RunningEmulator
from pulumi_hbr_clients.model.names import FUNCTION_TOKEN, GATE_TOKEN
from tools import generated, plugin_archive

pytestmark = pytest.mark.timeout(900)  # after a change of the package it is built first
URN = f"urn:pulumi:dev::p::{GATE_TOKEN}::ready"


def bag(**values: Any) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct


@pytest.fixture
def provider(frozen_plugin: Path, emulator: RunningEmulator) -> Iterator[Any]:
    """The executable, configured, with nothing on PATH and no variable but the service's."""
    environment = {"PATH": "", **emulator.environment}
    executable = frozen_plugin / plugin_archive.EXECUTABLE
    with subprocess.Popen([executable], env=environment, cwd="/", stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.Configure(provider_pb2.ConfigureRequest(args=bag()))
            yield stub
        process.terminate()
        assert process.wait(20) == 0


def test_the_archive(frozen_plugin: Path) -> None:
    """One executable at its root, at most 60 MB, named as the engine names it."""
    packed = plugin_archive.archive()
    assert packed.name == f"pulumi-resource-hbr-clients-v{__version__}-{plugin_archive.kind()}.tar.gz"
    assert packed.stat().st_size < 60e6
    with tarfile.open(packed) as archive:
        assert [(entry.name, entry.mode & 0o111) for entry in archive] == [(plugin_archive.EXECUTABLE, 0o111)]
    assert [path.name for path in frozen_plugin.iterdir()] == [plugin_archive.EXECUTABLE]


def test_it_starts_quickly(frozen_plugin: Path) -> None:
    """At most 0.8 s of CPU until it can be asked; a busy machine has no more of that, only of time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [frozen_plugin / plugin_archive.EXECUTABLE]
    with subprocess.Popen(command, env={"PATH": ""}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
        process.terminate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.8


def test_it_introduces_itself(provider: Any) -> None:
    """Handshake, and the schema that was packed, with its version."""
    assert provider.Handshake(provider_pb2.ProviderHandshakeRequest()).accept_secrets
    assert provider.GetPluginInfo(Empty()).version == __version__
    schema = json.loads(provider.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert schema == {**json.loads(generated.SCHEMA.read_text()), "version": __version__}


def test_it_lists(provider: Any) -> None:
    """The same clients as a Python program gets; bad arguments are refused by name."""
    ask = bag(clientType="ECS_CLIENT")
    answer = provider.Invoke(provider_pb2.InvokeRequest(tok=FUNCTION_TOKEN, args=ask))
    listed = MessageToDict(getattr(answer, "return"))["ids"]
    assert listed == list(get_backup_clients(client_type="ECS_CLIENT").ids)
    refused = provider.Invoke(provider_pb2.InvokeRequest(tok=FUNCTION_TOKEN, args=bag(clientType="ecs")))
    assert [fault.property for fault in refused.failures] == ["clientType"]


@pytest.fixture
def gate(provider: Any, backend: Backend) -> tuple[Any, str]:
    """The call that creates a gate on two instances, while it waits for the second; the id of that one."""
    first, second = (row["InstanceId"] for row in backend.rows() if row["Hostname"] in {"web-1", "batch-1"})
    backend.activate(first)
    backend.set_status("INSTALLING", second)
    inputs = bag(clientType="ECS_CLIENT", instanceIds=[first, second], timeout="60s", poll=0.2)
    call = provider.Create.future(provider_pb2.CreateRequest(urn=URN, properties=inputs))
    time.sleep(1.5)
    assert not call.done()
    return call, second


def test_its_gate_waits(gate: tuple[Any, str], backend: Backend) -> None:
    """Create returns once the last client is activated."""
    call, waited_for = gate
    backend.activate(waited_for)
    assert MessageToDict(call.result(timeout=30).properties)["countsByStatus"] == {"ACTIVATED": 2}


def test_cancel_ends_its_gate(gate: tuple[Any, str], provider: Any) -> None:
    """The wait ends with one line, long before its timeout."""
    call, _ = gate
    provider.Cancel(Empty())
    error = call.exception(timeout=30)
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "interrupted" in error.details()
    assert "\n" not in error.details()
