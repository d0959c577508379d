"""The conversation, against the emulator: exactly these requests, retried as they allow, under one deadline."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from pulumi_hbr_clients import emulator, get_backup_clients
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, FAKE_STS_CREDENTIALS, Backend, Turnover, new_rows
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.errors import (
    DeadlineError,
    HbrError,
    InputError,
    InvalidResponseError,
    ServiceError,
    TransportError,
)
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.protocol.signing import Credentials
from tests.queries import client, listed

ECS: Any = {"client_type": "ECS_CLIENT"}


@pytest.fixture
def backend() -> Backend:
    return Backend(new_rows(250))


@pytest.fixture
def endpoint(backend: Backend) -> Iterator[str]:
    with emulator.serve(backend) as running:
        yield running.endpoint


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def statuses(backend: Backend) -> list[int]:
    return [record.status for record in backend.log]


def test_exactly_these_requests(endpoint: str, backend: Backend) -> None:
    """Page 1 of 99 tells the total; the others are asked for once each."""
    found = listed(endpoint)
    assert (found.total_count, found.complete, found.request_count) == (250, True, 3)
    assert sorted((r.arguments["page_number"], r.arguments["page_size"]) for r in backend.log) == [
        ("1", "99"),
        ("2", "99"),
        ("3", "99"),
    ]
    assert list(found.ids) == sorted(row["ClientId"] for row in backend.rows())


def test_other_pages_go_out_together(endpoint: str, backend: Backend) -> None:
    """With 16 at once, 1,000 clients cost the time of two answers, not of eleven."""
    backend.add(*new_rows(1000, seed=1))
    backend.latency = 0.2
    most = 0

    async def work() -> None:
        nonlocal most
        async with client(endpoint) as hbr:
            asking = asyncio.create_task(hbr.list_backup_clients(**ECS))
            while not asking.done():
                await asyncio.sleep(0.01)
                most = max(most, len(asyncio.all_tasks()) - 2)
            await asking

    run(work())
    assert most >= 12


@pytest.mark.parametrize(
    "fault",
    [
        "drop",
        "drop_body",
        "internal_error",
        "unavailable",
        "unavailable_html",
        "html",
        "empty",
        "half_json",
        "wrong_clients",
        "no_total",
        "refused",
        "throttle",
        "throttle:10",
        "nonce_used",
        "token_expired",
    ],
)
def test_one_fault_is_survived(endpoint: str, backend: Backend, fault: str) -> None:
    """Whatever happens once to the first page, the list is whole and it cost one more request."""
    backend.next_faults += [fault]
    found = listed(endpoint)
    assert (found.total_count, found.complete) == (250, True)
    assert backend.requests == 4
    assert backend.log[0].fault == fault


def test_connections_that_end_after_their_answer(endpoint: str, backend: Backend) -> None:
    """Nobody says so, and the next request is already on its way: it is sent again, and the list is whole."""
    backend.fault_rate, backend.random_faults = 1.0, ("drop_after",)
    assert listed(endpoint).complete


@pytest.mark.parametrize("fault", ["no_page", "other_page"])
def test_pages_that_are_missing_or_another_one(endpoint: str, backend: Backend, fault: str) -> None:
    """A page that came empty, or was another's, shows in the sum, and all is read again."""
    backend.next_faults += ["none", fault]
    found = listed(endpoint)
    assert (found.total_count, found.complete) == (250, True)
    assert backend.requests == 6


@pytest.mark.parametrize(("fault", "error"), [("nonce_used", ServiceError), ("token_expired", ServiceError)])
def test_what_is_tried_once_more_is_tried_once(
    endpoint: str, backend: Backend, fault: str, error: type[HbrError]
) -> None:
    """A nonce, a clock and a token each get one second chance."""
    backend.next_faults += [fault, fault]
    with pytest.raises(error):
        listed(endpoint)
    assert backend.requests == 2


@pytest.mark.parametrize(
    "fault", ["xml", "no_permission", "InvalidParameter", "InvalidAccessKeyId.NotFound", "RoleNotExist"]
)
def test_what_cannot_get_better_is_not_repeated(endpoint: str, backend: Backend, fault: str) -> None:
    """Permission and parameters: one request, one error with the code."""
    backend.next_faults += [fault]
    with pytest.raises(ServiceError) as caught:
        listed(endpoint)
    assert backend.requests == 1
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("fault", "error"), [("html", InvalidResponseError), ("drop", TransportError), ("unavailable", ServiceError)]
)
def test_tries_are_bounded(endpoint: str, backend: Backend, fault: str, error: type[HbrError]) -> None:
    """A fault that stays ends in its own error after eight tries."""
    backend.fault_rate, backend.random_faults = 1.0, (fault,)
    with pytest.raises(error):
        listed(endpoint)
    assert backend.requests == 8


