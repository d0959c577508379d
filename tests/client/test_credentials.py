"""Credentials that are fetched: by alibabacloud-credentials, once for all who wait, and renewed before they end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients import HbrClient
from pulumi_hbr_clients.client.credential_specs import CredentialSpec
from pulumi_hbr_clients.client.credentials import SharedCredentials, credential_source
from pulumi_hbr_clients.emulator import Backend, InMemoryTransport
from pulumi_hbr_clients.model.errors import CredentialsError, DeadlineError, Retry
from pulumi_hbr_clients.protocol.signing import Credentials
from tests.client.samples import CALLER, KEYS, REGION, profile_file, resolved
from tests.client.servers import Sts
from tests.commands import run

ROLE = "acs:ram::1234567890123456:role/reader"
NO_PERMISSION = (403, {"Code": "NoPermission", "Message": "FAKE-CALLER may not, SecurityToken=FAKE-QUOTED"})


@pytest.fixture
def sts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sts]:
    """STS with a throw-away authority, which SSL_CERT_FILE names."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with Sts().serving(tmp_path / "authority.pem") as running:
        yield running


def source(sts: Sts, caller: Mapping[str, str] = CALLER, /, **arguments: Any) -> Any:
    variables = {**caller, "ALIBABA_CLOUD_STS_ENDPOINT": sts.endpoint}
    return credential_source(resolved({"region": REGION, **arguments}, **variables))


def of_profile() -> Any:
    return credential_source(resolved({"region": REGION, "profile": "p"}))


def fetched(made: Any, *, renew: bool = False) -> Credentials:
    found: Credentials = asyncio.run(made.credentials(renew=renew))
    return found


def refused(made: Any) -> CredentialsError:
    with pytest.raises(CredentialsError) as caught:
        fetched(made)
    assert "FAKE-QUOTED" not in str(caught.value)
    assert "SECRET" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "policy", [{"Version": "1", "Statement": []}, '{"Statement":[],"Version":"1"}'], ids=["object", "text"]
)
def test_a_role_is_assumed(sts: Sts, policy: Any) -> None:
    """Over https, by the caller that was found, with all that the role names. A policy may be text or an object."""
    role = {"role_arn": ROLE, "session_name": "s", "session_expiration": 900, "policy": policy, "external_id": "e"}
    assert fetched(source(sts, assume_role=role)) == Credentials("FAKE-STS-1", "FAKE-STS-SECRET", "FAKE-STS")
    (sent,) = sts.requests
    expected = {"Action": "AssumeRole", "AccessKeyId": "FAKE-CALLER", "RoleArn": ROLE, "RoleSessionName": "s"}
    expected |= {"DurationSeconds": "900", "ExternalId": "e", "Policy": '{"Statement":[],"Version":"1"}'}
    assert {name: sent.get(name) for name in expected} == expected


def test_the_roles_of_profiles(sts: Sts, home: Path) -> None:
    """A profile's role is assumed by the profile's key, a chained one by the role before it."""
    role = {"mode": "RamRoleArn", "ram_role_arn": "acs:ram::1:role/first", "ram_session_name": "first"}
    chained = {"mode": "ChainableRamRoleArn", "source_profile": "r", "ram_role_arn": "acs:ram::1:role/second"}
    profile_file(home, r={**KEYS, **role}, c=chained)
    assert fetched(source(sts, profile="r")).access_key_id == "FAKE-STS-1"
    assert fetched(source(sts, profile="c")).access_key_id == "FAKE-STS-3"
    assert fetched(source(sts, profile="c", assume_role={"role_arn": ROLE})).access_key_id == "FAKE-STS-6"
    asked = [(sent["RoleArn"].rpartition("/")[2], sent["AccessKeyId"]) for sent in sts.requests]
    first, second = [("first", "FAKE-PROFILE-ID"), ("first", "FAKE-PROFILE-ID")], ("second", "FAKE-STS-2")
    assert asked == [*first, second, first[0], ("second", "FAKE-STS-4"), ("reader", "FAKE-STS-5")]
    assert sts.requests[0]["RoleSessionName"] == "first"


def test_a_crowd_asks_once(sts: Sts) -> None:
    """Twenty who wait share one request, also on several event loops; later ones ask nothing."""
    sts.delay = 0.3
    made = [source(sts, assume_role={"role_arn": f"{ROLE}-crowd"}) for _ in range(20)]
    assert len(set(map(id, made))) == 1

    async def crowd() -> set[str]:
        return {found.access_key_id for found in await asyncio.gather(*(each.credentials() for each in made))}

    async def both() -> list[set[str]]:
        return list(await asyncio.gather(crowd(), asyncio.to_thread(lambda: asyncio.run(crowd()))))

    assert asyncio.run(both()) == [{"FAKE-STS-1"}] * 2
    assert len(sts.requests) == 1
    assert fetched(made[0]).access_key_id == "FAKE-STS-1"
    assert fetched(made[0], renew=True).access_key_id == "FAKE-STS-2"


