"""Messages and log lines for people, on stderr, safe to print. Quick to import, for the help of the group needs it."""

import logging
import os
from functools import partial
from typing import Final, TextIO

import click


def printable(text: str | None) -> str:
    """The text on one line, each character that is not printable replaced by U+FFFD; "" for None.

    Names and messages of the service may hold control characters of a terminal.
    """
    if text is None or text.isprintable():
        return text or ""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def print_message(label: str, text: str) -> None:
    """Print `label: text` to stderr, further lines indented."""
    colour = {"error": "red", "warning": "yellow"}.get(label, "blue")
    head = click.style(f"{label}:", fg=colour, bold=True)
    first, *rest = (printable(line.strip()) for line in text.split("\n"))
    click.echo("\n  ".join([f"{head} {first}", *rest]), err=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether the stream is a terminal that knows colours and cursor movements. None is a closed stream."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


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
