"""Every example runs as it stands, from the command line: preview, up, up again, a changed fleet, destroy.

`make test` takes the Python examples through all of it and the other languages through preview and up; `make examples`
sets EXAMPLES=all and takes everything through all of it.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients import get_backup_clients
from pulumi_hbr_clients.emulator import Backend, Cloud, account_credentials, new_rows, serve
from tests.engine.projects import EXAMPLES, ROOT, Project, instances, once_waited_for

NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/Pulumi.yaml"))
CI_LOG = ROOT / "docs" / "ci-log.md"
IN_FULL = os.environ.get("EXAMPLES") == "all"
pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]  # the first run on a machine compiles for minutes
Lay = Callable[..., Project]


def is_quiet(project: Project) -> None:
    """A second `up` changes nothing."""
    text = project.up()
    assert re.search(r"^Resources:\n    \d+ unchanged\n", text, re.MULTILINE), text


def ends_without_the_service(project: Project, service: ExitStack) -> None:
    """`destroy` needs no answer."""
    service.close()
    assert re.search(
        r"^Resources:\n    - \d+ deleted\n", project.run("destroy", "--yes", "--skip-preview"), re.MULTILINE
    )
    assert project.state() == {}


def test_fleet(project: Lay, backend: Backend, service: ExitStack) -> None:
    """Known in preview, quiet when nothing changed, and a change of the fleet shows before it is deployed."""
    fleet = project("fleet").init()
    assert "totalCount    : 12" in fleet.run("preview")
    fleet.up()
    outputs = fleet.outputs()
    assert outputs["totalCount"] == len(outputs["clients"]) == 12
    old = {row["Hostname"] for row in backend.rows() if row["ClientVersion"] not in {"", row["MaxClientVersion"]}}
    assert set(outputs["outdated"]) == old
    is_quiet(fleet)
    backend.set_status("STOPPED", *instances(backend, "db-1"))
    assert '~ status          : "ACTIVATED" => "STOPPED"' in fleet.run("preview", "--diff")
    fleet.up()
    assert fleet.outputs()["countsByStatus"]["STOPPED"] == outputs["countsByStatus"]["STOPPED"] + 1
    ends_without_the_service(fleet, service)


def normalised(text: str) -> str:
    """Durations as `Ns`, times as `TIME`; without the engine's dots."""
    text = re.sub(r"\b\d+(\.\d+)?s\b", "Ns", text)
    text = re.sub(r"\b(\d{4}-\d\d-\d\d )?\d\d:\d\d(:\d\d)?Z?", "TIME", text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines() if line and not line.startswith("@ "))


def test_gate(project: Lay, backend: Backend, service: ExitStack) -> None:
    """What depends on the gate is created after the last client is activated, and then left alone.

    docs/ci-log.md shows what `up` prints, but for durations and times. WRITE=1 writes the page.
    """
    nodes = instances(backend, "web-1", "batch-1")
    gate = project("gate").init(instanceIds=nodes)
    assert "1 of 2" in gate.run("preview")
    text, activated = once_waited_for(backend, nodes[1], gate.up)
    log = f"```console\n$ pulumi up --yes --skip-preview --non-interactive\n{normalised(text)}```\n"
    before, _, after = re.split(r"(```console\n.*?```\n)", CI_LOG.read_text(), flags=re.DOTALL)
    if os.environ.get("WRITE"):
        CI_LOG.write_text(before + log + after)
    assert CI_LOG.read_text() == before + log + after
    assert gate.outputs()["servedBy"] == nodes
    assert len(gate.outputs()["clientIds"]) == 2
    assert datetime.fromisoformat(gate.state()["cutover"]["created"]).timestamp() >= activated
    is_quiet(gate)
    ends_without_the_service(gate, service)


@pytest.mark.parametrize("name", ["yaml", "typescript", "go"])
def test_other_languages(name: str, project: Lay, backend: Backend, service: ExitStack) -> None:
    """With the self-contained plugin: the list is known in preview, and the gate waits for the last client."""
    nodes = instances(backend, "web-1", "batch-1")
    backend.stop_heartbeats(*(row["ClientId"] for row in backend.rows() if row["InstanceId"] != nodes[1]))
    program = project(name).init(instanceIds=nodes)
    preview = program.run("preview")
    assert "1 of 2" in preview
    assert "hostname" in preview
    text, activated = once_waited_for(backend, nodes[1], program.up)
    assert "1 of 2" in text
    assert "warning" not in preview + text
    outputs, gate = program.outputs(), program.state()["backed-up"]
    production = get_backup_clients(client_type="ECS_CLIENT", tags={"env": "prod"})
    assert [client["clientId"] for client in outputs["clients"]] == list(production.ids)
    assert outputs["clientIds"] == list(get_backup_clients(client_type="ECS_CLIENT", instance_ids=nodes).ids)
    assert datetime.fromisoformat(gate["created"]).timestamp() >= activated
    assert outputs["countsBehindTheGate"] == {"ACTIVATED": 2}
    if IN_FULL:
        is_quiet(program)
        backend.set_status("STOPPED", *instances(backend, "db-1"))
        assert '"ACTIVATED" => "STOPPED"' in program.run("preview", "--diff")
        ends_without_the_service(program, service)


