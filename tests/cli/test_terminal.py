"""Terminals, pipes, --watch, Ctrl-C: the command as a program of its own, against the emulator."""

import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import pytest

from pulumi_hbr_clients.cli.tables import Column, ago, columns, fit, summary, table
from pulumi_hbr_clients.cli.targets import TargetResult
from pulumi_hbr_clients.emulator import Backend, new_rows
from pulumi_hbr_clients.model.backup_client import ClientList, counts_by_status, from_wire
from pulumi_hbr_clients.model.query import Query
from tests.commands import program

LIST = ("list", "--client-type", "ECS_CLIENT")
WAIT = ("wait", "--client-type", "ECS_CLIENT", "--poll", "0.2")
FRAGILE = "from pulumi_hbr_clients.client import client; client.ATTEMPTS = 1"
"""Gives up an answer at once: a failing look shall not take its usual ten seconds."""
LESS_PATIENT = "from pulumi_hbr_clients.client import client; client.ATTEMPTS = 5"
"""Some tries, so that there is time between the first and the last."""
QUERY = Query.model_validate({"client_type": "ECS_CLIENT"})
STREAMS = ("stdin", "stdout", "stderr")
NOW = 1_700_000_100.0
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
pytestmark = pytest.mark.usefixtures("emulator")


def row(number: int, **fields: Any) -> dict[str, Any]:
    beat = {"LastHeartBeatTime": 1_700_000_000, "MaxClientVersion": "2.0.0", "ClientVersion": "1.0.0"}
    return {"ClientId": f"c-{number}", "InstanceId": f"i-{number}", "Status": "ACTIVATED", **beat, **fields}


@pytest.fixture
def backend() -> Backend:
    return Backend([row(1), row(2, Status="INSTALL_FAILED")])


@contextmanager
def attached(
    *words: str, height: int = 24, width: int = 100, env: Mapping[str, str] | None = None, **streams: Any
) -> Iterator[tuple[subprocess.Popen[str], Callable[[], str]]]:
    """A program on a terminal, but for the streams given, and what waits for all that the terminal is sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    env = {**os.environ, "TERM": "xterm-256color", **(env or {})}
    with program(*words, env=env, **{**dict.fromkeys(STREAMS, theirs), **streams}) as process:
        os.close(theirs)
        yield process, lambda: b"".join(iter(lambda: _read(ours), b"")).decode()
    os.close(ours)


def on_terminal(*words: str, width: int = 100, first: str = "", **env: str) -> tuple[int, str]:
    """The exit code and all that a terminal of this width was sent."""
    with attached(*words, width=width, env=env, first=first) as (process, sent):
        text = sent()
        return process.wait(), text


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux's word for the end of a terminal
        return b""


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def read_block(stream: IO[str]) -> list[str]:
    """The lines up to the counts of a table."""
    lines: list[str] = []
    while not lines or " in cn-hangzhou: " not in lines[-1]:
        lines.append(stream.readline().rstrip("\n"))
        assert len(lines) < 20
    return lines


def test_a_terminal_has_colour() -> None:
    """Green is well, red needs somebody; without wanting colour there is none."""
    code, text = on_terminal(*LIST)
    assert code == 0
    assert "\x1b[32mACTIVATED" in text
    assert "\x1b[31mINSTALL_FAILED" in text
    code, text = on_terminal(*LIST, NO_COLOR="1")
    assert (code, re.findall(r"\x1b\[[0-9;]*3\dm", text)) == (0, [])
    assert "\x1b" not in on_terminal(*LIST, TERM="dumb")[1]


def test_a_slow_service_has_a_progress_bar(backend: Backend) -> None:
    """After a moment without an answer a terminal shows how far the reading is."""
    backend.latency = 0.8
    _, text = on_terminal(*LIST)
    assert "reading clients" in text
    assert text.index("reading clients") < text.index("CLIENT")


def test_errors_have_colour_too(backend: Backend) -> None:
    """On a terminal the word error is red; the text is the same."""
    backend.next_faults += ["NoPermission"]
    code, text = on_terminal(*LIST)
    assert code == 1
    assert "\x1b[31m\x1b[1merror:\x1b[0m NoPermission: " in text


@contextmanager
def nobody_listens() -> Iterator[str]:
    """An address that refuses every connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_refused_connection_is_told_at_once() -> None:
    """In a pipe: that it is tried again, once, and not only how it ended."""
    with nobody_listens() as address, program(*LIST, "--endpoint", address, first=LESS_PATIENT) as process:
        assert process.stderr
        said = process.stderr.readline()
        assert process.poll() is None
        _, rest = process.communicate(timeout=20)
    assert said.startswith(f"warning: no answer from {address} (ConnectError")
    assert said.endswith("). Trying again, up to 4 times\n")
    assert (process.returncode, rest) == (
        1,
        said.replace("warning:", "error:").replace(". Trying again, up to 4 times", ""),
    )


