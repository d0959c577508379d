"""Door: the command line `hbr-clients`. Words → query → list on the screen, and exit codes.

    list       options.py (words → Query)  →  screen.py (ask, show)  →  tables.py, documents.py
    wait       options.py (words → Query, Condition)  →  wait.py (how it ends)  ⇄  gauge.py (how it stands)
    doctor     doctor.py, places.py     what would be used, and where that was said
    emulator   emulate.py               a fleet on loopback, no account needed
    schema, plugin     packages.py      the package in Pulumi's backend

Exit codes: 0 done, 1 the service or the gate said no, 2 bad input (nothing was sent), 124 timed out, 130 interrupted.
Start-up is a feature: each command imports what it needs, `--help` neither pulumi, httpx nor rich.
"""

import logging
import os
import sys
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Final

import click

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.cli import package_commands as packages
from pulumi_hbr_clients.model.errors import DeadlineError, GateTimeoutError, HbrError, InputError, ServiceError

REFUSED: Final = 1
BAD_INPUT: Final = 2
TIMED_OUT: Final = 124
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
"""As a program that SIGPIPE ended: 128 + 13."""


def main() -> None:
    """The entry point."""
    try:
        hbr_clients(prog_name="hbr-clients")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


class _Door(click.Group):
    """Turns every way to end into its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except HbrError as error:
            ctx.exit(_told(error, ctx.invoked_subcommand))
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            # what is still buffered would break again at exit, with a message
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(BROKEN_PIPE)


def _told(error: HbrError, command: str | None) -> int:
    """Tell of an error on stderr, advice on a line of its own. Gives the exit code."""
    from pulumi_hbr_clients.cli.options import line, spelled  # noqa: PLC0415  pydantic costs 0.2 s
    from pulumi_hbr_clients.cli.output import complain  # noqa: PLC0415

    if isinstance(error, InputError):
        head = "bad input" if command == "emulator" else "bad input, nothing was sent"
        complain("error", "\n".join([head, *map(line, error.faults)]))
        return BAD_INPUT
    advice = error.advice if isinstance(error, ServiceError) else None
    said = str(error).removesuffix(advice or "").rstrip(". ")
    complain("error", f"{said}\n{spelled(advice)}" if advice else spelled(str(error)))
    return TIMED_OUT if isinstance(error, DeadlineError | GateTimeoutError) else REFUSED


def _finish(work: Coroutine[Any, Any, Any]) -> Any:
    """Run to the end. Ctrl-C cancels the work, which may come out as either exception (CPython 3.11, runners.py)."""
    import asyncio  # noqa: PLC0415  a third of what --help would cost

    try:
        return asyncio.run(work)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


class _OfQuery(click.Command):
    """A command with options read off models, which are imported when they are needed."""

    def read(self) -> Iterable[click.Option]:
        """Those of a query."""
        from pulumi_hbr_clients.cli import options  # noqa: PLC0415  pydantic costs 0.2 s

        return options.options()

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The options that were read, then the command's own."""
        own = super().get_params(ctx)
        taken = {option.name for option in own}
        return [*(option for option in self.read() if option.name not in taken), *own]


class _OfPlace(_OfQuery):
    def read(self) -> Iterable[click.Option]:
        """Those of a query that say whom to ask."""
        return (option for option in super().read() if option.name in {"region", "endpoint"})


class _OfGate(_OfQuery):
    def read(self) -> Iterable[click.Option]:
        """Those of a query and of a condition."""
        from pulumi_hbr_clients.cli import options  # noqa: PLC0415  pydantic costs 0.2 s

        return options.of_gate()


