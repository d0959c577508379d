"""`hbr-clients emulator`: options → a backend on loopback, and what to type in another shell."""

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from shlex import quote
from typing import Any, Final

import click

from pulumi_hbr_clients import emulator
from pulumi_hbr_clients.emulator.behaviour import parse
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue

_NUMBERS: Final[Mapping[str, tuple[type[float], float, float, str]]] = {
    "port": (int, 0, 65535, "a port, 1 to 65535, or 0 for a free one"),
    "latency": (float, 0, 3600, "seconds, 0 to 3600"),
    "rate": (float, 0.001, 1e6, "requests per second, such as 20/s"),
    "faults": (float, 0, 1, "a share, as 0.05 or 5%"),
    "seed": (int, -inf, inf, "a whole number"),
}
"""Kind, range and description. Read here, for click's own ranges would report one option at a time."""


@click.command("emulator")
@click.option("--port", metavar="N", default="0", help="Port on 127.0.0.1.  [default: a free one]")
@click.option(
    "--fleet",
    metavar="FILE",
    help="Clients as JSON or YAML, or the output of `list --output json`.  [default: a sample of 12 clients]",
)
@click.option("--latency", metavar="SECONDS", default="0", help="Time before each response.  [default: 0]")
@click.option("--rate", metavar="N/s", help="Requests per second before throttling.  [default: no limit]")
@click.option("--faults", metavar="P", default="0", help="Share of requests that fail, as 0.05 or 5%.  [default: 0]")
@click.option(
    "--behaviour",
    "behaviours",
    metavar="NAME=VALUE",
    multiple=True,
    help="Any behaviour that http://.../_emulator lists, its value as YAML. Repeatable.",
)
@click.option("--seed", metavar="N", default="0", help="Seed for faults and generated clients.  [default: 0]")
def command(behaviours: tuple[str, ...], fleet: str | None, **values: str | None) -> None:
    """Emulate the service on this machine: signatures, filters, limits, and a fleet that changes.

    Prints the commands for another shell, then runs until Ctrl-C. Needs no account.

    \b
    hbr-clients emulator --behaviour 'turnover={by: tags, arrivals: old}'
    hbr-clients emulator --behaviour 'window={limit: 600, seconds: 60}' --behaviour order=random
    """
    settings = _settings({name: text for name, text in values.items() if text is not None}, behaviours)
    port = settings.pop("port")
    try:
        backend = emulator.open_fleet(fleet, **settings)
    except InputError as error:  # its paths are inside the file, not names of options
        in_file = [
            issue if issue.path == "fleet" else replace(issue, path=f"--fleet {issue.path}") for issue in error.faults
        ]
        raise InputError(*in_file) from None
    emulator.run(backend, port=port, on_ready=lambda running: click.echo(usage(running)))


def _settings(texts: Mapping[str, str], behaviours: tuple[str, ...]) -> dict[str, Any]:
    """The value of every option. Raises `InputError` with all issues."""
    settings: dict[str, Any] = {}
    issues = []
    for text in behaviours:
        try:
            name, value = parse(text)
            settings[name] = value
        except ValueError as error:
            issues.append(ValidationIssue("behaviour", str(error), repr(text)))
    for name, text in texts.items():
        try:
            settings["fault_rate" if name == "faults" else name] = _number(name, text)
        except ValueError:
            issues.append(ValidationIssue(name, f"must be {_NUMBERS[name][-1]}", repr(text)))
    if issues:
        raise InputError(*issues)
    return settings


def _number(name: str, text: str) -> float:
    kind, low, high, _ = _NUMBERS[name]
    is_percent = name == "faults" and text.endswith("%")
    value = float(text[:-1]) / 100 if is_percent else kind(text.removesuffix("/s") if name == "rate" else text)
    if not low <= value <= high:
        raise ValueError(text)
    return value


def usage(running: emulator.RunningEmulator) -> str:
    """What to type in another shell."""
    size = f"{sum(len(backend.members) for backend in running.backends):,}"
    lines = [
        f"Cloud Backup is emulated at {running.endpoint} with {size} clients. Press Ctrl-C to stop.",
        "",
        "In another shell (the keys are fake; no other service accepts them):",
        "",
        *(f"  export {name}={quote(value)}" for name, value in running.environment.items()),
        *(f"  {region} is at {endpoint}" for region, endpoint in [*running.endpoints.items()][1:]),
        "  hbr-clients list --client-type ECS_CLIENT --watch",
        "",
        f"To see what else it can do, and to change it while it runs: curl {running.endpoint}/_emulator",
    ]
    return "\n".join(lines)
