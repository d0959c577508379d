"""The Pulumi engine: finds one or makes one, and prints the folder to put on PATH.

Takes the first of these that is there:

1. a `pulumi` on PATH, new enough, with the plugin that runs Python's dynamic providers;
2. the one in the user's cache folder, which all clones share;
3. the official download, through the Automation API's installer;
4. a build from the Go module in tools/engine/.

Stdout is that one line and nothing else; what a person reads meanwhile goes to stderr. The engine
is made in a scratch folder beside its place and renamed, under a lock: what stands there is whole,
and made once. Only the standard library, so that it runs before the virtual environment is there.
"""

import contextlib
import fcntl
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

HERE = Path(__file__).resolve().parent
MODULE = HERE / "engine"
COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
OLDEST = "3.200.0"  # as in pyproject.toml
PLUGIN = "pulumi-resource-pulumi-python"
# The official archive holds the same; an engine built from source comes without it.
LAUNCHER = '#!/bin/sh\nexec "${PULUMI_PYTHON_CMD:-python3}" -u -m pulumi.dynamic "$@"\n'
STAMP = "complete"  # written last, holds the size of the binary: a torn copy does not pass
SCRATCH = ".making-"
INSTALL = """
import socket, sys, semver
from pulumi.automation import PulumiCommand
socket.setdefaulttimeout(10)
PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse(sys.argv[2]))
"""
ADVICE = """\
Do one of these, then run the same command again:
  - install Pulumi {oldest} or newer, so that `pulumi` is on PATH;
  - install Go {go} or newer, so that `go` is on PATH and builds the engine from its source."""

TICK = 15.0  # seconds between two lines of progress
VERSION_LIMIT = 20.0  # seconds, as are the next two
DOWNLOAD_LIMIT = 300.0
BUILD_LIMIT = 3600.0


class EngineError(Exception):
    """A way to an engine that leads nowhere on this machine, and why."""


def main() -> int:
    """Print the folder; or say what to do, and fail."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _interrupt)
    try:
        print(on_path() or in_cache())
    except EngineError as error:
        say(str(error))
        print(ADVICE.format(oldest=OLDEST, go=required(r"^go (\S+)")), file=sys.stderr)
        return 1
    except OSError as error:
        say(f"{error}. It is kept in {cache_root()}; XDG_CACHE_HOME chooses another place.")
        return 1
    except KeyboardInterrupt:
        say("interrupted, nothing half made is left")
        return 130
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """Leave as on Ctrl-C: end the children, remove the scratch folder."""
    raise KeyboardInterrupt


def say(line: str) -> None:
    """Tell whoever waits."""
    print(f"engine: {line}", file=sys.stderr, flush=True)


def on_path() -> Path | None:
    """The folder of the engine that the user has, if it can do what this project needs."""
    found = shutil.which("pulumi")
    if found is None:
        return None
    version = version_of(Path(found))
    if numbers(version) < numbers(OLDEST):
        say(f"{found} is {version or 'silent about its version'}, {OLDEST} is needed: passed over")
        return None
    folder = Path(found).absolute().parent
    if not (os.access(folder / PLUGIN, os.X_OK) or shutil.which(PLUGIN)):
        say(f"{found} comes without {PLUGIN}: passed over")
        return None
    return folder


def version_of(pulumi: Path) -> str:
    """What `pulumi version` says without the v, or nothing if it does not answer."""
    try:
        answer = subprocess.run(
            [pulumi, "version"],
            capture_output=True,
            check=True,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            text=True,
            timeout=VERSION_LIMIT,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip().removeprefix("v")


def numbers(version: str) -> tuple[int, ...]:
    """Turn `3.259.0-alpha.1` into (3, 259, 0), and what is no version into ()."""
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, match.groups())) if match else ()


def in_cache() -> Path:
    """The folder of the engine in the user's cache, made first if it is not there."""
    version = required(r"pulumi/pkg/v3 v(\S+)")
    # One home folder may serve machines of several kinds.
    kind = f"{platform.system()}-{platform.machine()}".lower()
    home = cache_root() / f"engine-{version}-{kind}"
    if not is_complete(home):
        home.parent.mkdir(parents=True, exist_ok=True)
        with locked(home.parent / "engine.lock"):
            if not is_complete(home):
                make(home, version)
    return home / "bin"


def required(pattern: str) -> str:
    """What go.mod requires: it is the one place that says which engine and which Go."""
    match = re.search(pattern, (MODULE / "go.mod").read_text(), re.MULTILINE)
    if match is None:
        message = f"{MODULE / 'go.mod'} has no line like {pattern}"
        raise EngineError(message)
    return match[1]


