"""Waiting at a gate: looks → verdicts → passed, or an error that tells everything. The same for every door.

One timeout over the whole selection. An outage of the service shorter than that is survived and told; a refusal that
cannot get better (permission, parameters) ends the wait at once.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final, Self, Unpack, cast

from pulumi_hbr_clients.activation import condition as gate
from pulumi_hbr_clients.activation import messages as telling
from pulumi_hbr_clients.activation.condition import ActivationCondition, Verdict
from pulumi_hbr_clients.activation.poller import PollResult, subscribe
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import Config, no_config
from pulumi_hbr_clients.model.errors import (
    DeadlineError,
    GateFailedError,
    GateTimeoutError,
    HbrError,
    Retry,
)
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query, QueryArgs

LINE_EVERY: Final = 30.0
"""Seconds between two plain lines of a wait where it stands still."""
BEAT: Final = 1.0
"""Seconds between two live lines, or pictures, of a wait."""


class ActivationArgs(QueryArgs, total=False):
    """The arguments of a query and of a `ActivationCondition` as keywords. A test holds them together."""

    min_clients: int | None
    timeout: float | str | None
    max_heartbeat_age: float | str | None
    min_client_version: str | None
    tolerate: list[str] | tuple[str, ...] | None
    unknown_grace: float | str | None
    poll: float | str | None


@dataclass(frozen=True, slots=True)
class ActivationResult:
    """A gate that passed: what it saw, and how long it waited, in seconds."""

    found: ClientList
    waited: float
    verdict: Verdict


@dataclass(slots=True)
class Progress:
    """How a waiting gate stands. `left` in seconds; `outage` says why there is no answer, if there is none."""

    verdict: Verdict
    left: float
    outage: str = ""
    at: float = field(default_factory=time.monotonic)
    """When that was so, by the clock that only goes forward."""

    def __str__(self) -> str:
        """One line."""
        return telling.line(self.verdict, self.left, self.outage)

    def by_now(self) -> Self:
        """The same, with the time that is left by now."""
        now = time.monotonic()
        return replace(self, left=self.left - (now - self.at), at=now)


Told = Callable[[Progress], None]
"""Called after every look that did not end the wait."""


async def wait_until_activated(
    *, on_progress: Told | None = None, config: Config = no_config, **arguments: Unpack[ActivationArgs]
) -> ActivationResult:
    """Wait until the selected clients are activated. Arguments: `model.query.Query` and `activation.condition.Condition`.

    Raises `InputError` before anything is sent, `GateFailedError`, `GateTimeoutError`, or the `HbrError` that no wait
    can mend.
    """
    query, condition = cast("tuple[Query, ActivationCondition]", gate.parse(arguments))
    async with HbrClient(config=config) as client:
        return await wait(query, condition, client, on_progress)


async def check_once(query: Query, condition: ActivationCondition, client: HbrClient) -> tuple[Verdict, ClientList]:
    """One look, for previews."""
    found = await client.list(query)
    since = gate.track_unknown({}, found.clients, time.time())
    return gate.evaluate(query, condition, found, now=time.time(), unknown_since=since), found


async def wait(
    query: Query, condition: ActivationCondition, client: HbrClient, told: Told | None = None
) -> ActivationResult:
    """Wait at a gate whose arguments are checked."""
    client.target(query)  # refuse bad settings now, not from inside a poller
    watcher = _Watcher(query, condition)
    if query.selects_nothing():
        nothing = ClientList()
        return ActivationResult(nothing, 0.0, gate.evaluate(query, condition, nothing, now=0, unknown_since={}))
    try:
        async with asyncio.timeout(condition.timeout), aclosing(subscribe(query, condition.poll, client)) as seen:
            return await _until_passed(watcher, seen, told)
    except TimeoutError:
        raise watcher.timed_out() from None


async def _until_passed(watcher: "_Watcher", seen: AsyncIterator[PollResult], told: Told | None) -> ActivationResult:
    async for look in seen:
        if passed := watcher.see(look):
            return passed
        if told:
            told(watcher.progress())
    raise AssertionError  # looks have no end


@dataclass(slots=True)
class _Watcher:
    """What one gate has seen so far."""

    query: Query
    condition: ActivationCondition
    started: float = field(default_factory=time.monotonic)
    verdict: Verdict = field(default_factory=lambda: Verdict("waiting", 0, 0, note="not looked yet"))
    outage: str = ""
    _unknown_since: dict[str, float] = field(default_factory=dict)

    def see(self, look: PollResult) -> ActivationResult | None:
        """Take a look in. Raises what ends the wait."""
        if isinstance(look, Exception):
            self.outage = _survivable(look)
            return None
        self.outage = ""
        now = time.time()
        self._unknown_since = gate.track_unknown(self._unknown_since, look.clients, now)
        self.verdict = gate.evaluate(self.query, self.condition, look, now=now, unknown_since=self._unknown_since)
        if self.verdict.state == "failed":
            raise GateFailedError(_failure(self.verdict), self.verdict)
        return ActivationResult(look, self._waited(), self.verdict) if self.verdict.state == "passed" else None

    def progress(self) -> Progress:
        return Progress(self.verdict, self.condition.timeout - self._waited(), self.outage)

    def timed_out(self) -> GateTimeoutError:
        head = f"not activated within {telling.span(self.condition.timeout)}: "
        lines = [head + telling.line(self.verdict, outage=self.outage), *telling.account(self.verdict.waiting)]
        return GateTimeoutError("\n  ".join(lines), self.verdict)

    def _waited(self) -> float:
        return time.monotonic() - self.started


def _survivable(error: Exception) -> str:
    """The outage in one line. Raises the error if waiting cannot mend it."""
    lasts = not isinstance(error, HbrError) or error.retry is Retry.NEVER
    if lasts and not isinstance(error, DeadlineError):
        raise error
    return str(error).splitlines()[0]


def _failure(verdict: Verdict) -> str:
    count = len(verdict.failed)
    head = f"{count} of {verdict.wanted} backup clients will not be activated by waiting:"
    return "\n  ".join([head, *telling.account(verdict.failed)])
