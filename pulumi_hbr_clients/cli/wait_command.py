"""`hbr-clients wait`: a gate → a wait that is shown → how it ended, as one line or one JSON object.

Whatever ends it becomes an `End` first, so that a program reads the same object of every outcome; then its error
goes the way of all errors, to stderr and into the exit code. Bad input and Ctrl-C are no outcomes.
"""

from collections.abc import Mapping
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
from pulumi_hbr_clients.cli.json_csv import list_json
from pulumi_hbr_clients.cli.messages import print_warnings
from pulumi_hbr_clients.cli.wait_progress import WaitProgress
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
            "state": _STATES.get(type(self.error), "error")
            if self.error
            else "bypassed"
            if self.bypassed
            else "passed",
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
@output_option("text", "json", text="One line for people, or one JSON object for programs, however it ends.")
@network_option
@verbose_option
def command(output: str, network: str | None, **values: Any) -> None:
    """Wait until the matching backup clients are activated: a gate for scripts and CI jobs.

    Selected by ids, every id must have a client that is ACTIVATED. Selected by filters, at least --min-clients
    must match, and all that match must be ACTIVATED. Progress is written to stderr. Exits with 0 when all are
    activated, with 1 as soon as a client cannot get there by itself, and with 124 when the time is over.
    HBR_CLIENTS_GATES=warn in the environment looks once, warns and exits with 0; off does not look.

    \b
    # after an install: go on when both machines are ready to be backed up
    hbr-clients wait --client-type ECS_CLIENT --instance-id i-1 --instance-id i-2
    # before a cut-over: three nodes of this release, each with a recent heartbeat
    hbr-clients wait --client-type ECS_CLIENT --tag release=42 --min-clients 3 --max-heartbeat-age 5m
    """  # noqa: D301  a backspace is click's mark for lines that stay as they are
    gate, mode, found = options.parse_together(
        lambda: gates.parse(options.arguments(values, Query, ActivationCondition)),
        lambda: gate_mode(no_config),
        lambda: targets.parse({**values, "network": network}),
    )
    gate = replace(gate, query=found.queries(gate.query)[0])
    run_async(run(gate, mode, targets.new_client(network), output))


async def run(gate: Gate, mode: GateMode, client: HbrClient, output: str) -> None:
    """Wait, show progress, print how it ended. Raises the error that ended it, unless the gate passed."""
    end = await _end(gate, mode, client)
    if output == "json":
        click.echo(list_json(end.verdict.found, gate.query, head=end.head()).encode(), nl=False)
    elif end.error is None:
        click.echo(end.text())
    if end.error:
        raise end.error


async def _end(gate: Gate, mode: GateMode, client: HbrClient) -> End:
    print_warnings(gates.warnings_of(gate))
    progress = WaitProgress(gate.condition.timeout)
    try:
        async with client, progress.shown():
            targets.announce(client, gate.query)
            result = await pass_gate(gate, client, mode, progress.update)
    except InputError:
        raise
    except GateError as error:
        return End(cast("Verdict", error.verdict), progress.waited, error)
    except HbrError as error:
        return End(progress.verdict, progress.waited, error)
    if result.bypassed:
        print_warnings([bypass_text(result.verdict)])
    return End(result.verdict, result.waited, bypassed=result.bypassed)
