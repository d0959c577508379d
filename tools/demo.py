"""See it work: an emulated fleet, and the projects examples/fleet and examples/gate on a real Pulumi engine.

    tools/demo.py [PICTURE]

    list → preview, up → the fleet changes → preview --diff → a gate that waits and opens → destroy

Every command that is printed is run as it is, in copies of the examples in one temporary folder, which is removed at
the end, also after Ctrl-C. The engine's output is shown without blank lines, and lists of clients are folded. PICTURE
is an SVG file for README: a terminal with the steps of `DRAWN`.
"""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rich.console import Console
from rich.text import Text

from pulumi_hbr_clients import emulator

EXAMPLES: Final = Path(__file__).resolve().parents[1] / "examples"
NODES: Final = ("web-1", "batch-1")
NOISE: Final = re.compile(
    r"@ |Previewing|Updating|Destroying|View |Duration|The resources in|If you want|Diagn|Use "
    r"|[ +-]+pulumi:pulumi:Stack \S+( \w+( \(.*\))?)?$"  # the stack itself
)
CONSOLE: Final = Console(highlight=False, soft_wrap=True)  # without colours in a pipe or where NO_COLOR is set
DRAWN: Final = slice(3, 5)  # the preview of a changed fleet, and the gate
WIDTH: Final = 118  # of the picture, in characters

Filter = Callable[[Iterable[Text]], Iterator[Text]]


def main() -> None:
    """The whole story, about twenty seconds."""
    started = time.monotonic()
    backend = emulator.sample()
    with emulator.serve(backend) as running, tempfile.TemporaryDirectory(prefix="hbr-clients-demo-") as folder:
        shell = Shell(Path(folder), running.environment)
        rows = {row["Hostname"]: row for row in backend.rows()}
        shell.explain("Alibaba Cloud Backup has a client on each of these machines (emulated: no account is used).")
        shell.run("hbr-clients list --client-type ECS_CLIENT")
        shell.enter("fleet")
        shell.explain("A Pulumi program reads them as a data source: everything is known before anything is deployed.")
        shell.run("pulumi preview")
        shell.explain(
            "Deploying it changes nothing in the cloud; the clients are in the stack's outputs, for other stacks too."
        )
        shell.run("pulumi up --yes --skip-preview")
        backend.set_status("STOPPED", rows["db-1"]["ClientId"])
        shell.explain("Meanwhile the client on db-1 stopped. The next preview shows what changed in the fleet.")
        shell.run("pulumi preview --diff", changes)
        shell.enter("gate", {"backup-gate:instanceIds": [rows[name]["InstanceId"] for name in NODES]})
        shell.explain(
            "A gate: traffic moves to new nodes only when their clients are activated. One needs some seconds."
        )
        shell.run("pulumi up --yes --skip-preview", lambda lines: opened(folded(lines), backend))
        shell.explain("Nothing was created in Alibaba Cloud, so removing the stack removes only the stack.")
        shell.run("pulumi destroy --yes --skip-preview")
    seconds = time.monotonic() - started
    CONSOLE.print(f"\nDone in {seconds:.0f} s. Nothing is left running and no state is left behind.", style="dim")
    for path in sys.argv[1:]:
        Path(path).write_text(drawn(shell.steps[DRAWN]))


class Shell:
    """A terminal in a temporary folder: it shows commands and what they print, and keeps it by step."""

    def __init__(self, folder: Path, service: Mapping[str, str]) -> None:
        self.steps: list[list[Text]] = []
        self.folder, self.project = folder, ""
        self.environment = {
            **os.environ,
            **service,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": f"{folder}/home",
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "demo",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",  # no warning about those on PATH
            "FORCE_COLOR": "1",
        }
        (folder / "state").mkdir()

    def explain(self, what: str) -> None:
        """Begin the next step."""
        CONSOLE.print()
        self.steps.append([])
        self._show(Text(what, "bold"))

    def enter(self, example: str, config: Mapping[str, object] = MappingProxyType({})) -> None:
        """Copy an example, go there, and make its stack `dev` with this configuration."""
        self.project, place = example, self.folder / example
        ignored = shutil.ignore_patterns("venv", "Pulumi.*.yaml", "__pycache__")
        shutil.copytree(EXAMPLES / example, place, ignore=ignored)
        (place / "venv").symlink_to(sys.prefix)  # what `pulumi install` makes
        (place / "Pulumi.dev.yaml").write_text(json.dumps({"config": dict(config)}))
        command = ["pulumi", "stack", "init", "dev"]
        done = subprocess.run(command, cwd=place, env=self.environment, check=False, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)

    def run(self, command: str, only: Filter | None = None) -> None:
        """Show a command and, as it comes, what it prints. Ends the demo if the command fails."""
        prompt = f"examples/{self.project} $ " if self.project else "$ "
        self._show(Text.assemble((prompt, "dim"), command))
        colour = ["--color", "always"] if command.startswith("pulumi") else []
        with subprocess.Popen(
            [*command.split(), *colour],
            cwd=self.folder / self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                lines = (Text.from_ansi(line.rstrip()) for line in process.stdout or ())
                for line in (only or folded)(lines):
                    self._show(Text("  ").append_text(line))
            except BaseException:
                self._end(process)
                raise
        if process.returncode:
            sys.exit(process.returncode)

    def _show(self, line: Text) -> None:
        self.steps[-1].append(line)
        CONSOLE.print(line)

    @staticmethod
    def _end(process: "subprocess.Popen[str]") -> None:
        """As Ctrl-C twice: the engine ends its plugins; what has not ended in ten seconds is killed."""
        for _ in range(2):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.2)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def folded(lines: Iterable[Text]) -> Iterator[Text]:
    """Everything but noise and lines that only repeat with another duration; of a list of clients, only its length."""
    closing, hidden, before = "", 0, ""
    for line in lines:
        untimed = re.sub(r"\([\d.]+s\)", "", line.plain)
        if closing:
            hidden += 1
            if line.plain == closing:
                yield Text(f"{closing[:-1]}clients       : [ … {hidden} lines … ]")
                closing, hidden = "", 0
        elif opening := re.fullmatch(r"([ +~-]*)clients +: \[", line.plain):
            closing = f"{opening[1]}]"
        elif line.plain.strip() and not NOISE.match(line.plain) and untimed != before:
            yield line
            before = untimed


def changes(lines: Iterable[Text]) -> Iterator[Text]:
    """Of a detailed diff: what changed, with the host that it belongs to, once although the stack exports it again."""
    host, seen = "", set[str]()
    for line in lines:
        if found := re.search(r'hostname +: "(.*)"', line.plain):
            host = found[1]
        elif "=>" in line.plain:
            change = line[len(line.plain) - len(line.plain.lstrip()) :]
            if "status" in change.plain:
                change = Text(f"{host}: ").append_text(change)
            if change.plain not in seen:
                seen.add(change.plain)
                yield change


def opened(lines: Iterator[Text], backend: emulator.Backend) -> Iterator[Text]:
    """The lines of a gate; three seconds after it first reports what it waits for, that client is activated."""
    (waiting,) = (row["ClientId"] for row in backend.rows() if row["Hostname"] == NODES[1])
    for line in lines:
        yield line
        if "1 of 2" in line.plain:
            backend.later(3, lambda: backend.activate(waiting))
            break
    yield from lines


def drawn(steps: Iterable[Iterable[Text]]) -> str:
    """A terminal with these steps. The same steps give the same picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(Text("\n\n").join(Text("\n").join(step) for step in steps))
    return console.export_svg(title="pulumi-hbr-clients", unique_id="demo")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as after Ctrl-C: all that was opened is closed
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
