"""`BackupClients` and the look-ups on a real engine: what the design promises, seen."""

import asyncio
import base64
import re
from functools import partial
from typing import Any

import pulumi
import pytest

from pulumi_hbr_clients import (
    BackupClient,
    BackupClients,
    InputError,
    clients_from_stack,
    get_backup_clients,
    get_backup_clients_output,
)
from pulumi_hbr_clients.emulator import Backend, new_rows
from pulumi_hbr_clients.model.backup_client import from_state
from tests.engine.programs import Dependant

pytestmark = pytest.mark.engine
ECS: dict[str, Any] = {"client_type": "ECS_CLIENT"}
CHANGES = {"create", "update", "delete", "replace"}


def ecs(backend: Backend) -> list[dict[str, Any]]:
    """The rows that this account's ECS query finds, sorted by client id."""
    rows = (row for row in backend.rows() if row["ClientType"] == "ECS_CLIENT" and row["Hostname"] != "cross-1")
    return sorted(rows, key=lambda row: row["ClientId"])


def fleet(**arguments: Any) -> None:
    found = BackupClients("fleet", **ECS, **arguments)
    pulumi.export("total", found.total_count)
    pulumi.export("counts", found.counts_by_status)
    pulumi.export("complete", found.complete)
    pulumi.export("first", found.clients[0].client_id)


def test_from_the_first_preview_to_destroy(engine: Any, backend: Backend, service: Any) -> None:
    """Known before anything is deployed, and only ever read: `preview --diff` shows what changed in the fleet.

    With the same fleet all is unchanged; another filter replaces nothing; `destroy` needs no service.
    """
    stack = engine.stack()
    text = stack.preview(fleet, diff=True)
    assert f'first   : "{ecs(backend)[0]["ClientId"]}"' in text
    assert f"total   : {len(ecs(backend))}" in text
    assert (stack.operations(), backend.requests) == (["read"], 1)
    stack.up(fleet)
    text = stack.up(fleet, diff=True)
    assert (stack.operations(), "1 unchanged" in text, "~" in text) == (["read"], True, False)
    victim = next(row for row in ecs(backend) if row["Status"] == "ACTIVATED")
    backend.set_status("STOPPED", victim["ClientId"])
    assert '~ status          : "ACTIVATED" => "STOPPED"' in stack.preview(fleet, diff=True)
    assert not CHANGES & set(stack.operations())
    stack.up(partial(fleet, statuses=["ACTIVATED"]))
    assert set(stack.outputs()["counts"]) == {"ACTIVATED"}
    assert not CHANGES & set(stack.operations())
    service.close()
    assert "deleted" in stack.destroy()


def test_state_holds_no_code(engine: Any, backend: Backend) -> None:
    """Inputs are what the program gave, and the provider by its name; nothing of the program, no byte code.

    A refresh is quiet about heartbeats, even where they are shown, and about an output that a newer version adds.
    """
    stack = engine.stack()
    stack.up(partial(fleet, tags={"env": "prod"}, timeout="5m", include_heartbeats=True))
    state = stack.resource(":BackupClients")
    provider = base64.b64decode(state["inputs"].pop("__provider"))
    assert b"pulumi_hbr_clients.state_providers" in provider
    assert b"BackupClientsProvider" in provider
    assert len(provider) < 100
    given = {"clientType": "ECS_CLIENT", "tags": {"env": "prod"}, "timeout": 300, "includeHeartbeats": True}
    assert state["inputs"] == given
    assert state["outputs"]["region"] == "cn-hangzhou"
    assert state["id"].startswith("ECS_CLIENT/")

    backend.advance(120)
    exported = stack.stack.export_stack()
    (ours,) = (each for each in exported.deployment["resources"] if each["type"].endswith(":BackupClients"))
    for name in ("serviceTotalCount", "region"):
        del ours["outputs"][name]
    stack.stack.import_stack(exported)
    assert "2 unchanged" in stack.refresh()
    clients = from_state(stack.resource(":BackupClients")["outputs"]["clients"])
    assert clients == from_state(state["outputs"]["clients"])
    assert clients[0].last_heart_beat_time
    backend.set_status("STOPPED", clients[0].client_id or "")
    assert "~ 1 updated" in stack.refresh()


