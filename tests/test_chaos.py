"""Under fire: lists are whole or say that they are not, nothing but our own errors comes out, and it always ends."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pulumi_hbr_clients import HbrClient, emulator
from pulumi_hbr_clients.core.clients import ClientList
from pulumi_hbr_clients.core.errors import HbrError
from pulumi_hbr_clients.emulator import FAKE_KEYS, World, new_row, new_rows
from tools import chaos

ROOT = Path(__file__).parent.parent


@pytest.mark.timeout(240)
def test_never_an_incomplete_list_without_a_word() -> None:
    """200 runs in every weather with 5 % of mixed faults: no list is wrong, nothing hangs, leaks or is not ours."""
    plans = [chaos.plan(seed, clients=300, faults=0.05) for seed in range(1, 201)]
    outcomes = [(plan, chaos.observe(plan)) for plan in plans]
    assert [chaos.report(plan, outcome) for plan, outcome in outcomes if outcome.verdict in chaos.BAD] == []
    verdicts = Counter(outcome.verdict for _, outcome in outcomes)
    assert verdicts["complete"] >= 100
    assert verdicts["incomplete"] >= 20


def test_calm_runs_are_complete() -> None:
    """Faults that pass by themselves cost time, never the list: without other trouble every run is whole."""
    plans = [
        plan for seed in range(1, 400) if (plan := chaos.plan(seed, clients=300, faults=0.05)).weathers == ("calm",)
    ]
    assert len(plans) >= 5
    assert {chaos.observe(plan).verdict for plan in plans} == {"complete"}


def test_a_wrong_list_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge can condemn: a client that takes every reading for whole is caught, and the command is told."""
    monkeypatch.setattr("pulumi_hbr_clients.core.listing.Listing._agree", lambda *_: True)
    plan = next(p for seed in range(1, 400) if (p := chaos.plan(seed, clients=300, faults=0.0)).weathers == ("short",))
    outcome = chaos.observe(plan)
    assert outcome.verdict == "wrong"
    assert "says complete and lacks" in outcome.detail
    assert f"tools/chaos.py --seed {plan.seed} --runs 1 --clients 300 --faults 0" in chaos.report(plan, outcome)


def test_the_command_counts_and_fails_on_nothing() -> None:
    """`tools/chaos.py` prints its table and ends with 0."""
    command = [sys.executable, str(ROOT / "tools" / "chaos.py"), "--runs", "3", "--clients", "100", "--faults", "0"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("## 3 runs in ")
    assert done.stdout.splitlines()[-1].startswith("| all runs")


# Pages that shift

FLEET = 1960


@pytest.fixture
def shifting() -> Iterator[tuple[World, str]]:
    world = World(new_rows(FLEET), shift=1)
    with emulator.serve(world) as running:
        yield world, running.endpoint


def listed(endpoint: str, **arguments: Any) -> ClientList:
    async def work() -> ClientList:
        async with HbrClient(region="cn-hangzhou", endpoint=endpoint, keys=FAKE_KEYS) as client:
            return await client.list_backup_clients(client_type="ECS_CLIENT", **arguments)

    return asyncio.run(work())


def ids(world: World) -> set[str]:
    return {row["ClientId"] for row in world.rows()}


def test_one_reading_misses_clients_that_stay(shifting: tuple[World, str]) -> None:
    """The weather is what it is said to be: page after page, once, lacks clients that were there all along."""
    world, endpoint = shifting
    before = ids(world)
    pages = [listed(endpoint, page_number=number, page_size=50) for number in range(1, -(-FLEET // 50) + 1)]
    assert len((before & ids(world)) - {i for page in pages for i in page.ids}) >= 10


def test_no_client_that_stays_is_missed(shifting: tuple[World, str]) -> None:
    """Of 1,960 clients one leaves and one arrives per page: `verified` has all that stayed, and no false `complete`."""
    world, endpoint = shifting
    before = ids(world)
    found = listed(endpoint, consistency="verified")
    assert (before & ids(world)) - set(found.ids) == set()
    assert not found.complete


def test_a_fleet_that_comes_to_rest_is_verified(shifting: tuple[World, str]) -> None:
    """Once it is still, two readings agree and the list is whole."""
    world, endpoint = shifting
    listed(endpoint, consistency="verified")
    world.shift = 0
    world.clear_log()
    found = listed(endpoint, consistency="verified")
    assert (set(found.ids), found.complete) == (ids(world), True)
    assert world.requests == 2 * -(-FLEET // 99)


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
STATUSES: tuple[str, ...] = (
    "200 OK",
    "200",
    "201 Created",
    "204 No Content",
    "301 Moved",
    "302 Found",
    "304 Not Modified",
    "400 Bad",
)
STATUSES += (
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
heads = st.tuples(st.sampled_from(STATUSES), st.lists(st.sampled_from(HEADERS), max_size=3))
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
        async with HbrClient(region="cn-hangzhou", endpoint=endpoint, keys=FAKE_KEYS, timeout=0.1) as client:
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
    assert FAKE_KEYS.access_key_secret not in f"{found!r} {found}"