def test_a_terminal_is_told_of_retries_too() -> None:
    """Above the progress bar, which would stand still."""
    with nobody_listens() as address:
        code, text = on_terminal(*LIST, "--endpoint", address, first=LESS_PATIENT)
    assert (code, ESCAPE.sub("", text).count("Trying again, up to 4 times\r\n")) == (1, 1)


@pytest.mark.parametrize(
    ("words", "faults", "said"),
    [((), 1, 1), ((), 3, 1), (("-v",), 3, 0), ((), 0, 0)],
)
def test_retries_are_told_once(backend: Backend, words: tuple[str, ...], faults: int, said: int) -> None:
    """However often one query is tried again, and not where the log tells it already. Throttling is no trouble."""
    backend.next_faults += ["throttle:10", *["unavailable"] * faults]
    with program(*LIST, *words) as process:
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, "2 clients in cn-hangzhou" in out) == (0, True)
    assert errors.count("warning: ServiceUnavailable: ") == errors.count("Trying again, up to 7 times") == said


def test_watch_redraws(backend: Backend) -> None:
    """On a terminal the table is drawn again in place, the counts above it, until Ctrl-C."""
    backend.add(*(row(number) for number in range(3, 60)))
    with attached(*LIST, "--watch", "1", height=20, width=90) as (process, sent):
        wait_for(lambda: backend.requests >= 2)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        text = sent()
        assert process.wait() == 130
    assert "\x1b[1A" in text
    assert "Traceback" not in text
    plain = ESCAPE.sub("", text)
    assert "59 clients in cn-hangzhou: 58 ACTIVATED, 1 INSTALL_FAILED; 59 outdated" in plain
    assert "every 1 s, Ctrl-C to stop" in plain
    assert re.search(r"… and \d+ more", plain)


def test_watch_in_a_pipe_tells_of_changes(backend: Backend) -> None:
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


def test_watched_json_is_an_object_a_line(backend: Backend) -> None:
    """What a program reads is one line for each change."""
    with program(*LIST, "--watch", "1", "--output", "json") as process:
        assert process.stdout
        first = json.loads(process.stdout.readline())
        backend.remove("c-2")
        second = json.loads(process.stdout.readline())
        assert interrupted(process) == (130, "", "")
    assert [first["ids"], second["ids"]] == [["c-1", "c-2"], ["c-1"]]


def test_watch_outlives_an_outage(backend: Backend) -> None:
    """No answer for a while is a warning; a refusal that stays is the end."""
    with program(*LIST, "--watch", "1", "--timeout", "2", "--output", "json") as process:
        assert process.stdout
        assert process.stderr
        assert json.loads(process.stdout.readline())["totalCount"] == 2
        backend.latency = 9
        assert process.stderr.readline().startswith("warning: no complete list within 2 s")
        backend.latency = 0
        backend.remove("c-2")
        assert json.loads(process.stdout.readline())["totalCount"] == 1
        backend.next_faults += ["NoPermission"]
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "error: NoPermission: " in errors


def test_ctrl_c_is_quiet(backend: Backend) -> None:
    """An interrupt while waiting for the service ends with 130 and not a word."""
    backend.latency = 30
    with program(*LIST) as process:
        wait_for(lambda: backend.requests == 1)
        assert interrupted(process) == (130, "", "")


def test_a_wait_has_a_bar(backend: Backend) -> None:
    """On a terminal: how many are there, who is missing, at most ten, and the time left; gone in the end."""
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


def test_a_wait_tells_of_an_outage(backend: Backend) -> None:
    """Under the bar, for as long as it lasts."""
    backend.set_status("INSTALLING", "c-2")
    backend.next_faults += ["none", *["unavailable"] * 4]
    with attached(*WAIT, first=FRAGILE) as (process, sent):
        wait_for(lambda: backend.requests >= 1)
        backend.later(2, lambda: backend.activate("c-2"))
        text, code = sent(), process.wait()
    plain = ESCAPE.sub("", text)
    assert (code, "2 of 2 activated after " in plain) == (0, True)
    assert re.search(r"\u2501 1 of 2 activated; 1[45]m\d\ds left\r\n.*\r\nthe service does not answer: Serv", plain)


def test_a_wait_for_a_program_is_seen_on_stderr(backend: Backend) -> None:
    """The object goes into the pipe, the bar to the terminal."""
    backend.set_status("INSTALLING", "c-2")
    words = (*WAIT, "--output", "json", "--timeout", "1")
    with attached(*words, stdout=subprocess.PIPE) as (process, sent):
        text = sent()
        assert process.stdout
        found = json.loads(process.stdout.read())
        assert process.wait() == 124
    assert (found["state"], found["ready"], found["wanted"]) == ("timedOut", 1, 2)
    assert re.search(r"1 of 2 activated; [01]s left", ESCAPE.sub("", text))


