"""Programs on a terminal of their own, and fleets small enough to read."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from tests.commands import program

ESCAPE: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def row(number: int, **fields: Any) -> dict[str, Any]:
    beat = {"LastHeartBeatTime": 1_700_000_000, "MaxClientVersion": "2.0.0", "ClientVersion": "1.0.0"}
    return {"ClientId": f"c-{number}", "InstanceId": f"i-{number}", "Status": "ACTIVATED", **beat, **fields}


@contextmanager
def attached(
    *words: str, height: int = 24, width: int = 100, env: Mapping[str, str] | None = None, **streams: Any
) -> Iterator[tuple[subprocess.Popen[str], Callable[[], str]]]:
    """A program on a terminal, except for the streams given, and a function that waits for all it writes there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    env = {**os.environ, "TERM": "xterm-256color", **(env or {})}
    with program(*words, env=env, **{**dict.fromkeys(("stdin", "stdout", "stderr"), theirs), **streams}) as process:
        os.close(theirs)
        yield process, lambda: b"".join(iter(lambda: _read(ours), b"")).decode()
    os.close(ours)


def on_terminal(*words: str, width: int = 100, **env: str) -> tuple[int, str]:
    """The exit code and all that was written to a terminal of this width."""
    with attached(*words, width=width, env=env) as (process, written):
        text = written()
        return process.wait(), text


def interrupted_on_terminal(when: Callable[[], object], *words: str, **size: Any) -> tuple[int, str]:
    """The exit code and all that was written to a terminal, with Ctrl-C a moment after the condition holds."""
    with attached(*words, **size) as (process, written):
        wait_for(when)
        time.sleep(0.3)  # what was answered is drawn
        process.send_signal(signal.SIGINT)
        text = written()
        return process.wait(), text


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux reports the end of a terminal
        return b""


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err
