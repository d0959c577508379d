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
from pulumi_hbr_clients.activation.condition import BlockingClient, Verdict
from pulumi_hbr_clients.cli import json_csv as documents
from pulumi_hbr_clients.cli import options
from pulumi_hbr_clients.cli import output as screen
from pulumi_hbr_clients.cli.wait_progress import WaitProgress
from pulumi_hbr_clients.model.backup_client import state_name
from pulumi_hbr_clients.model.errors import GateError, GateFailedError, GateTimeoutError, HbrError, InputError

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
        return {**head, "error": options.spelled(str(self.error))} if self.error else head


def _plain(trouble: BlockingClient) -> dict[str, Any]:
    texts = {**asdict(trouble), "advice": options.spelled(trouble.advice)}
    return {state_name(name): value for name, value in texts.items()}


async def run(values: Mapping[str, Any], gate: options.Gate, output: str) -> None:
    """Wait, show, and say how it ended. Raises what ended it, unless the gate passed."""
    query, _ = gate
    end = await _end(values, gate)
    if output == "json":
        click.echo(documents.json_text(end.verdict.found, query, head=end.head()).encode(), nl=False)
    elif end.error is None:
        click.echo(end.text())
    if end.error:
        raise end.error


async def _end(values: Mapping[str, Any], gate: options.Gate) -> End:
    query, condition = gate
    screen.warn(gates.warnings_of(query, condition))
    gauge = WaitProgress(condition.timeout)
    try:
        async with options.client(values, {}) as client, gauge.shown():
            screen.announce(client, query)
            passed = await waiting.wait(query, condition, client, gauge.take)
    except InputError:
        raise
    except GateError as error:
        return End(cast("Verdict", error.verdict), gauge.waited, error)
    except HbrError as error:
        return End(gauge.now().verdict, gauge.waited, error)
    return End(passed.verdict, passed.waited)