class Source:
    """Gives credentials that end; it fails where there are none left."""

    def __init__(self, *ends: float | None) -> None:
        self.ends, self.calls = list(ends), 0

    def __call__(self, _: CredentialSpec) -> tuple[Credentials, float]:
        self.calls += 1
        if (end := self.ends.pop(0)) is None:
            raise CredentialsError("an outage")
        return Credentials(f"FAKE-{self.calls}", "FAKE", "FAKE"), end


@pytest.mark.parametrize(("life", "margin"), [(3600, 900), (36_000, 900), (900, 225), (4, 1)])
def test_they_are_renewed_before_they_end(life: int, margin: int) -> None:
    """15 minutes before their end, or in their last quarter; if that fails, the old ones while they live."""
    now, start = 1_000_000.0, 1_000_000.0
    source = Source(start + life, None, start + 2 * life, None, None)
    made = SharedCredentials(CredentialSpec("EcsRamRole", "x"), source, lambda: now)

    def at(seconds: float) -> str:
        nonlocal now
        now = start + seconds
        return fetched(made).access_key_id

    assert [at(0), at(life - margin - 0.5)] == ["FAKE-1"] * 2
    assert source.calls == 1
    assert [at(life - margin), at(life - margin)] == ["FAKE-1", "FAKE-3"]
    assert at(2 * life - 0.1) == "FAKE-3"
    now = start + 2 * life
    assert str(refused(made)) == "an outage"


@pytest.mark.parametrize(("status", "code"), [(503, "ServiceUnavailable"), (400, "Throttling.User")])
def test_an_outage_of_sts_may_pass(sts: Sts, status: int, code: str) -> None:
    """As an outage of the service: whoever waits tries again (L1)."""
    sts.refusals += [(status, {"Code": code, "Message": "FAKE-QUOTED"})]
    made = source(sts, assume_role={"role_arn": f"{ROLE}-{code}"})
    error = refused(made)
    assert (error.retry, code in str(error)) == (Retry.BACK_OFF, True)
    assert fetched(made).access_key_id == "FAKE-STS-2"


def test_nobody_at_the_address() -> None:
    """No connection may pass as well; the error does not quote the signed request."""
    error = refused(source(Sts(endpoint="127.0.0.1:9"), assume_role={"role_arn": f"{ROLE}-refused"}))
    assert (error.retry, "it cannot be reached" in str(error), "Action" in str(error)) == (Retry.BACK_OFF, True, False)


def test_what_a_process_says_on_stderr_stays_out(home: Path) -> None:
    """A credential process may print anything when it fails: the error has only its exit status."""
    profile_file(home, p={"mode": "External", "process_command": "sh -c 'echo FAKE-QUOTED >&2; exit 3'"})
    error = refused(of_profile())
    assert "exit status 3" in str(error)
    profile_file(home, p={"mode": "External", "process_command": "/nowhere/program --secret FAKE-QUOTED"})
    refused(of_profile())


