"""Several regions and profiles in one command, against an emulated cloud in memory."""

import csv
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients import HbrClient
from pulumi_hbr_clients.emulator import Backend, Cloud, InMemoryTransport, account_credentials
from pulumi_hbr_clients.protocol.endpoints import REGIONS
from tests import commands
from tests.cli.terminals import row
from tests.client.samples import profile_file
from tests.commands import ECS

HANGZHOU, SHANGHAI = ("prod", "cn-hangzhou"), ("prod", "cn-shanghai")
BOTH = ("--region", "cn-hangzhou", "--region", "cn-shanghai")


@pytest.fixture
def cloud() -> Cloud:
    test = Backend([row(7)])
    backends = {HANGZHOU: Backend([row(1), row(2)]), SHANGHAI: Backend([row(3, Status="STOPPED")])}
    return Cloud({**backends, ("test", "cn-beijing"): test})


@pytest.fixture
def run(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Any:
    credentials = account_credentials("prod")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", credentials.access_key_id)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", credentials.access_key_secret)
    return partial(commands.run, client=partial(HbrClient, transport=lambda _endpoint: InMemoryTransport(cloud)))


def test_a_table_of_several_regions(run: Any) -> None:
    """A column says where each client is; each region and all of them together are summed up."""
    result = run("list", *ECS, *BOTH)
    head, *rows, _, first, second, total = result.stdout.splitlines()
    assert (result.exit_code, result.stderr, head.split()[:2]) == (0, "", ["REGION", "CLIENT"])
    assert [line.split()[:2] for line in rows] == [
        ["cn-hangzhou", "c-1"],
        ["cn-hangzhou", "c-2"],
        ["cn-shanghai", "c-3"],
    ]
    assert first == "2 clients in cn-hangzhou: 2 ACTIVATED; 2 outdated"
    assert second == "1 client in cn-shanghai: 1 STOPPED; 1 outdated"
    assert total == "3 clients in 2 targets: 2 ACTIVATED, 1 STOPPED"


@pytest.mark.usefixtures("run")
def test_a_setting_that_cannot_be_is_reported_with_its_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is read when a connection is opened: an error then names the target, as any other."""
    monkeypatch.setenv("HTTPS_PROXY", "socks9://proxy.invalid")
    monkeypatch.delenv("NO_PROXY", raising=False)
    result = commands.run("list", *ECS, *BOTH)
    assert result.exit_code == 1
    for region in ("cn-hangzhou", "cn-shanghai"):
        assert f"error: {region}: bad input, nothing was sent\n  HTTPS_PROXY: must be http" in result.stderr


def test_a_target_that_fails_is_reported_and_the_rest_printed(cloud: Cloud, run: Any) -> None:
    """One line on stderr names it, the exit code is 1, and each output has the other target's clients."""
    for output in ("table", "json", "csv"):
        cloud.backends[SHANGHAI].next_faults += ["NoPermission"]
        result = run("list", *ECS, *BOTH, "--output", output)
        assert result.exit_code == 1
        (line,) = result.stderr.splitlines()
        assert line.startswith("error: cn-shanghai: NoPermission: ")
        assert "c-2" in result.stdout
        if output == "table":
            assert result.stdout.splitlines()[-1] == "2 clients in 1 of 2 targets: 2 ACTIVATED"
        elif output == "json":
            hangzhou, shanghai = json.loads(result.stdout)["targets"]
            assert hangzhou["outputs"]["ids"] == ["c-1", "c-2"]
            assert [shanghai["region"], shanghai["profile"]] == ["cn-shanghai", None]
            assert shanghai["error"].startswith("NoPermission: ")
            assert shanghai.keys() == {"region", "profile", "error"}
        else:
            head, *cells = csv.reader(result.stdout.splitlines())
            assert head[:4] == ["region", "profile", "clientId", "instanceId"]
            assert head.count("region") == 1
            assert [line[:3] for line in cells] == [["cn-hangzhou", "", "c-1"], ["cn-hangzhou", "", "c-2"]]


