"""HTTP: sends one signed request and returns the response. The only importer of httpcore.

A connection is a pool of its own: httpcore's pool (1.0.9) looks at every connection's socket whenever a request comes
or goes, so sixteen in one pool cost a third of all CPU of a large list; a pool of one has nothing to look at. How many
there are is how many requests the caller has under way at once. httpx would add cookies, redirects and authentication,
of which a signed request must have none, 0.15 ms a request and 0.2 s of import.
"""

import asyncio
import functools
import os
import re
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import anyio
import certifi
import httpcore

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.client.daemon_threads import run_in_daemon_thread
from pulumi_hbr_clients.client.proxy import Proxy, proxy_for
from pulumi_hbr_clients.client.shared import PROCESS
from pulumi_hbr_clients.model.errors import InputError, Retry, TransportError, ValidationIssue
from pulumi_hbr_clients.protocol.codec import HttpResponse
from pulumi_hbr_clients.protocol.endpoints import is_loopback

CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 10.0
_TIMEOUTS: Final = {  # in seconds, as the official SDK's
    "timeout": {"connect": CONNECT_TIMEOUT, "read": READ_TIMEOUT, "write": READ_TIMEOUT, "pool": READ_TIMEOUT}
}
_KEEP_ALIVE: Final = 5.0
"""Seconds an idle connection is kept."""
_NEXT_ADDRESS_AFTER: Final = 0.25
"""Seconds until the next address of a host is tried too (RFC 8305)."""
_AUTHORITIES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_AUTHORITY: Final = "A company's own authority is named by the environment variable SSL_CERT_FILE"


