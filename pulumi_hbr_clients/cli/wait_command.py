"""`hbr-clients wait`: a gate → a wait that is shown → how it ended, as one line or one JSON object.

Whatever ends it becomes an `End` first, so that a program reads the same object of every outcome; then its error
goes the way of all errors, to stderr and into the exit code. Bad input and Ctrl-C are no outcomes.

    terminal   a bar, the clients that block the gate, the remaining time: redrawn every second, removed at the end
    pipe       a line when something changed, and every 30 s
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Final

import click

from pulumi_hbr_clients.activation import condition as gates
from pulumi_hbr_clients.activation.condition import ActivationCondition, Gate, GateMode, gate_mode
from pulumi_hbr_clients.activation.evaluation import BlockingClient, Verdict
from pulumi_hbr_clients.activation.messages import bypass_text, format_duration, summary_line
from pulumi_hbr_clients.activation.waiter import NO_RESPONSE, Progress, ProgressCallback, ProgressReporter, pass_gate
from pulumi_hbr_clients.cli import options
from pulumi_hbr_clients.cli.errors import as_options, print_warnings, report_error
from pulumi_hbr_clients.cli.json_csv import json_text
from pulumi_hbr_clients.cli.messages import is_terminal, printable, verbose_option
from pulumi_hbr_clients.cli.targets import Target, parse_targets, run_on_targets
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.session import SILENT, Observer
from pulumi_hbr_clients.client.settings import ResolvedSettings
from pulumi_hbr_clients.model.backup_client import state_name
from pulumi_hbr_clients.model.configuration import no_config
from pulumi_hbr_clients.model.errors import (
    DeadlineError,
    GateError,
    GateFailedError,
    GateTimeoutError,
    HbrError,
    InputError,
    Retry,
)
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.paginator import Paginator

_STATES: Final[Mapping[type[HbrError], str]] = {GateFailedError: "failed", GateTimeoutError: "timedOut"}


@click.command("wait", params=[*options.gate_options(), *options.target_options()])
@options.output_option("text", "json", text="One line for people, or one JSON object for programs, however it ends.")
@verbose_option
def command(output: str, **values: Any) -> None:
    """Wait until the matching backup clients are activated: a gate for scripts and CI jobs.

    Selected by ids, every id must have a client that is ACTIVATED. Selected by filters, at least --min-clients
    must match, and all that match must be ACTIVATED. With several regions or profiles, an id may be in any of them;
    filters must pass in each. Progress is written to stderr. Exits with 0 when all are activated, with 1 as soon as
    a client cannot get there by itself, and with 124 when the time is over. HBR_CLIENTS_GATES=warn in the
    environment looks once, warns and exits with 0; off does not look.

    \b
    # after an install: go on when both machines are ready to be backed up
    hbr-clients wait --client-type ECS_CLIENT --instance-id i-1 --instance-id i-2
    # before a cut-over: three nodes of this release, each with a recent heartbeat
    hbr-clients wait --client-type ECS_CLIENT --tag release=42 --min-clients 3 --max-heartbeat-age 5m
    """
    gate, mode, chosen = options.parse_together(
        lambda: gates.parse(options.arguments(values, Query, ActivationCondition)),
        lambda: gate_mode(no_config),
        lambda: parse_targets(values),
    )
    print_warnings(gate.warnings())
    by_ids = gate.query.client_ids is not None or gate.query.instance_ids is not None
    wait = _wait_for_union if by_ids and chosen.several else _wait_for_each
    click.get_current_context().exit(run_on_targets(chosen, gate.query, partial(wait, gate, mode, output)))


@dataclass(frozen=True, slots=True)
class End:
    """How a wait ended: the last verdict, after how many seconds, and the error unless the gate passed."""

    verdict: Verdict
    waited: float
    error: HbrError | None = None
    bypassed: bool = False

    def text(self) -> str:
        """`10 of 10 activated after 1m05s`."""
        after = f" after {format_duration(self.waited)}" if self.verdict.wanted and not self.bypassed else ""
        return f"{'bypassed: ' if self.bypassed else ''}{summary_line(self.verdict)}{after}"

    def state(self) -> str:
        """`passed`, `bypassed`, `failed`, `timedOut` or `error`."""
        if self.error:
            return _STATES.get(type(self.error), "error")
        return "bypassed" if self.bypassed else "passed"

    def head(self) -> dict[str, Any]:
        """What a program reads before the list."""
        head = {
            "state": self.state(),
            "waited": round(self.waited, 1),
            "ready": self.verdict.ready,
            "wanted": self.verdict.wanted,
            "waiting": list(map(_plain, self.verdict.waiting)),
            "failed": list(map(_plain, self.verdict.failed)),
        }
        return {**head, "error": as_options(str(self.error))} if self.error else head


def _plain(client: BlockingClient) -> dict[str, Any]:
    texts = {**asdict(client), "advice": as_options(client.advice)}
    return {state_name(name): value for name, value in texts.items()}


async def _wait_for_each(gate: Gate, mode: GateMode, output: str, targets: Sequence[Target]) -> int:
    """A gate for each target; all must pass. Print how they ended, return the exit code."""

    async def one(target: Target) -> tuple[Target, End]:
        if target.error:
            return target, End(NO_RESPONSE, 0, target.error)
        end = await _wait(replace(gate, query=target.query), mode, target.client, target.prefix)
        return replace(target, found=end.verdict.found, error=end.error, head=end.head()), end

    ended = await asyncio.gather(*map(one, targets))
    if output == "json":
        states = {end.state() for _, end in ended}
        state = next(state for state in ("error", "failed", "timedOut", "bypassed", "passed") if state in states)
        text = json_text([target for target, _ in ended], head={"state": state})
        click.echo(text.encode(), nl=False)
    else:
        for target, end in ended:
            if end.error is None:
                click.echo(f"{target.prefix}{end.text()}")
    return min((report_error(end.error, prefix=target.prefix) for target, end in ended if end.error), default=0)


async def _wait_for_union(gate: Gate, mode: GateMode, output: str, targets: Sequence[Target]) -> int:
    """One gate; each id may be in any target, so all targets must answer. Print how it ended, return the exit code."""
    union = _UnionClient(targets)
    refused = next((target.error for target in targets if target.error), None)
    end = End(NO_RESPONSE, 0, refused) if refused else await _wait(gate, mode, union)
    answered = [target for target in union.latest if target.found or target.error]
    if output == "json":
        click.echo(json_text(answered, head=end.head()).encode(), nl=False)
    elif end.error is None:
        click.echo(f"{end.text()} in {len(targets)} target{'' if len(targets) == 1 else 's'}")
    if end.error is None:
        return 0
    failed = [(target.prefix, target.error) for target in answered if target.error]
    if isinstance(end.error, GateError) or not failed:
        failed = [("", end.error)]
    return min(report_error(error, prefix=prefix) for prefix, error in failed)


class _UnionClient(HbrClient):
    """Sends a query to every target and joins the lists: a requested id may be in any of them."""

    def __init__(self, targets: Sequence[Target]) -> None:
        """The targets' clients are not closed here."""
        super().__init__()
        self.latest = [*targets]
        """The targets, each with what it answered last."""

    def resolve(self, query: Query) -> ResolvedSettings:
        """The settings of the first target."""
        del query  # those of the gate and of its polls differ in nothing that settings depend on
        return self.latest[0].client.resolve(self.latest[0].query)

    async def fetch(self, query: Query, observer: Observer = SILENT) -> Paginator:
        """Read the lists of all targets. Raises one error that names every target that failed."""

        async def one(number: int, target: Target) -> Paginator | None:
            location = {"region": target.query.region, "profile": target.query.profile}
            own = query.model_copy(update={**location, "timeout": query.timeout or self.timeout})
            try:
                read = await target.client.fetch(own, observer)
            except HbrError as error:
                self.latest[number] = replace(target, found=None, error=error)
                return None
            self.latest[number] = replace(target, found=read.result(target.query), error=None)
            return read

        lists = await asyncio.gather(*(one(*each) for each in enumerate(self.latest)))
        if any(read is None for read in lists):
            raise _joined(self.latest)
        return Paginator.union(query, filter(None, lists))


