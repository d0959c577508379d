"""Under fire: lists are whole or say that they are not, nothing but our own errors comes out, and it always ends."""

import asyncio
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pulumi_hbr_clients import HbrClient, emulator
from pulumi_hbr_clients.activation.condition import STATUSES
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, new_row, new_rows
from pulumi_hbr_clients.model.backup_client import ClientList
from pulumi_hbr_clients.model.errors import HbrError
from tests.queries import listed
from tools.storms import groups, runs
from tools.storms.plans import Plan, Scale, plan
from tools.storms.runs import BAD, observe
from tools.storms.tally import report

ROOT = Path(__file__).parent.parent


SMALL = Scale(clients=300, faults=0.05, gates=0.25)
LISTS_ALONE = Scale(clients=300, faults=0.05, gates=0)
GATES = Scale(clients=100, faults=0.0, gates=1)


def plans(scale: Scale, *weathers: str) -> Iterator[Plan]:
    """Those of the first seeds that have this weather and no other."""
    tiny = Scale(clients=9, gates=0)  # the weather is drawn first, whatever the fleet
    return (plan(seed, scale) for seed in range(1, 1000) if plan(seed, tiny).weathers == weathers)


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, str(ROOT / "tools" / "chaos.py"), *arguments]
    return subprocess.run(line, check=False, capture_output=True, text=True, timeout=200)


@pytest.mark.timeout(240)
def test_no_list_and_no_gate_is_wrong(tmp_path: Path) -> None:
    """200 runs in every weather with 5 % of mixed faults: lists say what they are, gates open when all are ready."""
    file = tmp_path / "chaos.json"
    done = command("--runs", "200", "--clients", "300", "--faults", "0.05", "--gates", "0.25", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text())
    assert found["bad"] == []
    assert {found["totals"][verdict] for verdict in BAD} == {0}
    assert found["runs"] == 200
    assert found["totals"]["complete"] >= 120
    assert found["totals"]["incomplete"] >= 30
    assert found["totals"]["passed"] >= 30
    assert found["totals"]["held"] >= 16


def test_calm_runs_are_complete() -> None:
    """Faults that pass by themselves cost time, never the list: without other trouble every run is whole."""
    calm = list(islice(plans(LISTS_ALONE, "calm"), 8))
    assert {verdict for made in calm for verdict in observe(made).verdicts} == {"complete"}


