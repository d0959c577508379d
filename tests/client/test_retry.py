"""What is tried again, how often, and what is not: the emulator's faults and the usual refusals, in simulated time."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from pulumi_hbr_clients.client.session import RetryPolicy
from pulumi_hbr_clients.emulator import FAKE_STS_CREDENTIALS, Backend
from pulumi_hbr_clients.emulator.responses import BUSY
from pulumi_hbr_clients.model.errors import (
    CredentialsError,
    HbrError,
    InvalidResponseError,
    Retry,
    ServiceError,
    TransportError,
)
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.protocol.codec import HttpResponse
from pulumi_hbr_clients.protocol.signing import Credentials
from tests.client.in_memory import ECS, Recorder, World


@pytest.mark.parametrize(
    "fault",
    [
        *("drop", "drop_body", "InternalError", "ServiceUnavailable", "unavailable_html", "slow:60"),
        *("html", "redirect", "empty", "half_json", "wrong_clients", "no_total", "refused"),
        *("throttle", "throttle:10", "throttle_seconds:1", "throttle_date:2"),
        *("SignatureNonceUsed", "InvalidSecurityToken.Expired"),
        *BUSY,
        "400 THROTTLING.USER slow down",
        "400 9990040003 Your request was Throttled",
        "400 Rejected.Throttling too fast",
        "429 TooManyRequests later",
        "400 Denied Request was denied due to user flow control.",
        "200 500 internal",
        "200 ServiceUnavailable later",
        "200 Failed code: 503, backend busy",
        "408 RequestTimeout late",
        "503 ServerBusy later",
        "400 ServiceTimeout late",
        "400 Failed The service is temporarily UNAVAILABLE.",
    ],
)
def test_one_fault_is_survived(fault: str) -> None:
    """Whatever happens once to the first page, the list is complete and it cost one more request."""
    world = World(150)
    world.backend.next_faults += [fault]
    assert (world.listed().total_count, world.backend.requests) == (150, 5)
    assert world.backend.log[0].fault == fault


@pytest.mark.parametrize(
    ("fault", "error", "tries"),
    [
        ("half_json", InvalidResponseError, 8),
        ("drop", TransportError, 8),
        ("ServiceUnavailable", ServiceError, 8),
        ("200 InternalError the task failed", ServiceError, 8),
        ("html", InvalidResponseError, 2),
        ("redirect", InvalidResponseError, 2),
        ("SignatureNonceUsed", ServiceError, 2),
        ("InvalidSecurityToken.Expired", ServiceError, 2),
        ("InvalidTimeStamp.Expired", ServiceError, 2),
        ("407 ProxyAuthenticationRequired busy", ServiceError, 1),
        ("xml", ServiceError, 1),
        ("NoPermission", ServiceError, 1),
        ("403 Forbidden.RAM The user busybox is not authorized; timeout", ServiceError, 1),
        ("InvalidParameter", ServiceError, 1),
        ("InvalidAccessKeyId.NotFound", ServiceError, 1),
        ("RoleNotExist", ServiceError, 1),
    ],
)
def test_tries_are_bounded(fault: str, error: type[HbrError], tries: int) -> None:
    """A fault that stays ends in its own error after as many tries as it is worth."""
    world = World(5, fault_rate=1.0, random_faults=(fault,))
    with pytest.raises(error):
        world.listed()
    assert world.backend.requests == tries


def test_connections_that_end_after_their_response() -> None:
    """Nothing says so, and the next request is already on its way: it is sent again, and the list is complete."""
    assert World(150, fault_rate=1.0, random_faults=("drop_after",)).listed().complete


def test_throttled_tries_do_not_count() -> None:
    """Twenty throttled responses and seven failures later there is still a try left."""
    world = World(5)
    world.backend.next_faults += ["throttle:10"] * 10 + ["drop"] * 7 + ["throttle:10"] * 10
    assert world.listed().complete


def test_the_policy_is_the_callers() -> None:
    """Attempts and delays are handed in; every repeated try is reported, with its delay."""
    world, seen = World(5, fault_rate=1.0, random_faults=("ServiceUnavailable",)), Recorder()
    with pytest.raises(ServiceError):
        world.listed({"retry_policy": RetryPolicy(attempts=3, first_delay=8.0, max_delay=10.0)}, seen)
    assert [(each.attempt, each.attempts, str(each.error)[:18]) for each in seen.retries] == [
        (1, 3, "ServiceUnavailable"),
        (2, 3, "ServiceUnavailable"),
    ]
    assert all(0 <= each.delay <= 10 for each in seen.retries)
    assert world.clock.monotonic() == pytest.approx(sum(each.delay for each in seen.retries))


def test_every_try_has_a_new_nonce_and_date() -> None:
    """The emulator refuses a nonce that it has seen, and it saw four tries."""
    world = World(5)
    world.backend.next_faults += ["ServiceUnavailable"] * 4
    assert world.listed().complete
    assert world.statuses == [503] * 4 + [200]
    assert len({headers["x-acs-signature-nonce"] for headers in world.sent}) == 5


@pytest.mark.parametrize("offset", [3600.0, -7200.0, 86400.0 * 400])
def test_a_wrong_clock_is_corrected(offset: float) -> None:
    """Refused once, corrected from the response's own date, for all later requests."""
    world = World(150, clock_offset=offset)
    assert world.listed().complete
    assert world.statuses == [400, 200, 200, 200, 200]


