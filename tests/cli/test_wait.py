"""`hbr-clients wait`: a gate for scripts, its exit codes, and one JSON object however it ends. Against the emulator."""

import json
import re
from typing import Any

import pytest
from click.testing import Result

from pulumi_hbr_clients.activation.evaluation import rule_of
from pulumi_hbr_clients.cli.errors import as_options
from pulumi_hbr_clients.emulator import Backend
from tests.commands import ECS, run

MOMENTS = ((r" (since|until) \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", r" \1 then"),)
pytestmark = pytest.mark.usefixtures("emulator")


def row(number: int, status: str = "ACTIVATED") -> dict[str, Any]:
    return {"ClientId": f"c-{number}", "InstanceId": f"i-{number}", "Status": status, "ClientVersion": "2.13.0"}


@pytest.fixture
def backend() -> Backend:
    """Three clients that are activated."""
    return Backend(map(row, (1, 2, 3)))


def wait(*words: str) -> Result:
    return run("wait", *(() if "--client-type" in words else ECS), "--poll", "0.1", *words)


def told(result: Result) -> list[str]:
    """What stderr says, without the moments and the indents."""
    text = result.stderr
    for pattern, word in MOMENTS:
        text = re.sub(pattern, word, text)
    return [line.strip() for line in text.splitlines()]


def ended(code: int, *words: str) -> dict[str, Any]:
    """The JSON object of a wait that ends with this code: all that stands on stdout."""
    result = wait("--output", "json", *words)
    found: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == code
    return found


def test_it_passes_late(backend: Backend) -> None:
    """When the last one is activated, having said at once who is waited for."""
    backend.set_status("INSTALLING", "c-2")
    backend.later(1.0, lambda: backend.activate("c-2"))
    result = wait("--instance-id", "i-1", "--instance-id", "i-2")
    assert told(result) == ["1 of 2 activated; waiting for c-2 (i-2): INSTALLING; until then"]
    assert re.fullmatch(r"2 of 2 activated after [1-9]s\n", result.stdout)
    assert result.exit_code == 0


@pytest.mark.parametrize("status", ["INSTALL_FAILED", "UPGRADE_FAILED"])
def test_it_fails_at_once(backend: Backend, status: str) -> None:
    """A client that does not get there by waiting is named with what to do, in words of the command line."""
    backend.set_status(status, "c-2")
    result = wait()
    advice = as_options(rule_of(status).advice)
    assert told(result) == [
        "error: 1 of 3 backup clients will not be activated by waiting:",
        f"c-2 (i-2): {status} since then. {advice[0].upper()}{advice[1:]}",
    ]
    assert "['" not in advice
    assert (result.stdout, result.exit_code, backend.requests) == ("", 1, 1)


def test_a_timeout_tells_the_last_picture(backend: Backend) -> None:
    """One timeout over the whole selection, exit code 124, and who was missing at its end."""
    backend.set_status("STOPPED", "c-3")
    words = [word for number in (1, 2, 3, 4) for word in ("--instance-id", f"i-{number}")]
    result = wait(*words, "--timeout", "1s")
    assert told(result)[-3:] == [
        "error: not activated within 1s: 2 of 4 activated; waiting for c-3 (i-3): STOPPED, i-4: missing",
        "c-3 (i-3): STOPPED since then. Start the client on the machine, or install it again",
        "i-4: there is no such client yet. Install the client, or check the id",
    ]
    assert (result.stdout, result.exit_code) == ("", 124)


@pytest.mark.parametrize(("mode", "requests"), [("warn", 1), ("off", 0)])
def test_a_bypassed_gate(backend: Backend, monkeypatch: pytest.MonkeyPatch, mode: str, requests: int) -> None:
    """It exits with 0, says so, and the object for programs does too."""
    monkeypatch.setenv("HBR_CLIENTS_GATES", mode)
    backend.set_status("STOPPED", "c-1")
    found = ended(0)
    assert (found["state"], backend.requests) == ("bypassed", requests)
    result = wait()
    assert result.stdout.startswith("bypassed: ")
    assert told(result)[0].startswith("warning: gate bypassed (hbr-clients:gates): ")


@pytest.mark.parametrize("words", [(), ("--field", "status", "--field", "clientVersion")])
def test_json_of_a_gate_that_passed(backend: Backend, words: tuple[str, ...]) -> None:
    """The gate's own words, then the very object that `list` prints, projected alike."""
    backend.stop_heartbeats("c-1", "c-2", "c-3")
    found = ended(0, *words)
    listed = json.loads(run("list", *ECS, *words, "--output", "json").stdout)
    own = {"state": "passed", "waited": found["waited"], "ready": 3, "wanted": 3, "waiting": [], "failed": []}
    assert found == {**own, **listed}
    assert 0 <= found["waited"] < 2


def test_json_of_a_gate_that_failed(backend: Backend) -> None:
    """Each client with all that is known of it, what to do as an option, and the clients as they were seen."""
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


def test_json_before_the_first_look(backend: Backend) -> None:
    """A timeout over a service that is silent from the start knows of no client, and says so."""
    backend.latency = 5
    found = ended(124, "--timeout", "1")
    assert (found["state"], found["wanted"], found["complete"], found["clients"]) == ("timedOut", 0, False, [])
    assert found["error"] == "not activated within 1s: no response yet"


def test_json_of_a_refusal(backend: Backend) -> None:
    """What the service said, with what was seen before it; stderr tells a person the same, with advice."""
    backend.set_status("INSTALLING", "c-2")
    backend.next_faults += ["none", "NoPermission"]
    result = wait("--output", "json")
    found = json.loads(result.stdout)
    assert (found["state"], found["ready"], found["wanted"], found["totalCount"]) == ("error", 2, 3, 3)
    assert found["error"].startswith("NoPermission: ")
    assert told(result)[-2].startswith("error: NoPermission: ")
    assert told(result)[-1].startswith("Allow the RAM action hbr:DescribeBackupClients")
    assert result.exit_code == 1


def test_new_values_are_warned_of_first() -> None:
    """What is perhaps a typing error is told before the wait, not after it."""
    words = ("--client-type", "MOON_CLIENT", "--tolerate", "INSTAL_FAILED", "--timeout", "0.3")
    first, second, *_ = told(wait(*words))
    assert first == "warning: --client-type: MOON_CLIENT is not known to this version and is used unchanged"
    assert second.startswith("warning: --tolerate: INSTAL_FAILED is not known to this version and is used ")
    assert second.endswith("did you mean INSTALL_FAILED?")


def test_a_name_cannot_steer_the_terminal(backend: Backend) -> None:
    """Control codes in what the service says are shown, not sent."""
    backend.add({**row(9, "STOPPED"), "InstanceId": "i-\x1b[31m"})
    result = wait("--timeout", "0.3")
    assert "c-9 (i-\ufffd[31m): STOPPED" in result.stderr
    assert "\x1b" not in result.output
    assert "\x1b" not in wait("--timeout", "0.3", "--output", "json").output