class Group(pulumi.ComponentResource):
    """A component whose child's child is slow to create."""

    def __init__(self, name: str) -> None:
        super().__init__("my:index:Group", name)
        nested = pulumi.ComponentResource("my:index:Group", f"{name}-nested", None, pulumi.ResourceOptions(parent=self))
        self.inner = Dependant(f"{name}-inner", pulumi.ResourceOptions(parent=nested), seconds=1)


def dependencies() -> dict[str, tuple[Any, Any]]:
    """The forms of `depends_on`, each with the slow resource that it stands for."""
    alone, in_output = Dependant("alone", seconds=1), Dependant("in-output", seconds=1)
    group, groups, listed = Group("group"), Group("groups"), Group("listed")
    as_output: Any = pulumi.Output.from_input
    return {
        "resource": ([alone], alone),
        "component": ([group], group.inner),
        "output-of-a-resource": ([as_output(in_output)], in_output),
        "output-of-a-list": (as_output([groups]), groups.inner),
        "list-of-outputs": ([as_output(listed)], listed.inner),
    }


def test_what_is_unknown_is_waited_for(engine: Any, backend: Backend) -> None:
    """While an argument is unknown or a dependency is still to be created, nothing is sent; then it is known."""
    client = ecs(backend)[0]["ClientId"]
    totals: list[int] = []
    too_early: list[str] = []

    def requested(client_id: str) -> bool:
        return any(client_id in str(record.arguments) for record in list(backend.log))

    def program() -> None:
        found: dict[str, pulumi.Output[int]] = {}
        ways = dependencies()
        for name, (depends_on, slow) in ways.items():
            for kind in ("read", "looked-up"):
                ids = {**ECS, "client_ids": [client, f"c-{name}-{kind}"]}
                if kind == "read":
                    fleet = BackupClients(name, pulumi.ResourceOptions(depends_on=depends_on), **ids)
                    found[f"{name}-{kind}"] = fleet.total_count
                else:
                    after = pulumi.InvokeOutputOptions(depends_on=depends_on)
                    found[f"{name}-{kind}"] = get_backup_clients_output(after, **ids).total_count
                slow.id.apply(lambda _, last=ids["client_ids"][1]: too_early.extend([last] * requested(last)))
        unknown = ways["resource"][1].id.apply(lambda _: client)
        found["argument-read"] = BackupClients("argument", **ECS, client_ids=[unknown]).total_count
        found["argument-looked-up"] = get_backup_clients_output(**ECS, client_ids=[unknown]).total_count
        for name, total in found.items():
            pulumi.export(name, total)
            total.apply(totals.append)

    stack = engine.stack()
    assert len(re.findall(r"-(?:read|looked-up) *: \[unknown\]", stack.preview(program))) == 12
    assert backend.requests == 0
    stack.up(program)
    assert too_early == []
    stack.preview(program)
    assert totals == [1] * 12 * 2


def test_faults_are_refused_in_preview(engine: Any, backend: Backend) -> None:
    """All at once, in clean lines, with other inputs unknown or known only later, and nothing is sent."""

    def known() -> None:
        BackupClients("bad", client_type="ecs_client", page_size=100, instance_ids=[Dependant("made").id])

    def later() -> None:
        BackupClients("bad", client_type=pulumi.Output.from_input("ecs_client"))

    stack = engine.stack()
    assert "page_size: must be 1 to 99 (given: 100)" in stack.fails("preview", known)
    stack.fails("preview", later)
    for text in stack.texts:
        assert "BackupClients 'bad': client_type: must be one of ECS_CLIENT" in text
        assert "Traceback" not in text
    assert backend.requests == 0


def test_passwords_are_encrypted_in_state(engine: Any, backend: Backend) -> None:
    """A secret map, also after a refresh; the clients themselves stay readable and hold none."""

    def program() -> None:
        found = BackupClients("fleet", **ECS, include_proxy_passwords=True)
        pulumi.export("passwords", found.proxy_passwords)
        pulumi.export("clients", found.clients)
        same = found.proxy_passwords.apply(lambda known: "ok" if known == expected else "wrong")
        pulumi.export("same", pulumi.Output.unsecret(same))

    rows = [row for row in ecs(backend) if (row.get("Settings") or {}).get("ProxyPassword")]
    expected = {row["ClientId"]: row["Settings"]["ProxyPassword"] for row in rows}
    assert expected
    stack = engine.stack()
    for run in (partial(stack.up, program), stack.refresh):
        run()
        outputs = stack.resource(":BackupClients")["outputs"]
        assert "ciphertext" in outputs["proxyPasswords"]
        assert isinstance(outputs["clients"], str)
        assert stack.outputs()["same"] == "ok"


