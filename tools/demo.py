"""See it work: an emulated fleet and two stacks on a real Pulumi engine. Needs no account and leaves nothing behind.

    emulator ← examples/fleet: preview, up → examples/consumer: up → the fleet changes → preview --diff

The engine runs the examples as they stand. Everything lives in one temporary folder, also when interrupted.
"""

import os
import re
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from pulumi import automation as auto

from pulumi_hbr_clients import emulator

EXAMPLES = Path(__file__).parent.parent / "examples"
BOLD, DIM, PLAIN = (
    ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("",) * 3
)


def main() -> None:
    """The whole story, about fifteen seconds."""
    started = time.monotonic()
    backend = emulator.sample()
    with emulator.serve(backend) as running, stage(dict(running.environment)) as stack:
        tell(f"A fleet, emulated at {running.endpoint}", "hbr-clients list --client-type ECS_CLIENT")
        list_fleet()
        fleet = stack("fleet", "dev")
        tell("The program's values are known before anything is deployed", "pulumi preview")
        show(fleet.preview, known)
        tell("Reading is all that happens; the one thing created is the stack itself", "pulumi up")
        show(fleet.up, known)
        tell("Another stack reads the clients that this one exported", "pulumi up  (examples/consumer)")
        consumer = stack("consumer", "dev")
        consumer.set_config("fleetStack", auto.ConfigValue("organization/backup-fleet/dev"))
        show(consumer.up, outputs)
        change(backend)
        tell("The fleet changed: db-1 stopped, batch-1 was activated", "pulumi preview --diff")
        show(lambda **options: fleet.preview(diff=True, **options), changes)
    seconds = time.monotonic() - started
    print(f"\n{DIM}Done in {seconds:.0f} s. Nothing is left running and no state is left behind.{PLAIN}")


@contextmanager
def stage(environment: dict[str, str]) -> Iterator[Callable[[str, str], auto.Stack]]:
    """A Pulumi home and backend that end with the demo; makes stacks of examples."""
    with tempfile.TemporaryDirectory(prefix="hbr-clients-demo-") as folder:
        variables = {
            **environment,
            "PULUMI_HOME": f"{folder}/home",
            "PULUMI_CONFIG_PASSPHRASE": "demo",
            "PULUMI_PYTHON_CMD": sys.executable,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        os.environ.update(variables)

        def stack(example: str, name: str) -> auto.Stack:
            project = f"backup-{example}"
            backend = auto.ProjectBackend(url=f"file://{folder}")
            options = auto.LocalWorkspaceOptions(
                project_settings=auto.ProjectSettings(name=project, runtime="python", backend=backend),
                env_vars=variables,
            )
            return auto.create_or_select_stack(name, project_name=project, program=program(example), opts=options)

        yield stack


def program(example: str) -> Callable[[], None]:
    """An example, as the engine runs it."""

    def run() -> None:
        runpy.run_path(str(EXAMPLES / example / "__main__.py"), run_name="__main__")

    return run


def list_fleet() -> None:
    """What the command line shows of the fleet."""
    command = [str(Path(sys.executable).parent / "hbr-clients"), "list", "--client-type", "ECS_CLIENT"]
    subprocess.run(command, check=True)


def change(backend: emulator.Backend) -> None:
    """Something happens to the fleet."""
    names = {row["Hostname"]: row["ClientId"] for row in backend.rows()}
    backend.set_status("STOPPED", names["db-1"])
    backend.activate(names["batch-1"])


def show(verb: Callable[..., Any], chosen: Callable[[str], Iterator[str]]) -> None:
    """Run a verb and show the part of its text that matters."""
    lines: list[str] = []
    verb(on_output=lines.append, color="never")
    for line in chosen("\n".join(lines)):
        print(f"  {line}")


def known(text: str) -> Iterator[str]:
    """Every output, of the clients only how many lines they fill, and what would be done."""
    within, hidden = "", 0
    for line in outputs_of(text).splitlines():
        indent = line[: len(line) - len(line.lstrip(" +-~"))]
        if not within and line.strip(" +-~").startswith("clients "):
            within = indent
        elif within and indent != within:
            hidden += 1
        elif within:
            yield f"{within}clients       : [ {hidden} lines of clients, as above ]"
            within = ""
        else:
            yield line
    yield from resources_of(text)


def outputs(text: str) -> Iterator[str]:
    """All outputs."""
    yield from outputs_of(text).splitlines()


def changes(text: str) -> Iterator[str]:
    """The lines that differ, with the client they belong to; once, though the stack exports them again."""
    name, found = "", list[str]()
    for line in text.splitlines():
        if (client := re.search(r'hostname +: "(.*)"', line)) is not None:
            name = client[1]
        elif "=>" in line:
            found.append(f"{name}: {line.strip()}" if "status" in line else line.strip())
    yield from dict.fromkeys(found)
    yield from resources_of(text)


def outputs_of(text: str) -> str:
    """Give the section under `Outputs:`."""
    found = re.search(r"^Outputs:\n(.*?)^(?:Resources:|$)", text, flags=re.DOTALL | re.MULTILINE)
    return found[1].rstrip() if found else ""


def resources_of(text: str) -> list[str]:
    """The engine's own summary."""
    found = re.search(r"^Resources:\n((?: .*\n?)+)", text, flags=re.MULTILINE)
    return [f"Resources: {found[1].strip()}"] if found else []


def tell(what: str, command: str) -> None:
    """A step of the story."""
    print(f"\n{BOLD}{what}{PLAIN}\n{DIM}$ {command}{PLAIN}", flush=True)


def leave(*_: object) -> NoReturn:
    """End as after Ctrl-C: everything that was opened is closed on the way out."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, leave)
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
