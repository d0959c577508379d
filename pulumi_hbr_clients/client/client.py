"""The conversation: signs, retries and fans out, over `lanes`.

    arguments → Query, Target, Keys → Listing asks → signed request → Answer → Page → Listing → ClientList

All waiting happens here, under one deadline for the whole query. What may be retried stands on the error; how
fast to ask is `protocol.rate_limiter`; which pages are needed is `protocol.paginator`.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from typing import Any, Final, Self, Unpack, cast

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from pulumi_hbr_clients.client.credentials import CredentialSource, StaticCredentials, credential_source
from pulumi_hbr_clients.client.settings import Config, Settings, no_config
from pulumi_hbr_clients.client.single_flight import once
from pulumi_hbr_clients.client.transport import ConnectionPool
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.backup_client import ClientList
from pulumi_hbr_clients.model.errors import (
    ONCE,
    DeadlineError,
    HbrError,
    Retry,
    ThrottledError,
)
from pulumi_hbr_clients.model.query import Query, QueryArgs
from pulumi_hbr_clients.protocol import codec as wire
from pulumi_hbr_clients.protocol.endpoints import Target
from pulumi_hbr_clients.protocol.paginator import Paginator
from pulumi_hbr_clients.protocol.rate_limiter import RateLimiter
from pulumi_hbr_clients.protocol.signing import DATE_FORMAT, Credentials, Request, canonical_query, sign

TIMEOUT: Final = 300.0
"""Seconds for a whole query: 1,000 pages at 20 a second need 50."""
CONCURRENCY: Final = 16
"""Requests at once: 100 pages of 100 ms in 0.7 s. With 24 a limit of 20 a second throttles more than one in twenty."""
ATTEMPTS: Final = 8
"""Tries of one page, not counting throttled ones, which the deadline alone ends."""
_BACK_OFF: Final = wait_random_exponential(multiplier=0.2, max=10)
_log = logging.getLogger("pulumi_hbr_clients")

Progress = Callable[[int, int], None]
"""Called with clients read so far and the total the service named."""


class HbrClient:
    """Lists backup clients. Use it as an async context manager; one client serves many queries at once.

    `region`, `endpoint`, `network` and `profile` win over `config` (Pulumi's, by full key), the environment and the
    Alibaba CLI's profile. `timeout` is in seconds, for a whole query.
    """

    def __init__(  # noqa: PLR0913  keywords, each a setting of its own
        self,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        network: str | None = None,
        profile: str | None = None,
        keys: Credentials | None = None,
        config: Config = no_config,
        timeout: float = TIMEOUT,
        concurrency: int = CONCURRENCY,
    ) -> None:
        """Send nothing yet. Raises `CredentialsError` if the settings name half a key."""
        arguments = {"region": region, "endpoint": endpoint, "network": network, "profile": profile}
        self.settings = Settings(config, {k: v for k, v in arguments.items() if v is not None})
        self.source: CredentialSource = StaticCredentials(keys) if keys else credential_source(self.settings)
        self.timeout, self.concurrency = timeout, concurrency
        self._lines: dict[Target, _Line] = {}

    def again(self, *, timeout: float) -> "HbrClient":
        """Another client of the same settings and keys, with connections of its own."""
        made = HbrClient(config=self.settings.config, timeout=timeout, concurrency=self.concurrency)
        made.settings, made.source = self.settings, self.source
        return made

    async def __aenter__(self) -> Self:
        """Connections are opened when needed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        lines, self._lines = self._lines, {}
        for line in lines.values():
            await line.lanes.aclose()

    async def list_backup_clients(self, **arguments: Unpack[QueryArgs]) -> ClientList:
        """The clients that match, whole or marked as incomplete.

        Raises `InputError` before anything is sent, `ServiceError`, `TransportError`, `InvalidResponseError`.
        """
        return await self.ask(cast("Query", queries.parse(arguments)))

    async def ask(self, query: Query, progress: Progress | None = None) -> ClientList:
        """The clients that match a validated query."""
        listing = await self.read(query, progress)
        return listing.result(query)

    async def read(self, query: Query, progress: Progress | None = None) -> Paginator:
        """All that the service has to say on a query; `result` of it serves any narrower one."""
        target = self.target(query)
        sent = query.sent()
        return await once((target, self.source.identity, sent), lambda: self._read(target, sent, progress))

    def target(self, query: Query) -> Target:
        """Which account, region and address a query speaks to. Raises `InputError`."""
        own = {"region": query.region, "endpoint": query.endpoint}
        arguments = {**self.settings.arguments, **{k: v for k, v in own.items() if v is not None}}
        layers = Settings(self.settings.config, arguments, self.settings.environment)
        return layers.target(self.source.label)

    async def _read(self, target: Target, query: Query, progress: Progress | None) -> Paginator:
        if target not in self._lines:
            self._lines[target] = _Line(target, self.source)
        line = self._lines[target]
        listing = Paginator(query)
        try:
            async with asyncio.timeout(self.timeout):
                while asks := listing.asks():
                    await self._round(line, listing, asks, progress)
        except TimeoutError:
            raise _too_late(self.timeout, listing, line.last_error) from line.last_error
        return listing

    async def _round(
        self, line: "_Line", listing: Paginator, asks: Iterable[wire.PageRequest], progress: Progress | None
    ) -> None:
        asks = list(asks)
        waiting = iter(asks)

        async def work() -> None:
            for ask in waiting:
                page = await line.page(listing.query, ask)
                listing.take(ask, page)
                if progress:
                    progress(len(page.clients), page.total)

        await _all(work for _ in range(min(self.concurrency, len(asks))))


class _Line:
    """The line to one target: connections, keys, clock and pace."""

    def __init__(self, target: Target, source: CredentialSource) -> None:
        self.target, self.source = target, source
        self.pace = _pace(target)
        self.lanes = ConnectionPool(target.endpoint)
        self.last_error: HbrError | None = None
        self._keys: Credentials | None = None
        self._renewing = asyncio.Lock()
        self._clock_offset = 0.0

    async def page(self, query: Query, ask: wire.PageRequest) -> wire.Page:
        """One page, tried again as its errors allow."""
        request = wire.request(query, ask, self.target.host)
        used: set[Retry] = set()
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(lambda error: _may_retry(error, used)),
            wait=_pause,
            stop=_is_enough,
            sleep=asyncio.sleep,
            reraise=True,
        ):
            with attempt:
                return await self._try(request, passwords=query.include_proxy_passwords)
        raise AssertionError  # tenacity returns or raises

    async def _try(self, request: Request, *, passwords: bool) -> wire.Page:
        while (wait := self.pace.wait(time.monotonic())) > 0:  # noqa: ASYNC110  a time, not an event
            await asyncio.sleep(wait)
        keys = self._keys or await self._renew(None)  # now: some live for seconds
        sent_at = time.monotonic()
        self.pace.sending(sent_at)
        try:
            answer, redact = await self._send(request, keys)
            return wire.page(answer, region=self.target.region, redact=redact, passwords=passwords)
        except HbrError as error:
            self.last_error = error
            await self._heed(error, sent_at, keys)
            raise

    async def _send(self, request: Request, keys: Credentials) -> tuple[wire.HttpResponse, Callable[[str], str]]:
        """The answer, and what hides this request's secrets in its texts."""
        date = time.strftime(DATE_FORMAT, time.gmtime(time.time() + self._clock_offset))
        headers = sign(request, keys, date=date, nonce=secrets.token_hex(16))
        answer = await self.lanes.post(canonical_query(request.query), request.body, headers)
        return answer, _redactor(keys, headers["Authorization"])

    async def _heed(self, error: HbrError, sent_at: float, keys: Credentials) -> None:
        """What an error asks for, besides trying again."""
        _log.debug("%s: %s", self.target.endpoint, error)
        if error.retry is Retry.SLOW_DOWN:
            self.pace.throttled(time.monotonic(), sent_at, error.retry_after)
        elif error.retry is Retry.NEW_KEYS:
            await self._renew(keys)
        elif error.retry is Retry.SET_CLOCK and error.server_time is not None:
            self._clock_offset = error.server_time - time.time()

    async def _renew(self, expired: Credentials | None) -> Credentials:
        """Fetch keys, once for all requests that found the same ones expired."""
        async with self._renewing:
            if self._keys is None or self._keys is expired:
                self._keys = await self.source.keys(renew=expired is not None)
            return self._keys