def test_types_are_true(engine: Any, backend: Backend) -> None:
    """Whole numbers are int, clients are clients, and every client is found under its instance.

    So they are in another stack, which reads what this one exports.
    """
    seen: list[Any] = []
    (config,) = (row for row in ecs(backend) if (row.get("Settings") or {}).get("ProxyPort") == 3128)

    def program() -> None:
        found = BackupClients("fleet", **ECS, client_ids=(i for i in [config["ClientId"]]))
        counts = found.total_count, found.service_total_count, found.counts_by_status
        pulumi.Output.all(*counts, found.clients, found.by_instance_id, found.region, found.profile).apply(seen.append)
        pulumi.export("byInstance", found.by_instance_id)
        pulumi.export("clients", found.clients)

    def consumer() -> None:
        clients = clients_from_stack(pulumi.StackReference("organization/producer/one"), "clients")
        clients.apply(seen.append)
        pulumi.export("again", clients)

    stack = engine.stack("one", "producer")
    stack.up(program)
    total, service_total, counts, (client,), by_instance, *places = seen[-1]
    assert [(value, type(value)) for value in (total, service_total, *counts.values())] == [(1, int)] * 3
    assert f"http://proxy:{client.settings.proxy_port}" == "http://proxy:3128"
    assert by_instance == {config["InstanceId"]: (client,)}
    assert isinstance(client, BackupClient)
    assert places == ["cn-hangzhou", None]
    assert stack.outputs()["byInstance"] == {config["InstanceId"]: [client.to_dict()]}
    other = engine.stack("two", "consumer")
    other.up(consumer)
    assert (seen[-1], other.outputs()["again"]) == ([client], stack.outputs()["clients"])


def test_awaitables_are_inputs(engine: Any, backend: Backend) -> None:
    """As Pulumi's own resources and functions take them: alone, and inside of lists and maps.

    The plain function refuses them, and Outputs, with the way out.
    """
    chosen = ecs(backend)[0]["ClientId"]

    def program() -> None:
        def arguments() -> dict[str, Any]:
            ids = [asyncio.sleep(0, chosen)]
            return {"client_type": asyncio.sleep(0, "ECS_CLIENT"), "client_ids": asyncio.sleep(0, ids)}

        pulumi.export("tracked", BackupClients("fleet", **arguments()).ids)
        pulumi.export("listed", get_backup_clients_output(**arguments()).ids)
        later: Any = asyncio.sleep(0, "c-1")
        for refused in ({"client_ids": [later]}, {"client_ids": pulumi.Output.from_input([chosen])}):
            with pytest.raises(InputError, match=r"client_ids: is an Output or an awaitable.*get_backup_clients_out"):
                get_backup_clients(**ECS, **refused)
        later.close()

    stack = engine.stack()
    stack.up(program)
    assert stack.outputs() == {"tracked": [chosen], "listed": [chosen]}


def looked_up(**arguments: Any) -> None:
    pulumi.export("looked up", get_backup_clients_output(**ECS, **arguments).complete)


def test_a_list_that_is_too_large_or_incomplete(engine: Any, backend: Backend) -> None:
    """More than 1 MB in state makes every step of the stack slow: the warning names both ways out.

    A short list would delete resources in a program that loops over it: an error, or a warning where it is accepted.
    """
    backend.add(*new_rows(2500))
    backend.total_drift = 1
    stack = engine.stack()
    text = stack.up(partial(fleet, allow_incomplete=True))
    warned = ("MB to the stack's state", "fields=[...]", "get_backup_clients", "may be incomplete")
    assert [part for part in warned if part not in text] == []
    text = stack.up(partial(fleet, fields=["status"], allow_incomplete=True))
    assert ("MB to the stack's state" in text, stack.outputs()["complete"]) == (False, False)
    assert "may be incomplete" in stack.up(partial(looked_up, allow_incomplete=True))
    assert stack.outputs() == {"looked up": False}
    for program in (fleet, looked_up):
        assert "allow_incomplete" in stack.fails("preview", program)