class _ToStderr(logging.Handler):
    """The package's log, to wherever stderr is now: a progress bar moves it."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        click.echo(f"{record.levelname.lower()}: {record.getMessage()}", err=True)


def _be_verbose(ctx: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001  click's way
    log = logging.getLogger("pulumi_hbr_clients")
    if value and not any(isinstance(handler, _ToStderr) for handler in log.handlers):
        handler = _ToStderr()
        ctx.call_on_close(partial(log.setLevel, log.level))
        ctx.call_on_close(partial(log.removeHandler, handler))
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)


_verbose: Final = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=_be_verbose,
    help="Say on stderr what is asked, retried and throttled. No secrets.",
)
_HELP: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


_timeout: Final = click.option(
    "--timeout", metavar="SECONDS", help="Time for one whole query.  [default: 300; doctor: 30]"
)


def _of_connection(command: Callable[..., Any]) -> Callable[..., Any]:
    """Settings that are no part of a query."""
    for option in (
        click.option("--network", metavar="[public|vpc]", help="Which of the region's addresses is used."),
        click.option("--profile", metavar="NAME", help="Profile of the Alibaba CLI (~/.aliyun/config.json)."),
    ):
        command = option(command)
    return command


def _output(*forms: str, text: str) -> Callable[..., Any]:
    return click.option("--output", type=click.Choice(forms), default=forms[0], show_default=True, help=text)


@click.group(
    cls=_Door,
    context_settings=_HELP,
    epilog="Exit codes: 0 done, 1 refused, 2 bad input (nothing was sent), 124 timed out, 130 interrupted.",
)
@click.version_option(__version__, prog_name="hbr-clients")
@_verbose
def hbr_clients() -> None:
    """Backup clients of Alibaba Cloud Backup (HBR), on the command line.

    Region, endpoint and keys are found where the Alibaba Cloud tools look for them;
    `hbr-clients doctor` shows where that is. No account at hand? Start with `hbr-clients emulator`.
    """


hbr_clients.add_command(packages.schema)
hbr_clients.add_command(packages.plugin)


@hbr_clients.command("list", cls=_OfQuery)
@_output("table", "json", "csv", text="A table for people, or one JSON object or CSV for programs.")
@click.option(
    "--watch",
    is_flag=False,
    flag_value="5",
    metavar="[SECONDS]",
    help="Look again every so many seconds (5) and redraw; in a pipe, print again when more than "
    "heartbeats changed (JSON: one object a line).",
)
@_of_connection
@_timeout
@_verbose
def list_(output: str, watch: str | None, **values: Any) -> None:
    """List the backup clients that match.

    The list is complete, or a warning says that it may not be. An empty list is no error.

    \b
    hbr-clients list --client-type ECS_CLIENT
    hbr-clients list --client-type ECS_CLIENT --tag env=prod --status UNKNOWN --outdated
    hbr-clients list --client-type ECS_CLIENT --instance-id i-1 --instance-id i-2 --output json
    hbr-clients list --client-type ECS_CLIENT --watch
    """  # noqa: D301  a backspace is click's mark for lines that stay as they are
    from pulumi_hbr_clients.cli import options  # noqa: PLC0415  pydantic costs 0.2 s
    from pulumi_hbr_clients.cli import output as screen  # noqa: PLC0415  pydantic costs 0.2 s

    query, times = options.read({**values, "watch": watch}, options.query, ("timeout", 0.1), ("watch", 1))
    client = options.client(values, times)
    _finish(screen.show(client, query, output, times.get("watch")))


@hbr_clients.command(
    "wait", cls=_OfGate, short_help="Wait until the backup clients that match are activated: a gate for CI jobs."
)
@_output("text", "json", text="One line for people, or one JSON object for programs, however it ends.")
@_of_connection
@_verbose
def wait_(output: str, **values: Any) -> None:
    """Wait until the backup clients that match are activated: a gate for scripts and CI jobs.

    Asked by ids, every id must have a client that is ACTIVATED. Asked by filters, at least --min-clients must
    match, and all that match must be ACTIVATED. How it stands is told on stderr. Exits with 0 when all are
    activated, with 1 as soon as a client cannot get there by itself, and with 124 when the time is over.

    \b
    # after an install: go on when both machines are ready to be backed up
    hbr-clients wait --client-type ECS_CLIENT --instance-id i-1 --instance-id i-2
    # before a cut-over: three nodes of this release, and each has reported lately
    hbr-clients wait --client-type ECS_CLIENT --tag release=42 --min-clients 3 --max-heartbeat-age 5m
    """  # noqa: D301  a backspace is click's mark for lines that stay as they are
    from pulumi_hbr_clients.cli import options  # noqa: PLC0415  pydantic costs 0.2 s

    gate, _ = options.read(values, options.gate)
    from pulumi_hbr_clients.cli import wait_command as wait  # noqa: PLC0415  httpx costs 0.25 s: bad input is told before

    _finish(wait.run(values, gate, output))


@hbr_clients.command("doctor", cls=_OfPlace, short_help="Show what would be used, from where, and whether it works.")
@click.option(
    "--client-type", default="ECS_CLIENT", show_default=True, metavar="TYPE", help="What the request asks for."
)
@click.option("--offline", is_flag=True, help="Send nothing: show only what would be used.")
@_output("text", "json", text="For people or programs.")
@_of_connection
@_timeout
@_verbose
def doctor_(output: str, *, offline: bool, **values: Any) -> None:
    """Show which region, endpoint and keys would be used, from where, and whether they may list.

    Sends one small request. Shows no secrets. Exits with 0 if all is well, else with 1.
    Pulumi's config is not seen here, it is read inside a Pulumi program only.
    """
    from pulumi_hbr_clients.cli import doctor  # noqa: PLC0415  it asks, with httpx
    from pulumi_hbr_clients.cli.output import coloured  # noqa: PLC0415

    report = _finish(doctor.examine(values, offline=offline))
    as_text = partial(doctor.as_text, coloured=coloured(sys.stdout))
    click.echo(doctor.as_json(report) if output == "json" else as_text(report), nl=False)
    if not doctor.usable(report):
        click.get_current_context().exit(REFUSED)


@hbr_clients.command("emulator", short_help="Emulate the service on this machine, no account needed.")
@click.option("--port", metavar="N", default="0", help="Port on 127.0.0.1.  [default: a free one]")
@click.option(
    "--fleet",
    metavar="FILE",
    help="Clients as JSON or YAML, also what `list --output json` printed.  [default: a small sample]",
)
@click.option("--latency", metavar="SECONDS", default="0", help="Time until every answer.")
@click.option("--rate", metavar="N/s", help="Throttle beyond so many requests a second.")
@click.option("--faults", metavar="P", default="0", help="Share of requests that go wrong, as 0.05 or 5%.")
@click.option("--seed", metavar="N", default="0", help="Other faults and other made-up clients.")
def emulator_(**values: str | None) -> None:
    """Emulate the service on this machine: signatures, filters, limits, and a fleet that changes.

    Prints what to set in another shell, then runs until Ctrl-C. Needs no account.
    """
    from pulumi_hbr_clients.cli import emulator_command as emulate  # noqa: PLC0415  the emulator is an extra

    emulate.run(values)
