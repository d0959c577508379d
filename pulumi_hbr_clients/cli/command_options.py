"""Options that several commands share and no model has. Quick to import, for the help of the group needs them."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import click

from pulumi_hbr_clients.cli.printable import printable

HELP_SETTINGS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _StderrHandler(logging.Handler):
    """Writes the package's log to the current stderr, which a progress bar replaces while it is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        click.echo(f"{record.levelname.lower()}: {printable(record.getMessage())}", err=True)


def _set_verbose(ctx: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001  click's signature
    log = logging.getLogger("pulumi_hbr_clients")
    if value and not any(isinstance(handler, _StderrHandler) for handler in log.handlers):
        handler = _StderrHandler()
        ctx.call_on_close(partial(log.setLevel, log.level))
        ctx.call_on_close(partial(log.removeHandler, handler))
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)


verbose_option: Final = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=_set_verbose,
    help="Log requests, retries and throttling to stderr. Secrets are not logged.",
)
network_option: Final = click.option(
    "--network", metavar="[public|vpc]", help="Which of the region's endpoints to use.  [default: public]"
)


def output_option(*formats: str, text: str) -> Callable[..., Any]:
    """`--output` with these formats; the first is the default."""
    return click.option("--output", type=click.Choice(formats), default=formats[0], show_default=True, help=text)