def _joined(targets: Sequence[Target]) -> HbrError:
    """The errors of all targets. Waiting may help unless one of them is final."""
    failed = [(target.name, target.error) for target in targets if target.error]
    joined = HbrError("\n".join(f"{name}: {error}" for name, error in failed))
    is_final = any(error.retry is Retry.NEVER and not isinstance(error, DeadlineError) for _, error in failed)
    joined.retry = Retry.NEVER if is_final else Retry.BACK_OFF
    return joined


async def _wait(gate: Gate, mode: GateMode, client: HbrClient, prefix: str = "") -> End:
    """Wait and show progress, its lines headed by the name of one of several targets. Raises `InputError`."""
    started, latest = time.monotonic(), Progress(NO_RESPONSE, time.time() + gate.condition.timeout)

    def update(progress: Progress) -> None:
        nonlocal latest
        latest = progress
        show(progress)

    try:
        with _shown_progress(latest, prefix) as show:
            result = await pass_gate(gate, client, mode, update)
    except InputError:
        raise
    except HbrError as error:
        verdict = error.verdict if isinstance(error, GateError) else None
        return End(verdict or latest.verdict, time.monotonic() - started, error)
    if result.bypassed:
        print_warnings([f"{prefix}{bypass_text(result.verdict)}"])
    return End(result.verdict, result.waited, bypassed=result.bypassed)


def _shown_progress(first: Progress, prefix: str) -> AbstractContextManager[ProgressCallback]:
    """A callback that shows progress on stderr, as a bar if that is a terminal. A terminal has one bar."""
    if prefix or not is_terminal(sys.stderr):
        return nullcontext(ProgressReporter(partial(_print_line, prefix)))
    from pulumi_hbr_clients.cli import terminal  # noqa: PLC0415  rich costs 0.1 s: only where it is needed

    return terminal.wait_bar(first)


def _print_line(prefix: str, text: str, *, ephemeral: bool = False, warning: bool = False) -> None:
    del ephemeral, warning  # a pipe keeps every line
    click.echo(printable(prefix + text), err=True)