def test_gates_open_in_calm_weather(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is wrong with the service, no gate stays shut that ought to open."""
    monkeypatch.setattr(groups, "PATIENCE", 20.0)  # a busy machine is no verdict
    verdicts = [verdict for made in islice(plans(GATES, "calm"), 4) for verdict in observe(made).verdicts]
    assert set(verdicts) <= {"complete", "incomplete", "passed", "held"}
    assert verdicts.count("passed") >= 3


def test_a_wrong_list_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge can condemn: a client that takes every reading for whole is caught, and the command is told."""
    monkeypatch.setattr("pulumi_hbr_clients.protocol.paginator.Listing._agree", lambda *_: True)
    made = next(plans(replace(LISTS_ALONE, faults=0.0), "short"))
    outcome = observe(made)
    assert "wrong" in outcome.verdicts
    assert "says complete and lacks" in outcome.bad[0].detail
    again = f"tools/chaos.py --seed {made.seed} --runs 1 --clients 300 --faults 0 --gates 0"
    assert again in report(made, outcome)


def test_a_gate_that_opens_early_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that takes whoever is being installed for activated is caught."""
    monkeypatch.setitem(STATUSES, "INSTALLING", STATUSES["ACTIVATED"])
    monkeypatch.setattr("pulumi_hbr_clients.activation.condition._why", lambda *_: None)
    found = [finding for made in islice(plans(GATES, "calm"), 2) for finding in observe(made).bad]
    assert {finding.verdict for finding in found} == {"early"}
    assert "not ready by then" in found[0].detail


def test_a_gate_that_takes_an_unfinished_list_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked by filters, a list that may be incomplete opens nothing: a gate that lets it is caught."""
    monkeypatch.setattr("pulumi_hbr_clients.activation.condition._open_question", lambda *_: "")
    found = (finding for made in plans(GATES, "short") for finding in observe(made).bad)
    assert "an incomplete list opened it" in next(found).detail


def test_a_gate_that_fails_for_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that takes a client for failed which is only late is caught."""
    monkeypatch.setattr("pulumi_hbr_clients.activation.condition._fails", lambda *_: True)
    assert "unjust" in {verdict for made in islice(plans(GATES, "calm"), 2) for verdict in observe(made).verdicts}


def test_a_gate_that_never_opens_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that stays shut although all are ready is counted, with what it said."""
    monkeypatch.setattr("pulumi_hbr_clients.activation.condition._open_question", lambda *_: "never enough")
    found = (finding for made in plans(GATES, "calm") for finding in observe(made).findings)
    assert next(f for f in found if f.verdict == "never").detail == "GateTimeoutError: never enough"


def test_a_secret_that_comes_out_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in a log, at any level, is a leak."""
    made = next(plans(replace(LISTS_ALONE, faults=0.0), "calm"))
    monkeypatch.setattr(
        "pulumi_hbr_clients.api._redactor",
        lambda keys, _: logging.getLogger("x").debug("signed with %s", keys.access_key_secret),
    )
    assert "leak" in observe(made).verdicts


def test_a_run_that_does_not_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that blocks its event loop hangs, and the run is over all the same."""
    release = threading.Event()

    def block(*_: object) -> None:
        release.wait(20)
        raise KeyError

    monkeypatch.setattr(runs, "HANG", 0.5)
    monkeypatch.setattr("pulumi_hbr_clients.protocol.paginator.Listing.take", block)
    made = next(plans(replace(LISTS_ALONE, faults=0.0), "calm"))
    before = {*threading.enumerate()}
    assert "hang" in observe(made).verdicts
    release.set()
    for thread in {*threading.enumerate()} - before:
        thread.join(20)


NAMED: dict[str, Callable[[Plan], bool]] = {
    "dropped before the answer": lambda made: "drop" in made.conditions["random_faults"],
    "dropped within it": lambda made: "drop_body" in made.conditions["random_faults"],
    "dropped after it": lambda made: "drop_after" in made.conditions["random_faults"],
    "slow answers": lambda made: "latency" in made.conditions and "slow:1" in made.conditions["random_faults"],
    "5xx": lambda made: {"unavailable", "internal_error"} <= {*made.conditions["random_faults"]},
    "HTML": lambda made: {"html", "unavailable_html"} <= {*made.conditions["random_faults"]},
    "half JSON": lambda made: "half_json" in made.conditions["random_faults"],
    "throttled with a header": lambda made: made.conditions.get("rate_retry_after") is not None,
    "throttled without one": lambda made: "rate" in made.conditions and made.conditions["rate_retry_after"] is None,
    "single throttled answers": lambda made: {"throttle", "throttle:50"} <= {*made.conditions["random_faults"]},
    "expired tokens": lambda made: made.token_life is not None and "token_expired" in made.conditions["random_faults"],
    "clocks ahead": lambda made: made.conditions.get("clock_offset", 0) > 900,
    "clocks behind": lambda made: made.conditions.get("clock_offset", 0) < -900,
    "duplicate pages": lambda made: "other_page" in made.conditions["random_faults"],
    "pages that overlap": lambda made: "repeats" in made.conditions,
    "missing pages": lambda made: "no_page" in made.conditions["random_faults"],
    "pages that lack clients": lambda made: "short_by" in made.conditions,
    "totals too high": lambda made: made.conditions.get("total_drift", 0) > 0,
    "totals too low": lambda made: made.conditions.get("total_drift", 0) < 0,
}


@pytest.fixture(scope="module")
def drawn() -> list[Plan]:
    return [plan(seed, replace(SMALL, clients=30)) for seed in range(1, 401)]


@pytest.mark.parametrize("trouble", NAMED)
def test_every_kind_of_trouble_is_met(drawn: list[Plan], trouble: str) -> None:
    """Among the short form's runs are some with it, and among a few hundred some in which gates wait as well."""
    met = [made for made in drawn if NAMED[trouble](made)]
    assert met[0].seed <= 100
    assert any(made.gates for made in met)


def test_a_seed_decides_everything() -> None:
    """The same seed and scale, the same plan; the command that replays it names both."""
    made = plan(11, SMALL)
    assert made == plan(11, SMALL)
    assert made.replay.endswith("tools/chaos.py --seed 11 --runs 1 --clients 300 --faults 0.05 --gates 0.25")
    assert plan(11, Scale()).replay.endswith("tools/chaos.py --seed 11 --runs 1")


def test_the_command_stops_in_time(tmp_path: Path) -> None:
    """When its minutes are over no run is started, and it says how many there were."""
    file = tmp_path / "chaos.json"
    done = command("--runs", "2", "--minutes", "0", "--json", str(file))
    assert done.returncode == 0
    assert done.stdout.startswith("## 0 runs of 2, for the time was over, in ")
    assert json.loads(file.read_text())["runs"] == 0


def test_a_single_run_is_told() -> None:
    """The replay tells what came out of the one run, whatever it was."""
    done = command("--seed", "5", "--runs", "1", "--clients", "60", "--faults", "0", "--gates", "0")
    assert done.stdout.startswith("seed 5: ")
    assert "again: .venv/bin/python tools/chaos.py --seed 5 --runs 1 --clients 60 --faults 0 --gates 0" in done.stdout
    assert "| all runs " in done.stdout


# Pages that shift

FLEET = 1960


@pytest.fixture
def shifting() -> Iterator[tuple[Backend, str]]:
    backend = Backend(new_rows(FLEET), shift=1)
    with emulator.serve(backend) as running:
        yield backend, running.endpoint


def ids(backend: Backend) -> set[str]:
    return {row["ClientId"] for row in backend.rows()}


def test_one_reading_misses_clients_that_stay(shifting: tuple[Backend, str]) -> None:
    """The weather is what it is said to be: page after page, once, lacks clients that were there all along."""
    backend, endpoint = shifting
    before = ids(backend)
    pages = [listed(endpoint, page_number=number, page_size=50) for number in range(1, -(-FLEET // 50) + 1)]
    assert len((before & ids(backend)) - {i for page in pages for i in page.ids}) >= 10


def test_no_client_that_stays_is_missed(shifting: tuple[Backend, str]) -> None:
    """Of 1,960 clients one leaves and one arrives per page: `verified` has all that stayed, and no false `complete`."""
    backend, endpoint = shifting
    before = ids(backend)
    found = listed(endpoint, consistency="verified")
    assert (before & ids(backend)) - set(found.ids) == set()
    assert not found.complete


def test_a_fleet_that_comes_to_rest_is_verified(shifting: tuple[Backend, str]) -> None:
    """Once it is still, two readings agree and the list is whole."""
    backend, endpoint = shifting
    listed(endpoint, consistency="verified")
    backend.shift = 0
    backend.clear_log()
    found = listed(endpoint, consistency="verified")
    assert (set(found.ids), found.complete) == (ids(backend), True)
    assert backend.requests == 2 * -(-FLEET // 99)


# Hostile answers

NAMES = ("Success", "Code", "Message", "RequestId", "TotalCount", "PageSize", "PageNumber", "Clients", "Client")
HEADERS = (
    "Date: Mon, 01 Jan 0001 00:00:00 GMT",
    "Date: Mon, 01 Jan 0001 00:00:00 -0000",
    "Date: Fri, 99 Zzz 99999 99:99:99 +9999",
    "Date: \xff\xfe",
    "Retry-After: 99999999999999999999",
    "Retry-After: \xb2",
    "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",
    "x-acs-retry-after: nan",
    "x-acs-retry-after: -inf",
    "x-acs-retry-after: 1e400",
    "x-acs-retry-after: 0x10",
    "Content-Encoding: gzip",
    "Content-Encoding: br, deflate, \x01",
    "Content-Type: text/html; charset=utf-99",
    "Content-Length: 7",
    "Content-Length: -1",
    "Transfer-Encoding: chunked",
    "Location: http://[::1",
    "Set-Cookie: =; Max-Age=\x00; Expires=never",
    "x" * 70_000,
    "no colon",
    ": empty",
)
LINES: tuple[str, ...] = (
    "200 OK",
    "200",
    "201 Created",
    "204 No Content",
    "301 Moved",
    "302 Found",
    "304 Not Modified",
    "400 Bad",
)
LINES += (
    "401 Who",
    "403 No",
    "404 Nothing",
    "429 Slow",
    "500 Oh",
    "503 Busy",
    "599 ?",
    "999 ?",
    "99 ?",
    "abc ?",
    "",
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
rows = st.builds(
    lambda changes: {**new_row("hostile"), **changes},
    st.dictionaries(st.sampled_from(list(new_row("x"))), anything, max_size=6),
)
lists = st.lists(rows, max_size=4)
envelopes = st.builds(
    lambda base, changes: {**base, **changes},
    st.builds(lambda found: {"Success": True, "Code": "200", "TotalCount": len(found), "Clients": found}, lists),
    st.dictionaries(st.sampled_from(NAMES), anything | st.builds(lambda found: {"Client": found}, lists), max_size=4),
)
bodies = st.one_of(
    envelopes.map(lambda value: json.dumps(value).encode()),
    anything.map(lambda value: json.dumps(value).encode()),
    envelopes.map(lambda value: json.dumps(value).encode("utf-16")),
    st.tuples(envelopes, st.integers(0, 400)).map(lambda pair: json.dumps(pair[0]).encode()[: pair[1]]),
    st.binary(max_size=200),
    st.just(b"[" * 100_000),
    st.just(b'{"TotalCount": 1, "Clients": [{"ClientId": "c-1", "CreatedTime": %b}]}' % (b"1" * 5000)),
    st.just(b'{"TotalCount": 1000000, "Clients": []}'),
    st.just(b"<Error><Code>Throttling</Code><Message>\xff</Message></Error>"),
)
heads = st.tuples(st.sampled_from(LINES), st.lists(st.sampled_from(HEADERS), max_size=3))
FAIR: tuple[str, list[str]] = ("200 OK", [])
fair = st.just(FAIR)


def answer(head: tuple[str, list[str]], body: bytes, *, honest: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {head[0]}",
        *head[1],
        *([f"Content-Length: {len(body)}"] if honest else []),
        "Connection: close",
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


answers = st.one_of(
    st.builds(answer, fair, bodies, honest=st.just(value=True)),
    st.builds(answer, fair, envelopes.map(lambda value: json.dumps(value).encode()), honest=st.just(value=True)),
    st.builds(answer, heads, bodies, honest=st.booleans()),
    st.binary(max_size=300),
)


async def met(said: bytes, **arguments: Any) -> ClientList | HbrError:
    """What comes out when the service says this, whatever it is asked."""
    saying = set[Any]()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        saying.add(asyncio.current_task())
        with suppress(OSError):
            await reader.read(1)
            writer.write(said)
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with HbrClient(
            region="cn-hangzhou", endpoint=endpoint, credentials=FAKE_CREDENTIALS, timeout=0.1
        ) as client:
            try:
                found: ClientList | HbrError = await client.list_backup_clients(client_type="ECS_CLIENT", **arguments)
            except HbrError as error:
                found = error
        await asyncio.gather(*saying)
    return found


@settings(max_examples=100)
@given(answers, st.booleans())
@example(answer(FAIR, b'{"TotalCount": 1, "Clients": [{"ClientId": "c-1", "Settings": true}]}', honest=True), True)  # noqa: FBT003  Hypothesis passes it on
@example(answer(FAIR, b'{"totalCount": 1, "clients": [{"ClientId": "c-1"}]}', honest=True), True)  # noqa: FBT003
def test_hostile_answers(said: bytes, passwords: bool) -> None:  # noqa: FBT001  Hypothesis gives it
    """Whatever the service says, a list or one of our own errors comes out, and says nothing of the key."""
    found = asyncio.run(met(said, include_proxy_passwords=passwords))
    assert isinstance(found, ClientList | HbrError)
    assert FAKE_CREDENTIALS.access_key_secret not in f"{found!r} {found}"