def test_all_regions(cloud: Cloud, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the service names; where that is not allowed, the built-in ones; either way it says which."""
    asked = run("list", *ECS, "--all-regions", "--output", "json")
    assert [target["region"] for target in json.loads(asked.stdout)["targets"]] == ["cn-hangzhou", "cn-shanghai"]
    assert (asked.exit_code, asked.stderr) == (0, "note: regions: 2 from hbr:DescribeRegions\n")
    cloud.backends[HANGZHOU].denied = frozenset({"DescribeRegions"})
    built_in = run("list", *ECS, "--all-regions", "--output", "json")
    assert [target["region"] for target in json.loads(built_in.stdout)["targets"]] == REGIONS
    text = f"hbr:DescribeRegions is not allowed (NoPermission); using the built-in list of {len(REGIONS)} regions"
    assert (built_in.exit_code, built_in.stderr) == (0, f"warning: regions: {text}\n")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "FAKE-UNKNOWN")
    refused = run("list", *ECS, "--all-regions")  # not about that permission: the lists would fail as well
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: InvalidAccessKeyId.NotFound: ")


@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_a_service_without_regions(cloud: Cloud, run: Any, output: str) -> None:
    """With --all-regions an answer that names no region is an error, not an empty list."""
    cloud.backends[HANGZHOU].regions = ()
    result = run("list", *ECS, "--all-regions", "--output", output)
    error = "error: hbr:DescribeRegions names no region; give each as --region\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", error)


def test_bad_targets_are_reported_together(cloud: Cloud, run: Any) -> None:
    """An impossible region, a profile given twice, and --all-regions with --region; nothing is sent."""
    words = "--region moon --region sun --region sun --profile a --profile a --all-regions --endpoint 127.0.0.1"
    result = run("list", *ECS, *words.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.strip() for line in result.stderr.splitlines()[1:]] == [
        "--region: must not be given twice (given: 'sun')",
        "--profile: must not be given twice (given: 'a')",
        "--all-regions: must not be given together with --region",
        "--region: must be a region id, for example cn-hangzhou (given: 'moon')",
        "--region: must be a region id, for example cn-hangzhou (given: 'sun')",
        "--endpoint: must be one for each region (REGION=ADDRESS,REGION=ADDRESS) or none; --endpoint sets one for all",
    ]
    assert sum(backend.requests for backend in cloud.backends.values()) == 0


def test_doctor_examines_every_target(cloud: Cloud, run: Any) -> None:
    """Its findings for each region, and one line on stderr for each that has a problem; exit code 1."""
    cloud.backends[SHANGHAI].next_faults += ["NoPermission"] * 2
    text = run("doctor", *BOTH)
    assert [line for line in text.stdout.splitlines() if line and line[0] != " "] == ["cn-hangzhou", "cn-shanghai"]
    assert text.stdout.count("permission   OK") == 1
    assert text.stderr.startswith("error: cn-shanghai: permission: NoPermission: ")
    result = run("doctor", *BOTH, "--output", "json")
    hangzhou, shanghai = json.loads(result.stdout)["targets"]
    assert (text.exit_code, result.exit_code, json.loads(result.stdout)["usable"]) == (1, 1, False)
    assert hangzhou["outputs"]["region"]["value"] == "cn-hangzhou"
    assert "error" not in hangzhou
    assert shanghai["error"].startswith("permission: NoPermission: ")


def test_doctor_of_all_regions_offline(cloud: Cloud, run: Any) -> None:
    """Without asking, the regions are the built-in ones, and it says so."""
    result = run("doctor", "--all-regions", "--offline", "--output", "json")
    assert len(json.loads(result.stdout)["targets"]) == len(REGIONS)
    assert result.stderr == f"note: regions: the built-in list of {len(REGIONS)}, because of --offline\n"
    assert sum(backend.requests for backend in cloud.backends.values()) == 0


def test_wait_by_ids_passes_on_the_union(cloud: Cloud, run: Any) -> None:
    """An id may be in any region; JSON has what each of them answered."""
    cloud.backends[SHANGHAI].activate("c-3")
    words = ("wait", *ECS, *BOTH, "--client-id", "c-1", "--instance-id", "i-1", "--poll", "0.1")
    assert run(*words).stdout == "2 of 2 activated after 0s in 2 targets\n"
    words = ("wait", *ECS, *BOTH, "--client-id", "c-1", "--client-id", "c-3", "--output", "json")
    result = run(*words)
    found = json.loads(result.stdout)
    assert (result.exit_code, found["state"], found["ready"], found["wanted"]) == (0, "passed", 2, 2)
    assert [target["outputs"]["ids"] for target in found["targets"]] == [["c-1"], ["c-3"]]
    assert [target["outputs"]["missingClientIds"] for target in found["targets"]] == [["c-3"], ["c-1"]]
    late = run("wait", *ECS, *BOTH, "--client-id", "c-9", "--timeout", "0.5", "--poll", "0.1")
    assert (late.exit_code, late.stdout) == (124, "")
    assert "c-9: there is no such client yet" in late.stderr


def test_a_bypassed_union_looks_at_every_target(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With gates set to `warn` an id in the second region is found as well."""
    monkeypatch.setenv("HBR_CLIENTS_GATES", "warn")
    words = ("wait", *ECS, *BOTH, "--client-id", "c-1", "--client-id", "c-3", "--field", "status", "--output", "json")
    result = run(*words)
    found = json.loads(result.stdout)
    assert (result.exit_code, found["state"], found["ready"], found["wanted"]) == (0, "bypassed", 1, 2)
    assert "c-3 (i-3): STOPPED" in result.stderr
    shanghai = found["targets"][1]["outputs"]["clients"]
    assert shanghai == [{"clientId": "c-3", "instanceId": "i-3", "region": "cn-shanghai", "status": "STOPPED"}]


def test_wait_by_ids_needs_an_answer_of_every_target(cloud: Cloud, run: Any) -> None:
    """A target that refuses ends the wait, for an id may be there; every such target is named."""
    for backend in cloud.backends.values():
        backend.next_faults += ["NoPermission"]
    result = run("wait", *ECS, *BOTH, "--client-id", "c-1")
    first, second = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (1, "")
    assert first.startswith("error: cn-hangzhou: NoPermission: ")
    assert second.startswith("error: cn-shanghai: NoPermission: ")


def test_wait_by_filters_passes_in_each(cloud: Cloud, run: Any) -> None:
    """Each region is a gate of its own: lines name it, and one that fails does not hide the other."""
    words = ("wait", *ECS, *BOTH, "--poll", "0.1", "--timeout", "1")
    shanghai = cloud.backends[SHANGHAI]
    late = run(*words)
    assert (late.exit_code, late.stdout) == (124, "cn-hangzhou: 2 of 2 activated after 0s\n")
    assert "cn-shanghai: 0 of 1 activated; waiting for c-3 (i-3): STOPPED" in late.stderr
    assert "error: cn-shanghai: not activated within 1s: " in late.stderr
    shanghai.set_status("INSTALL_FAILED", "c-3")
    failed = run(*words, "--output", "json")
    found = json.loads(failed.stdout)
    assert (failed.exit_code, found["state"]) == (1, "failed")
    assert [target["outputs"]["state"] for target in found["targets"]] == ["passed", "failed"]
    assert [target["region"] for target in found["targets"]] == ["cn-hangzhou", "cn-shanghai"]
    shanghai.activate("c-3")
    passed = run(*words)
    assert passed.stdout.splitlines() == [
        f"{name}: {n} of {n} activated after 0s" for (_, name), n in ((HANGZHOU, 2), (SHANGHAI, 1))
    ]
    assert (passed.exit_code, passed.stderr) == (0, "")


def test_profiles_sign_for_themselves(run: Any, home: Path) -> None:
    """Each profile lists its own account in its own region, and one that does not exist fails alone."""
    profiles: dict[str, Any] = {}
    for name, region in (("prod", "cn-hangzhou"), ("test", "cn-beijing")):
        key = account_credentials(name)
        keys = {"access_key_id": key.access_key_id, "access_key_secret": key.access_key_secret}
        profiles[name] = {"mode": "AK", **keys, "region_id": region}
    profile_file(home, **profiles)
    table = run("list", *ECS, "--profile", "prod", "--profile", "test")
    head, *rows = table.stdout.splitlines()
    assert (table.exit_code, table.stderr, head.split()[:3]) == (0, "", ["REGION", "PROFILE", "CLIENT"])
    assert rows[0].split()[:3] == ["cn-hangzhou", "prod", "c-1"]
    assert [line.split()[:3] for line in rows if " c-7 " in line] == [["cn-beijing", "test", "c-7"]]
    result = run("list", *ECS, "--profile", "test", "--profile", "absent", "--region", "cn-beijing", "--output", "json")
    test, absent = json.loads(result.stdout)["targets"]
    assert (test["profile"], test["outputs"]["ids"], test["outputs"]["profile"]) == ("test", ["c-7"], "test")
    assert (result.exit_code, absent["profile"], "absent" in absent["error"]) == (1, "absent", True)
    waited = run("wait", *ECS, "--profile", "prod", "--profile", "test", "--client-id", "c-1", "--client-id", "c-7")
    assert (waited.exit_code, waited.stdout) == (0, "2 of 2 activated after 0s in 2 targets\n")
    half = ("--profile", "absent", "--profile", "test", "--region", "cn-beijing", "--client-id", "c-7")
    refused = run("wait", *ECS, *half)
    assert (refused.exit_code, refused.stdout, "absent" in refused.stderr) == (1, "", True)
