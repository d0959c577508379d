"""The emulator on loopback sockets: in a thread of this process (`serve`), or until interrupted (`run`).

    with serve(backend) as running:
        client = HbrClient(endpoint=running.endpoint)

HTTP is h11's; a web framework has no word for dropping a connection in the middle of a response.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import parse_qsl

import h11
from anyio.from_thread import start_blocking_portal

from pulumi_hbr_clients.emulator import admin_api, service
from pulumi_hbr_clients.emulator.backend import Backend, Cloud
from pulumi_hbr_clients.emulator.fleet_file import sample
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.protocol.signing import Request

REGION: Final = "cn-hangzhou"
LOOPBACK: Final = "127.0.0.1"
"""Nothing but this machine: the keys are fake, and the admin API needs none."""
_CHUNK: Final = 1 << 16
"""Bytes read at once, and those that a request's line and headers may have together."""


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
    """Serve a backend (by default the sample) from a thread until the block ends. Port and errors: as `run`."""
    with (
        start_blocking_portal(name="hbr-emulator") as portal,
        portal.wrap_async_context_manager(_listening(backend, port)) as running,
    ):
        yield running


def run(
    backend: Backend | Cloud | None = None,
    *,
    port: int = 0,
    on_ready: Callable[[RunningEmulator], object] = lambda _: None,
) -> None:
    """Serve a backend until interrupted, which raises `KeyboardInterrupt` once everything is closed.

    Port 0 is a free one. Where several regions are served, each has its own: this one and those after it. Raises
    `InputError` where a port is taken.
    """
    with serve(backend, port=port) as running:
        on_ready(running)
        while True:
            time.sleep(3600)


@asynccontextmanager
async def _listening(backend: Backend | Cloud | None, port: int) -> AsyncIterator[RunningEmulator]:
    """Listen on a port for each region. Connections end with the event loop."""
    target = sample() if backend is None else backend
    running = RunningEmulator(target, endpoints := {})
    with ExitStack() as servers:
        for number, region in enumerate((REGION,) if isinstance(target, Backend) else target.regions):
            own_port = port + number if port else 0
            try:
                converse = partial(_converse, target, region)
                server = await asyncio.start_server(converse, LOOPBACK, own_port, backlog=1024)
            except (OSError, OverflowError) as error:
                reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
                raise InputError(ValidationIssue("port", f"cannot be listened on: {reason}", str(own_port))) from None
            servers.callback(server.close)
            endpoints[region] = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        yield running


async def _converse(
    target: Backend | Cloud, region: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Requests of one connection, one after another, until either side ends it or the emulator does."""
    http = h11.Connection(h11.SERVER, max_incomplete_event_size=_CHUNK)
    with closing(writer), suppress(OSError, h11.ProtocolError, asyncio.CancelledError):
        while request := await _read(http, reader):
            backend = target.route(request, region)
            is_admin = request.path.startswith(admin_api.PREFIX)
            response = admin_api.handle(target, request) if is_admin else service.answer(backend, request)
            await asyncio.sleep(response.delay)
            if response.drop == "before":
                break
            headers = service.response_headers(backend, response)
            writer.write(http.send(h11.Response(status_code=response.status, headers=[*headers.items()])) or b"")
            cut = len(response.body) // 2 if response.drop == "within" else None
            writer.write(http.send(h11.Data(response.body[:cut])) or b"")
            if response.drop:
                break
            await writer.drain()
            http.send(h11.EndOfMessage())
            http.start_next_cycle()


async def _read(http: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    """The next request; None where the client has gone. Raises `h11.RemoteProtocolError` on anything but HTTP."""
    head, body = None, b""
    while not isinstance(event := http.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        else:
            return None
    if head is None:
        return None
    path, _, query = head.target.decode("latin-1").partition("?")
    headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
    return Request(headers, tuple(parse_qsl(query, keep_blank_values=True)), body, head.method.decode(), path)
