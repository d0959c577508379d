"""See it work: an emulated fleet, and the projects examples/fleet and examples/gate on a real Pulumi engine.

    list → preview, up → the fleet changes → preview --diff → a gate that waits and opens → destroy

Every command that is printed is run as it is, in copies of the examples in one temporary folder, which is removed at
the end, also after Ctrl-C. The engine's output is shown without blank lines, and lists of clients are folded.
"""

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
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from pulumi_hbr_clients import emulator

EXAMPLES: Final = Path(__file__).resolve().parents[1] / "examples"
NODES: Final = ("web-1", "batch-1")
COLOUR: Final = "FORCE_COLOR" in os.environ or (sys.stdout.isatty() and "NO_COLOR" not in os.environ)
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if COLOUR else ("",) * 3
_NOISE: Final = re.compile(
    r"^(@ |Previewing|Updating|Destroying|View |Duration|The resources in|If you want|Diagn|Use )"
)
_ANSI: Final = re.compile(r"\033\[[\d;]*m")


def main() -> None:
    """The whole story, about twenty seconds."""
    started = time.monotonic()
    backend = emulator.sample()
    with emulator.serve(backend) as running, tempfile.TemporaryDirectory(prefix="hbr-clients-demo-") as folder:
        shell = Shell(Path(folder), running.environment)
        rows = {row["Hostname"]: row for row in backend.rows()}
        tell("Alibaba Cloud Backup has a client on each of these machines (emulated here: no account is used).")
        shell.run("hbr-clients list --client-type ECS_CLIENT")
        shell.enter("fleet")
        tell("A Pulumi program reads them as a data source: everything is known before anything is deployed.")
        shell.run("pulumi preview")
        tell("Deploying it changes nothing in the cloud; the clients are in the stack's outputs, for other stacks too.")
        shell.run("pulumi up --yes --skip-preview")
        backend.set_status("STOPPED", rows["db-1"]["ClientId"])
        tell("Meanwhile the client on db-1 stopped. The next preview shows what changed in the fleet.")
        shell.run("pulumi preview --diff", changes)
        shell.enter(
            "gate", **{f"instanceIds[{n}]": rows[name]["InstanceId"] for n, name in enumerate(("web-1", "batch-1"))}
        )
        tell("A gate: traffic moves to new nodes only when their clients are activated. One needs some seconds.")
        shell.run("pulumi up --yes --skip-preview", lambda lines: opened(folded(lines), backend))
        tell("Nothing was created in Alibaba Cloud, so removing the stack removes only the stack.")
        shell.run("pulumi destroy --yes --skip-preview")
    seconds = time.monotonic() - started
    print(f"\n{DIM}Done in {seconds:.0f} s. Nothing is left running and no state is left behind.{PLAIN}")


@dataclass
class Shell:
    """A terminal in a temporary folder: it shows commands and what they print."""

    folder: Path
    service: Mapping[str, str]
    project: str = ""

    def enter(self, example: str, **config: str) -> None:
        """Copy an example, go there, and make its stack `dev`."""
        self.project = example
        ignored = shutil.ignore_patterns("venv", "Pulumi.*.yaml", "__pycache__")
        shutil.copytree(EXAMPLES / example, self.folder / example, ignore=ignored)
        (self.folder / example / "venv").symlink_to(sys.prefix)  # what `pulumi install` makes
        self._wait("pulumi stack init dev")
        for path, value in config.items():
            self._wait(f"pulumi config set --path {path} {value}")

    def run(self, command: str, shown: Callable[[Iterable[str]], Iterator[str]] | None = None) -> None:
        """Show a command and, as it comes, what it prints. Ends the demo if the command fails."""
        place = f"examples/{self.project} " if self.project else ""
        print(f"{DIM}{place}$ {PLAIN}{command}", flush=True)
        with self._started(command) as process:
            try:
                for line in (shown or folded)(line.rstrip() for line in process.stdout or ()):
                    print(f"  {line}", flush=True)
            except BaseException:
                self._end(process)
                raise
        if process.returncode:
            sys.exit(process.returncode)

    def _wait(self, command: str) -> None:
        with self._started(command) as process:
            text, _ = process.communicate()
        if process.returncode:
            sys.exit(f"{command}: {text}")

    def _started(self, command: str) -> "subprocess.Popen[str]":
        (self.folder / "state").mkdir(exist_ok=True)
        environment = {
            **os.environ,
            **self.service,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": f"{self.folder}/home",
            "PULUMI_BACKEND_URL": f"file://{self.folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "demo",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",  # no warning about those on PATH
            "FORCE_COLOR" if COLOUR else "NO_COLOR": "1",
        }
        words = [
            *command.split(),
            *(["--color", "always" if COLOUR else "never"] if command.startswith("pulumi") else []),
        ]
        return subprocess.Popen(
            words,
            cwd=self.folder / self.project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

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


def folded(lines: Iterable[str]) -> Iterator[str]:
    """Everything but noise; of a list of clients, only how long it is."""
    inside, hidden, before = "", 0, ""
    for line in lines:
        plain = _ANSI.sub("", line)
        indent = plain[: len(plain) - len(plain.lstrip(" +-~"))]
        if inside:
            hidden += 1
            if plain.strip(" +-~") == "]" and indent == inside:
                yield f"{inside}clients       : [ … {hidden} lines … ]"
                inside, hidden = "", 0
        elif re.match(r"[ +~-]*clients +: \[", plain) and not plain.endswith("]"):
            inside = indent
        elif plain.strip() and not _NOISE.match(plain) and plain != before:
            yield line
            before = plain


def changes(lines: Iterable[str]) -> Iterator[str]:
    """Of a detailed diff: what changed, with the host that it belongs to, once although the stack exports it again."""
    host, seen = "", set[str]()
    for line in lines:
        plain = _ANSI.sub("", line)
        if found := re.search(r'hostname +: "(.*)"', plain):
            host = found[1]
        elif "=>" in plain and (told := f"{host}: {line.strip()}" if "status" in plain else line.strip()) not in seen:
            seen.add(told)
            yield told


def opened(lines: Iterable[str], backend: emulator.Backend) -> Iterator[str]:
    """The lines of a gate; three seconds after it first says what it waits for, that client is activated."""
    waiting = next(row["ClientId"] for row in backend.rows() if row["Hostname"] == NODES[1])
    asked = False
    for line in lines:
        yield line
        if "1 of 2" in line and not asked:
            asked = True
            backend.later(3, lambda: backend.activate(waiting))


def tell(what: str) -> None:
    """Explain the next step."""
    print(f"\n{BOLD}{what}{PLAIN}", flush=True)


def leave(*_: object) -> NoReturn:
    """End as after Ctrl-C: everything that was opened is closed on the way out."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, leave)
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
