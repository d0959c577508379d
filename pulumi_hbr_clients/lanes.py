"""Connections, one a lane: a request takes a free lane and gives it back when its answer is read.

httpcore's pool looks at every connection's socket whenever a request comes or goes, so sixteen in one pool cost a
third of all CPU of a large list (httpcore 1.0.9). A pool of one has nothing to look at. How many lanes there are is
how many requests the caller has under way at once.
"""

import ssl
from collections.abc import AsyncIterator

import httpx


class Lanes(httpx.AsyncBaseTransport):
    """A transport of transports with one connection each."""

    def __init__(self, verify: ssl.SSLContext | bool) -> None:  # noqa: FBT001  httpx's own word
        """No lane yet."""
        self._verify = verify
        self._free: list[httpx.AsyncHTTPTransport] = []
        self._all: list[httpx.AsyncHTTPTransport] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send on a free lane, the one that was used last."""
        lane = self._free.pop() if self._free else self._open()
        try:
            response = await lane.handle_async_request(request)
        except BaseException:
            self._free.append(lane)
            raise
        stream = _Returning(response.stream, lane, self._free)
        return httpx.Response(
            response.status_code, headers=response.headers, stream=stream, extensions=response.extensions
        )

    async def aclose(self) -> None:
        """Close all lanes."""
        lanes, self._all, self._free = self._all, [], []
        for lane in lanes:
            await lane.aclose()

    def _open(self) -> httpx.AsyncHTTPTransport:
        lane = httpx.AsyncHTTPTransport(verify=self._verify, limits=httpx.Limits(max_connections=1))
        self._all.append(lane)
        return lane


class _Returning(httpx.AsyncByteStream):
    """An answer's body, which gives its lane back when it is closed."""

    def __init__(self, stream: object, lane: httpx.AsyncHTTPTransport, free: list[httpx.AsyncHTTPTransport]) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101  what an asynchronous transport gives
        self._stream, self._lane, self._free = stream, lane, free

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        """Close the body, free the lane."""
        await self._stream.aclose()
        self._free.append(self._lane)
