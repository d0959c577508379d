"""The requests to one endpoint: sign, send, retry.

    PageRequest → signed request → transport → response → Page, or the error that ends it

What may be repeated stands on the error (`HbrError.retry`), how long to hold back is `protocol.rate_limiter`'s.
"""

import asyncio
import json
import logging
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote, quote_plus

from pulumi_hbr_clients.client.clock import Clock
from pulumi_hbr_clients.client.credentials import CredentialSource
from pulumi_hbr_clients.client.shared import ConcurrencyLimit
from pulumi_hbr_clients.client.transport import Transport
from pulumi_hbr_clients.model.errors import (
    ONCE,
    HbrError,
    Retry,
    ServiceError,
    ThrottledError,
    TransportError,
)
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol import codec
from pulumi_hbr_clients.protocol.decoder import Decoder, Page
from pulumi_hbr_clients.protocol.endpoints import Target
from pulumi_hbr_clients.protocol.rate_limiter import RateLimiter
from pulumi_hbr_clients.protocol.signing import DATE_FORMAT, Credentials, Request, canonical_query, sign

_log = logging.getLogger("pulumi_hbr_clients")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is tried, and the delays between tries, in seconds."""

    attempts: int = 8
    """Tries of one page. Throttled ones do not count: the deadline alone ends those."""
    first_delay: float = 0.2
    """The longest first delay; it doubles with every try. The delay is a random part of it."""
    max_delay: float = 10.0

    def delay(self, error: HbrError, attempt: int) -> float:
        """Seconds to wait after this failed try, counted from 1. Throttling is waited out by the rate limiter."""
        if error.retry in _AT_ONCE:
            return 0.0
        if error.retry_after is not None:
            return error.retry_after
        longest = min(self.max_delay, self.first_delay * 2.0 ** min(attempt - 1, 30))
        return random.uniform(0, longest)  # noqa: S311  jitter, not a secret


_AT_ONCE: Final = frozenset({Retry.SLOW_DOWN, Retry.NEW_NONCE, Retry.SET_CLOCK, Retry.NEW_KEYS})


@dataclass(frozen=True, slots=True)
class RetryDetails:
    """A failed try that is repeated."""

    error: HbrError
    attempt: int
    """Which try failed, from 1, not counting throttled ones."""
    attempts: int
    """How many there may be."""
    delay: float
    """Seconds until the next try."""


class Observer:
    """What is called while a query is under way. A subclass overrides what it is interested in."""

    def on_page(self, read: int, total: int) -> None:
        """A page came: the clients read so far in this pass over the list, and the total that the service named."""

    def on_retry(self, details: RetryDetails) -> None:
        """A try failed, and the request is repeated."""

    def on_wait(self, seconds: float) -> None:
        """Requests wait for the account's limit this long, a second at least."""


SILENT: Final = Observer()
NOTABLE_WAIT: Final = 1.0
"""Seconds: a shorter wait for the account's limit is not reported."""
T = TypeVar("T")