class Transport(Protocol):
    """Sends requests. `ConnectionPool` does it over HTTP, the emulator's in-memory transport without a socket."""

    async def post(self, query: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """Send one POST to the endpoint's `/?query`. Raises `TransportError` when there is no response."""

    async def aclose(self) -> None:
        """Release what it holds."""


Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Host and port → IP addresses, in the order to try them. Raises `OSError`."""


async def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver, in a daemon thread: it cannot be interrupted and may take half a minute."""
    rows = await run_in_daemon_thread(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


class ConnectionPool:
    """The connections to one endpoint. Belongs to one event loop."""

    def __init__(self, endpoint: str, resolver: Resolver = resolve) -> None:
        """Connect to nothing yet. Raises `InputError` if the endpoint cannot stand in a request."""
        self.endpoint = endpoint
        url = urlsplit(endpoint)
        self._scheme, self._host = url.scheme, url.hostname or ""
        self._port = url.port or (443 if url.scheme == "https" else 80)
        if not self._host.isascii():
            raise InputError(ValidationIssue("endpoint", "must be in ASCII: write the name as xn--…", repr(endpoint)))
        self._network = _Network(resolver)
        self._free: list[httpcore.AsyncConnectionPool] = []
        self._proxy: Proxy | None = None

    @property
    def waiting_for(self) -> str | None:
        """The DNS look-up that requests wait for, if there is one."""
        names = sorted(self._network.lookups)
        return f"the address of {', '.join(names)} (DNS)" if names else None

    async def post(self, query: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """Send on the free connection that was used last, or on a new one. Raises `TransportError`, `InputError`."""
        url = httpcore.URL(scheme=self._scheme, host=self._host, port=self._port, target=f"/?{query}")
        sent = {**headers, "user-agent": f"pulumi-hbr-clients/{__version__}"}
        connection = self._free.pop() if self._free else self._new_connection()
        try:
            response = await connection.request(
                "POST", url, headers=list(sent.items()), content=body, extensions=_TIMEOUTS
            )
            received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return HttpResponse(response.status, received, _decompressed(response.content, received))
        except (*_HTTP_ERRORS, OSError, UnicodeError, zlib.error) as error:
            raise self._error(error) from None
        finally:
            self._free.append(connection)

    async def aclose(self) -> None:
        """Close all connections."""
        self._network.cancel()
        while self._free:
            await self._free.pop().aclose()

    def _new_connection(self) -> httpcore.AsyncConnectionPool:
        options: dict[str, Any] = {
            "max_connections": 1,
            "keepalive_expiry": _KEEP_ALIVE,
            "network_backend": self._network,
        }
        if self._scheme == "http" and is_loopback(self._host):  # no certificate to check, and no proxy leads here
            return httpcore.AsyncConnectionPool(**options)
        options["ssl_context"] = context = tls_context()
        self._proxy = proxy = proxy_for(self._host, self._port)
        if proxy is None:
            return httpcore.AsyncConnectionPool(**options)
        options |= {"proxy_url": httpcore.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target="/")}
        options |= {"proxy_auth": proxy.auth}
        if not proxy.scheme.startswith("socks5"):
            return httpcore.AsyncHTTPProxy(**options, proxy_ssl_context=context if proxy.scheme == "https" else None)
        try:
            return httpcore.AsyncSOCKSProxy(**options)
        except (ImportError, RuntimeError):
            rule = "must be http:// or https://, or socks5:// with the package httpcore[socks] installed"
            raise InputError(ValidationIssue(proxy.variable, rule, f"{proxy.scheme}://…")) from None

    def _error(self, error: Exception) -> TransportError:
        detail = f": {error}" if str(error) else ""
        text = f"no answer from {self.endpoint} ({type(error).__name__}{detail})"
        if self._proxy and isinstance(error, httpcore.ProxyError):
            text += f" by way of the proxy that {self._proxy.variable} names"
        for secret in filter(None, (self._proxy and self._proxy.auth) or ()):
            text = text.replace(secret.decode(errors="replace"), "***")
        made = TransportError(f"{text}. {_AUTHORITY}" if re.search("issuer|self-signed", detail) else text)
        if "CERTIFICATE_VERIFY_FAILED" in detail or isinstance(error, httpcore.LocalProtocolError):
            made.retry = Retry.NEVER
        if isinstance(error, httpcore.ProxyError) and str(error).startswith("407"):
            made.retry = Retry.NEVER  # every further try with a wrong password brings the account nearer to its lock
        return made


_HTTP_ERRORS: Final = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
    httpcore.ConnectionNotAvailable,
)


class _Network(httpcore.AnyIOBackend):
    """Connects by address, after a look-up that all connections of the pool share."""

    def __init__(self, resolver: Resolver) -> None:
        self.lookups: dict[str, asyncio.Future[list[str]]] = {}
        self._resolver = resolver

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers. Raises `httpcore.ConnectError`, `httpcore.ConnectTimeout`."""
        del local_address, socket_options  # none are used here
        addresses = await self._addresses(host, port, timeout)
        if len(addresses) == 1:
            return await super().connect_tcp(addresses[0], port, timeout)
        return await self._first_of(addresses, port, timeout)

    async def _addresses(self, host: str, port: int, timeout: float | None) -> list[str]:  # noqa: ASYNC109
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        lookup = self.lookups.get(host)
        if lookup is None:
            lookup = self.lookups[host] = asyncio.ensure_future(self._resolver(host, port))
            lookup.add_done_callback(functools.partial(self._forget, host))
        await asyncio.wait({lookup}, timeout=timeout)
        if not lookup.done():
            raise httpcore.ConnectTimeout(f"the address of {host} was not found within {timeout:g} s (DNS)")
        try:
            return lookup.result()
        except OSError as error:
            raise httpcore.ConnectError(f"no address of {host}: {error}") from None

    async def _first_of(
        self,
        addresses: list[str],
        port: int,
        timeout: float | None,  # noqa: ASYNC109  httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """Try one address after another, the next one when the last has failed or taken 250 ms (RFC 8305)."""
        streams: list[httpcore.AsyncNetworkStream] = []
        errors: list[Exception] = []

        async def connect(address: str, done: anyio.Event) -> None:
            try:
                stream = await super(_Network, self).connect_tcp(address, port, timeout)
                streams.append(stream)
                group.cancel_scope.cancel()
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                errors.append(error)
            finally:
                done.set()

        async with anyio.create_task_group() as group:
            for address in addresses:
                group.start_soon(connect, address, done := anyio.Event())
                with anyio.move_on_after(_NEXT_ADDRESS_AFTER):
                    await done.wait()
        for late in streams[1:]:
            await late.aclose()
        if not streams:
            raise errors[0]
        return streams[0]

    def _forget(self, host: str, lookup: "asyncio.Future[list[str]]") -> None:
        self.lookups.pop(host, None)
        if not lookup.cancelled():
            lookup.exception()  # where nobody waits for it any more, it is no news

    def cancel(self) -> None:
        """Wait for no look-up any more."""
        for lookup in list(self.lookups.values()):
            lookup.cancel()


def _decompressed(content: bytes, headers: Mapping[str, str]) -> bytes:
    """Nothing compressed is asked for; some proxies compress all the same."""
    coding = headers.get("content-encoding", "identity").lower()
    return zlib.decompress(content, 47) if coding in {"gzip", "x-gzip", "deflate"} and content else content


def tls_context() -> ssl.SSLContext:
    """Return the process's TLS context for the authorities of the environment. Raises `InputError`."""
    named = tuple(os.environ.get(name) or None for name in _AUTHORITIES)
    if named not in PROCESS.tls_contexts:
        PROCESS.tls_contexts[named] = _new_tls_context(*named)
    return PROCESS.tls_contexts[named]


def _new_tls_context(file: str | None, folder: str | None) -> ssl.SSLContext:
    if file is None and folder is None:
        return ssl.create_default_context(cafile=certifi.where())
    if file is None and folder is not None and not os.path.isdir(folder):  # noqa: PTH112  a text of the environment
        raise InputError(ValidationIssue("SSL_CERT_DIR", "must be a folder of certificates", folder))
    try:
        return ssl.create_default_context(cafile=file, capath=None if file else folder)
    except OSError as error:  # ssl.SSLError is one
        rule = f"must be a readable file of certificates (PEM): {error.strerror or error}"
        raise InputError(ValidationIssue("SSL_CERT_FILE", rule, file or "")) from None
