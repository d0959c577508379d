"""Messages for people, on stderr: errors with their exit codes, and warnings. Arguments are spelled as options."""

import os
import sys
from collections.abc import Iterable
from typing import Final, TextIO

import click

from pulumi_hbr_clients.cli.options import as_options, issue_text
from pulumi_hbr_clients.cli.printable import printable
from pulumi_hbr_clients.model.errors import (
    DeadlineError,
    GateError,
    GateTimeoutError,
    HbrError,
    IncompleteListError,
    InputError,
    ServiceError,
)

REFUSED: Final = 1
BAD_INPUT: Final = 2
TIMED_OUT: Final = 124


def report_error(error: HbrError, command: str | None = None, *, target: str = "") -> int:
    """Print the error, and its advice on a line of its own; return the exit code.

    `target` is one of several; a request of it that failed is told in one line.
    """
    if isinstance(error, InputError):
        head = "bad input" if command == "emulator" else "bad input, nothing was sent"
        print_message("error", "\n".join([head, *map(issue_text, error.faults)]))
        return BAD_INPUT
    text = error_text(error)
    if target:
        text = f"{target}: {text if isinstance(error, GateError) else one_line(text)}"
    print_message("error", text)
    return TIMED_OUT if isinstance(error, DeadlineError | GateTimeoutError) else REFUSED


def error_text(error: HbrError) -> str:
    """The error's text, with options in place of argument names and its advice on a line of its own."""
    if isinstance(error, IncompleteListError):  # its advice is for programs, which get no list without the argument
        return f"{str(error).partition('. allow_incomplete')[0]}; what was found is printed"
    advice = error.advice if isinstance(error, ServiceError) else None
    if advice is None:
        return as_options(str(error))
    return f"{str(error).removesuffix(advice).rstrip('. ')}\n{as_options(advice)}"


def one_line(text: str) -> str:
    """The text with its advice in the same line."""
    return text.replace("\n", ". ")


def print_warnings(texts: Iterable[str]) -> None:
    """Print each text to stderr as a warning."""
    for text in texts:
        print_message("warning", as_options(text))


def print_message(label: str, text: str) -> None:
    """Print `label: text` to stderr, further lines indented."""
    colour = {"error": "red", "warning": "yellow"}.get(label, "blue")
    head = click.style(f"{label}:", fg=colour, bold=True) if has_colour(sys.stderr) else f"{label}:"
    first, *rest = (printable(line.strip()) for line in text.split("\n"))
    click.echo("\n  ".join([f"{head} {first}", *rest]), err=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether the stream is a terminal that knows colours and cursor movements. None is a closed stream."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colour(stream: TextIO | None) -> bool:
    """Whether colours can be seen and are wanted (no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")
