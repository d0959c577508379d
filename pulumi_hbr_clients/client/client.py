"""`HbrClient`: a query → all its pages → one list, under one deadline.

    arguments → Query → session of its endpoint → Paginator ⇄ pages → ClientList

Requests, retries and credentials are `client.session`'s; which pages are needed and when the list is complete is
`protocol.paginator`'s.
"""

import asyncio
import copy
import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from pulumi_hbr_clients.client.clock import Clock
from pulumi_hbr_clients.client.credentials import CredentialSource, credential_source
from pulumi_hbr_clients.client.reading import Reading
from pulumi_hbr_clients.client.session import SILENT, EndpointSession, Observer, RetryPolicy
from pulumi_hbr_clients.client.settings import ResolvedSettings, Settings
from pulumi_hbr_clients.client.shared import SHARED, ConcurrencyLimit, PerEventLoop
from pulumi_hbr_clients.client.transport import ConnectionPool, Transport
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.configuration import AssumeRole, Config, no_config
from pulumi_hbr_clients.model.errors import (
    DeadlineError,
    IncompleteListError,
    InputError,
    ValidationIssue,
)
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol import codec
from pulumi_hbr_clients.protocol.endpoints import is_loopback
from pulumi_hbr_clients.protocol.paginator import Paginator
from pulumi_hbr_clients.protocol.signing import Credentials

TIMEOUT: Final = 300.0
"""Seconds for a whole query: two passes over 1,000 pages at 10 a second need 200."""
CONCURRENCY: Final = 64
"""Requests of one client in flight at most. The account's own limit is the rate limiter's."""
SYSTEM_CLOCK: Final = Clock()
RETRY_POLICY: Final = RetryPolicy()
_log: Final = logging.getLogger("pulumi_hbr_clients")