@pytest.mark.parametrize("words", [(), ("--output", "json")])
@pytest.mark.parametrize("latency", [0, 30])
def test_ctrl_c_ends_a_wait(backend: Backend, latency: float, words: tuple[str, ...]) -> None:
    """Within 2 s, with 130 and not a word more, be it between two looks or in the middle of one."""
    backend.set_status("INSTALLING", "c-2")
    with program(*WAIT, *words) as process:
        assert process.stderr
        assert "1 of 2 activated; waiting for c-2 (i-2): INSTALLING" in process.stderr.readline()
        backend.latency = latency
        seen = backend.requests
        wait_for(lambda: backend.requests > seen)
        before = time.monotonic()
        assert interrupted(process) == (130, "", "")
    assert time.monotonic() - before < 2


def test_ctrl_c_leaves_the_terminal_as_it_was(backend: Backend) -> None:
    """The bar goes, the cursor comes back."""
    backend.set_status("INSTALLING", "c-2")
    with attached(*WAIT) as (process, sent):
        wait_for(lambda: backend.requests >= 2)
        process.send_signal(signal.SIGINT)
        text = sent()
        assert process.wait() == 130
    assert text.rindex("\x1b[?25h") > text.rindex("1 of 2 activated")
    assert "Traceback" not in text


def test_a_broken_pipe_is_quiet(backend: Backend) -> None:
    """Whoever stops reading gets no complaint: `hbr-clients list | head`."""
    backend.add(*new_rows(2000))
    reader, writer = os.pipe()
    os.close(reader)
    with program(*LIST, "--output", "json", stdout=writer) as process:
        os.close(writer)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (141, "")


@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_any_locale(backend: Backend, output: str) -> None:
    """A pipe gets UTF-8 whatever the locale, so that no name is lost to it."""
    backend.add(row(3, InstanceName="\u4e2d\u6587"))
    with program(*LIST, "--output", output, env={**os.environ, "PYTHONIOENCODING": "latin-1"}) as process:
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert "\u4e2d\u6587" in out


def listed(*rows: dict[str, Any], region: str = "cn-beijing") -> list[TargetResult]:
    clients = tuple(from_wire(rows))
    return [TargetResult(QUERY, region, ClientList(clients=clients, counts_by_status=counts_by_status(clients)))]


def cells(line: str) -> int:
    return sum(2 if char > "\u2e7f" else 1 for char in line)


@pytest.mark.parametrize("width", range(40, 180, 7))
def test_a_table_fits(width: int) -> None:
    """On a narrow terminal names shrink and columns go, but client, name and status stay whole."""
    rows = [row(number, InstanceName="\u4e2d\u6587 name of some length", ZoneId="cn-hangzhou-h") for number in range(3)]
    *lines, _ = ["".join(text for text, _ in line) for line in table(listed(*rows), now=NOW, width=width)]
    lines = [line for line in lines if not line.startswith("(no room")]
    assert max(map(cells, lines)) <= width
    assert lines[0].split()[0] == "CLIENT"
    assert {"NAME", "STATUS"} <= set(lines[0].split())
    assert [line.split()[0] for line in lines[1:]] == ["c-0", "c-1", "c-2"][: len(lines) - 1]
    assert len({cells(line) for line in lines}) == 1


def test_what_goes_first() -> None:
    """The system goes before the zone, heartbeats stay longest, and what went is said."""
    *_, last = table(listed(row(1, ClientId="c-" + "0" * 20, InstanceId="i-" + "0" * 20)), now=NOW, width=95)
    assert last == [("(no room for zone, os: widen the terminal, or see --output)", "dim")]
    assert fit([5, 5], [Column("A", columns(listed())[0].cell)] * 2, 3) == {0: 5, 1: 5}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s ago"), (59.9, "59s ago"), (60, "1m ago"), (7199, "119m ago"), (7200, "2h ago"), (172_800, "2d ago")],
)
def test_ago(seconds: float, text: str) -> None:
    """Ages are told in the largest unit that says enough, and never in the future."""
    assert ago(seconds) == text


def test_ages_and_marks() -> None:
    """A client that never reported, one that fell silent, and one that is out of date are marked."""
    rows = [row(1), row(2, LastHeartBeatTime=0, ClientVersion="2.0.0"), row(3, LastHeartBeatTime=1_699_000_000)]
    _, *lines = table(listed(*rows), now=NOW)
    marked = [[cell for cell in line if cell[0].strip()] for line in lines]
    assert [line[3] for line in marked] == [("1m ago   ", ""), ("never    ", "dim"), ("11d ago  ", "yellow")]
    assert [line[4] for line in marked] == [("1.0.0 (old)", "yellow"), ("2.0.0      ", ""), ("1.0.0 (old)", "yellow")]


def test_one_client_is_no_plural() -> None:
    """The counts speak as people do."""
    assert "".join(text for text, _ in next(summary(listed(row(1))))) == (
        "1 client in cn-beijing: 1 ACTIVATED; 1 outdated"
    )
