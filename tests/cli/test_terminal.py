"""`list` and `wait` on a terminal and in a pipe, --watch, Ctrl-C: a program of its own, against the emulator."""

import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import IO

import pytest

from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, Window, new_rows
from tests.cli.terminals import ESCAPE, attached, interrupted, interrupted_on_terminal, on_terminal, row, wait_for
from tests.client.samples import profile_file
from tests.commands import ECS, program

LIST = ("list", *ECS)
WAIT = ("wait", *ECS, "--poll", "0.2")
pytestmark = pytest.mark.usefixtures("emulator")


@pytest.fixture
def backend() -> Backend:
    return Backend([row(1), row(2, Status="INSTALL_FAILED")])


def read_block(stream: IO[str]) -> list[str]:
    """The lines up to the counts of a table."""
    lines: list[str] = []
    while not lines or " in cn-hangzhou: " not in lines[-1]:
        lines.append(stream.readline().rstrip("\n"))
        assert len(lines) < 20
    return lines


def test_a_terminal_has_colour(backend: Backend) -> None:
    """Green is well, red needs attention, as errors do; NO_COLOR removes colours, a dumb terminal all escapes."""
    code, text = on_terminal(*LIST)
    assert code == 0
    assert "\x1b[32mACTIVATED" in text
    assert "\x1b[31mINSTALL_FAILED" in text
    code, text = on_terminal(*LIST, NO_COLOR="1")
    assert (code, re.findall(r"\x1b\[[0-9;]*3\dm", text)) == (0, [])
    assert "\x1b" not in on_terminal(*LIST, TERM="dumb")[1]
    backend.next_faults += ["NoPermission"]
    code, text = on_terminal(*LIST)
    assert (code, "\x1b[31m\x1b[1merror:\x1b[0m NoPermission: " in text) == (1, True)


def test_a_slow_service_has_a_progress_bar(backend: Backend) -> None:
    """On a terminal, after a moment without a response."""
    backend.latency = 0.8
    _, text = on_terminal(*LIST)
    assert "reading clients" in text
    assert text.index("reading clients") < text.index("CLIENT")


def test_a_refused_connection_is_reported_at_once() -> None:
    """That the request is tried again is printed when it happens; on a terminal above the progress bar."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        words = (*LIST, "--endpoint", address, "--timeout", "3s")
        with program(*words) as process:
            assert process.stderr
            first = process.stderr.readline()
            assert process.poll() is None
            _, rest = process.communicate(timeout=20)
        code, shown = on_terminal(*words)
    reason = first.removeprefix("warning: ").removesuffix(". Trying again, up to 7 times\n")
    assert reason.startswith(f"no answer from {address} (ConnectError")
    assert rest.startswith("error: no complete list within 3 s (pages requested: 1); last error: no answer from ")
    assert (process.returncode, code) == (124, 124)
    assert ESCAPE.sub("", shown).count("Trying again, up to 7 times\r\n") == 1


@pytest.mark.parametrize(("words", "faults", "count"), [((), 3, 1), (("-v",), 3, 0), ((), 0, 0)])
def test_retries_are_reported_once(backend: Backend, words: tuple[str, ...], faults: int, count: int) -> None:
    """However often a query is tried again, but not where the log shows it; throttling alone is not reported."""
    backend.next_faults += ["throttle:10", *["ServiceUnavailable"] * faults]
    with program(*LIST, *words) as process:
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, "2 clients in cn-hangzhou" in out) == (0, True)
    assert errors.count("warning: ServiceUnavailable: ") == errors.count("Trying again, up to 7 times") == count


def test_a_wait_for_the_limit_is_printed(backend: Backend) -> None:
    """Where the account's limit is reached a line says, once for each wait, how long nothing is sent."""
    backend.add(*(row(number) for number in range(3, 251)))
    backend.window = Window(limit=4, seconds=6, kind="sliding", retry_header="x-acs-retry-after")
    with program(*LIST) as process:
        out, errors = process.communicate(timeout=60)
    assert (process.returncode, "250 clients in cn-hangzhou" in out) == (0, True)
    lines = errors.splitlines()
    assert re.fullmatch(r"note: the account's limit of requests is reached, going on in [1-6] s", lines[0])
    assert len(lines) <= 3


def test_watch_redraws(backend: Backend) -> None:
    """On a terminal the table is drawn again in place, the counts above it, until Ctrl-C."""
    backend.add(*(row(number) for number in range(3, 60)))
    code, text = interrupted_on_terminal(lambda: backend.requests >= 2, *LIST, "--watch", "1", height=20, width=90)
    assert (code, "Traceback" in text) == (130, False)
    assert "\x1b[1A" in text
    plain = ESCAPE.sub("", text)
    assert "59 clients in cn-hangzhou: 58 ACTIVATED, 1 INSTALL_FAILED; 59 outdated" in plain
    assert "every 1 s, Ctrl-C to stop" in plain
    assert re.search(r"… and \d+ more", plain)


def test_watch_shows_a_target_that_fails(tmp_path: Path, backend: Backend) -> None:
    """On a terminal below the counts, in place; in a pipe once for as long as it fails the same way."""
    keys = {"access_key_id": FAKE_CREDENTIALS.access_key_id, "access_key_secret": FAKE_CREDENTIALS.access_key_secret}
    profile_file(tmp_path, good={"mode": "AK", **keys}, bad={"mode": "AK", **keys, "access_key_id": "FAKE-UNKNOWN"})
    words = (*LIST, "--profile", "good", "--profile", "bad", "--watch", "1")
    plain = ESCAPE.sub("", interrupted_on_terminal(lambda: backend.requests >= 4, *words, width=200)[1])
    assert "2 clients in 1 of 2 targets: 1 ACTIVATED, 1 INSTALL_FAILED" in plain
    assert "cn-hangzhou, profile bad: InvalidAccessKeyId.NotFound: " in plain
    assert "error:" not in plain
    seen = backend.requests
    with program(*words) as process:
        wait_for(lambda: backend.requests >= seen + 6)
        code, out, errors = interrupted(process)
    assert (code, out.count("2 clients in 1 of 2 targets"), len(errors.splitlines())) == (130, 1, 1)