class HbrClient:
    """Lists backup clients. Use it as an async context manager; one client serves many queries at once.

    Args:
        region, endpoint, network, profile: win over `config`, the environment and the Alibaba CLI's profile.
        assume_role: the RAM role to assume, a map with `role_arn`.
        credentials: what to sign with, or a source of credentials. Without it the settings say whose to use.
        config: Pulumi's config, by full key.
        timeout: seconds for a whole query; a query's own `timeout` wins.
        concurrency: requests under way at once, at most, for all queries of this client together.
        transport: makes the transport for an endpoint; HTTP without it.
        clock: where time is read from.
        retry_policy: how often a request is tried, and the delays.

    Raises:
        InputError: `timeout` or `concurrency` is not positive.
    """

    def __init__(  # noqa: PLR0913  keywords, each a setting of its own
        self,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        network: str | None = None,
        profile: str | None = None,
        assume_role: Mapping[str, Any] | AssumeRole | None = None,
        credentials: Credentials | CredentialSource | None = None,
        config: Config = no_config,
        timeout: float = TIMEOUT,
        concurrency: int = CONCURRENCY,
        transport: Callable[[str], Transport] = ConnectionPool,
        clock: Clock = SYSTEM_CLOCK,
        retry_policy: RetryPolicy = RETRY_POLICY,
    ) -> None:
        """Send nothing yet."""
        if not timeout > 0:
            raise InputError(ValidationIssue("timeout", "must be more than 0 seconds", repr(timeout)))
        if concurrency < 1:
            raise InputError(ValidationIssue("concurrency", "must be 1 or more requests at once", repr(concurrency)))
        self._arguments: dict[str, Any] = {
            "region": region,
            "endpoint": endpoint,
            "network": network,
            "profile": profile,
            "assume_role": assume_role,
            "credentials": credentials,
        }
        self._config = config
        self.timeout, self.clock = timeout, clock
        self._transport, self._retry_policy, self._concurrency = transport, retry_policy, concurrency
        self._loops = PerEventLoop(self._new_loop)

    def with_options(self, *, timeout: float | None = None) -> Self:
        """Return a copy with the same settings, credentials, transport and clock, and connections of its own."""
        made = copy.copy(self)
        made.timeout = timeout or self.timeout
        made._loops = PerEventLoop(made._new_loop)  # noqa: SLF001  its own class
        return made

    async def __aenter__(self) -> Self:
        """Connections are opened when needed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections that were opened on this event loop."""
        here = self._loops.pop()
        for session in here.sessions.values() if here else ():
            await session.aclose()

    async def list_backup_clients(  # noqa: PLR0913  the arguments of `Query`; a test holds the two together
        self,
        *,
        client_type: str,
        cluster_id: str | None = None,
        client_ids: Iterable[str] | None = None,
        instance_ids: Iterable[str] | None = None,
        tags: Mapping[str, str | None] | Iterable[Mapping[str, str]] | None = None,
        filters: Mapping[str, Iterable[str]] | Iterable[Mapping[str, Any]] | None = None,
        cross_account_type: str | None = None,
        cross_account_user_id: int | str | None = None,
        cross_account_role_name: str | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        statuses: Iterable[str] | None = None,
        backup_statuses: Iterable[str] | None = None,
        zone_ids: Iterable[str] | None = None,
        os_types: Iterable[str] | None = None,
        outdated: bool | None = None,
        fields: Iterable[str] | None = None,
        include_heartbeats: bool | None = None,
        include_proxy_passwords: bool | None = None,
        consistency: str | None = None,
        allow_incomplete: bool | None = None,
        timeout: float | str | None = None,  # noqa: ASYNC109  of the whole query, part of its arguments
        region: str | None = None,
        endpoint: str | None = None,
        profile: str | None = None,
        assume_role: Mapping[str, Any] | None = None,
    ) -> ClientList:
        """List the clients that match. Arguments, result and errors are those of `get_backup_clients`.

        `timeout` wins over the client's own. Clients keep every field: `fields` and `include_heartbeats` act where a
        list is shown or stored.
        """
        arguments = {name: value for name, value in locals().items() if name != "self"}
        return await self.list(queries.parse(arguments))

    async def list(self, query: Query, observer: Observer = SILENT) -> ClientList:
        """Return the clients that match a validated query. The observer is called meanwhile.

        Raises as `list_backup_clients`.
        """
        paginator = await self.fetch(query, observer)
        found = paginator.result(query)
        if not (found.complete or query.allow_incomplete or query.is_single_page()):
            raise IncompleteListError(paginator.incomplete_text(), found)
        return found

    async def fetch(self, query: Query, observer: Observer = SILENT) -> Paginator:
        """Read all pages; `result(query)` of what is returned serves this query and any narrower one.

        Equal queries at the same time on one event loop are sent once, also those of several clients; each keeps its
        own timeout. Raises as `list_backup_clients`, but an incomplete list is no error.
        """
        settings = self.resolve(query)
        session = self._session(settings)
        request = codec.encode_request(query, codec.PageRequest(), session.target.host)
        key = (
            *(session.target, settings.account, self._transport, self.clock),
            *(request.query, request.body, query.consistency, query.include_proxy_passwords),
        )
        paginator = Paginator(query, region=settings.region.value, profile=settings.profile)
        reading = SHARED.reading(key, lambda: Reading(session, paginator, self.clock))
        return await reading.join(query.timeout or self.timeout, observer)

    async def regions(self, query: Query) -> tuple[str, ...]:
        """Return the ids of the regions of Cloud Backup, from the endpoint of a query (hbr:DescribeRegions).

        Raises as `list_backup_clients`, except `IncompleteListError`.
        """
        session, timeout = self._session(self.resolve(query)), query.timeout or self.timeout
        try:
            async with asyncio.timeout(timeout), session.in_use():
                return await session.regions()
        except TimeoutError:
            raise DeadlineError(f"no list of regions within {timeout:g} s") from None

    def resolve(self, query: Query) -> ResolvedSettings:
        """Return where a query is sent and who signs it: its own arguments, this client's, then the settings.

        Raises:
            InputError: a region, endpoint or network that cannot be, or no region anywhere.
            CredentialsError: half a source of credentials, one that cannot be read, or none.
        """
        names = ("region", "endpoint", "profile", "assume_role")
        own = {name: value for name in names if (value := getattr(query, name)) is not None}
        of_client = {**self._arguments, "credentials": None} if query.profile is not None else self._arguments
        return Settings(self._config, {**of_client, **own}).resolve()

    def _new_loop(self) -> "_OnLoop":
        return _OnLoop(ConcurrencyLimit(lambda: self._concurrency))

    def _session(self, settings: ResolvedSettings) -> EndpointSession:
        """The session for these settings on the running event loop, opened when it is first needed."""
        here, key = self._loops.get(), (settings.target, settings.account)
        if key in here.sessions:
            return here.sessions[key]
        for warning in settings.warnings:
            _log.warning(warning)
        target = settings.target
        # an emulator has limits of its own; a region's public and VPC endpoints share the account's
        local = target.endpoint if is_loopback(target.host.rpartition(":")[0].strip("[]")) else None
        limiter, in_flight = SHARED.limits(self.clock, settings.account, target.region, local)
        here.sessions[key] = EndpointSession(
            target,
            credential_source(settings),
            self._transport(target.endpoint),
            clock=self.clock,
            limiter=limiter,
            slots=here.slots,
            in_flight=in_flight,
            policy=self._retry_policy,
        )
        return here.sessions[key]


@dataclass(frozen=True, slots=True)
class _OnLoop:
    """A client's sessions on one event loop. It may be used on several, one after the other or in threads."""

    slots: ConcurrencyLimit
    sessions: dict[Hashable, EndpointSession] = field(default_factory=dict)