class EndpointSession:
    """One endpoint as one caller: its transport, credentials and clock offset. Belongs to one event loop."""

    def __init__(  # noqa: PLR0913  each is a part that a test replaces
        self,
        target: Target,
        source: CredentialSource,
        transport: Transport,
        *,
        clock: Clock,
        limiter: RateLimiter,
        slots: ConcurrencyLimit,
        in_flight: ConcurrencyLimit,
        policy: RetryPolicy,
    ) -> None:
        """Send nothing yet."""
        self.target, self.source, self.transport = target, source, transport
        self.slots, self._in_flight = slots, in_flight
        self._clock, self._limiter, self._policy = clock, limiter, policy
        self._fetching = 0
        self._renewal = asyncio.Lock()
        self._clock_offset = 0.0
        self._users, self._is_closed = 0, False

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """Keep the transport open until this ends, even if the session is closed meanwhile."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if self._is_closed and not self._users:
                await self.transport.aclose()

    async def aclose(self) -> None:
        """Close the transport, now or when its last user has finished."""
        self._is_closed = True
        if not self._users:
            await self.transport.aclose()

    @property
    def waiting_for(self) -> str | None:
        """What blocks this session outside the service: a source of credentials, or a DNS look-up."""
        if self._fetching:
            return f"credentials from {self.source.label}"
        found: str | None = getattr(self.transport, "waiting_for", None)  # only transports that look up names have it
        return found

    async def page(self, query: Query, page: codec.PageRequest, *, known: AbstractSet[str], observer: Observer) -> Page:
        """Return one page, trying again as its errors allow.

        Args:
            query: what to list.
            page: which page of it.
            known: identities of clients whose records are not needed again.
            observer: called on retries and waits.

        Raises:
            HbrError: the error of the last try.
        """
        return await self._call(
            codec.encode_request(query, page, self.target.host),
            lambda decoder, response: decoder.page(response, known=known, passwords=query.include_proxy_passwords),
            observer,
        )

    async def regions(self) -> tuple[str, ...]:
        """Return the ids of the regions of the service. Raises as `page`."""
        return await self._call(codec.regions_request(self.target.host), Decoder.regions, SILENT)

    async def _call(
        self, request: Request, decode: Callable[[Decoder, codec.HttpResponse], T], observer: Observer
    ) -> T:
        """Send until a response can be decoded, or an error may not be retried."""
        attempt, used = 0, set[Retry]()
        credentials: Credentials | None = None
        while True:
            try:
                await self._turn(observer)
                credentials = await self._fetch(None)
                async with self.slots, self._in_flight:
                    if self._limiter.delay(sent_at := self._clock.monotonic()) > 0:
                        continue  # throttled while this one waited for its place
                    self._limiter.on_send(sent_at)
                    return await self._send(request, credentials, decode, sent_at)
            except HbrError as error:
                _log.debug("%s: %s", self.target.endpoint, error)
                if not isinstance(error, ThrottledError):  # the limiter holds those back, and the deadline ends them
                    attempt += 1
                    if not self._may_retry(error, attempt, used):
                        raise
                delay = self._policy.delay(error, attempt)
                observer.on_retry(RetryDetails(error, attempt, self._policy.attempts, delay))
                await self._prepare_retry(error, credentials)
            await self._clock.sleep(delay)

    async def _turn(self, observer: Observer) -> None:
        """Wait until the rate limiter lets a request go."""
        while (wait := self._limiter.delay(self._clock.monotonic())) > 0:
            if wait >= NOTABLE_WAIT:
                observer.on_wait(wait)
            await self._clock.sleep(wait)

    async def _send(
        self,
        request: Request,
        credentials: Credentials,
        decode: Callable[[Decoder, codec.HttpResponse], T],
        sent_at: float,
    ) -> T:
        """Send once, and let the rate limiter learn from the response before another request takes its place."""
        date = time.strftime(DATE_FORMAT, time.gmtime(self._clock.time() + self._clock_offset))
        headers = sign(request, credentials, date=date, nonce=secrets.token_hex(16))

        def redact(text: str) -> str:
            return _redacted(text, credentials, headers["Authorization"])

        try:
            response = await self.transport.post(canonical_query(request.query), request.body, headers)
            answered_at = self._clock.monotonic()
            found = decode(Decoder(self.target.host, self.target.region, redact), response)
        except TransportError as error:
            error.args = tuple(redact(str(each)) for each in error.args)
            raise
        except ThrottledError as error:
            self._limiter.on_throttled(self._clock.monotonic(), sent_at, error.retry_after)
            raise
        except ServiceError as error:
            self._limiter.on_success(self._clock.monotonic(), sent_at)
            if error.code == "InvalidAccessKeyId.NotFound" and credentials.security_token:
                error.retry = Retry.NEW_KEYS  # KMS's documentation: an expired token may also show as this
            raise
        self._limiter.on_success(answered_at, sent_at)
        return found

    def _may_retry(self, error: HbrError, attempt: int, used: set[Retry]) -> bool:
        if error.retry is Retry.NEW_KEYS and error.retry in used:
            error.retry = Retry.NEVER  # the new ones were refused too: nothing is left to try, here or in a later poll
        if error.retry is Retry.NEVER or error.retry in used or attempt >= self._policy.attempts:
            return False
        if error.retry in ONCE:
            used.add(error.retry)
        return True

    async def _prepare_retry(self, error: HbrError, credentials: Credentials | None) -> None:
        """Refresh the credentials or correct the clock, as the error requires."""
        if error.retry is Retry.NEW_KEYS:
            await self._fetch(credentials)
        elif error.retry is Retry.SET_CLOCK and error.server_time is not None:
            self._clock_offset = error.server_time - self._clock.time()

    async def _fetch(self, expired: Credentials | None) -> Credentials:
        """Fetch credentials; renew them once for all requests that found the same ones expired.

        The source keeps them and renews them before they end, so they are asked for with every request.
        """
        self._fetching += 1
        try:
            credentials = await self.source.credentials()
            if credentials == expired:
                async with self._renewal:
                    if (credentials := await self.source.credentials()) == expired:
                        credentials = await self.source.credentials(renew=True)
            return credentials
        finally:
            self._fetching -= 1


def _redacted(text: str, credentials: Credentials, authorization: str) -> str:
    """The text without the request's secrets, plain, quoted or escaped. Some refusals quote the signed request."""
    shown = {
        credentials.access_key_id: f"***{credentials.access_key_id[-4:]}",
        credentials.access_key_secret: "***",
        credentials.security_token or "": "***",
        authorization.rpartition("=")[2]: "***",
    }
    for secret, replacement in shown.items():
        # as it stands in a text, in a URL, in Python's and in JSON's quotes; what is signed with is ASCII
        forms = {secret, quote(secret), quote_plus(secret), repr(secret)[1:-1], json.dumps(secret)[1:-1]}
        for form in sorted(filter(None, forms), key=len, reverse=True):
            text = text.replace(form, replacement)
    return text