def test_watch_in_a_pipe_prints_changes(backend: Backend) -> None:
    """A block at first and one for every change; heartbeats alone are no change. Ctrl-C to stop with 130, quietly."""
    with program(*LIST, "--watch", "1") as process:
        assert process.stdout
        first = read_block(process.stdout)
        backend.advance(1000)
        seen = backend.requests
        wait_for(lambda: backend.requests >= seen + 2)
        backend.activate("c-2")
        second = read_block(process.stdout)
        code, rest, errors = interrupted(process)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", first[0])
    assert first[-1] == "2 clients in cn-hangzhou: 1 ACTIVATED, 1 INSTALL_FAILED; 2 outdated"
    assert (second[0], second[-1]) == ("", "2 clients in cn-hangzhou: 2 ACTIVATED; 2 outdated")
    assert "\x1b" not in "".join(first + second)
    assert (code, rest, errors) == (130, "", "")


def test_watch_outlives_an_outage(backend: Backend) -> None:
    """No answer for a while is a warning; a refusal that stays is the end."""
    with program(*LIST, "--watch", "1", "--timeout", "4", "--output", "json") as process:
        assert process.stdout
        assert process.stderr
        assert json.loads(process.stdout.readline())["totalCount"] == 2
        backend.latency = 15
        assert process.stderr.readline().startswith("warning: no complete list within 4 s")
        backend.latency = 0
        backend.remove("c-2")
        assert json.loads(process.stdout.readline())["totalCount"] == 1
        backend.next_faults += ["NoPermission"]
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "error: NoPermission: " in errors


def test_a_broken_pipe_is_quiet(backend: Backend) -> None:
    """A reader that stops early causes no message: `hbr-clients list | head`."""
    backend.add(*new_rows(2000))
    reader, writer = os.pipe()
    os.close(reader)
    with program(*LIST, "--output", "json", stdout=writer) as process:
        os.close(writer)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (141, "")


def test_any_locale(backend: Backend) -> None:
    """A pipe gets UTF-8 whatever the locale."""
    backend.add(row(3, InstanceName="\u4e2d\u6587"))
    with program(*LIST, env={**os.environ, "PYTHONIOENCODING": "latin-1"}) as process:
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert "\u4e2d\u6587" in out


def test_a_wait_has_a_bar(backend: Backend) -> None:
    """On a terminal: the count, at most ten blocking clients and the remaining time; removed at the end."""
    backend.add(*(row(number, Status="INSTALLING") for number in range(3, 16)))
    backend.set_status("REGISTERED", "c-2")
    with attached(*WAIT, "--timeout", "5m") as (process, sent):
        wait_for(lambda: backend.requests >= 1)  # a busy machine takes its time to start a program
        backend.later(3, lambda: backend.activate(*(each["ClientId"] for each in backend.rows())))
        text, code = sent(), process.wait()
    shown, _, last = ESCAPE.sub("", text).rpartition("\r")[0].rpartition("\r")
    assert (code, re.sub(r"\d+s$", "3s", last)) == (0, "15 of 15 activated after 3s")
    assert len(set(re.findall(r"\u2501 1 of 15 activated; (5m00|4m5\d)s left", shown))) >= 3
    assert re.search(r"\n  c-2 \(i-2\): REGISTERED since [-0-9: ]+Z\. It activates by itself\r", shown)
    assert "  and 4 more: 4 INSTALLING" in shown
    assert "\x1b[33mc-10 (i-10): INSTALLING" in text


def test_json_in_a_pipe_has_a_bar_on_stderr(backend: Backend) -> None:
    """The object goes into the pipe, the bar to the terminal."""
    backend.set_status("INSTALLING", "c-2")
    words = (*WAIT, "--output", "json", "--timeout", "3")
    with attached(*words, stdout=subprocess.PIPE) as (process, sent):
        text = sent()
        assert process.stdout
        found = json.loads(process.stdout.read())
        assert process.wait() == 124
    assert (found["state"], found["ready"], found["wanted"]) == ("timedOut", 1, 2)
    assert re.search(r"1 of 2 activated; [0-3]s left", ESCAPE.sub("", text))


@pytest.mark.parametrize(("latency", "words"), [(0, ()), (30, ("--output", "json"))])
def test_ctrl_c_ends_a_wait(backend: Backend, latency: float, words: tuple[str, ...]) -> None:
    """At once, with 130 and no message, between two polls or within one."""
    backend.set_status("INSTALLING", "c-2")
    with program(*WAIT, *words) as process:
        assert process.stderr
        assert "1 of 2 activated; waiting for c-2 (i-2): INSTALLING" in process.stderr.readline()
        backend.latency = latency
        seen = backend.requests
        wait_for(lambda: backend.requests > seen)
        before = time.monotonic()
        assert interrupted(process) == (130, "", "")
    assert time.monotonic() - before < 10  # less than the service takes to answer


def test_ctrl_c_leaves_the_terminal_as_it_was(backend: Backend) -> None:
    """The bar is removed, the cursor shown again."""
    backend.set_status("INSTALLING", "c-2")
    code, text = interrupted_on_terminal(lambda: backend.requests >= 2, *WAIT)
    assert (code, "Traceback" in text) == (130, False)
    assert text.rindex("\x1b[?25h") > text.rindex("1 of 2 activated")
