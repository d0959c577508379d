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
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from pulumi_hbr_clients import __version__, get_backup_clients
from pulumi_hbr_clients.emulator import Backend, RunningEmulator, new_row
from pulumi_hbr_clients.model.names import FUNCTION_TOKEN, GATE_TOKEN
from tests.plugin.calls import bag
from tools import generated, plugin_archive

pytestmark = pytest.mark.timeout(900)  # after a change of the package it is built first
URN = f"urn:pulumi:dev::p::{GATE_TOKEN}::ready"


@pytest.fixture
def provider(frozen_plugin: Path, emulator: RunningEmulator) -> Iterator[Any]:
    """The executable, configured, with nothing on PATH and no variable but the service's."""
    environment = {"PATH": "", **emulator.environment}
    executable = frozen_plugin / plugin_archive.EXECUTABLE
    with subprocess.Popen([executable], env=environment, cwd="/", stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                stub.Configure(provider_pb2.ConfigureRequest(args=bag()))
                yield stub
        finally:
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


def test_it_answers(provider: Any) -> None:
    """With the schema that was packed, the clients that a Python program gets, and the names of bad arguments."""
    schema = json.loads(provider.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert schema == {**json.loads(generated.SCHEMA.read_text()), "version": __version__}
    good, bad = (
        provider.Invoke(provider_pb2.InvokeRequest(tok=FUNCTION_TOKEN, args=bag(clientType=client_type)))
        for client_type in ("ECS_CLIENT", "ecs")
    )
    assert MessageToDict(getattr(good, "return"))["ids"] == list(get_backup_clients(client_type="ECS_CLIENT").ids)
    assert [fault.property for fault in bad.failures] == ["clientType"]


def test_its_gate_waits(provider: Any, backend: Backend) -> None:
    """Create returns once the last client is activated."""
    instance = new_row("sample/batch-1")["InstanceId"]
    backend.later(1.5, lambda: backend.activate(instance))
    inputs = bag(clientType="ECS_CLIENT", instanceIds=[instance], timeout="60s", poll=0.2)
    before = time.monotonic()
    created = provider.Create(provider_pb2.CreateRequest(urn=URN, properties=inputs))
    assert time.monotonic() - before > 1
    assert MessageToDict(created.properties)["countsByStatus"] == {"ACTIVATED": 1}
