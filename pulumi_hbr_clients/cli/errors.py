"""Errors and warnings → text for people, with arguments spelled as options → stderr and an exit code."""

import re
from collections.abc import Iterable
from typing import Final

from pulumi_hbr_clients.cli.messages import print_message
from pulumi_hbr_clients.cli.options import FIELDS, option_name
from pulumi_hbr_clients.model.backup_client import CLIENT_FIELDS
from pulumi_hbr_clients.model.errors import (
    DeadlineError,
    GateError,
    GateTimeoutError,
    HbrError,
    IncompleteListError,
    InputError,
    ServiceError,
    ValidationIssue,
)

REFUSED: Final = 1
BAD_INPUT: Final = 2
TIMED_OUT: Final = 124
_NAMES: Final = sorted(FIELDS, key=len, reverse=True)
_ASSIGNED: Final = re.compile(rf"\b({'|'.join(_NAMES)})=\['(\w+)'\]")
"""`tolerate=['UPGRADE_FAILED']`, as programs write it."""
_COMPOUND: Final = "|".join(name for name in _NAMES if "_" in name and name not in CLIENT_FIELDS)
_ARGUMENT: Final = re.compile(rf"\b({_COMPOUND})\b|^({'|'.join(_NAMES)})(?=:)", re.MULTILINE)
"""Names with an underscore anywhere; at the head of a line all names, which elsewhere are English words too."""


def report_error(error: HbrError, command: str | None = None, *, prefix: str = "") -> int:
    """Print the error, and its advice on a line of its own; return the exit code.

    `prefix` names one of several targets; its error is one line, unless it lists the clients that block a gate.
    """
    if isinstance(error, InputError):
        head = "bad input" if command == "emulator" else "bad input, nothing was sent"
        print_message("error", "\n".join([f"{prefix}{head}", *map(issue_text, error.faults)]))
        return BAD_INPUT
    text = error_text(error)
    if prefix and not isinstance(error, GateError):
        text = one_line(text)
    print_message("error", prefix + text)
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


def issue_text(issue: ValidationIssue) -> str:
    """An issue as it was typed: `--page-size: must be 1 to 99 (given: 100)`."""
    root, _, part = re.sub(r"\[\d+\]", "", issue.path).partition(".")
    as_it_is = issue.path.startswith("--") or root[:1].isupper()  # an option, or a variable of the environment
    path = issue.path if as_it_is else f"{option_name(root)}{part and f' {part}'}"
    given = re.sub(r" ?from argument \w+$", "", issue.given)
    typed = given and not given.startswith(("[", "{", "("))
    return f"{path}: {as_options(issue.reason)}{f' (given: {given})' if typed else ''}"


def as_options(text: str) -> str:
    """The text with options in place of the names of arguments."""
    text = _ASSIGNED.sub(lambda found: f"{option_name(found[1])} {found[2]}", text)
    return _ARGUMENT.sub(lambda found: option_name(found[0]), text)
