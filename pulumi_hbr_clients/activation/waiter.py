"""Waiting at a gate: poll results → verdicts → passed, or an error that says what is missing. All entry points use it.

One timeout covers the whole wait. An outage of the service or of the credential source is survived until then; an
error that waiting cannot cure (permission, parameters, expired credentials) ends the wait at once.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from pulumi_hbr_clients.activation import messages
from pulumi_hbr_clients.activation.condition import Gate, GateMode
from pulumi_hbr_clients.activation.evaluation import Verdict, evaluate, track_unknown
from pulumi_hbr_clients.activation.poller import DEFAULT_POLICY, PollPolicy, PollResult, subscribe
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.clock import Clock, SystemClock
from pulumi_hbr_clients.model.errors import (
    CredentialsError,
    DeadlineError,
    GateFailedError,
    GateTimeoutError,
    HbrError,
    InputError,
    Retry,
)
from pulumi_hbr_clients.model.outputs import ClientList

REPEAT_INTERVAL: Final = 30.0
"""Seconds after which progress is reported again although nothing has changed."""
_CURABLE: Final = frozenset({Retry.BACK_OFF, Retry.SLOW_DOWN, Retry.NEW_NONCE, Retry.ONE_MORE})


@dataclass(frozen=True, slots=True)
class ActivationResult:
    """A gate that passed, or was bypassed."""

    found: ClientList
    """The clients, as seen by the poll that let the gate pass."""
    waited: float
    """Seconds."""
    verdict: Verdict
    bypassed: bool = False
    """Whether the gate did not hold: gates are `off`, or they are set to `warn` and it would not have passed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a gate that waits."""

    verdict: Verdict
    deadline: float
    """When the gate times out, in UNIX seconds."""
    outage: str = ""
    """Why there is no response, if there is none."""

    def __str__(self) -> str:
        """One line."""
        return messages.summary_line(self.verdict, self.outage)

    @property
    def key(self) -> object:
        """Equal while nothing has changed but ages, heartbeats and request ids, which change by themselves."""
        blocking = [(client.name, client.status) for client in self.verdict.waiting]
        return self.verdict.ready, self.verdict.wanted, blocking, self.verdict.note, bool(self.outage)


ProgressCallback = Callable[[Progress], Any]
"""Called after every poll that does not end the wait, and at least every 30 s. An exception from it ends the wait."""


class LogSink(Protocol):
    """Where an entry point writes lines about a resource."""

    def __call__(self, text: str, *, ephemeral: bool = False, warning: bool = False) -> object:
        """Write a line. Raises `ConnectionError` when the engine is gone: that ends the wait."""


class ProgressReporter:
    """A `ProgressCallback` that writes a line when something changed, and every 30 s.

    Each line is ephemeral: a terminal shows it in the resource's row until the next one, a log prints it. The deadline
    is stated once, as a clock time.
    """

    def __init__(self, log: LogSink, clock: Clock | None = None) -> None:
        """Nothing is written yet."""
        self._log, self._clock = log, clock or SystemClock()
        self._written: object = None
        self._due = 0.0

    def __call__(self, progress: Progress) -> None:
        """Write a line if one is due."""
        if progress.key == self._written and self._clock.monotonic() < self._due:
            return
        until = "" if self._written else f"; until {messages.format_timestamp(progress.deadline)}"
        self._written, self._due = progress.key, self._clock.monotonic() + REPEAT_INTERVAL - 0.5
        self._log(f"{progress}{until}", ephemeral=True)


async def pass_gate(  # noqa: PLR0913  the last two are for tests
    gate: Gate,
    client: HbrClient,
    mode: GateMode,
    on_progress: ProgressCallback | None = None,
    *,
    clock: Clock | None = None,
    policy: PollPolicy = DEFAULT_POLICY,
) -> ActivationResult:
    """Wait until the gate passes; with `warn` look once, with `off` not at all.

    Raises `GateFailedError`, `GateTimeoutError`, or the `HbrError` that no wait can cure.
    """
    clock = clock or SystemClock()
    client.target(gate.query)  # refuse bad settings now, not from inside a poller
    if mode == "off":
        return ActivationResult(
            ClientList(complete=False), 0.0, Verdict("waiting", 0, 0, note="not checked"), bypassed=True
        )
    if mode == "warn":
        try:
            verdict = await check_once(gate, client, clock)
        except InputError:
            raise
        except HbrError as error:
            verdict = Verdict("waiting", 0, 0, note=f"not checked: {error}")
        return ActivationResult(verdict.found, 0.0, verdict, bypassed=verdict.state != "passed")
    if gate.query.selects_nothing():
        verdict = evaluate(gate, ClientList(), now=0)
        return ActivationResult(verdict.found, 0.0, verdict)
    return await _Wait(gate, clock).run(client, policy, on_progress or (lambda _: None))


async def check_once(gate: Gate, client: HbrClient, clock: Clock | None = None) -> Verdict:
    """Look at the clients once, without waiting; a list that may be incomplete passes no gate. Raises `HbrError`."""
    found = await client.list(gate.query.model_copy(update={"allow_incomplete": True}))
    return evaluate(gate, found, now=_service_time(found, clock or SystemClock()))


@dataclass(slots=True)
class _Wait:
    """One gate's wait: what it has seen so far."""

    gate: Gate
    clock: Clock
    started: float = field(init=False)
    deadline: float = field(init=False)
    verdict: Verdict = field(default_factory=lambda: Verdict("waiting", 0, 0, note="no response yet"))
    outage: str = ""
    has_worked: bool = False
    """Whether any poll was answered: the credentials were good then."""
    _unknown_since: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.started = self.clock.monotonic()
        self.deadline = self.clock.time() + self.gate.condition.timeout

    async def run(self, client: HbrClient, policy: PollPolicy, report: ProgressCallback) -> ActivationResult:
        condition = self.gate.condition
        try:
            async with asyncio.timeout(condition.timeout):
                with subscribe(self.gate.query, client, condition.poll, policy) as subscription:
                    while True:
                        result = await _next(subscription.results)
                        if result and self._sees_pass(result):
                            if result.verified:
                                return ActivationResult(result.found, self._waited(), self.verdict)
                            subscription.require_verified()
                        report(Progress(self.verdict, self.deadline, self.outage))
        except TimeoutError:
            text = messages.timeout_text(self.verdict, condition.timeout, self.outage)
            raise GateTimeoutError(text, self.verdict) from None

    def _sees_pass(self, result: PollResult) -> bool:
        """Evaluate one poll result. Raises `GateFailedError` when the gate cannot pass any more."""
        if result.error:
            if not (result.is_retried or self._is_transient(result.error)):
                raise result.error
            self.outage = str(result.error).splitlines()[0]
            return False
        self.outage, self.has_worked, now = "", True, self.clock.monotonic()
        self._unknown_since = track_unknown(self._unknown_since, result.found.clients, now)
        unknown_for = {identity: now - since for identity, since in self._unknown_since.items()}
        service_time = _service_time(result.found, self.clock)
        self.verdict = evaluate(self.gate, result.found, now=service_time, unknown_for=unknown_for)
        if self.verdict.state == "failed":
            raise GateFailedError(messages.failure_text(self.verdict), self.verdict)
        return self.verdict.state == "passed"

    def _is_transient(self, error: Exception) -> bool:
        """Whether waiting can cure an error. A credential source that worked before may work again."""
        if isinstance(error, CredentialsError) and self.has_worked:
            return True
        return isinstance(error, DeadlineError) or (isinstance(error, HbrError) and error.retry in _CURABLE)

    def _waited(self) -> float:
        return self.clock.monotonic() - self.started


async def _next(results: "asyncio.Queue[PollResult]") -> PollResult | None:
    """The next poll result; None if there is none for a while: progress is reported even so."""
    try:
        async with asyncio.timeout(REPEAT_INTERVAL):
            return await results.get()
    except TimeoutError:
        return None


def _service_time(found: ClientList, clock: Clock) -> float:
    """The service's time when it answered; ages of heartbeats must not depend on this machine's clock."""
    return clock.time() if found.server_time is None else found.server_time
