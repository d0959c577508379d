"""What `hbr-clients list` prints: a table, one JSON object or CSV; errors, log and exit codes. Against the emulator."""

import csv
import inspect
import io
import json
import subprocess
import sys

import pytest

from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, RunningEmulator
from pulumi_hbr_clients.model.backup_client import CLIENT_FIELDS, ClientSettings
from tests.cli.terminals import row
from tests.commands import ECS, run

PASSWORD = "FAKE-PROXY-PASSWORD-0001"  # noqa: S105  the emulator's own
pytestmark = pytest.mark.usefixtures("emulator")


def test_a_table_for_people() -> None:
    """In a pipe a list is plain text: headings, a line a client, then the counts."""
    result = run("list", *ECS, "--tag", "team=web")
    head, *clients, blank, counts = result.stdout.splitlines()
    assert head.split() == ["CLIENT", "INSTANCE", "NAME", "STATUS", "HEARTBEAT", "VERSION", "BACKUP", "ZONE", "OS"]
    assert sorted(line.split()[2] for line in clients) == ["web-1", "web-2", "web-3"]
    assert [line for line in clients if "2.9.0 (old)" in line and "s ago" in line] != []
    assert (blank, counts) == ("", "3 clients in cn-hangzhou: 3 ACTIVATED; 1 outdated")
    assert (result.exit_code, result.stderr, "\x1b" in result.stdout) == (0, "", False)


def test_json_is_the_resources_outputs() -> None:
    """One object with the keys of the resource's outputs, clients structured and with heartbeats."""
    found = json.loads(run("list", *ECS, "--output", "json").stdout)
    assert found["totalCount"] == len(found["clients"]) == len(found["ids"]) == 12
    assert found["ids"] == sorted(client["clientId"] for client in found["clients"])
    assert found["instanceIds"] == sorted(client["instanceId"] for client in found["clients"])
    assert any(client["lastHeartBeatTime"] > 0 for client in found["clients"])


def test_nothing_found_is_no_error() -> None:
    """An empty list says so; ids that were asked for are named; the exit code is 0."""
    words = ("list", *ECS, "--client-id", "c-1", "--instance-id", "i-1")
    result = run(*words)
    assert result.stdout.splitlines() == [
        "No backup client of type ECS_CLIENT matches in cn-hangzhou.",
        "not found: c-1",
        "instances without a client: i-1",
    ]
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(run(*words, "--output", "json").stdout) == {
        "totalCount": 0,
        "serviceTotalCount": 0,
        "region": "cn-hangzhou",
        "countsByStatus": {},
        "complete": True,
        "missingClientIds": ["c-1"],
        "missingInstanceIds": ["i-1"],
        "ids": [],
        "instanceIds": [],
        "clients": [],
    }


def test_csv_reads_back(backend: Backend, emulator: RunningEmulator) -> None:
    """RFC 4180: whatever a name holds, a reader gets it back; settings are columns, tags JSON, sorted."""
    name = 'a,"b"c\u4e2d'
    tags = [{"Key": "k", "Value": "v"}, {"Key": "a", "Value": "1"}]
    backend.add(row(1, InstanceName=name, Tags=tags, Settings={"MaxWorker": 3, "UseHttps": True}))
    result = run("list", *ECS, "--output", "csv", "--client-id", "c-1")
    head, found = csv.reader(io.StringIO(result.stdout_bytes.decode(), newline=""))
    cells = dict(zip(head, found, strict=True))
    assert result.stdout_bytes.startswith(b"clientId,instanceId,")
    assert result.stdout_bytes.endswith(b"\r\n")
    assert len(head) == len(CLIENT_FIELDS) - 1 + len(inspect.signature(ClientSettings).parameters)
    assert (cells["instanceName"], cells["tags"]) == (name, '{"a": "1", "k": "v"}')
    assert (cells["settings.maxWorker"], cells["settings.useHttps"], cells["settings.proxyHost"]) == ("3", "true", "")
    assert cells["region"] == emulator.environment["ALIBABA_CLOUD_REGION_ID"]


def test_only_the_fields_that_were_asked_for() -> None:
    """`--field` cuts every output to these fields and the ids."""
    words = ("list", *ECS, "--tag", "team=data", "--field", "status", "--field", "tags", "--output")
    table, comma, whole = (run(*words, output).stdout.splitlines() for output in ("table", "csv", "json"))
    assert table[0].split() == ["CLIENT", "INSTANCE", "STATUS", "tags"]
    assert table[1].endswith('{"env": "prod", "team": "data"}')
    assert comma[0] == "clientId,instanceId,status,tags"
    client = json.loads("\n".join(whole))["clients"][0]
    assert set(client) == {"clientId", "instanceId", "region", "status", "tags"}


