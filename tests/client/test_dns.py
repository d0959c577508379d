"""Names are looked up in daemon threads: a slow one holds up neither a deadline nor Ctrl-C."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import pytest

from pulumi_hbr_clients import emulator
from pulumi_hbr_clients.client.blocking import run_in_daemon_thread
from pulumi_hbr_clients.client.transport import ConnectionPool
from pulumi_hbr_clients.emulator import Backend, new_rows
from pulumi_hbr_clients.model.errors import DeadlineError, TransportError
from tests.queries import ONE_TRY, client, listed

SLOW = "https://slow.invalid"
PROGRAM = """
import asyncio, sys, time
from pulumi_hbr_clients.client.blocking import run_in_daemon_thread
from pulumi_hbr_clients.client.transport import ConnectionPool
from tests.queries import listed

async def slow(host, port):
    print("looking up", flush=True)
    return await run_in_daemon_thread(lambda: time.sleep(60) or [])

pool = lambda endpoint: ConnectionPool(endpoint, slow)
listed("https://slow.invalid", {"timeout": float(sys.argv[1]), "transport": pool})
"""


class Resolver:
    """Answers with these addresses, or fails, after a while; it counts."""

    def __init__(self, *addresses: str, seconds: float = 0.01, failure: Exception | None = None) -> None:
        self.addresses, self.seconds, self.failure = addresses, seconds, failure
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        await asyncio.sleep(self.seconds)
        if self.failure:
            raise self.failure
        return list(self.addresses)

    def pool(self, endpoint: str) -> ConnectionPool:
        return ConnectionPool(endpoint, self)


def run_program(timeout: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PROGRAM, str(timeout)]
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == "looking up\n"
    return process


def test_a_deadline_ends_a_program_that_looks_a_name_up() -> None:
    """Within its second, not after the minute that the look-up takes; the error says what it was waiting for."""
    with run_program(1.0) as process:
        _, errors = process.communicate(timeout=30)
    assert "DeadlineError: no complete list within 1 s" in errors
    assert "still waiting for the address of slow.invalid (DNS)" in errors


def test_ctrl_c_ends_a_program_that_looks_a_name_up() -> None:
    """At once, and it says what it was waiting for."""
    with run_program(300.0) as process:
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, errors = process.communicate(timeout=30)
    assert time.monotonic() - start < 20
    assert process.returncode != 0
    assert errors.startswith("cancelled while waiting for the address of slow.invalid (DNS)\n")


def test_a_slow_name_is_looked_up_once() -> None:
    """Requests that need the name meanwhile wait for the look-up that is under way."""
    resolver = Resolver(seconds=60)

    async def work() -> list[Any]:
        async with client(SLOW, timeout=0.5, transport=resolver.pool) as hbr:
            queries = [hbr.list_backup_clients(client_type=kind) for kind in ("ECS_CLIENT", "LOCAL_CLIENT")]
            return await asyncio.gather(*queries, return_exceptions=True)

    assert [type(error) for error in asyncio.run(work())] == [DeadlineError] * 2
    assert len(resolver.asked) == 1


def test_names_are_looked_up_once_for_all_connections() -> None:
    """Twenty requests at once, one look-up; the request still names the host."""
    backend, resolver = Backend(new_rows(2000)), Resolver("127.0.0.1")
    with emulator.serve(backend) as running:
        endpoint = running.endpoint.replace("127.0.0.1", "localhost")
        assert listed(endpoint, {"transport": resolver.pool}).complete
    assert resolver.asked == [("localhost", int(running.endpoint.rpartition(":")[2]))]


def test_the_next_address_is_tried() -> None:
    """One that refuses connections costs nothing but that; later requests start with the one that worked."""
    resolver = Resolver("127.0.0.2", "127.0.0.1")
    with emulator.serve(Backend(new_rows(150))) as running:
        endpoint = running.endpoint.replace("127.0.0.1", "localhost")
        assert listed(endpoint, {"transport": resolver.pool, **ONE_TRY}).total_count == 150


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (socket.gaierror(-2, "Name or service not known"), "no address of slow.invalid, DNS says Name or service"),
        (OSError("resolver is down"), "OSError: resolver is down"),
        (None, "slow.invalid has no address"),
    ],
    ids=["unknown", "broken", "none"],
)
def test_a_name_without_an_address(failure: Exception | None, expected: str) -> None:
    """It is an error of the transport that names the host."""
    with pytest.raises(TransportError, match=expected):
        listed(SLOW, {"transport": Resolver(failure=failure).pool, **ONE_TRY})


def test_daemon_threads() -> None:
    """They return, raise, and outlive a caller that was cancelled and a loop that was closed, without a word."""

    def fail() -> None:
        raise LookupError("on purpose")

    async def work() -> Any:
        with pytest.raises(LookupError, match="on purpose"):
            await run_in_daemon_thread(fail)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(run_in_daemon_thread(lambda: time.sleep(0.3)), 0.01)
        return await run_in_daemon_thread(lambda: divmod(7, 2))

    assert asyncio.run(work()) == (3, 1)
    time.sleep(0.4)
