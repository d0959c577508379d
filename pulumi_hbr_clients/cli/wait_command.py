"""`hbr-clients wait`: a gate → a wait that is shown → how it ended, as one line or one JSON object.

Whatever ends it becomes an `End` first, so that a program reads the same object of every outcome; then its error
goes the way of all errors, to stderr and into the exit code. Bad input and Ctrl-C are no outcomes.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, cast

import click

from pulumi_hbr_clients.activation import condition as gates
from pulumi_hbr_clients.activation.bypass import GateMode, gate_mode
from pulumi_hbr_clients.activation.condition import ActivationCondition, Gate
from pulumi_hbr_clients.activation.evaluation import BlockingClient, Verdict
from pulumi_hbr_clients.activation.messages import bypass_text, format_duration, summary_line
from pulumi_hbr_clients.activation.waiter import pass_gate
from pulumi_hbr_clients.cli import options, targets
from pulumi_hbr_clients.cli.command_options import network_option, output_option, verbose_option
from pulumi_hbr_clients.cli.event_loop import run_async
from pulumi_hbr_clients.cli.json_csv import json_text, list_json
from pulumi_hbr_clients.cli.messages import print_warnings, report_error
from pulumi_hbr_clients.cli.targets import Target, TargetResult, Targets
from pulumi_hbr_clients.cli.union import UnionClient
from pulumi_hbr_clients.cli.wait_progress import NO_RESPONSE, WaitProgress
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import no_config
from pulumi_hbr_clients.model.backup_client import state_name
from pulumi_hbr_clients.model.errors import GateError, GateFailedError, GateTimeoutError, HbrError, InputError
from pulumi_hbr_clients.model.query import Query

_STATES: Final[Mapping[type[HbrError], str]] = {GateFailedError: "failed", GateTimeoutError: "timedOut"}


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
        return {**head, "error": options.as_options(str(self.error))} if self.error else head


def _plain(client: BlockingClient) -> dict[str, Any]:
    texts = {**asdict(client), "advice": options.as_options(client.advice)}
    return {state_name(name): value for name, value in texts.items()}


@click.command("wait", params=options.gate_options())
@targets.all_regions_option
@output_option("text", "json", text="One line for people, or one JSON object for programs, however it ends.")
@network_option
@verbose_option
def command(output: str, network: str | None, **values: Any) -> None:
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
    """  # noqa: D301  a backspace is click's mark for lines that stay as they are
    gate, mode, chosen = options.parse_together(
        lambda: gates.parse(options.arguments(values, Query, ActivationCondition)),
        lambda: gate_mode(no_config),
        lambda: targets.parse({**values, "network": network}),
    )
    print_warnings(gates.warnings_of(gate))
    client = targets.new_client(network)
    if not chosen.several:
        run_async(_wait(replace(gate, query=chosen.queries(gate.query)[0]), mode, client, output))
    elif code := run_async(_wait_for_targets(gate, mode, client, chosen, output)):
        click.get_current_context().exit(code)


async def _wait(gate: Gate, mode: GateMode, client: HbrClient, output: str) -> None:
    """Wait, show progress, print how it ended. Raises the error that ended it, unless the gate passed."""
    async with client:
        with suppress(HbrError):  # the wait raises it
            targets.announce(client, gate.query)
        end = await _end(gate, mode, client)
    if output == "json":
        click.echo(list_json(end.verdict.found, gate.query, head=end.head()).encode(), nl=False)
    elif end.error is None:
        click.echo(end.text())
    if end.error:
        raise end.error


async def _wait_for_targets(gate: Gate, mode: GateMode, client: HbrClient, chosen: Targets, output: str) -> int:
    """Wait at several targets and print how it ended; return the exit code."""
    async with client, targets.opened(client, chosen, gate.query) as found:
        unreachable = [target for target in found if isinstance(target, TargetResult)]
        reachable = [target for target in found if isinstance(target, Target)]
        if gate.query.client_ids is None and gate.query.instance_ids is None:
            return await _wait_for_each(gate, mode, reachable, unreachable, output)
        return await _wait_for_union(gate, mode, reachable, unreachable, output)


async def _wait_for_each(
    gate: Gate, mode: GateMode, found: Sequence[Target], unreachable: Sequence[TargetResult], output: str
) -> int:
    """A gate for each target; all must pass."""
    waits = [_end(replace(gate, query=target.query), mode, target.client, target.name) for target in found]
    ends = await asyncio.gather(*waits)
    results = [
        TargetResult(target.query, target.region, end.verdict.found, end.error, end.head())
        for target, end in zip(found, ends, strict=True)
    ]
    results += unreachable
    states = {end.state() for end in ends} | {"error" for _ in unreachable}
    state = next(state for state in ("error", "failed", "timedOut", "bypassed", "passed") if state in states)
    if output == "json":
        click.echo(json_text(results, several=True, head={"state": state}).encode(), nl=False)
    else:
        for target, end in zip(found, ends, strict=True):
            if end.error is None:
                click.echo(f"{target.name}: {end.text()}")
    return min((report_error(each.error, target=each.name) for each in results if each.error), default=0)


async def _wait_for_union(
    gate: Gate, mode: GateMode, found: Sequence[Target], unreachable: Sequence[TargetResult], output: str
) -> int:
    """One gate; each id may be in any target."""
    union = UnionClient(found)
    end = End(NO_RESPONSE, 0, unreachable[0].error) if unreachable else await _end(gate, mode, union)
    if output == "json":
        results = [*union.latest.values(), *unreachable]
        click.echo(json_text(results, several=True, head=end.head()).encode(), nl=False)
    elif end.error is None:
        click.echo(f"{end.text()} in {len(found)} target{'' if len(found) == 1 else 's'}")
    if end.error is None:
        return 0
    failed = [(result.name, result.error) for result in (*union.latest.values(), *unreachable) if result.error]
    if isinstance(end.error, GateError) or not failed:
        failed = [("", end.error)]
    return min(report_error(error, target=name) for name, error in failed)


async def _end(gate: Gate, mode: GateMode, client: HbrClient, name: str = "") -> End:
    """How a wait ended. Raises `InputError`."""
    progress = WaitProgress(gate.condition.timeout, name)
    try:
        async with progress.shown():
            result = await pass_gate(gate, client, mode, progress.update)
    except InputError:
        raise
    except GateError as error:
        return End(cast("Verdict", error.verdict), progress.waited, error)
    except HbrError as error:
        return End(progress.verdict, progress.waited, error)
    if result.bypassed:
        print_warnings([f"{name}: {bypass_text(result.verdict)}" if name else bypass_text(result.verdict)])
    return End(result.verdict, result.waited, bypassed=result.bypassed)