@pytest.mark.parametrize("date", ["Fri, 31 Dec 999999999999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "soon", ""])
def test_a_date_that_cannot_be(date: str) -> None:
    """It corrects nothing, and the refusal is raised."""
    world, body = World(5), json.dumps({"Code": "InvalidTimeStamp.Expired"}).encode()
    world.answers += [HttpResponse(400, {"date": date}, body)] * 2
    with pytest.raises(ServiceError, match=r"InvalidTimeStamp\.Expired"):
        world.listed()


class Vault:
    """A source whose credentials expire; it counts renewals."""

    label = "vault"

    def __init__(self, backend: Backend) -> None:
        self.backend, self.renewals = backend, 0
        self.current = FAKE_STS_CREDENTIALS

    async def credentials(self, *, renew: bool = False) -> Credentials:
        if renew:
            await asyncio.sleep(0.01)
            self.renewals += 1
            self.current = replace(FAKE_STS_CREDENTIALS, security_token=f"FAKE-TOKEN-{self.renewals}")
            self.backend.allow(self.current)
        return self.current


def test_expired_tokens_are_renewed_once_for_all() -> None:
    """Requests that find their token expired at the same time fetch one new one, and the list is complete."""
    world = World(2250)
    vault = Vault(world.backend)

    async def work() -> list[ClientList]:
        async with world.client(credentials=vault) as client:
            await client.list_backup_clients(client_type="LOCAL_CLIENT")
            world.backend.expire(FAKE_STS_CREDENTIALS.access_key_id)
            queries = [client.list_backup_clients(**ECS, consistency=each) for each in ("verified", "counted")]
            return await asyncio.gather(*queries)

    assert [(found.total_count, found.complete) for found in world.run(work())] == [(2250, True)] * 2
    assert vault.renewals == 1


def test_an_unknown_key_with_a_token_may_be_an_expired_one() -> None:
    """Temporary credentials are refreshed once for it."""
    world = World(5)
    vault = Vault(world.backend)
    world.backend.next_faults += ["InvalidAccessKeyId.NotFound"]
    assert world.listed({"credentials": vault}).complete
    assert vault.renewals == 1


def test_what_was_refreshed_in_vain_is_final() -> None:
    """After the one retry an expired token allows, the error says that no later poll need try it."""
    world = World(5, fault_rate=1.0, random_faults=("InvalidSecurityToken.Expired",))
    with pytest.raises(ServiceError) as caught:
        world.listed()
    assert caught.value.retry is Retry.NEVER


class Source:
    """A program's own source of credentials."""

    label = "vault"

    def __init__(self, **parts: str) -> None:
        self.parts = parts

    async def credentials(self, *, renew: bool = False) -> Credentials:
        del renew
        return replace(FAKE_STS_CREDENTIALS, **self.parts)


@pytest.mark.parametrize("part", ["access_key_id", "access_key_secret", "security_token"])
@pytest.mark.parametrize("spoil", ["{}\nx: y", "{}ü", "{}\ud800", "a{}\x00", "{}\u200b"], ids=ascii)
def test_credentials_that_no_header_can_carry(part: str, spoil: str) -> None:
    """A program's own source may give anything: what cannot be sent is refused by its name, unquoted."""
    world = World(5)
    with pytest.raises(CredentialsError, match=f"the {part.replace('_', ' ')} from vault") as caught:
        world.listed({"credentials": Source(**{part: spoil.format("FAKE-SPOILED")})})
    assert "SPOILED" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert world.sent == []


@pytest.mark.parametrize("quoted", [str, repr, ascii, json.dumps, lambda text: repr(text.encode())], ids=range(5))
@pytest.mark.parametrize("secret", ["FAKE+SECRET/with=signs'\"\\", "FAKE%20SECRET&more"])
def test_a_transports_error_shows_no_secret(secret: str, quoted: Any) -> None:
    """Whatever characters a credential holds and however a library quotes it in its own error."""
    credentials = Credentials(f"ID-{secret}", f"KEY-{secret}", f"TOKEN-{secret}")
    world = World(5)
    secrets = (credentials.access_key_id, credentials.access_key_secret, str(credentials.security_token))
    world.answers += [TransportError("; ".join(f"illegal value {quoted(each)}" for each in secrets)) for _ in range(8)]
    with pytest.raises(TransportError) as caught:
        world.listed({"credentials": credentials})
    assert str(caught.value).count("***") == 3
    assert "SECRET" not in f"{caught.value} {caught.value!r} {caught.value.__dict__}"
