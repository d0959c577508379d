"""`hbr-clients doctor`: what would be used and where that was said, and never a secret."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, FAKE_STS_CREDENTIALS, Backend, RunningEmulator
from pulumi_hbr_clients.model.configuration import REGION_VARIABLES
from tests.commands import run

SECRET = "FAKE-PROFILE-SECRET-0001"  # noqa: S105  fake, to be searched for
HALF = "FAKE-ID-WITHOUT-SECRET"


def report(*words: str) -> dict[str, Any]:
    result = run("doctor", "--output", "json", *words)
    found: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (0 if found["usable"] else 1)
    return found


def write_profile(**fields: str) -> None:
    """A profile `prod` in the Alibaba CLI's file of this test's home."""
    path = Path(os.environ["HOME"]) / ".aliyun" / "config.json"
    path.parent.mkdir()
    profile = {"name": "prod", "mode": "AK", "access_key_id": "FAKE-PROFILE-ID-0042", "access_key_secret": SECRET}
    path.write_text(json.dumps({"current": "prod", "profiles": [{**profile, **fields}]}))


def test_all_is_well(backend: Backend, emulator: RunningEmulator) -> None:
    """Region, endpoint and keys with their sources; one request of one client; exit code 0."""
    result = run("doctor")
    found = [line for line in result.stdout.splitlines() if line][1:6]
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split(maxsplit=1) for line in found[:4]] == [
        ["region", "cn-hangzhou  (environment ALIBABA_CLOUD_REGION_ID)"],
        ["network", "public  (default)"],
        ["endpoint", f"{emulator.endpoint}  (environment ALIBABA_CLOUD_ENDPOINT_HBR)"],
        ["credentials", "access key ***ATOR  (environment ALIBABA_CLOUD_ACCESS_KEY_ID)"],
    ]
    assert found[4].startswith("permission   OK, the service answered in ")
    (record,) = backend.log
    assert record.arguments == {"client_type": "ECS_CLIENT", "page_number": "1", "page_size": "1"}


@pytest.mark.usefixtures("emulator")
def test_no_permission(backend: Backend) -> None:
    """A refusal is told with its advice, without sending the reader to where he is; exit code 1."""
    backend.next_faults += ["NoPermission"]
    result = run("doctor")
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("permission")]
    assert line.startswith("permission   trouble: NoPermission: ")
    assert line.endswith("Allow the RAM action hbr:DescribeBackupClients (resource *) for this user or role")
    assert (result.exit_code, result.stderr) == (1, "")


def test_nothing_is_set() -> None:
    """On a fresh machine every place is named, nothing is sent, and the exit code is 1."""
    found = report()
    assert [found[name]["value"] for name in ("region", "credentials", "permission")] == [None] * 3
    assert found["region"]["fault"].startswith("--region: is not set.")
    assert found["credentials"]["fault"] == "found nowhere, see the places below"
    assert found["permission"]["fault"].startswith("not asked")
    looked = [place["name"] for name in ("region", "credentials") for place in found[name]["looked"]]
    assert [name for name in REGION_VARIABLES if f"environment {name}" not in looked] == []
    assert "the current profile in ~/.aliyun/config.json" in looked
    assert "metadata service of an ECS instance, 100.100.100.200" in looked


@pytest.mark.usefixtures("emulator")
def test_offline_sends_nothing(backend: Backend) -> None:
    """With --offline keys at hand are shown, and no request is made."""
    found = report("--offline")
    assert (found["usable"], backend.requests) == (True, 0)
    assert found["permission"]["value"] == "not asked because of --offline"
    assert found["credentials"]["value"] == "access key ***ATOR"


def test_offline_fetches_no_keys() -> None:
    """With --offline no chain is asked; a profile in a file is enough to be usable."""
    write_profile(region_id="cn-shanghai")
    found = report("--offline")
    assert (found["usable"], found["region"]["value"]) == (True, "cn-shanghai")
    assert found["endpoint"]["value"] == "https://hbr.cn-shanghai.aliyuncs.com"
    assert found["credentials"]["value"] == "not fetched because of --offline"


@pytest.mark.usefixtures("emulator")
def test_a_profile(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile gives keys and region; its secret is not shown, its id only at the end."""
    monkeypatch.delenv("ALIBABA_CLOUD_REGION_ID")
    write_profile(region_id="cn-shanghai")
    # a process of its own: the library looks for a home once, when it is imported
    command = [sys.executable, "-m", "pulumi_hbr_clients.cli", "doctor", "--profile", "prod"]
    text = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    assert "region       cn-shanghai  (region_id of profile prod in ~/.aliyun/config.json)" in text
    assert "credentials  access key ***0042  (profile prod of --profile" in text
    assert "trouble: InvalidAccessKeyId.NotFound" in text
    assert "found  profile prod in ~/.aliyun/config.json: prod, mode AK" in text
    assert [secret for secret in (SECRET, "FAKE-PROFILE-ID-0042") if secret in text] == []
    assert backend.log[-1].key_id == "FAKE-PROFILE-ID-0042"


def test_half_a_key_is_no_key(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id without its secret is seen to be so."""
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", HALF)
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    found = report("--endpoint", emulator.endpoint)
    first, second, *_ = found["credentials"]["looked"]
    assert (first["value"], second["value"]) == ("***CRET", None)
    assert found["credentials"]["fault"].startswith("no credentials from the default chain")
    assert HALF not in json.dumps(found)


@pytest.mark.usefixtures("emulator")
def test_a_security_token_is_only_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary keys are told by their having a token; the token stays inside."""
    names = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN")
    secrets = (
        FAKE_STS_CREDENTIALS.access_key_id,
        FAKE_STS_CREDENTIALS.access_key_secret,
        FAKE_STS_CREDENTIALS.security_token or "",
    )
    for name, secret in zip(names, secrets, strict=True):
        monkeypatch.setenv(name, secret)
    text = run("doctor").stdout
    assert "access key ***ATOR, with a security token" in text
    assert [secret for secret in secrets if secret in text] == []


def test_places_that_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typo is told with its place; a password in an address is not repeated; an address nobody reads is harmless."""
    monkeypatch.setenv("ALIBABA_CLOUD_REGION", "cn-hangzou")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", FAKE_CREDENTIALS.access_key_id)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", FAKE_CREDENTIALS.access_key_secret)
    found = report()
    assert "did you mean cn-hangzhou?" in found["region"]["fault"]
    assert found["endpoint"]["value"] == "known once the region is"
    text = run("doctor", "--endpoint", f"https://me:{SECRET}@host", "--offline").stdout
    assert "--endpoint: must not hold a user or a password\n" in text
    assert SECRET not in text


def test_bad_words_are_bad_input() -> None:
    """What is no matter of settings is refused as everywhere, with exit code 2."""
    result = run("doctor", "--client-type", "ecs", "--timeout", "soon")
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.strip().partition(":")[0] for line in result.stderr.splitlines()[1:]] == ["--client-type", "--timeout"]
