"""`hbr-clients doctor`: what would be used, where it was found, what was skipped and why, and whether it works."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, FAKE_STS_CREDENTIALS, Backend, RunningEmulator
from pulumi_hbr_clients.model.configuration import KEY_VARIABLES, REGION_VARIABLES
from tests.client.samples import KEYS, profile_file
from tests.commands import run

ID, SECRET, TOKEN = KEY_VARIABLES[0]


def report(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("doctor", "--output", "json", *words).stdout)
    return found


@pytest.mark.usefixtures("emulator")
def test_all_is_well(backend: Backend, emulator: RunningEmulator) -> None:
    """Values with their sources; one request for one client, signed with what is shown; exit code 0."""
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
    assert record.key_id == FAKE_CREDENTIALS.access_key_id


@pytest.mark.usefixtures("emulator")
def test_no_permission(backend: Backend) -> None:
    """A refusal is shown with its advice, but not the advice to run this command; exit code 1."""
    backend.next_faults += ["NoPermission"]
    result = run("doctor")
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("permission")]
    assert line.startswith("permission   problem: NoPermission: ")
    assert line.endswith("Allow the RAM action hbr:DescribeBackupClients (resource *) for this user or role")
    assert (result.exit_code, result.stderr) == (1, "")


def test_nothing_is_set(home: Path) -> None:
    """On a fresh machine every place is named with the reason why it has nothing, and nothing is sent."""
    found = report()
    assert [found[name]["value"] for name in ("region", "credentials", "permission")] == [None] * 3
    assert found["region"]["problem"].startswith("is not set.")
    assert found["credentials"]["problem"] == "found nowhere, see the places below"
    assert found["permission"]["problem"].startswith("not asked")
    looked = [place for name in ("region", "credentials") for place in found[name]["places"]]
    names = " ".join(place["place"] for place in looked)
    assert [name for name in (*REGION_VARIABLES, ID, "credentials.ini", "metadata service") if name not in names] == []
    assert not any(place["is_used"] or place["value"] for place in looked)
    assert all(place["note"] for place in found["credentials"]["places"])
    assert str(home) not in " ".join(place["note"] for place in looked)


@pytest.mark.usefixtures("emulator")
def test_offline(backend: Backend, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent and no credentials are fetched: keys at hand are shown, a source of them is enough."""
    found = report("--offline")
    assert (found["usable"], found["credentials"]["value"]) == (True, "access key ***ATOR")
    assert found["permission"]["value"] == "not asked because of --offline"
    for name in (ID, SECRET, "ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_ENDPOINT_HBR"):
        monkeypatch.delenv(name)
    profile_file(home, prod={"mode": "External", "process_command": "false", "region_id": "cn-shanghai"})
    found = report("--offline")
    assert (found["usable"], found["region"]["value"]) == (True, "cn-shanghai")
    assert found["endpoint"]["value"] == "https://hbr.cn-shanghai.aliyuncs.com"
    assert found["credentials"]["value"] == "not fetched because of --offline"
    assert backend.requests == 0


@pytest.mark.usefixtures("emulator")
def test_a_profile(backend: Backend, home: Path) -> None:
    """A profile gives credentials and region; its secret is not shown, of its id the end; later places are not used."""
    profile_file(home, default=KEYS, prod={**KEYS, "access_key_id": "FAKE-PROFILE-0042", "region_id": "cn-shanghai"})
    text = run("doctor", "--profile", "prod").stdout
    assert "region       cn-shanghai  (region_id of profile prod in ~/.aliyun/config.json)" in text
    assert "credentials  access key ***0042  (profile prod in ~/.aliyun/config.json (--profile))" in text
    assert "problem: InvalidAccessKeyId.NotFound" in text
    assert "used  profile prod in ~/.aliyun/config.json: access key ***0042" in text
    not_used = "(not used: profile prod in ~/.aliyun/config.json comes first)"
    assert f"-     environment {ID}: access key ***ATOR {not_used}" in text
    not_used = "(not used: region_id of profile prod in ~/.aliyun/config.json comes first)"
    assert f"-     environment ALIBABA_CLOUD_REGION_ID: cn-hangzhou {not_used}" in text
    assert [secret for secret in (KEYS["access_key_secret"], "FAKE-PROFILE-0042") if secret in text] == []
    assert backend.log[-1].key_id == "FAKE-PROFILE-0042"