def test_consumer(project: Lay, backend: Backend) -> None:
    """Another stack uses the exported clients by their attributes."""
    project("fleet").init().up()
    consumer = project("consumer").init(fleetStack="organization/backup-fleet/dev")
    consumer.up()
    prod = {"Key": "env", "Value": "prod"}
    ours = [row for row in backend.rows() if row["ClientType"] == "ECS_CLIENT"]
    rows = [row for row in ours if row["Status"] == "ACTIVATED" and prod in (row.get("Tags") or [])]
    assert consumer.outputs()["backedUpAddresses"] == {row["Hostname"]: row["PrivateIpV4"] for row in rows}


def test_coverage(project: Lay, backend: Backend) -> None:
    """Instances without a client, and those whose client does not work, are told apart."""
    web, desk = instances(backend, "web-1", "desk-2")
    coverage = project("coverage").init(instanceIds=[web, desk, "i-without-client"])
    assert "1 of 3 instances have no backup client" in coverage.up()
    assert coverage.outputs() == {"withoutClient": ["i-without-client"], "notWorking": {desk: "STOPPED"}}


def test_gate_new_instances(project: Lay) -> None:
    """Instances of the same `up`: unknown in preview, waited for once they exist."""
    nodes = project("gate_new_instances").init()
    nodes.run("preview")
    nodes.up()
    clients = nodes.outputs()["clients"]
    assert {client["instanceId"] for client in clients} == {"i-node-1", "i-node-2", "i-node-3"}
    assert {client["status"] for client in clients} == {"ACTIVATED"}
    is_quiet(nodes)


def test_gate_fails(project: Lay) -> None:
    """The clients that cannot be activated are named, and nothing behind the gate is created."""
    code, text = project("gate_fails").init().pulumi("up", "--yes", "--skip-preview")
    assert code != 0
    assert "2 of 12 backup clients" in text
    assert "): DEACTIVATED since " in text
    assert "): INSTALL_FAILED since " in text
    assert "pulumi_hbr_clients/" not in text  # no line of ours: the host may print its own KeyboardInterrupt at the end


def test_new(project: Lay, tmp_path: Path) -> None:
    """`pulumi new` makes a project of each example's folder, under another name; a test here runs that example."""
    fleet, tests = project("fleet"), Path(__file__).read_text()
    for name in NAMES:
        made = tmp_path / "new" / name
        fleet.run("new", str(EXAMPLES / name), "--generate-only", "--yes", "--name", "mine", "--dir", str(made))
        ours = {path.name for path in EXAMPLES.joinpath(name).iterdir() if path.name not in {"sdks", "bin"}}
        assert {path.name for path in made.iterdir()} >= ours
        assert "name: mine" in (made / "Pulumi.yaml").read_text()
        assert f'"{name}"' in tests


def test_accounts(tmp_path: Path, engine: Any, service: ExitStack, project: Lay) -> None:
    """3 accounts in 4 regions: 12 data sources, each client with its region; a look-up that is refused is left out."""
    accounts, regions = ["prod", "test", "hub"], ["cn-hangzhou", "cn-shanghai", "eu-central-1", "us-west-1"]
    places = [(account, region) for account in accounts for region in regions]
    cloud = Cloud({at: Backend([*new_rows(150, seed=number)]) for number, at in enumerate(places)})
    engine.environment.update(service.enter_context(serve(cloud)).environment)
    keys = {account: account_credentials(account) for account in accounts}
    profiles = [
        {"name": name, "mode": "AK", "access_key_id": key.access_key_id, "access_key_secret": key.access_key_secret}
        for name, key in keys.items()
    ]
    (tmp_path / ".aliyun").mkdir()
    (tmp_path / ".aliyun" / "config.json").write_text(json.dumps({"current": "prod", "profiles": profiles}))
    program = project("accounts").init(profiles=accounts, regions=regions)
    program.up()
    sources = [found for found in program.state().values() if found["type"].endswith("BackupClients")]
    assert {(source["outputs"]["profile"], source["outputs"]["region"]) for source in sources} == set(places)
    found = program.outputs()["clients"]
    assert Counter(client["region"] for client in found) == dict.fromkeys(regions, 450)
    assert {backend.requests for backend in cloud.backends.values()} == {8}  # two pages twice, tracked and looked up
    cloud.backends["hub", "us-west-1"].next_faults += ["NoPermission"] * 2
    code, text = program.pulumi("preview")
    assert code != 0
    assert "hub in us-west-1 was left out: NoPermission" in text
    assert "hub-us-west-1" in text


def test_rollback(project: Lay, backend: Backend) -> None:
    """A release waits; a rollback passes a dead machine with a warning, and the next `up` waits again."""
    (node,) = instances(backend, "web-1")
    program = project("rollback").init(instanceIds=[node], release="42")
    program.up()
    backend.set_status("STOPPED", node)
    program.run("config", "set", "release", "41")
    code, text = program.pulumi("up", "--yes", "--skip-preview")
    assert (code != 0, "not activated within 10s" in text) == (True, True)
    program.environment["HBR_CLIENTS_GATES"] = "warn"
    assert "warning: gate bypassed" in program.up()
    assert program.outputs() == {"release": 41, "bypassed": True}
    del program.environment["HBR_CLIENTS_GATES"]
    backend.activate(node)
    program.up()
    assert program.outputs() == {"release": 41, "bypassed": False}