def test_every_try_has_a_new_nonce_and_date(endpoint: str, backend: Backend) -> None:
    """The emulator refuses a nonce that it has seen, and it saw four tries."""
    backend.next_faults += ["unavailable"] * 4
    assert listed(endpoint).complete
    assert statuses(backend) == [503] * 4 + [200] * 3


def test_a_wrong_clock_is_corrected(endpoint: str, backend: Backend) -> None:
    """An hour off: refused once, corrected from the answer's own date, for all later requests."""
    backend.clock_offset = 3600.0
    assert listed(endpoint).complete
    assert statuses(backend) == [400, 200, 200, 200]


def test_the_deadline_is_over_everything(endpoint: str, backend: Backend) -> None:
    """However it is spent, waiting ends; the error says how far it came and what it last saw."""
    backend.fault_rate, backend.random_faults = 1.0, ("throttle:200",)
    with pytest.raises(DeadlineError, match=r"no complete list within 0.6 s .*last error: Throttling") as caught:
        listed(endpoint, {"timeout": 0.6})
    assert isinstance(caught.value.__cause__, ServiceError)


def test_slow_answers_end_too(endpoint: str, backend: Backend) -> None:
    """An answer that takes longer than the deadline is not waited for."""
    backend.latency = 30.0
    with pytest.raises(DeadlineError):
        listed(endpoint, {"timeout": 0.3})


def test_throttled_pages_all_come(endpoint: str, backend: Backend) -> None:
    """Ten requests a second: slower, complete, and seldom throttled again."""
    backend.add(*new_rows(1000, seed=1))
    backend.rate = 10.0
    found = listed(endpoint)
    assert (found.total_count, found.complete) == (1250, True)
    assert statuses(backend).count(400) <= 12


def test_same_question_at_the_same_time(endpoint: str, backend: Backend) -> None:
    """Asked five times at once, sent once; own filters are applied to the shared answer."""

    async def work() -> list[ClientList]:
        async with client(endpoint) as hbr:
            asks = [hbr.list_backup_clients(**ECS) for _ in range(4)]
            asks.append(hbr.list_backup_clients(**ECS, statuses=["ACTIVATED"]))
            return await asyncio.gather(*asks)

    found = run(work())
    assert backend.requests == 3
    assert [len(f.clients) for f in found[:4]] == [250] * 4
    assert set(found[4].counts_by_status) == {"ACTIVATED"}


def test_different_callers_do_not_share(endpoint: str, backend: Backend) -> None:
    """Other keys are another account: nothing is shared between them."""
    backend.allow(FAKE_STS_CREDENTIALS)

    async def work() -> None:
        async with client(endpoint) as one, client(endpoint, credentials=FAKE_STS_CREDENTIALS) as two:
            await asyncio.gather(one.list_backup_clients(**ECS), two.list_backup_clients(**ECS))

    run(work())
    assert backend.requests == 6


def test_giving_up_does_not_take_others_along(endpoint: str, backend: Backend) -> None:
    """When the one who asked first is cancelled, another asks in its stead."""
    backend.latency = 0.05

    async def work() -> ClientList:
        async with client(endpoint) as one, client(endpoint) as two:
            first = asyncio.create_task(one.list_backup_clients(**ECS))
            await asyncio.sleep(0.02)
            second = asyncio.create_task(two.list_backup_clients(**ECS))
            await asyncio.sleep(0.02)
            first.cancel()
            return await second

    assert run(work()).total_count == 250


def test_an_error_reaches_everyone_who_asked(endpoint: str, backend: Backend) -> None:
    """Sharing an answer is sharing its error."""
    backend.next_faults += ["no_permission"]
    backend.latency = 0.05

    async def work() -> list[Any]:
        async with client(endpoint) as hbr:
            asks = [hbr.list_backup_clients(**ECS) for _ in range(3)]
            return await asyncio.gather(*asks, return_exceptions=True)

    assert {type(result) for result in run(work())} == {ServiceError}
    assert backend.requests == 1


def test_sts_token(endpoint: str, backend: Backend) -> None:
    """Temporary keys sign with their token."""
    backend.allow(FAKE_STS_CREDENTIALS)
    assert listed(endpoint, {"credentials": FAKE_STS_CREDENTIALS}).complete


