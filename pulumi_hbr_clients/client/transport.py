"""HTTP: sends one signed request and returns the response. The only importer of httpx.

Each connection is an httpx transport of its own: httpx's pool (httpcore 1.0.9) looks at every connection's socket
whenever a request comes or goes, so sixteen in one pool cost a third of all CPU of a large list; a pool of one has
nothing to look at. How many there are is how many requests the caller has under way at once. httpx's client would add
cookies, redirects and authentication, of which a signed request must have none.

Names are looked up here, and requests go to an address: httpx would use threads that hold up the end of a program.
"""

import asyncio
import os
import re
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.client.blocking import run_in_daemon_thread
from pulumi_hbr_clients.client.proxy import Proxy, proxy_for
from pulumi_hbr_clients.model.errors import InputError, Retry, TransportError, ValidationIssue
from pulumi_hbr_clients.protocol.codec import HttpResponse
from pulumi_hbr_clients.protocol.endpoints import is_loopback

_COMMAND_LINE: Final = (
    "httpx._main"  # httpx 0.28 imports it where click and rich are installed: 85 % of its import time
)
if "httpx" in sys.modules:
    import httpx
else:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment]  # Python's way to say that it cannot be imported
    import httpx

    del sys.modules[_COMMAND_LINE]

_AGENT: Final = f"pulumi-hbr-clients/{__version__}"
_CONNECT_TIMEOUT: Final = 5.0  # as the official SDK
_TIMEOUTS: Final = {"timeout": httpx.Timeout(10.0, connect=_CONNECT_TIMEOUT).as_dict()}
_ADDRESSES_LAST: Final = 60.0
"""Seconds until a name is looked up again."""
_NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For http: httpx would make a context for each connection, which takes 0.1 ms."""
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
    with suppress(ValueError):
        return [str(ip_address(host))]
    rows = await run_in_daemon_thread(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


class ConnectionPool:
    """The connections to one endpoint. Belongs to one event loop."""

    def __init__(self, endpoint: str, resolver: Resolver = resolve) -> None:
        """Connect to nothing yet."""
        self.endpoint = endpoint
        url = urlsplit(endpoint)
        self._scheme, self._host = url.scheme, url.hostname or ""
        self._port = url.port or (443 if url.scheme == "https" else 80)
        self._is_local = url.scheme == "http" and is_loopback(self._host)  # no certificate, and no proxy leads there
        self._host_header = url.netloc
        self._urls: dict[str, httpx.URL] = {}
        self._names = _Names(resolver)
        self._free: list[httpx.AsyncHTTPTransport] = []
        self._proxy: Proxy | None = None

    @property
    def waiting_for(self) -> str | None:
        """The DNS look-up that requests wait for, if there is one."""
        return f"the address of {', '.join(names)} (DNS)" if (names := self._names.pending) else None

    async def post(self, query: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """Send on the free connection that was used last, or on a new one. Raises `TransportError`, `InputError`."""
        connection: httpx.AsyncHTTPTransport | None = None
        try:
            connection = self._free.pop() if self._free else await self._new_connection()
            if self._proxy is not None:  # the proxy looks the name up
                return await self._exchange(connection, self._host, query, body, headers)
            return await self._exchange_directly(connection, query, body, headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            raise self._error(error) from None
        finally:
            if connection is not None:
                self._free.append(connection)

    async def aclose(self) -> None:
        """Close all connections."""
        self._names.cancel()
        while self._free:
            await self._free.pop().aclose()

    async def _exchange_directly(
        self, connection: httpx.AsyncHTTPTransport, query: str, body: bytes, headers: Mapping[str, str]
    ) -> HttpResponse:
        """Send to the first address that can be connected to; later requests start with that one."""
        addresses = await self._names.addresses(self._host, self._port)
        failure: Exception = OSError(f"{self._host} has no address")
        for address in list(addresses):
            try:
                return await self._exchange(connection, address, query, body, headers)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
                if addresses[0] == address:
                    addresses.append(addresses.pop(0))
        self._names.forget(self._host)
        raise failure

    async def _exchange(
        self, connection: httpx.AsyncHTTPTransport, host: str, query: str, body: bytes, headers: Mapping[str, str]
    ) -> HttpResponse:
        if host not in self._urls:
            self._urls[host] = httpx.URL(f"{self._scheme}://{_bracketed(host)}:{self._port}/")
        url, target = self._urls[host], f"/?{query}".encode()
        # the certificate is verified against the name
        extensions: dict[str, Any] = {**_TIMEOUTS, "sni_hostname": self._host}
        if self._proxy is None:
            extensions["target"] = target  # httpx takes 70 microseconds to read it out of a URL
        else:
            url = url.copy_with(raw_path=target)  # the extension would become the target of CONNECT too
        sent = {"host": self._host_header, **headers, "user-agent": _AGENT, "content-length": str(len(body))}
        # a stream is taken as it is; `content` costs ten microseconds to find out what it may be
        request = httpx.Request("POST", url, headers=sent, stream=httpx.ByteStream(body), extensions=extensions)
        response = await connection.handle_async_request(request)
        try:
            content = await _content(response)
        finally:
            await response.aclose()
        return HttpResponse(response.status_code, response.headers, content)

    async def _new_connection(self) -> httpx.AsyncHTTPTransport:
        if self._is_local:
            return httpx.AsyncHTTPTransport(verify=_NO_TLS)
        context = _tls_context(os.environ.get("SSL_CERT_FILE") or None, os.environ.get("SSL_CERT_DIR") or None)
        self._proxy = proxy = proxy_for(self._host, self._port)
        if proxy is None:
            return httpx.AsyncHTTPTransport(verify=context)
        host = proxy.host
        if proxy.scheme == "http":  # httpx looks up others: an https proxy's certificate is verified against its name
            host = (await self._names.addresses(proxy.host, proxy.port))[0]
        try:
            address = httpx.Proxy(f"{proxy.scheme}://{_bracketed(host)}:{proxy.port}", auth=proxy.auth)
            return httpx.AsyncHTTPTransport(verify=context, proxy=address)
        except ImportError:
            rule = "must be http:// or https://, or socks5:// with the package httpx[socks] installed"
            raise InputError(ValidationIssue(proxy.variable, rule, f"{proxy.scheme}://…")) from None

    def _error(self, error: Exception) -> TransportError:
        detail = f": {error}" if str(error) else ""
        if isinstance(error, socket.gaierror):
            detail = f": no address of {self._proxy.host if self._proxy else self._host}, DNS says {error.strerror}"
        text = f"no answer from {self.endpoint} ({type(error).__name__}{detail})"
        if self._proxy and isinstance(error, httpx.ProxyError):
            text += f" by way of the proxy that {self._proxy.variable} names"
        for secret in (self._proxy and self._proxy.auth) or ():
            text = text.replace(secret, "***") if secret else text
        made = TransportError(f"{text}. {_AUTHORITY}" if re.search("issuer|self-signed", detail) else text)
        if "CERTIFICATE_VERIFY_FAILED" in detail or isinstance(error, httpx.LocalProtocolError | httpx.InvalidURL):
            made.retry = Retry.NEVER
        if isinstance(error, httpx.ProxyError) and str(error).startswith("407"):
            made.retry = Retry.NEVER  # every further try with a wrong password brings the account nearer to its lock
        return made


class _Names:
    """The look-ups of one pool: shared by all requests while they are under way, and kept for a minute."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._lookups: dict[str, asyncio.Task[tuple[float, list[str]]]] = {}

    @property
    def pending(self) -> list[str]:
        """The names that requests wait for."""
        return sorted(host for host, lookup in self._lookups.items() if not lookup.done())

    async def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host, the one to try first in front. Raises `OSError`."""
        lookup = self._lookups.get(host)
        if lookup is None or (lookup.done() and lookup.result()[0] < _now() - _ADDRESSES_LAST):
            lookup = self._lookups[host] = asyncio.create_task(self._look_up(host, port))
            lookup.add_done_callback(lambda ended: self._settle(host, ended))
        if not lookup.done():
            await asyncio.wait({lookup}, timeout=_CONNECT_TIMEOUT)
        if not lookup.done():
            raise TimeoutError(f"the address of {host} was not found within {_CONNECT_TIMEOUT:g} s (DNS)")
        return lookup.result()[1]

    def forget(self, host: str) -> None:
        """Look it up again for the next request: none of its addresses could be connected to."""
        self._lookups.pop(host, None)

    def cancel(self) -> None:
        """Wait for no look-up any more."""
        for lookup in list(self._lookups.values()):
            lookup.cancel()

    async def _look_up(self, host: str, port: int) -> tuple[float, list[str]]:
        addresses = await self._resolver(host, port)
        return _now(), addresses

    def _settle(self, host: str, lookup: "asyncio.Task[tuple[float, list[str]]]") -> None:
        if lookup.cancelled() or lookup.exception():  # where nobody waits for it any more, it is no news
            self.forget(host)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _content(response: httpx.Response) -> bytes:
    """The body. httpx's own way takes a tenth of all CPU of a request; it is left to what came compressed, unasked."""
    if "content-encoding" in response.headers or not isinstance(response.stream, httpx.AsyncByteStream):
        return await response.aread()
    return b"".join([chunk async for chunk in response.stream])


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@cache  # it takes 20 ms to load
def _tls_context(file: str | None, folder: str | None) -> ssl.SSLContext:
    """For the authorities that the environment names. Raises `InputError`."""
    if file is None and folder is not None and not Path(folder).is_dir():
        raise InputError(ValidationIssue("SSL_CERT_DIR", "must be a folder of certificates", folder))
    try:
        if file is not None:
            Path(file).stat()  # httpx 0.27 passes over a file that is not there
        return httpx.create_ssl_context()
    except OSError as error:  # ssl.SSLError is one
        rule = f"must be a readable file of certificates (PEM): {error.strerror or error}"
        raise InputError(ValidationIssue("SSL_CERT_FILE", rule, file or "")) from None
