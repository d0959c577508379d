"""One provider process for all tests of a module, an engine and an emulated service, well again before each test."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import engine_pb2_grpc

from pulumi_hbr_clients import emulator
from pulumi_hbr_clients.emulator import Backend, new_rows
from tests.plugin.calls import Listener, started


@pytest.fixture(scope="module")
def backend() -> Backend:
    return Backend(new_rows(250, Status="ACTIVATED"))


@pytest.fixture(scope="module")
def engine() -> Iterator[Listener]:
    server, listener = grpc.server(ThreadPoolExecutor(4)), Listener()
    engine_pb2_grpc.add_EngineServicer_to_server(listener, server)
    listener.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield listener
    server.stop(0).wait()


@pytest.fixture(autouse=True)
def ids(backend: Backend, engine: Listener) -> list[str]:
    """The instances. Every test starts with all of them activated, a service that is well, and nothing logged."""
    found = [row["InstanceId"] for row in backend.rows()]
    backend.next_faults, backend.fault_rate = [], 0.0
    backend.activate(*found)
    backend.clear_log()
    engine.logged.clear()
    return found


@pytest.fixture(scope="module")
def environment(backend: Backend) -> Iterator[dict[str, str]]:
    with emulator.serve(backend) as running:
        yield {**os.environ, **running.environment}


@pytest.fixture(scope="module")
def provider(environment: dict[str, str], engine: Listener) -> Iterator[Any]:
    with started(environment, engine.address) as stub:
        yield stub
