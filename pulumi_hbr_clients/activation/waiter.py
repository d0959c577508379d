"""Waiting at a gate: poll results → verdicts → passed, or an error that says what is missing. All entry points use it.

One timeout covers the whole wait. An outage of the service or of the credential source is survived until then; an
error that waiting cannot cure (permission, parameters, expired credentials) ends the wait at once.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pulumi_hbr_clients.activation import messages
from pulumi_hbr_clients.activation.condition import Gate, GateMode, gate_mode, parse
from pulumi_hbr_clients.activation.evaluation import Verdict, evaluate, track_unknown
from pulumi_hbr_clients.activation.poller import PollResult, subscribe
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.clock import Clock
from pulumi_hbr_clients.model.configuration import Config, no_config
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
NO_RESPONSE: Final = Verdict("waiting", 0, 0, note="no response yet")


@dataclass(frozen=True, slots=True)
class ActivationResult:
    """A gate that passed, or was bypassed."""

    verdict: Verdict
    waited: float = 0.0
    """Seconds."""
    bypassed: bool = False
    """Whether the gate did not hold: gates are `off`, or they are set to `warn` and it would not have passed."""

    @property
    def found(self) -> ClientList:
        """The clients, as seen by the poll that let the gate pass."""
        return self.verdict.found


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
    def key(self) -> Hashable:
        """Equal while nothing has changed but ages, heartbeats and request ids, which change by themselves."""
        blocking = tuple((client.name, client.status) for client in self.verdict.waiting)
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

    def __init__(self, log: LogSink) -> None:
        """Nothing is written yet."""
        self._log = log
        self._written: Hashable | None = None
        self._due = 0.0

    def __call__(self, progress: Progress) -> None:
        """Write a line if one is due."""
        now = asyncio.get_running_loop().time()
        if progress.key == self._written and now < self._due:
            return
        until = "" if self._written else f"; until {messages.format_timestamp(progress.deadline)}"
        self._written, self._due = progress.key, now + REPEAT_INTERVAL - 0.5
        self._log(f"{progress}{until}", ephemeral=True)

    def finish(self, verdict: Verdict) -> None:
        """Replace the last line of a gate that has passed, if it wrote any and that does not say so already."""
        if self._written not in {None, Progress(verdict, 0.0).key}:
            self._log(messages.summary_line(verdict), ephemeral=True)


async def pass_gate(
    gate: Gate, client: HbrClient, mode: GateMode, on_progress: ProgressCallback | None = None
) -> ActivationResult:
    """Wait until the gate passes; with `warn` look once, with `off` not at all.

    Raises `GateFailedError`, `GateTimeoutError`, or the `HbrError` that no wait can cure.
    """
    client.resolve(gate.query)  # refuse bad settings now, not from inside a poller
    if mode == "off":
        return ActivationResult(Verdict("waiting", 0, 0, note="not checked"), bypassed=True)
    if mode == "warn":
        try:
            verdict = await check_once(gate, client)
        except InputError:
            raise
        except HbrError as error:
            verdict = Verdict("waiting", 0, 0, note=f"not checked: {error}")
        return ActivationResult(verdict, bypassed=verdict.state != "passed")
    if gate.query.selects_nothing():
        return ActivationResult(evaluate(gate, ClientList(), now=0))
    return await _wait(gate, client, on_progress or (lambda _: None))


async def check_once(gate: Gate, client: HbrClient) -> Verdict:
    """Look at the clients once, without waiting; a list that may be incomplete passes no gate. Raises `HbrError`."""
    found = await client.list(gate.query.model_copy(update={"allow_incomplete": True}))
    return evaluate(gate, found, now=_service_time(found, client.clock))


async def _wait(gate: Gate, client: HbrClient, report: ProgressCallback) -> ActivationResult:
    condition, clock = gate.condition, client.clock
    started, deadline = clock.monotonic(), clock.time() + condition.timeout
    verdict, outage, unknown_since = NO_RESPONSE, "", dict[str, float]()
    try:
        async with asyncio.timeout(condition.timeout):
            with subscribe(gate.query, client, condition.poll) as subscription:
                while True:
                    result = await _next(subscription.results)
                    now = clock.monotonic()
                    if result and result.error:
                        _raise_unless_curable(result, has_worked=verdict is not NO_RESPONSE)
                        outage = str(result.error).splitlines()[0]
                    elif result:
                        outage, unknown_since = "", track_unknown(unknown_since, result.found.clients, now)
                        verdict = evaluate(
                            gate,
                            result.found,
                            now=_service_time(result.found, clock),
                            unknown_for={identity: now - since for identity, since in unknown_since.items()},
                        )
                        if verdict.state == "failed":
                            raise GateFailedError(messages.failure_text(verdict), verdict)
                        if verdict.state == "passed":
                            if result.verified:
                                return ActivationResult(verdict, now - started)
                            subscription.require_verified()
                    report(Progress(verdict, deadline, outage))
    except TimeoutError:
        raise GateTimeoutError(messages.timeout_text(verdict, condition.timeout, outage), verdict) from None


async def _next(results: "asyncio.Queue[PollResult]") -> PollResult | None:
    """The next poll result; None if there is none for a while: progress is reported even so."""
    try:
        async with asyncio.timeout(REPEAT_INTERVAL):
            return await results.get()
    except TimeoutError:
        return None


def _raise_unless_curable(result: PollResult, *, has_worked: bool) -> None:
    """Raise the error of a poll if waiting cannot cure it. A credential source that worked before may work again."""
    error = result.error
    if error is None or result.is_retried or isinstance(error, DeadlineError):
        return
    if isinstance(error, CredentialsError) and has_worked:
        return
    if not (isinstance(error, HbrError) and error.retry in _CURABLE):
        raise error


def _service_time(found: ClientList, clock: Clock) -> float:
    """The service's time when it answered; ages of heartbeats must not depend on this machine's clock."""
    return clock.time() if found.server_time is None else found.server_time


async def wait_until_activated(  # noqa: PLR0913  keywords, each an argument of its own
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
    zone_ids: Iterable[str] | None = None,
    os_types: Iterable[str] | None = None,
    outdated: bool | None = None,
    fields: Iterable[str] | None = None,
    region: str | None = None,
    endpoint: str | None = None,
    profile: str | None = None,
    assume_role: Mapping[str, Any] | None = None,
    min_clients: int | None = None,
    timeout: float | str | None = None,  # noqa: ASYNC109  part of the condition
    max_heartbeat_age: float | str | None = None,
    min_client_version: str | None = None,
    backup_status: str | None = None,
    tolerate: Iterable[str] | None = None,
    unknown_grace: float | str | None = None,
    poll: float | str | None = None,
    on_progress: ProgressCallback | None = None,
    config: Config = no_config,
) -> ActivationResult:
    """Wait until the selected clients are activated.

    Selected by ids, every id must have a client that is ACTIVATED. Selected by filters, at least `min_clients` must
    match and all that match must be ACTIVATED. An empty id list passes at once. Times are seconds, or text like
    90s, 15m, 1h30m. `HBR_CLIENTS_GATES=warn` or `off` in the environment bypasses the wait; the result says so.
    Which clients: arguments as `get_backup_clients` has them. What is waited for: as `ActivationGate`.

    Args:
        on_progress: Called with the current `Progress` while it waits.
        config: Pulumi config by full key (`hbr-clients:region`), where there is one.

    Raises:
        InputError: Before anything is sent, with every fault.
        GateFailedError: Clients are in a status that they do not leave by themselves.
        GateTimeoutError: The time was over.
        HbrError: Any other error that no wait can cure, for example a missing permission.
    """
    arguments = {name: value for name, value in locals().items() if name not in {"on_progress", "config"}}
    gate, mode = parse(arguments), gate_mode(config)
    async with HbrClient(config=config) as client:
        return await pass_gate(gate, client, mode, on_progress)
