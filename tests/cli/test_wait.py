"""`hbr-clients wait`: a gate for scripts, its exit codes, and one JSON object however it ends. Against the emulator."""

import json
import re
from typing import Any

import pytest
from click.testing import Result

from pulumi_hbr_clients.emulator import Backend
from tests.cli.terminals import row
from tests.commands import ECS, run

pytestmark = pytest.mark.usefixtures("emulator")


@pytest.fixture
def backend() -> Backend:
    """Three clients that are activated."""
    return Backend(map(row, (1, 2, 3)))


def wait(*words: str) -> Result:
    return run("wait", *(() if "--client-type" in words else ECS), "--poll", "0.1", *words)


def messages(result: Result) -> list[str]:
    """The lines on stderr, without indents and with `then` for each moment."""
    text = re.sub(r" (since|until) \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", r" \1 then", result.stderr)
    return [line.strip() for line in text.splitlines()]


def ended(code: int, *words: str) -> dict[str, Any]:
    """The JSON object of a wait that ends with this code: all that stands on stdout."""
    result = wait("--output", "json", *words)
    found: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == code
    return found


def test_it_passes_late(backend: Backend) -> None:
    """When the last client is activated; until then stderr names the clients that are not."""
    backend.set_status("INSTALLING", "c-2")
    backend.later(1.0, lambda: backend.activate("c-2"))
    result = wait("--instance-id", "i-1", "--instance-id", "i-2")
    assert messages(result) == ["1 of 2 activated; waiting for c-2 (i-2): INSTALLING; until then"]
    assert re.fullmatch(r"2 of 2 activated after [1-9]s\n", result.stdout)
    assert result.exit_code == 0


def test_it_fails_at_once(backend: Backend) -> None:
    """A client that waiting cannot activate is named with what to do, as options of the command line."""
    backend.set_status("UPGRADE_FAILED", "c-2")
    result = wait()
    assert messages(result) == [
        "error: 1 of 3 backup clients will not be activated by waiting:",
        "c-2 (i-2): UPGRADE_FAILED since then. Upgrade it again; --tolerate UPGRADE_FAILED waits for that",
    ]
    assert (result.stdout, result.exit_code, backend.requests) == ("", 1, 1)


def test_a_timeout(backend: Backend) -> None:
    """One timeout for the whole selection, exit code 124, and the clients that are missing at its end."""
    backend.set_status("STOPPED", "c-3")
    words = [word for number in (1, 2, 3, 4) for word in ("--instance-id", f"i-{number}")]
    result = wait(*words, "--timeout", "1s")
    assert messages(result)[-3:] == [
        "error: not activated within 1s: 2 of 4 activated; waiting for c-3 (i-3): STOPPED, i-4: missing",
        "c-3 (i-3): STOPPED since then. Start the client on the machine, or install it again",
        "i-4: there is no such client yet. Install the client, or check the id",
    ]
    assert (result.stdout, result.exit_code) == ("", 124)


@pytest.mark.parametrize(("mode", "requests"), [("warn", 1), ("off", 0)])
def test_a_bypassed_gate(backend: Backend, monkeypatch: pytest.MonkeyPatch, mode: str, requests: int) -> None:
    """Exit code 0, and both outputs say that the gate was bypassed."""
    monkeypatch.setenv("HBR_CLIENTS_GATES", mode)
    backend.set_status("STOPPED", "c-1")
    found = ended(0)
    assert (found["state"], backend.requests) == ("bypassed", requests)
    result = wait()
    assert result.stdout.startswith("bypassed: ")
    assert messages(result)[0].startswith("warning: gate bypassed (hbr-clients:gates): ")


@pytest.mark.parametrize("words", [(), ("--field", "status", "--field", "clientVersion")])
def test_json_of_a_gate_that_passed(backend: Backend, words: tuple[str, ...]) -> None:
    """The gate's own keys, then the object that `list` prints, with the same fields."""
    backend.stop_heartbeats("c-1", "c-2", "c-3")
    found = ended(0, *words)
    listed = json.loads(run("list", *ECS, *words, "--output", "json").stdout)
    own = {"state": "passed", "waited": found["waited"], "ready": 3, "wanted": 3, "waiting": [], "failed": []}
    assert found == {**own, **listed}
    assert 0 <= found["waited"] < 2


def test_json_of_a_gate_that_failed(backend: Backend) -> None:
    """Each blocking client with its advice, and the clients as last listed."""
    backend.set_status("UPGRADE_FAILED", "c-2")
    found = ended(1, "--instance-id", "i-1", "--instance-id", "i-2", "--instance-id", "i-4")
    since = int(backend.find("c-2").row["UpdatedTime"])
    failed = {"clientId": "c-2", "instanceId": "i-2", "status": "UPGRADE_FAILED", "why": "UPGRADE_FAILED"}
    advice = "upgrade it again; --tolerate UPGRADE_FAILED waits for that"
    assert found["failed"] == [{**failed, "advice": advice, "since": since}]
    assert found["waiting"] == [
        {
            "clientId": None,
            "instanceId": "i-4",
            "status": None,
            "why": "there is no such client yet",
            "advice": "install the client, or check the id",
            "since": None,
        }
    ]
    assert (found["state"], found["ready"], found["wanted"]) == ("failed", 1, 3)
    assert [client["clientId"] for client in found["clients"]] == found["ids"] == ["c-1", "c-2"]
    assert found["missingInstanceIds"] == ["i-4"]
    assert found["error"].startswith("1 of 3 backup clients will not be activated by waiting:\n  c-2 (i-2): ")


def test_json_without_a_response(backend: Backend) -> None:
    """A timeout before the first response: no clients, and an error that says so."""
    backend.latency = 5
    found = ended(124, "--timeout", "1")
    assert (found["state"], found["wanted"], found["complete"], found["clients"]) == ("timedOut", 0, False, [])
    assert found["error"] == "not activated within 1s: no response yet"


def test_json_of_a_refusal(backend: Backend) -> None:
    """The service's error and the last known state; stderr has the error with its advice."""
    backend.set_status("INSTALLING", "c-2")
    backend.next_faults += ["none", "NoPermission"]
    result = wait("--output", "json")
    found = json.loads(result.stdout)
    assert (found["state"], found["ready"], found["wanted"], found["totalCount"]) == ("error", 2, 3, 3)
    assert found["error"].startswith("NoPermission: ")
    assert messages(result)[-2].startswith("error: NoPermission: ")
    assert messages(result)[-1].startswith("Allow the RAM action hbr:DescribeBackupClients")
    assert result.exit_code == 1


def test_warnings_come_first() -> None:
    """A value that may be misspelled is a warning before the wait."""
    words = ("--client-type", "MOON_CLIENT", "--tolerate", "INSTAL_FAILED", "--timeout", "0.3")
    first, second, *_ = messages(wait(*words))
    assert first == "warning: --client-type: MOON_CLIENT is not known to this version and is used unchanged"
    assert second.startswith("warning: --tolerate: INSTAL_FAILED is not known to this version and is used ")
    assert second.endswith("did you mean INSTALL_FAILED?")


def test_a_name_cannot_steer_the_terminal(backend: Backend) -> None:
    """Control codes in what the service says are shown, not sent."""
    backend.add(row(9, Status="STOPPED", InstanceId="i-\x1b[31m"))
    result = wait("--timeout", "0.3")
    assert "c-9 (i-\ufffd[31m): STOPPED" in result.stderr
    assert "\x1b" not in result.output
    assert "\x1b" not in wait("--timeout", "0.3", "--output", "json").output