class Vault:
    """A source whose keys expire; it counts how often it is asked for new ones, and how many at once."""

    label = "vault"

    def __init__(self, backend: Backend) -> None:
        self.backend, self.renewals, self.at_once, self.most = backend, 0, 0, 0
        self.first = True

    async def credentials(self, *, renew: bool = False) -> Credentials:
        if renew:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            await asyncio.sleep(0.01)
            self.at_once -= 1
            self.renewals += 1
        keys = replace(FAKE_STS_CREDENTIALS, security_token=f"FAKE-TOKEN-{self.renewals}")
        if renew or self.first:
            self.first = False
            self.backend.allow(keys)
        return keys


def test_expired_tokens_are_renewed_once_for_all(endpoint: str, backend: Backend) -> None:
    """Sixteen requests that find their token expired fetch one new one, and the list is whole."""
    backend.add(*new_rows(2000, seed=1))
    vault = Vault(backend)

    async def work() -> ClientList:
        async with client(endpoint, credentials=vault) as hbr:
            await hbr.list_backup_clients(client_type="LOCAL_CLIENT")
            backend.expire(FAKE_STS_CREDENTIALS.access_key_id)
            return await hbr.list_backup_clients(**ECS)

    found = run(work())
    assert (found.total_count, found.complete) == (2250, True)
    assert (vault.renewals, vault.most) == (1, 1)


def test_a_refusal_that_quotes_the_request_is_redacted(endpoint: str, backend: Backend) -> None:
    """The service echoes what was signed, token and all; the error does not."""
    wrong = Credentials(FAKE_STS_CREDENTIALS.access_key_id, "FAKE-WRONG-SECRET", FAKE_STS_CREDENTIALS.security_token)
    backend.allow(FAKE_STS_CREDENTIALS)
    with pytest.raises(ServiceError) as caught:
        listed(endpoint, {"credentials": wrong})
    shown = f"{caught.value} {caught.value!r} {caught.value.__dict__}"
    assert caught.value.code == "SignatureDoesNotMatch"
    assert "x-acs-security-token:***" in shown
    for secret in (wrong.access_key_secret, str(wrong.security_token), wrong.access_key_id):
        assert secret not in shown


def test_nothing_is_sent_for_bad_input(endpoint: str, backend: Backend) -> None:
    """Arguments and settings are checked first."""
    with pytest.raises(InputError):
        listed(endpoint, page_size=100)
    with pytest.raises(InputError):
        listed("http://example.com")
    with pytest.raises(InputError, match="region"):
        listed(endpoint, {"region": None})
    assert backend.requests == 0


def test_an_empty_id_list_sends_nothing(endpoint: str, backend: Backend) -> None:
    """It selects nothing, and needs no service to know that."""
    assert listed(endpoint, instance_ids=[]).clients == ()
    assert backend.requests == 0


def test_no_one_listens() -> None:
    """A refused connection is an error that names the address."""
    with pytest.raises(TransportError, match=r"no answer from http://127.0.0.1:9 \(ConnectError"):
        listed("http://127.0.0.1:9")


def test_progress(endpoint: str) -> None:
    """Each page reports how many clients it brought, and of how many."""
    seen: list[tuple[int, int]] = []

    async def work() -> None:
        async with client(endpoint) as hbr:
            query = queries.parse(ECS)
            assert query is not None
            await hbr.list(query, lambda count, total: seen.append((count, total)))

    run(work())
    assert sorted(seen) == [(52, 250), (99, 250), (99, 250)]


def test_sync_from_anywhere(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up works in a script and inside a running event loop, and leaves no thread behind."""
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", FAKE_CREDENTIALS.access_key_id)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", FAKE_CREDENTIALS.access_key_secret)

    def ask() -> int:
        return get_backup_clients(**ECS, region="cn-hangzhou", endpoint=endpoint).total_count

    async def inside() -> int:
        return ask()

    before = threading.active_count()
    assert (ask(), run(inside())) == (250, 250)
    assert threading.active_count() == before


@pytest.mark.parametrize("consistency", ["counted", "verified"])
def test_a_moving_fleet(endpoint: str, backend: Backend, consistency: str) -> None:
    """One leaves and one arrives per page: no one who stayed is missed, and no list says that it is whole."""
    before = {row["ClientId"] for row in backend.rows()}
    backend.turnover = Turnover()
    found = listed(endpoint, consistency=consistency, allow_incomplete=True)
    stayed = before & {row["ClientId"] for row in backend.rows()}
    assert stayed - set(found.ids) == set()
    assert not found.complete
