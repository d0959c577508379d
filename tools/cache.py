"""Things made once per machine, in the user's cache folder that all clones share: complete, or not there.

A thing is a folder. It is made in a scratch folder next to its place and renamed, under a lock.
"""

import contextlib
import fcntl
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LOCK: Final = ROOT / "requirements-dev.lock"
SCRATCH: Final = ".new-"


class ToolError(SystemExit):
    """Something is missing on this machine, or a command failed: one line, with what to do about it.

    Where nothing catches it, it is the tool's last line and its exit code is 1.
    """

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.code = f"tools: {line}"


def cache_root() -> Path:
    """This project's place in the user's cache folder."""
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    # XDG base directory specification: "If an implementation encounters a relative path [...] it
    # should consider the path invalid and ignore it."
    base = Path(chosen) if chosen.startswith("/") else Path.home() / ".cache"
    return base / "pulumi-hbr-clients"


def kept(name: str, sources: Iterable[Path], make: Callable[[Path], None]) -> Path:
    """The folder made from these sources on this kind of machine; `make` fills the folder that it is given."""
    text = b"".join(path.read_bytes() for path in sources) + f"{platform.system()} {platform.machine()}".encode()
    home = cache_root() / f"{name}-{sha256(text).hexdigest()[:12]}"
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with locked(home.parent / "cache.lock"):
            if not home.exists():
                _make(home, make)
    return home


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one run at a time in; the system releases the lock of a run that died."""
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is filling the cache: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _make(home: Path, make: Callable[[Path], None]) -> None:
    for leftover in home.parent.glob(f"{SCRATCH}*"):  # of a run that was killed: the lock is ours
        shutil.rmtree(leftover)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=home.parent) as scratch:
        folder = Path(scratch, "made")
        folder.mkdir()
        make(folder)
        folder.rename(home)


def needed(command: str, remedy: str) -> str:
    """The path of a command. Raises `ToolError` with what to install."""
    if found := shutil.which(command):
        return found
    raise ToolError(f"there is no `{command}` on PATH: install {remedy}, then run the same command again")


def say(line: str) -> None:
    """Report progress, or what is wrong, on stderr."""
    print(f"tools: {line}", file=sys.stderr, flush=True)


def environment(home: Path, *packages: str | Path) -> Path:
    """The Python of a new environment with these packages, and with what they need at the lock's versions.

    It has pip, which Pulumi's Python host calls. Raises `ToolError` where something cannot be installed.
    """
    uv, python, failure = Path(sys.executable).with_name("uv"), home / "bin" / "python", "no Python environment"
    run([uv, "venv", "--clear", "--seed", "--python", sys.executable, home], failure)
    install = [uv, "pip", "install", "--compile-bytecode", "--python", python, "--constraint", LOCK, *packages]
    run(install, failure)
    return python


def run(
    command: Sequence[str | Path],
    failure: str,
    *,
    limit: float = 1800.0,
    tick: float = 15.0,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a command to its end, with a line of progress every `tick` seconds.

    Raises `ToolError` after `limit` seconds or when it fails: `failure`, and the last six lines of its output.
    Whatever ends this, the command and its children have ended.
    """
    with (
        tempfile.NamedTemporaryFile() as output,
        subprocess.Popen(
            command,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        started, late = time.monotonic(), ""
        try:
            while not late:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(tick)
                    break
                elapsed = time.monotonic() - started
                say(f"{elapsed // 60:2.0f}m{elapsed % 60:02.0f}s  {''.join(_last_lines(output.name, 1))}")
                late = f"; not done after {limit:.0f} seconds" if elapsed > limit else ""
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()  # after Ctrl-C too, when Popen itself does not
        if process.returncode:
            lines = _last_lines(output.name, 6) or [f"exit code {process.returncode}"]
            raise ToolError(f"{failure}: {'; '.join(lines)}{late}")


def _last_lines(path: str, count: int) -> list[str]:
    return [line.strip() for line in Path(path).read_text(errors="replace").splitlines()[-count:]]
