"""What Pulumi's mocks may return to a program in its unit tests, as docs/testing.md shows them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


def run_tests(folder: Path, text: str) -> str:
    """Run a file of tests in a process of its own, for which Pulumi's mocks hold; it has no account and no region."""
    (folder / "test_program.py").write_text(text)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_program.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


ANSWERS = """
import json
import pulumi
import pytest
from pulumi_hbr_clients import ActivationGate, BackupClients, InputError, get_backup_clients, get_backup_clients_output

CLIENTS = [{"clientId": "c-1", "instanceId": "i-1", "status": "ACTIVATED", "settings": {"proxyPort": 3128.0}}]
ANSWERS = {
    "list": {"clients": CLIENTS},
    "text": {"clients": json.dumps(CLIENTS), "complete": False, "missingInstanceIds": ["i-9"]},
    "nothing": {},
}
EXPECTED = {
    "list": (["c-1"], ["i-1"], 1, 1, {"ACTIVATED": 1}, [], [], True),
    "text": (["c-1"], ["i-1"], 1, 1, {"ACTIVATED": 1}, [], ["i-9"], False),
    "nothing": ([], [], 0, 0, {}, [], [], True),
}
asked = []

class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        asked.append(args.typ)
        return f"{args.name}-id", {**args.inputs, **ANSWERS[args.name]}

    def call(self, args):
        asked.append(args.token)
        return ANSWERS[args.args["tags"]["answer"]]

pulumi.runtime.set_mocks(Mocks())

def outputs_of(found):
    names = ("ids", "instance_ids", "total_count", "service_total_count", "counts_by_status")
    return [getattr(found, name) for name in (*names, "missing_client_ids", "missing_instance_ids", "complete")]

@pytest.mark.parametrize("name", ANSWERS)
@pulumi.runtime.test
def test_each_answer(name):
    def check(values):
        *fleet, gate_ids, looked_up, found = values
        assert tuple(fleet) == EXPECTED[name]
        assert (gate_ids, looked_up) == (fleet[0], tuple(fleet[0]))
        assert [list(each) if isinstance(each, tuple) else each for each in outputs_of(found)] == fleet

    fleet = BackupClients(name, client_type=pulumi.Output.from_input("ECS_CLIENT"), tags={"a": "b"})
    gate = ActivationGate(name, client_type="ECS_CLIENT", instance_ids=["i-1"], timeout="1s")
    answer = fleet.total_count.apply(lambda _: name)
    later = get_backup_clients_output(client_type="ECS_CLIENT", tags={"answer": answer})
    found = get_backup_clients(client_type="ECS_CLIENT", tags={"answer": name})
    return pulumi.Output.all(*outputs_of(fleet), gate.ids, later.ids, found).apply(check)

def test_what_was_asked():
    with pytest.raises(InputError, match="client_type: must be one of"):
        get_backup_clients(client_type="ecs")
    assert sorted(set(asked)) == [
        "hbr-clients:index:getBackupClients",
        "pulumi-python:dynamic/hbr-clients:ActivationGate",
        "pulumi-python:dynamic/hbr-clients:BackupClients",
    ]
"""


@pytest.mark.timeout(60)
def test_what_mocks_may_return(tmp_path: Path) -> None:
    """`clients` as a list, as text or not at all, for both look-ups, the data source and the gate; nothing is sent.

    What is left out follows from the clients. There is no region and no account, so that whatever tried to send would
    fail; and a gate does not wait.
    """
    assert "4 passed" in run_tests(tmp_path, ANSWERS)


def test_the_page(tmp_path: Path) -> None:
    """The page's program and its tests pass without a service."""
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
    program, tests, *_ = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "fleet.py").write_text(program)
    assert "3 passed" in run_tests(tmp_path, tests)
