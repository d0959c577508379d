"""What Pulumi's mocks may return to a program in its unit tests, as docs/testing.md shows them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


def child(folder: Path, *command: str) -> str:
    """Run in a process of its own, without any account or region; Pulumi's mocks hold for a whole process."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


PROGRAM = """
import asyncio, json, logging, sys
import pulumi
from pulumi_hbr_clients import ActivationGate, BackupClients, InputError, get_backup_clients, get_backup_clients_output
from pulumi_hbr_clients.client import transport

CLIENTS = [{"clientId": "c-1", "instanceId": "i-1", "status": "ACTIVATED", "settings": {"proxyPort": 3128.0}}]
ANSWERS = {
    "list": {"clients": CLIENTS},
    "text": {"clients": json.dumps(CLIENTS), "complete": False, "missingInstanceIds": ["i-9"]},
    "nothing": {},
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

@pulumi.runtime.test
def looked_up():
    for answer in ANSWERS:
        found = get_backup_clients(client_type="ECS_CLIENT", tags={"answer": answer})
        print(answer, found.ids, found.instance_ids, dict(found.counts_by_status), end=" ")
        print(found.complete, found.missing_instance_ids)
        later = get_backup_clients_output(client_type="ECS_CLIENT", tags={"answer": pulumi.Output.from_input(answer)})
        yield later.apply(lambda found, answer=answer: print(answer, "later", found.ids))

@pulumi.runtime.test
def declared():
    for name in ANSWERS:
        fleet = BackupClients(name, client_type="ECS_CLIENT", tags={"a": "b"})
        gate = ActivationGate(name, client_type="ECS_CLIENT", instance_ids=["i-1"], timeout="1s")
        yield pulumi.Output.all(fleet.ids, gate.ids).apply(lambda ids, name=name: print(name, "resources", *ids))

def run(test):
    @pulumi.runtime.test
    def whole():
        return pulumi.Output.all(*test.__wrapped__())
    whole()

run(looked_up)
run(declared)
try:
    get_backup_clients(client_type="ecs")
except InputError as error:
    print(error)
print(sorted(set(asked)))
"""


@pytest.mark.timeout(60)
def test_what_mocks_may_return(tmp_path: Path) -> None:
    """`clients` as a list, as text or not at all, for both look-ups, the data source and the gate; nothing is sent.

    There is no region and no account, so that whatever tried to send would fail; and a gate does not wait.
    """
    lines = child(tmp_path, "-c", PROGRAM).splitlines()
    one, none = "('c-1',)", "()"
    assert f"list {one} ('i-1',) {{'ACTIVATED': 1}} True ()" in lines
    assert f"text {one} ('i-1',) {{'ACTIVATED': 1}} False ('i-9',)" in lines
    assert "nothing () () {} True ()" in lines
    assert {f"list later {one}", f"text later {one}", f"nothing later {none}"} <= set(lines)
    assert {"list resources ['c-1'] ['c-1']", "text resources ['c-1'] ['c-1']", "nothing resources [] []"} <= set(lines)
    assert any(line.startswith("client_type: must be one of") for line in lines)
    assert lines[-1] == str(
        [
            "hbr-clients:index:getBackupClients",
            "pulumi-python:dynamic/hbr-clients:ActivationGate",
            "pulumi-python:dynamic/hbr-clients:BackupClients",
        ]
    )


ALONE = """
from pulumi_hbr_clients import BackupClients, get_backup_clients_output

alone = BackupClients("alone", client_type=pulumi.Output.from_input("ECS_CLIENT"))


@pulumi.runtime.test
def test_what_follows_from_the_clients():
    def check(values):
        assert values == [2, 2, {"ACTIVATED": 1, "STOPPED": 1}, [], True, ("c-2",)]

    listed = get_backup_clients_output(client_type=alone.clients[0].client_type.apply(lambda _: "ECS_CLIENT"))
    return pulumi.Output.all(
        alone.total_count, alone.service_total_count, alone.counts_by_status, alone.missing_client_ids, alone.complete,
        listed.ids,
    ).apply(check)
"""


def test_the_page(tmp_path: Path) -> None:
    """The page's program and its tests pass without a service, and so do the outputs that a mock leaves out."""
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
    program, tests, *_ = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "fleet.py").write_text(program)
    (tmp_path / "test_fleet.py").write_text(tests + ALONE)
    assert "4 passed" in child(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_fleet.py")
