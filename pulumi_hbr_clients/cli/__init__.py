"""Entry point: the command line `hbr-clients`. Options → a query for each target → output and an exit code.

    list_command, wait_command, doctor, emulator_command, plugin_command    one command each; `schema` is in the last
    options, targets            options → query and condition; every region and profile → a query
    json_csv, tables, terminal  lists for programs, lists for people, what only a terminal shows
    errors, messages            errors as text and exit code; lines on stderr

Exit codes: 0 done, 1 the service or the gate said no, 2 bad input (nothing was sent), 124 timed out, 130 interrupted.
A command's module is imported when that command is called: `hbr-clients --help` imports click and nothing else.
"""

import errno
import os
import sys
from importlib import import_module
from typing import Any, Final

import click

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.cli.messages import verbose_option
from pulumi_hbr_clients.model.errors import HbrError

INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
"""As a program that SIGPIPE ended: 128 + 13."""
COMMANDS: Final = {
    "list": ("list_command:command", "List the backup clients that match."),
    "wait": ("wait_command:command", "Wait until the matching backup clients are activated: a gate for CI jobs."),
    "doctor": ("doctor:command", "Show which settings and credentials would be used, and test them."),
    "emulator": ("emulator_command:command", "Emulate the service on this machine; no account needed."),
    "schema": ("plugin_command:schema", "Print the Pulumi package schema."),
    "plugin": ("plugin_command:plugin", "Install the provider plugin where the Pulumi engine finds it."),
}
"""Command → where it is, and its line in the help."""


def main() -> None:
    """Run the command line; the entry point of the `hbr-clients` script."""
    try:
        hbr_clients(prog_name="hbr-clients")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


class LazyGroup(click.Group):
    """Imports a command's module when it is called (click's recipe), and ends it with its exit code.

    After an error there is one message instead of a traceback.
    """

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help's list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        if sys.__stdout__ is None:
            ctx.exit(_report_os_error(OSError(errno.EBADF, os.strerror(errno.EBADF))))
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a full disk may show only here; at exit it would be a traceback
        except HbrError as error:
            from pulumi_hbr_clients.cli.errors import report_error  # noqa: PLC0415  pydantic costs 0.2 s

            ctx.exit(report_error(error, ctx.invoked_subcommand))
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except OSError as error:
            ctx.exit(_report_os_error(error))
        return result


def _report_os_error(error: OSError) -> int:
    """Print one line about a file, or about an output that cannot be written; return the exit code."""
    if error.filename is not None:
        click.echo(f"error: {error.filename}: {error.strerror}", err=True)
        return 1
    if sys.__stdout__ is not None:
        # what is still buffered would fail again at exit, with a traceback
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())
    if error.errno == errno.EPIPE:
        return BROKEN_PIPE
    click.echo(f"error: cannot write to standard output: {error.strerror or error}", err=True)
    return 1


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 refused, 2 bad input (nothing was sent), 124 timed out, 130 interrupted.",
)
@click.version_option(__version__, prog_name="hbr-clients")
@verbose_option
@click.pass_context
def hbr_clients(ctx: click.Context) -> None:
    """List and check the backup clients of Alibaba Cloud Backup (HBR).

    Region, endpoint and credentials are found where the Alibaba Cloud tools look for them; `doctor` shows which
    are used. To try it without an account, start `emulator`.
    """
    is_plain = os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR"))  # no-color.org
    ctx.color = False if is_plain else None  # None: click looks for a terminal
