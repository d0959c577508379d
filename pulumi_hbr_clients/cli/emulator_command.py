"""`hbr-clients emulator`: options → a backend on loopback, and what to type in another shell."""

import re
from collections.abc import Callable, Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

import click

from pulumi_hbr_clients.model.errors import InputError, ValidationIssue

if TYPE_CHECKING:
    from pulumi_hbr_clients.emulator import RunningEmulator

_MAX_PORT: Final = 65535


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
def command(behaviours: tuple[str, ...], **values: str | None) -> None:
    r"""Emulate the service on this machine: signatures, filters, limits, and a fleet that changes.

    Prints the commands for another shell, then runs until Ctrl-C. Needs no account.

    \b
      hbr-clients emulator --behaviour 'turnover={by: tags, arrivals: old}'
      hbr-clients emulator --behaviour 'window={limit: 600, seconds: 60}' --behaviour order=random
    """
    from pulumi_hbr_clients import emulator  # noqa: PLC0415  other commands do not need it

    settings = _settings({name: text for name, text in values.items() if text is not None}, behaviours)
    port = settings.pop("port")
    backend = _backend(emulator.open_fleet, settings)
    emulator.run(backend, port=port, on_ready=lambda running: click.echo(usage(running)))


def _settings(texts: Mapping[str, str], behaviours: tuple[str, ...]) -> dict[str, Any]:
    """The value of every option. Raises `InputError` with all issues."""
    from pulumi_hbr_clients.emulator.behaviour import parse  # noqa: PLC0415  the same

    settings: dict[str, Any] = {}
    issues = []
    for text in behaviours:
        try:
            name, value = parse(text)
            settings[name] = value
        except ValueError as error:
            issues.append(ValidationIssue("behaviour", str(error), repr(text)))
    for name, text in texts.items():
        read, allowed = _READERS[name]
        try:
            settings["fault_rate" if name == "faults" else name] = read(text)
        except ValueError:
            issues.append(ValidationIssue(name, f"must be {allowed}", repr(text)))
    if issues:
        raise InputError(*issues)
    return settings


def _within(low: float, high: float, kind: type = float, form: str = "(.+)") -> Callable[[str], Any]:
    def read(text: str) -> Any:
        found = re.fullmatch(form, text)
        value = kind(found[1]) if found else kind("")
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return read


def _share(text: str) -> Any:
    share = str(float(text[:-1]) / 100) if text.endswith("%") else text
    return _within(0, 1)(share)


# click's own ranges would report one option at a time
_READERS: Final[Mapping[str, tuple[Callable[[str], Any], str]]] = {
    "port": (_within(0, _MAX_PORT, int), f"a port, 1 to {_MAX_PORT}, or 0 for a free one"),
    "fleet": (str, "a file"),
    "latency": (_within(0, 3600), "seconds, 0 to 3600"),
    "rate": (_within(0.001, 1e6, form="(.+?)(?:/s)?"), "requests per second, such as 20/s"),
    "faults": (_share, "a share, as 0.05 or 5%"),
    "seed": (int, "a whole number"),
}


def _backend(open_fleet: Callable[..., Any], settings: dict[str, Any]) -> Any:
    """The fleet of the file. Raises `InputError` with paths inside the file, which are not names of options."""
    try:
        return open_fleet(settings.pop("fleet", None), **settings)
    except InputError as error:
        issues = [(issue.path if issue.path == "fleet" else f"--fleet {issue.path}", issue) for issue in error.faults]
        raise InputError(*(ValidationIssue(path, issue.reason, issue.given) for path, issue in issues)) from None


def usage(running: "RunningEmulator") -> str:
    """What to type in another shell."""
    exports = [f"  export {name}={quote(value)}" for name, value in running.environment.items()]
    size = f"{sum(len(backend.members) for backend in running.backends):,}"
    elsewhere = [f"  {region} is at {endpoint}" for region, endpoint in [*running.endpoints.items()][1:]]
    return "\n".join(
        [
            f"Cloud Backup is emulated at {running.endpoint} with {size} clients. Press Ctrl-C to stop.",
            "",
            "In another shell (the keys are fake; no other service accepts them):",
            "",
            *exports,
            *elsewhere,
            "  hbr-clients list --client-type ECS_CLIENT --watch",
            "",
            f"To see what else it can do, and to change it while it runs: curl {running.endpoint}/_emulator",
        ]
    )
