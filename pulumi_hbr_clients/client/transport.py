"""Connections, one a lane: a request takes a free lane and gives it back when its answer is read.

The only importer of httpx. Its pool (httpcore 1.0.9) looks at every connection's socket whenever a request comes or
goes, so sixteen in one pool cost a third of all CPU of a large list. A pool of one has nothing to look at. How many
lanes there are is how many requests the caller has under way at once. Lanes are httpx's transports without its client,
which would add cookies, redirects and authentication: a signed request must have none of them, and they cost 0.15 ms.
"""

import os
import re
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Protocol
from urllib.request import getproxies, proxy_bypass

import httpx

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.model.errors import InputError, Retry, TransportError, ValidationIssue
from pulumi_hbr_clients.protocol.codec import HttpResponse
from pulumi_hbr_clients.protocol.endpoints import is_loopback

_AGENT: Final = {"user-agent": f"pulumi-hbr-clients/{__version__}"}
_AUTHORITIES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_AUTHORITY: Final = "A company's own authority is named by the environment variable SSL_CERT_FILE"
_LIMITS: Final = {"timeout": httpx.Timeout(10.0, connect=5.0).as_dict()}  # as the official SDK


class Transport(Protocol):
    """Sends requests. `ConnectionPool` does it over HTTP, the emulator's in-memory transport without a socket."""

    async def post(self, query: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """Send one POST to the endpoint's `/?query`. Raises `TransportError` when there is no response."""

    async def aclose(self) -> None:
        """Release what it holds."""


class ConnectionPool:
    """The connections to one endpoint."""

    def __init__(self, endpoint: str) -> None:
        """No lane yet."""
        self.endpoint = endpoint
        self._free: list[httpx.AsyncHTTPTransport] = []

    async def post(self, query: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """Send on a free lane, the one that was used last. Raises `TransportError`."""
        request = httpx.Request(
            "POST", f"{self.endpoint}/?{query}", headers={**headers, **_AGENT}, content=body, extensions=_LIMITS
        )
        lane = self._free.pop() if self._free else _open(self.endpoint)
        try:
            return await _exchange(lane, request)
        except httpx.HTTPError as error:
            raise self._error(error) from None
        finally:
            self._free.append(lane)

    async def aclose(self) -> None:
        """Close all lanes."""
        while self._free:
            await self._free.pop().aclose()

    def _error(self, error: httpx.HTTPError) -> TransportError:
        detail = f": {error}" if str(error) else ""
        text = f"no answer from {self.endpoint} ({type(error).__name__}{detail})"
        made = TransportError(f"{text}. {_AUTHORITY}" if re.search("issuer|self-signed", detail) else text)
        if "CERTIFICATE_VERIFY_FAILED" in detail:
            made.retry = Retry.NEVER
        return made


async def _exchange(lane: httpx.AsyncHTTPTransport, request: httpx.Request) -> HttpResponse:
    response = await lane.handle_async_request(request)
    try:
        body = await response.aread()
    finally:
        await response.aclose()
    return HttpResponse(response.status_code, response.headers, body)


def _open(endpoint: str) -> httpx.AsyncHTTPTransport:
    url = httpx.URL(endpoint)
    if url.scheme == "http" and is_loopback(url.host):  # no certificate to check, and no proxy has a way here
        return httpx.AsyncHTTPTransport(verify=False)
    proxy = _proxy(url.scheme, url.host)
    try:
        return httpx.AsyncHTTPTransport(verify=_certificates(*map(os.environ.get, _AUTHORITIES)), proxy=proxy)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise InputError(_unusable(url.scheme, proxy, error)) from None


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy for this, as the standard library finds it: HTTPS_PROXY, ALL_PROXY, NO_PROXY or the system's own."""
    proxies = {} if proxy_bypass(host) else getproxies()
    found = proxies.get(scheme) or proxies.get("all")
    return found if not found or "://" in found else f"http://{found}"


def _unusable(scheme: str, proxy: str | None, error: Exception) -> ValidationIssue:
    """Names the kind of proxy and nothing else of it: its address may hold a password."""
    kind = (proxy or "").partition("://")[0]
    socks = ", or socks5:// with the package httpx[socks] installed" if isinstance(error, ImportError) else ""
    return ValidationIssue(f"{scheme.upper()}_PROXY or ALL_PROXY", f"must be http:// or https://{socks}", f"{kind}://…")


@lru_cache(maxsize=4)
def _certificates(*_authorities: str | None) -> ssl.SSLContext:
    """One for all lanes of a process that trusts these: it takes 20 ms to load."""
    return httpx.create_ssl_context()
