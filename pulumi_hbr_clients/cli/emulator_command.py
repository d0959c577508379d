"""`hbr-clients emulator`: options → a backend on loopback, and what to type in another shell.

The only importer of the emulator here, and only when it is asked for: it is an extra.
"""

import re
from collections.abc import Callable, Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

import click

from pulumi_hbr_clients.cli.output import complain
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue

if TYPE_CHECKING:
    from pulumi_hbr_clients.emulator import RunningEmulator

_PORTS: Final = 65535


def run(values: Mapping[str, str | None]) -> None:
    """Serve until interrupted. Raises `InputError` with all faults, also where the port is taken."""
    settings = _settings({name: text for name, text in values.items() if text is not None})
    try:
        from pulumi_hbr_clients import emulator  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        complain("error", str(error))
        click.get_current_context().exit(1)
    port = settings.pop("port")
    emulator.run(_world(emulator.open_fleet, settings), port=port, on_ready=lambda running: click.echo(usage(running)))


def _settings(texts: Mapping[str, str]) -> dict[str, Any]:
    """Read every option. Raises `InputError` with all faults."""
    settings: dict[str, Any] = {}
    faults = []
    for name, text in texts.items():
        read, allowed = _READERS[name]
        try:
            settings[_NAMES.get(name, name)] = read(text)
        except ValueError:
            faults.append(ValidationIssue(name, f"must be {allowed}", repr(text)))
    if faults:
        raise InputError(*faults)
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
    percent = text.endswith("%")
    return _within(0, 1)(str(float(text[:-1]) / 100) if percent else text)


_NAMES: Final = {"faults": "fault_rate"}
_READERS: Final[Mapping[str, tuple[Callable[[str], Any], str]]] = {
    "port": (_within(0, _PORTS, int), f"a port, 1 to {_PORTS}, or 0 for a free one"),
    "fleet": (str, "a file"),
    "latency": (_within(0, 3600), "seconds, 0 or more"),
    "rate": (_within(0.001, 1e6, form="(.+?)(?:/s)?"), "requests a second, such as 20/s"),
    "faults": (_share, "a share, as 0.05 or 5%"),
    "seed": (int, "a whole number"),
}


def _world(open_fleet: Callable[..., Any], settings: dict[str, Any]) -> Any:
    try:
        return open_fleet(settings.pop("fleet", None), **settings)
    except InputError as error:
        raise InputError(*(_of_fleet(fault) for fault in error.faults)) from None


def _of_fleet(fault: ValidationIssue) -> ValidationIssue:
    """A path inside the file is the file's own spelling."""
    path = fault.path if fault.path == "fleet" else f"--fleet {fault.path}"
    return ValidationIssue(path, fault.reason, fault.given)


def usage(running: "RunningEmulator") -> str:
    """What to type in another shell."""
    exports = [f"  export {name}={quote(value)}" for name, value in running.environment.items()]
    number = len(running.backend.members)
    return "\n".join(
        [
            f"Cloud Backup is emulated at {running.endpoint} with {number:,} clients. Ctrl-C ends it.",
            "",
            "In another shell (the keys are fake, and no other service takes them):",
            "",
            *exports,
            "  hbr-clients list --client-type ECS_CLIENT --watch",
            "",
            f"What else it can do, and how to change it while it runs: curl {running.endpoint}/_emulator",
        ]
    )