@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_an_incomplete_list_is_printed_and_exits_with_1(backend: Backend, output: str) -> None:
    """A list that never settles is printed, reported on stderr in one line, and `complete` is false."""
    backend.add(*(row(number) for number in range(200)))
    backend.total_drift = 1
    result = run("list", *ECS, "--output", output)
    assert result.exit_code == 1
    assert "c-199" in result.stdout
    assert output != "json" or json.loads(result.stdout)["complete"] is False
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: the list is not complete: ")
    assert line.endswith("; what was found is printed")


def test_one_page() -> None:
    """A single page is given as asked, and says that it is one."""
    result = run("list", *ECS, "--page-size", "5", "--page-number", "2")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "page 2, 5 clients a page"
    assert len(result.stdout.splitlines()) == 1 + 5 + 3


def test_names_are_safe_in_a_spreadsheet_and_on_a_terminal(backend: Backend) -> None:
    """Control characters are replaced; in CSV what a spreadsheet would run starts with an apostrophe."""
    names = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "plain = name", "\x1b[31mred\x07"]
    backend.add(*(row(number, InstanceName=name) for number, name in enumerate(names)))
    typed = [word for number in range(len(names)) for word in ("--client-id", f"c-{number}")]
    assert "\ufffd[31mred\ufffd" in run("list", *ECS, *typed).stdout
    assert "\x1b" not in run("list", *ECS, *typed, "--output", "json").stdout
    result = run("list", *ECS, *typed, "--field", "instance_name", "--output", "csv")
    found = [line["instanceName"] for line in csv.DictReader(io.StringIO(result.stdout))]
    assert found[:4] == ["'=HYPERLINK(1)", "'+1", "'-1", "'@SUM(1)"]
    assert found[4:] == ["'\ufffd=1", "'\ufffd=1", "plain = name", "\ufffd[31mred\ufffd"]


@pytest.mark.parametrize("words", [("list", *ECS), ("list", *ECS, "-v"), ("doctor",), ("wait", *ECS)])
def test_a_message_cannot_steer_the_terminal(backend: Backend, words: tuple[str, ...]) -> None:
    """What the service says, in an error or under -v, has no control characters."""
    backend.next_faults += ["403 NoPermission \x1b[31mred\x07"]
    result = run(*words)
    assert result.exit_code == 1
    assert "NoPermission: \ufffd[31mred\ufffd (HTTP 403, request " in result.output
    assert "\x1b" not in result.output


def test_a_refusal_is_one_line_and_advice(backend: Backend) -> None:
    """What the service said with its request id, what to do about it, exit code 1, no traceback."""
    backend.next_faults += ["RoleNotExist"]
    result = run("list", *ECS)
    error, hint = result.stderr.splitlines()
    assert error.startswith("error: RoleNotExist: ")
    assert ", request " in error
    assert hint.startswith("  Check --cross-account-")
    assert (result.exit_code, result.stdout, backend.requests) == (1, "", 1)


@pytest.mark.parametrize("words", [("-v", "list", *ECS), ("list", *ECS, "-v"), ("-v", "list", *ECS, "-v")])
def test_verbose(backend: Backend, emulator: RunningEmulator, words: tuple[str, ...]) -> None:
    """-v, wherever it stands, logs once on stderr what is asked and throttled."""
    backend.next_faults += ["throttle:10"]
    result = run(*words)
    assert result.exit_code == 0
    assert result.stderr.count(": Throttling.User: ") == 1
    assert f"debug: asking {emulator.endpoint} (region cn-hangzhou)" in result.stderr
    assert "debug: " not in run("list", *ECS).stderr


def test_secrets_stay_inside(backend: Backend) -> None:
    """No output of any command holds a key, and a proxy password only where it was asked for."""
    backend.next_faults += ["SignatureDoesNotMatch"]
    words = [("-v", "list", *ECS, "--output", output) for output in ("table", "json", "csv", "table")]
    results = [run(*each) for each in (*words, ("-v", "doctor"), ("doctor", "--output", "json"))]
    assert [result.exit_code for result in results] == [1, 0, 0, 0, 0, 0]
    text = "".join(result.output for result in results)
    assert [secret for secret in (FAKE_CREDENTIALS.access_key_secret, PASSWORD) if secret in text] == []
    assert FAKE_CREDENTIALS.access_key_id not in "".join(result.output for result in results[4:])
    asked = [run(*each, "--include-proxy-passwords") for each in words[1:]]
    assert [PASSWORD in result.stdout for result in asked] == [True] * 3
    assert json.loads(asked[0].stdout)["proxyPasswords"].popitem()[1] == PASSWORD


@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_an_output_that_cannot_be_written_is_one_line(output: str) -> None:
    """A full disk and a closed output end with exit code 1 and a line, not a traceback."""
    for redirection, reason in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
        script = f"exec {sys.executable} -m pulumi_hbr_clients.cli list {' '.join(ECS)} --output {output} {redirection}"
        done = subprocess.run(["/bin/sh", "-c", script], check=False, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (1, f"error: cannot write to standard output: {reason}\n")