def cache_root() -> Path:
    """This project's place in the user's cache folder."""
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    # XDG base directory specification: "If an implementation encounters a relative path [...] it
    # should consider the path invalid and ignore it."
    base = Path(chosen) if chosen.startswith("/") else Path.home() / ".cache"
    return base / "pulumi-hbr-clients"


def is_complete(home: Path) -> bool:
    """Whether everything is there and the binary is as long as it was when it was made."""
    binary, plugin = home / "bin" / "pulumi", home / "bin" / PLUGIN
    try:
        whole = (home / STAMP).read_text() == str(binary.stat().st_size)
    except OSError:
        return False
    return whole and os.access(binary, os.X_OK) and os.access(plugin, os.X_OK)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one run at a time in; the system opens the lock of one that died."""
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is making it: waiting for that one")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def make(home: Path, version: str) -> None:
    """Download the engine or build it, and give it its name once it is whole."""
    for left in home.parent.glob(f"{SCRATCH}*"):  # by a run that was killed: the lock is ours
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=home.parent) as scratch:
        try:
            made = download(Path(scratch, "download"), version)
        except EngineError as error:
            say(str(error))
            made = build(Path(scratch, "build"), version)
        if home.exists():
            shutil.rmtree(home)  # torn
        made.rename(home)


def download(root: Path, version: str) -> Path:
    """Fetch the official release with the installer that comes with Pulumi's Python package."""
    say(f"downloading Pulumi {version}")
    venv = HERE.parent / ".venv" / "bin" / "python"
    python = str(venv) if venv.exists() else sys.executable
    command = [python, "-c", INSTALL, str(root), version]
    run(command, DOWNLOAD_LIMIT, "no download", shown=1)
    return seal(root, version)


def build(root: Path, version: str) -> Path:
    """Compile the engine from its Go module, as its own releases are compiled."""
    go = shutil.which("go")
    if go is None:
        message = "no build: there is no `go` on PATH"
        raise EngineError(message)
    say(f"building the Pulumi engine {version}, about 5 minutes, once per machine")
    binary, work = root / "bin" / "pulumi", root.parent / "work"
    work.mkdir()  # go's own scratch: goes with ours when a build is killed
    stamp = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{version}"
    command = [go, "build", "-C", str(MODULE), "-v", "-mod=readonly", "-trimpath"]
    command += ["-ldflags", f"-w -s {stamp}", "-tags", "osusergo,grpcnotrace"]
    command += ["-o", str(binary), COMMAND]
    run(command, BUILD_LIMIT, "no build", shown=6, env={"GOWORK": "off", "GOTMPDIR": str(work)})
    return seal(root, version)


def seal(root: Path, version: str) -> Path:
    """See that the engine answers, add the launcher where it is missing, write the stamp."""
    binary, plugin = root / "bin" / "pulumi", root / "bin" / PLUGIN
    answer = version_of(binary)
    if answer != version:
        message = f"what was made says it is {answer or 'nothing'}, not {version}"
        raise EngineError(message)
    if not plugin.exists():
        plugin.write_text(LAUNCHER)
        plugin.chmod(0o755)
    with binary.open("rb") as handle:
        os.fsync(handle.fileno())
    (root / STAMP).write_text(str(binary.stat().st_size))
    return root


def run(
    command: Sequence[str], limit: float, trouble: str, *, shown: int, env: Mapping[str, str] | None = None
) -> None:
    """Run a command to its end, with a sign of life every TICK seconds.

    Raises EngineError after `limit` seconds or when it fails: `trouble`, and the last `shown` lines
    it said. However this is left, the command and its children have ended.
    """
    said: deque[str] = deque(maxlen=shown)
    with subprocess.Popen(
        command,
        env={**os.environ, **(env or {})},
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        listener = threading.Thread(target=listen, args=(process, said), daemon=True)
        listener.start()
        try:
            outlast(process, limit, said)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            listener.join(TICK)
    if process.returncode:
        reason = "\n        ".join(said) or f"exit code {process.returncode}"
        message = f"{trouble}: {reason}"
        raise EngineError(message)


def listen(process: subprocess.Popen[str], said: deque[str]) -> None:
    """Keep the last lines of what the process says."""
    said.extend(line.strip() for line in process.stdout or ())


def outlast(process: subprocess.Popen[str], limit: float, said: deque[str]) -> None:
    """Wait for the process, and tell every TICK seconds that it lives and what it said last."""
    started = time.monotonic()
    while True:
        try:
            process.wait(TICK)
        except subprocess.TimeoutExpired:
            elapsed = time.monotonic() - started
            if elapsed > limit:
                said.append(f"not done after {limit:.0f} seconds")
                return
            say(f"{elapsed // 60:2.0f}m{elapsed % 60:02.0f}s  {said[-1] if said else ''}")
        else:
            return


if __name__ == "__main__":
    sys.exit(main())
