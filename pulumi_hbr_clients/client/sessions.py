"""The sessions of one client: one for each event loop, endpoint and caller, opened when first used."""

import asyncio
import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

from pulumi_hbr_clients.client.clock import Clock
from pulumi_hbr_clients.client.credentials import credential_source
from pulumi_hbr_clients.client.limits import ConcurrencyLimit, in_flight, rate_limiter
from pulumi_hbr_clients.client.session import EndpointSession, RetryPolicy
from pulumi_hbr_clients.client.settings import ResolvedSettings
from pulumi_hbr_clients.client.transport import Transport
from pulumi_hbr_clients.protocol.endpoints import is_loopback

_log: Final = logging.getLogger("pulumi_hbr_clients")


@dataclass(frozen=True, slots=True)
class _Loop:
    """What belongs to one event loop: a client may be used on several, one after the other or in threads."""

    slots: ConcurrencyLimit
    sessions: dict[Hashable, EndpointSession] = field(default_factory=dict)


@dataclass(frozen=True)
class Sessions:
    """Opens sessions with these seams, and closes them."""

    transport: Callable[[str], Transport]
    clock: Clock
    policy: RetryPolicy
    concurrency: int
    """Requests under way at once on one event loop, at most, for all sessions together."""
    _loops: dict[asyncio.AbstractEventLoop, _Loop] = field(default_factory=dict)

    def get(self, settings: ResolvedSettings) -> EndpointSession:
        """The session for these settings on the running event loop."""
        for closed in [loop for loop in self._loops if loop.is_closed()]:
            del self._loops[closed]
        here = asyncio.get_running_loop()
        if here not in self._loops:
            self._loops[here] = _Loop(ConcurrencyLimit(lambda: self.concurrency))
        sessions, key = self._loops[here].sessions, (settings.target, settings.account)
        if key not in sessions:
            for warning in settings.warnings:
                _log.warning(warning)
            sessions[key] = self._open(settings, self._loops[here].slots)
        return sessions[key]

    def _open(self, settings: ResolvedSettings, slots: ConcurrencyLimit) -> EndpointSession:
        target = settings.target
        # an emulator has limits of its own; a region's public and VPC endpoints share the account's
        local = target.endpoint if is_loopback(target.host.rpartition(":")[0].strip("[]")) else None
        limiter = rate_limiter(self.clock, settings.account, target.region, local)
        return EndpointSession(
            target,
            credential_source(settings),
            self.transport(target.endpoint),
            clock=self.clock,
            limiter=limiter,
            slots=slots,
            in_flight=in_flight(limiter, self.clock),
            policy=self.policy,
        )

    async def aclose(self) -> None:
        """Close those of the running event loop."""
        here = self._loops.pop(asyncio.get_running_loop(), None)
        for session in here.sessions.values() if here else ():
            await session.aclose()