@lru_cache(maxsize=64)
def _pace(_target: Target) -> RateLimiter:
    """One for all clients of a process: the service's limit is the account's."""
    return RateLimiter()


def _may_retry(error: BaseException, used: set[Retry]) -> bool:
    if not isinstance(error, HbrError) or error.retry is Retry.NEVER or error.retry in used:
        return False
    if error.retry in ONCE:
        used.add(error.retry)
    return True


def _pause(state: RetryCallState) -> float:
    """Seconds before the next try. Throttling is waited out by the pace, for all requests together."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, ThrottledError) or (isinstance(error, HbrError) and error.retry in ONCE):
        return 0.0
    asked = error.retry_after if isinstance(error, HbrError) else None
    return asked if asked is not None else _BACK_OFF(state)


def _is_enough(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return state.attempt_number >= ATTEMPTS and not isinstance(error, ThrottledError)


def _redactor(keys: Credentials, authorization: str) -> Callable[[str], str]:
    """Some refusals quote the signed request, security token and all."""
    hidden = [keys.access_key_secret, keys.security_token, authorization.rpartition("=")[2]]

    def redact(text: str) -> str:
        for secret in filter(None, hidden):
            text = text.replace(secret, "***")
        return text.replace(keys.access_key_id, f"***{keys.access_key_id[-4:]}")

    return redact


def _too_late(timeout: float, listing: Paginator, last: HbrError | None) -> DeadlineError:
    text = f"no complete list within {timeout:g} s ({listing.request_count} pages asked for)"
    return DeadlineError(f"{text}; last error: {last}" if last else text)


async def _all(works: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Run together; the first error ends all and comes out by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(cast("Any", work()))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
