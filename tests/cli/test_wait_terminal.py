"""`hbr-clients wait` on a terminal, and its end by Ctrl-C, as a program of its own."""

import json
import re
import signal
import subprocess
import time

import pytest

from pulumi_hbr_clients.emulator import Backend
from tests.cli.terminals import ESCAPE, attached, interrupted, row, wait_for
from tests.commands import program

WAIT = ("wait", "--client-type", "ECS_CLIENT", "--poll", "0.2")
pytestmark = pytest.mark.usefixtures("emulator")


@pytest.fixture
def backend() -> Backend:
    return Backend([row(1), row(2, Status="INSTALL_FAILED")])


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
    with attached(*WAIT) as (process, sent):
        wait_for(lambda: backend.requests >= 2)
        process.send_signal(signal.SIGINT)
        text = sent()
        assert process.wait() == 130
    assert text.rindex("\x1b[?25h") > text.rindex("1 of 2 activated")
    assert "Traceback" not in text
