"""`hbr-clients wait`: a gate → a wait that is shown → how it ended, as one line or one JSON object.

Whatever ends it becomes an `End` first, so that a program reads the same object of every outcome; then its error
goes the way of all errors, to stderr and into the exit code. Bad input and Ctrl-C are no outcomes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import click

from pulumi_hbr_clients.activation import condition as gates
from pulumi_hbr_clients.activation import messages as telling
from pulumi_hbr_clients.activation import waiter as waiting
from pulumi_hbr_clients.activation.condition import ActivationCondition, BlockingClient, Verdict
from pulumi_hbr_clients.cli import options, targets
from pulumi_hbr_clients.cli.command_options import network_option, output_option, verbose_option
from pulumi_hbr_clients.cli.event_loop import run_async
from pulumi_hbr_clients.cli.json_csv import list_json
from pulumi_hbr_clients.cli.messages import print_warnings
from pulumi_hbr_clients.cli.wait_progress import WaitProgress
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.model.backup_client import state_name
from pulumi_hbr_clients.model.errors import GateError, GateFailedError, GateTimeoutError, HbrError, InputError
from pulumi_hbr_clients.model.query import Query

_STATES: Final[Mapping[type[HbrError], str]] = {GateFailedError: "failed", GateTimeoutError: "timedOut"}


@dataclass(frozen=True, slots=True)
class End:
    """How a wait ended: what was seen last, after how many seconds, and what ended it unless the gate passed."""

    verdict: Verdict
    waited: float
    error: HbrError | None = None

    def text(self) -> str:
        """`10 of 10 activated after 1m05s`."""
        after = f" after {telling.span(self.waited)}" if self.verdict.wanted else ""
        return f"{telling.line(self.verdict)}{after}"

    def head(self) -> dict[str, Any]:
        """What a program reads before the list."""
        head = {
            "state": _STATES.get(type(self.error), "error") if self.error else "passed",
            "waited": round(self.waited, 1),
            "ready": self.verdict.ready,
            "wanted": self.verdict.wanted,
            "waiting": list(map(_plain, self.verdict.waiting)),
            "failed": list(map(_plain, self.verdict.failed)),
        }
        return {**head, "error": options.as_options(str(self.error))} if self.error else head


def _plain(trouble: BlockingClient) -> dict[str, Any]:
    texts = {**asdict(trouble), "advice": options.as_options(trouble.advice)}
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

    \b
    # after an install: go on when both machines are ready to be backed up
    hbr-clients wait --client-type ECS_CLIENT --instance-id i-1 --instance-id i-2
    # before a cut-over: three nodes of this release, each with a recent heartbeat
    hbr-clients wait --client-type ECS_CLIENT --tag release=42 --min-clients 3 --max-heartbeat-age 5m
    """  # noqa: D301  a backspace is click's mark for lines that stay as they are
    (query, condition), found = options.parse_together(
        lambda: gates.parse(options.arguments(values, Query, ActivationCondition)),
        lambda: targets.parse({**values, "network": network}),
    )
    query = found.queries(query)[0]
    run_async(run(query, condition, targets.new_client(network), output))


async def run(query: Query, condition: ActivationCondition, client: HbrClient, output: str) -> None:
    """Wait, show progress, print how it ended. Raises the error that ended it, unless the gate passed."""
    end = await _end(query, condition, client)
    if output == "json":
        click.echo(list_json(end.verdict.found, query, head=end.head()).encode(), nl=False)
    elif end.error is None:
        click.echo(end.text())
    if end.error:
        raise end.error


async def _end(query: Query, condition: ActivationCondition, client: HbrClient) -> End:
    print_warnings(gates.warnings_of(query, condition))
    gauge = WaitProgress(condition.timeout)
    try:
        async with client, gauge.shown():
            targets.announce(client, query)
            passed = await waiting.wait(query, condition, client, gauge.take)
    except InputError:
        raise
    except GateError as error:
        return End(cast("Verdict", error.verdict), gauge.waited, error)
    except HbrError as error:
        return End(gauge.now().verdict, gauge.waited, error)
    return End(passed.verdict, passed.waited)
