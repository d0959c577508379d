"""The emulator on loopback sockets: in a thread of this process (`serve`), or until interrupted (`run`).

    with serve(backend) as running:
        client = HbrClient(endpoint=running.endpoint)

As much of HTTP/1.1 as clients of this API use, on asyncio's streams: a web framework has no word for dropping a
connection in the middle of a response.
"""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import parse_qsl

from pulumi_hbr_clients.emulator import admin_api, service
from pulumi_hbr_clients.emulator.backend import Backend
from pulumi_hbr_clients.emulator.cloud import Cloud
from pulumi_hbr_clients.emulator.fleet_file import sample
from pulumi_hbr_clients.emulator.responses import JSON
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.protocol.signing import Request

REGION: Final = "cn-hangzhou"
LOOPBACK: Final = "127.0.0.1"
"""Nothing but this machine: the keys are fake, and the admin API asks for none."""
_START: Final = 10.0
"""Seconds a thread may take to listen."""


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """An emulator that listens."""

    target: Backend | Cloud
    endpoints: Mapping[str, str]
    """Region → its address. A lone backend is in one region."""

    @property
    def endpoint(self) -> str:
        """The address of the first region."""
        return next(iter(self.endpoints.values()))

    @property
    def backends(self) -> tuple[Backend, ...]:
        """The backend; of several accounts and regions, all of them."""
        return (self.target,) if isinstance(self.target, Backend) else tuple(self.target.backends.values())

    @property
    def backend(self) -> Backend:
        """The backend; of several, that of the first account and region."""
        return self.backends[0]

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables with which any program finds this emulator, and may sign for it."""
        credentials = next(iter(self.backend.accounts.values())).credentials
        of_regions = ",".join(f"{region}={address}" for region, address in self.endpoints.items())
        endpoint = of_regions if len(self.endpoints) > 1 else self.endpoint
        return {
            "ALIBABA_CLOUD_ENDPOINT_HBR": endpoint,
            "ALIBABA_CLOUD_REGION_ID": next(iter(self.endpoints)),
            "ALIBABA_CLOUD_ACCESS_KEY_ID": credentials.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": credentials.access_key_secret,
            "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
        }


@contextmanager
def serve(backend: Backend | Cloud | None = None, *, port: int = 0) -> Iterator[RunningEmulator]:
    """Serve a backend (by default the sample) from a thread until the block ends. Port 0 is a free one."""
    server = _Server(sample() if backend is None else backend, port)
    ready = Event()
    thread = Thread(target=lambda: asyncio.run(server.run(ready.set)), name="hbr-emulator", daemon=True)
    thread.start()
    try:
        if not ready.wait(_START):
            raise RuntimeError("the emulator did not start")
        yield server.running
    finally:
        server.stop()
        thread.join()


def run(
    backend: Backend | Cloud | None = None,
    *,
    port: int = 0,
    on_ready: Callable[[RunningEmulator], object] = lambda _: None,
) -> None:
    """Serve a backend until interrupted, which raises `KeyboardInterrupt` once everything is closed.

    Where several regions are served, each has its own port: this one and those after it. Raises `InputError` where a
    port is taken.
    """
    server = _Server(sample() if backend is None else backend, port)
    asyncio.run(server.run(lambda: on_ready(server.running)))


class _Server:
    """Listens on a port for each region."""

    def __init__(self, target: Backend | Cloud, port: int) -> None:
        regions = (REGION,) if isinstance(target, Backend) else target.regions
        self._listeners = {name: _listen(port + i if port else 0) for i, name in enumerate(regions)}
        self.running = RunningEmulator(
            target,
            {name: f"http://{LOOPBACK}:{listener.getsockname()[1]}" for name, listener in self._listeners.items()},
        )
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        for backend in self.running.backends:
            backend.prime_cache()

    async def run(self, on_ready: Callable[[], object]) -> None:
        """Serve until `stop`, then close all connections at once."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        servers = [
            await asyncio.start_server(
                lambda *streams, region=region: self._connection(region, *streams), sock=listener, backlog=1024
            )
            for region, listener in self._listeners.items()
        ]
        try:
            on_ready()
            await self._stop.wait()
        finally:
            for server in servers:
                server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self) -> None:
        """From any thread."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._stop.set)

    def _connection(self, region: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._converse(region, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, region: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests of one connection, one after another, until either side ends it."""
        try:
            with suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                is_open = True
                while is_open:
                    request = await _read(reader)
                    is_open = await self._respond(region, request, writer)
                    is_open = is_open and request.headers.get("connection", "").lower() != "close"
                    await writer.drain()
        finally:
            writer.close()

    async def _respond(self, region: str, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Send the response. False: the connection is dropped."""
        target = self.running.target
        if request.path.startswith(admin_api.PREFIX):
            status, document = admin_api.handle(target, request)
            body = json.dumps(document).encode()
            writer.write(_head(status, {"content-type": JSON, "content-length": str(len(body))}) + body)
            return True
        backend = target.route(request, region)
        response = service.answer(backend, request)
        if response.delay:
            await asyncio.sleep(response.delay)
        if response.drop != "before":
            cut = len(response.body) // 2 if response.drop == "within" else None
            writer.write(_head(response.status, service.response_headers(backend, response)) + response.body[:cut])
        return response.drop is None


async def _read(reader: asyncio.StreamReader) -> Request:
    """The next request. Raises `IncompleteReadError` where the client has gone, `ValueError` on anything but HTTP."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    path, _, query = target.partition("?")
    return Request(headers, tuple(parse_qsl(query, keep_blank_values=True)), body, method, path)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = (f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items()))
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _listen(port: int) -> socket.socket:
    # asyncio turns Nagle off only where the protocol is named; without it each small response takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise InputError(ValidationIssue("port", f"cannot be listened on: {reason}", str(port))) from None
    return listener