def test_a_query_with_a_role(sts: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two queries of one client, as two callers: each is signed by its own role, and STS is asked once for each."""
    for name, value in {**CALLER, "ALIBABA_CLOUD_STS_ENDPOINT": sts.endpoint}.items():
        monkeypatch.setenv(name, value)
    backend = Backend()
    for number in (1, 2):
        backend.allow(Credentials(f"FAKE-STS-{number}", "FAKE-STS-SECRET", "FAKE-STS"))

    async def work() -> None:
        client = HbrClient(region=REGION, endpoint="http://127.0.0.1:1", transport=lambda _: InMemoryTransport(backend))
        async with client:
            for tenant in ("one", "two", "one"):
                role = {"role_arn": f"acs:ram::1:role/{tenant}-tenant"}
                await client.list_backup_clients(client_type="ECS_CLIENT", assume_role=role)

    asyncio.run(work())
    assert [record.key_id for record in backend.log] == ["FAKE-STS-1", "FAKE-STS-2", "FAKE-STS-1"]
    assert len(sts.requests) == 2


def test_which_caller_of_a_chain(sts: Sts, home: Path) -> None:
    """The error names the role that could not be assumed, who tried, and what to allow; it is not tried again."""
    first = {**KEYS, "mode": "RamRoleArn", "ram_role_arn": "acs:ram::1:role/first"}
    second = {"mode": "ChainableRamRoleArn", "source_profile": "a", "ram_role_arn": "acs:ram::1:role/second"}
    profile_file(home, a=first, b=second)
    place = f"profile a in {home}/.aliyun/config.json"
    sts.refusals += [NO_PERMISSION]
    error = refused(source(sts, profile="b"))
    assert str(error).startswith(
        f"{place} (access key ***E-ID) cannot assume role acs:ram::1:role/first: NoPermission (HTTP 403). "
        "Allow the caller sts:AssumeRole on the role"
    )
    assert error.retry is Retry.NEVER
    sts.refusals += [(200, {"Credentials": sts.answer("")[1]["Credentials"]}), NO_PERMISSION]
    text = str(refused(source(sts, profile="b")))
    assert text.startswith(f"role acs:ram::1:role/first ({place}), assumed by {place} cannot assume role")
    assert "cannot assume role acs:ram::1:role/second: NoPermission" in text


@pytest.mark.usefixtures("emulator")
def test_the_doctor_and_a_role(sts: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --assume-role the doctor signs as the role, or says which caller cannot assume which role."""
    monkeypatch.setenv("ALIBABA_CLOUD_STS_ENDPOINT", sts.endpoint)
    sts.refusals += [NO_PERMISSION]
    text = run("doctor", "--assume-role", f"{ROLE}-doctor").stdout
    assert f"cannot assume role {ROLE}-doctor: NoPermission" in text
    assert "environment ALIBABA_CLOUD_ACCESS_KEY_ID (access key ***ATOR)" in text
    assert "permission   problem: not asked" in text
    text = run("doctor", "--assume-role", f"{ROLE}-doctor").stdout
    assert "credentials  access key ***TS-2, with a security token" in text
    assert f"(role {ROLE}-doctor (--assume-role), assumed by environment ALIBABA_CLOUD_ACCESS_KEY_ID)" in text
    assert "FAKE-QUOTED" not in text


def test_a_credentials_uri() -> None:
    """The address may hold a password, so no text shows it."""
    with Sts().serving() as machine:
        uri = f"http://{machine.endpoint}/?key=FAKE-QUOTED"
        made = credential_source(resolved({"region": REGION}, {"alicloud:credentialsUri": uri}))
        machine.refusals += [(500, {"Code": "InternalError", "AccessKeySecret": "FAKE-QUOTED"})]
        assert refused(made).retry is Retry.BACK_OFF
        assert fetched(made) == Credentials("FAKE-STS-2", "FAKE-STS-SECRET", "FAKE-STS")
    assert machine.requests[0] == {"key": "FAKE-QUOTED"}


def test_a_source_that_gives_what_no_header_can_hold(home: Path) -> None:
    """White space at the ends is removed; a line break inside is refused by the source's name, not shown."""
    answer, command = home / "answer.json", {"mode": "External", "process_command": f"cat {home}/answer.json"}
    keys = {"mode": "StsToken", "access_key_id": " FAKE-P\n", "access_key_secret": "FAKE-P ", "sts_token": "FAKE-T\r\n"}
    profile_file(home, p=command)
    made = of_profile()
    answer.write_text(json.dumps({**keys, "sts_token": "FAKE-QUOTED\r\nx-header: y"}))
    assert "the security token from profile p" in str(refused(made))
    answer.write_text(json.dumps(keys))
    assert fetched(made) == Credentials("FAKE-P", "FAKE-P", "FAKE-T")


SLOW = {"mode": "External", "process_command": "sleep 30", "region_id": REGION}


def test_a_slow_process_ends_at_the_deadline(home: Path) -> None:
    """It blocks no event loop: the error comes at the deadline and says what was waited for."""
    profile_file(home, p=SLOW)
    began = time.monotonic()

    async def work() -> None:
        async with HbrClient(timeout=1, endpoint="http://127.0.0.1:1") as client:
            await client.list_backup_clients(client_type="ECS_CLIENT")

    with pytest.raises(DeadlineError, match="still waiting for credentials from profile p in"):
        asyncio.run(work())
    assert time.monotonic() - began < 10


def test_ctrl_c_does_not_wait_for_a_slow_process(home: Path) -> None:
    """The program ends at once; the look at the process runs in a daemon thread."""
    profile_file(home, p=SLOW)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "pulumi_hbr_clients.cli", "-v", "list", "--client-type", "ECS_CLIENT"]
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr
        assert "asking" in process.stderr.readline()
        time.sleep(2)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert time.monotonic() - began < 15
        os.killpg(process.pid, signal.SIGKILL)


def test_a_renewed_profile_is_read_again(home: Path) -> None:
    """Somebody logs in again: after the service called the token expired, the file is read anew."""
    token = {**KEYS, "mode": "StsToken"}
    profile_file(home, p={**token, "sts_token": "FAKE-OLD"})
    made = of_profile()
    assert fetched(made).security_token == "FAKE-OLD"  # noqa: S105  fake
    profile_file(home, p={**token, "sts_token": "FAKE-NEW"})
    assert fetched(made, renew=True).security_token == "FAKE-NEW"  # noqa: S105  fake


def test_the_environment_is_not_frozen_at_import(sts: Sts) -> None:
    """alibabacloud-credentials reads its variables when it is imported; what changes later is seen all the same."""
    for caller in (CALLER, dict.fromkeys(CALLER, "FAKE-LATE")):
        fetched(source(sts, caller, assume_role={"role_arn": f"{ROLE}-late"}))
    assert [sent["AccessKeyId"] for sent in sts.requests] == ["FAKE-CALLER", "FAKE-LATE"]