@pytest.mark.usefixtures("emulator")
def test_half_a_key_is_no_key(backend: Backend, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id without its secret is the problem, and the profile below it is not used."""
    monkeypatch.setenv(ID, "FAKE-NEVER-SHOWN")
    monkeypatch.delenv(SECRET)
    profile_file(home, default=KEYS)
    found = report()
    assert found["credentials"]["problem"].startswith(f"environment {ID}: {SECRET} is not set although {ID} is")
    assert not any(place["is_used"] for place in found["credentials"]["places"])
    assert (backend.requests, "NEVER-SHOWN" in json.dumps(found)) == (0, False)


@pytest.mark.usefixtures("emulator")
def test_a_security_token_is_only_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary credentials are known by their having a token; the token stays inside."""
    keys = FAKE_STS_CREDENTIALS
    values = (keys.access_key_id, keys.access_key_secret, keys.security_token or "")
    for name, value in zip((ID, SECRET, TOKEN), values, strict=True):
        monkeypatch.setenv(name, value)
    text = run("doctor").stdout
    assert "access key ***ATOR, with a security token" in text
    assert [value for value in values if value in text] == []


def test_a_role_that_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Alibaba Cloud provider's variable for a role is shown with what to use instead."""
    monkeypatch.setenv("ALICLOUD_ASSUME_ROLE_ARN", "acs:ram::1:role/r")
    text = run("doctor", "--offline").stdout
    assert "-     environment ALICLOUD_ASSUME_ROLE_ARN (set, but not read: use assume_role)" in text


def test_bad_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """A region that cannot be is shown with its source; a password in an address is not repeated."""
    monkeypatch.setenv("ALIBABA_CLOUD_REGION", "cn hangzhou")
    monkeypatch.setenv(ID, FAKE_CREDENTIALS.access_key_id)
    monkeypatch.setenv(SECRET, FAKE_CREDENTIALS.access_key_secret)
    found = report()
    assert "did you mean cn-hangzhou?" in found["region"]["problem"]
    assert found["region"]["source"] == "environment ALIBABA_CLOUD_REGION"
    assert found["endpoint"]["value"] == "known once the region is"
    monkeypatch.setenv("ALIBABA_CLOUD_REGION", "cn-hangzou")  # a query would warn and go on
    assert "did you mean cn-hangzhou?" in report("--offline")["region"]["problem"]
    text = run("doctor", "--endpoint", "https://me:FAKE-PASSWORD@host", "--offline").stdout
    assert "must not hold a user or a password" in text
    assert "FAKE-PASSWORD" not in text


@pytest.mark.parametrize("words", [["doctor"], ["list", "--client-type", "ECS_CLIENT", "--region", "cn-hangzhou"]])
def test_a_user_without_a_home(words: list[str]) -> None:
    """A user id without an account and without HOME: an error that says so, without a traceback."""
    if os.getuid() != 0:
        pytest.skip("only root can become a user that does not exist")
    program = (
        "import os, sys; from pulumi_hbr_clients.cli import main\n"
        "try: sys.argv = ['hbr-clients', 'doctor', '--help']; main()\n"  # loads what that user may not read
        "except SystemExit: pass\n"
        "from pulumi_hbr_clients.cli import doctor, list_command, targets\n"
        f"os.setuid(54321); sys.argv = ['hbr-clients', *{words}]; main()\n"
    )
    environment = {"PATH": os.environ["PATH"], "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "there is no home directory" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
