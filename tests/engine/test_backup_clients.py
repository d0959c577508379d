"""`BackupClients` and the look-ups on a real engine: what the design promises, seen."""

import asyncio
import base64
import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pulumi
import pytest

from pulumi_hbr_clients import (
    BackupClient,
    BackupClients,
    clients_from_stack,
    get_backup_clients,
    get_backup_clients_output,
)
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, new_rows
from pulumi_hbr_clients.model.backup_client import from_state
from pulumi_hbr_clients.model.errors import InputError

pytestmark = pytest.mark.engine


def ecs(backend: Backend) -> list[dict[str, Any]]:
    """The rows that this account's ECS query finds, sorted by client id."""
    rows = (row for row in backend.rows() if row["ClientType"] == "ECS_CLIENT" and row["Hostname"] != "cross-1")
    return sorted(rows, key=lambda row: row["ClientId"])


def fleet(**arguments: Any) -> None:
    found = BackupClients("fleet", **{"client_type": "ECS_CLIENT", **arguments})
    pulumi.export("clients", found.clients)
    pulumi.export("ids", found.ids)
    pulumi.export("instanceIds", found.instance_ids)
    pulumi.export("total", found.total_count)
    pulumi.export("counts", found.counts_by_status)
    pulumi.export("missing", found.missing_instance_ids)
    pulumi.export("complete", found.complete)
    pulumi.export("first", found.clients[0].client_id)


class Later(pulumi.dynamic.ResourceProvider):
    """Makes a resource whose output is known only once it is created."""

    def create(self, props: dict[str, Any]) -> pulumi.dynamic.CreateResult:
        return pulumi.dynamic.CreateResult("made", {"value": props["value"]})


class Made(pulumi.dynamic.Resource):
    value: pulumi.Output[Any]

    def __init__(self, name: str, value: Any) -> None:
        super().__init__(Later(), name, {"value": value})


def test_values_are_known_in_preview(engine: Any, backend: Backend) -> None:
    """Nothing is deployed yet, and the preview shows the fleet; it is a read, never a create."""
    stack = engine.stack()
    text = stack.preview(fleet, diff=True)
    assert f'first      : "{ecs(backend)[0]["ClientId"]}"' in text
    assert f"total      : {len(ecs(backend))}" in text
    assert stack.operations() == ["read"]
    assert backend.requests == 1


def test_a_second_up_changes_nothing(engine: Any) -> None:
    """With the same fleet, heartbeats apart, `up` and `preview` say unchanged."""
    stack = engine.stack()
    stack.up(fleet)
    for run in (stack.up, stack.preview):
        text = run(fleet, diff=True)
        assert stack.operations() == ["read"]
        assert text.rstrip().splitlines()[-1 if run == stack.preview else -3].strip() == "1 unchanged"
        assert "~" not in text


def test_refresh_is_quiet_about_heartbeats(engine: Any, backend: Backend) -> None:
    """Moved heartbeats are no drift, even where they are shown; a changed status is."""
    stack = engine.stack()
    stack.up(partial(fleet, include_heartbeats=True))
    before = from_state(stack.resource(":BackupClients")["outputs"]["clients"])
    backend.advance(120)
    assert "2 unchanged" in stack.refresh()
    assert from_state(stack.resource(":BackupClients")["outputs"]["clients"]) == before
    assert before[0].last_heart_beat_time
    backend.set_status("STOPPED", before[0].client_id or "")
    assert "~ 1 updated" in stack.refresh()


def test_an_output_of_a_newer_version_is_no_drift(engine: Any) -> None:
    """After an upgrade that adds an output, the first refresh is quiet."""
    stack = engine.stack()
    stack.up(fleet)
    exported = stack.stack.export_stack()
    (ours,) = (each for each in exported.deployment["resources"] if each["type"].endswith(":BackupClients"))
    for name in ("serviceTotalCount", "region"):
        del ours["outputs"][name]
    stack.stack.import_stack(exported)
    assert "2 unchanged" in stack.refresh()


def test_a_changed_fleet_shows_in_the_diff(engine: Any, backend: Backend) -> None:
    """`preview --diff` tells what changed in the fleet, client by client, and plans no change to anything."""
    stack = engine.stack()
    stack.up(fleet)
    victim = next(row for row in ecs(backend) if row["Status"] == "ACTIVATED")
    backend.set_status("STOPPED", victim["ClientId"])
    text = stack.preview(fleet, diff=True)
    assert '~ status          : "ACTIVATED" => "STOPPED"' in text
    assert not {"create", "update", "delete", "replace"} & set(stack.operations())


def test_a_changed_filter_is_one_more_read(engine: Any) -> None:
    """Another question has another id, and replaces nothing."""
    stack = engine.stack()
    stack.up(fleet)
    stack.up(partial(fleet, statuses=["ACTIVATED"]))
    assert set(stack.outputs()["counts"]) == {"ACTIVATED"}
    assert not {"create", "update", "delete", "replace"} & set(stack.operations())


def test_unknown_input_asks_nothing(engine: Any, backend: Backend) -> None:
    """In the preview of a new resource's output the fleet is unknown and no request is sent; `up` asks once."""
    instance = ecs(backend)[0]["InstanceId"]

    def program() -> None:
        made = Made("made", instance)
        fleet(instance_ids=[made.id.apply(lambda _: instance)])
        looked_up = get_backup_clients_output(
            client_type="ECS_CLIENT", instance_ids=[made.id.apply(lambda _: instance)]
        )
        pulumi.export("looked_up", looked_up.total_count)

    stack = engine.stack()
    text = stack.preview(program, diff=True)
    assert "first: [unknown]" in re.sub(r"\s*:", ":", text)
    assert not [row for row in ecs(backend) if row["ClientId"] in text]
    assert backend.requests == 0
    stack.up(program)
    assert stack.outputs()["instanceIds"] == [instance]
    assert stack.outputs()["looked_up"] == 1


class Slow(Later):
    """The same, after a second."""

    def create(self, props: dict[str, Any]) -> pulumi.dynamic.CreateResult:
        import time  # noqa: PLC0415  the provider is pickled with what it uses

        time.sleep(1)
        return super().create(props)


class Installed(pulumi.dynamic.Resource):
    value: pulumi.Output[Any]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(Slow(), name, {"value": "x"}, opts)


class Group(pulumi.ComponentResource):
    """A component whose child's child is slow to create."""

    def __init__(self, name: str, depth: int = 1) -> None:
        super().__init__("my:index:Group", name)
        options = pulumi.ResourceOptions(parent=self)
        self.inner: Any = Installed(f"{name}-slow", options)
        if depth:
            nested = pulumi.ComponentResource("my:index:Group", f"{name}-nested", None, options)
            self.inner = Installed(f"{name}-deep", pulumi.ResourceOptions(parent=nested))
        self.register_outputs({})


def as_output(value: Any) -> pulumi.Output[Any]:
    return pulumi.Output.from_input(value)


DEPENDENCIES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "a resource": lambda: ([made := Installed("made")], made),
    "a component": lambda: ([group := Group("group")], group.inner),
    "an Output of a resource": lambda: ([as_output(made := Installed("made"))], made),
    "an Output of a list": lambda: (as_output([group := Group("group")]), group.inner),
    "a list of Outputs": lambda: ([as_output(group := Group("group"))], group.inner),
}


@pytest.mark.parametrize("kind", DEPENDENCIES)
@pytest.mark.parametrize("tracked", [True, False], ids=["resource", "look-up"])
def test_depends_on_is_waited_for(engine: Any, backend: Backend, kind: str, *, tracked: bool) -> None:
    """Nothing is sent in the preview of a dependency that is still to be created, nor in `up` before it is."""
    requests_at_creation: list[int] = []
    totals: list[int] = []

    def program() -> None:
        depends_on, slow = DEPENDENCIES[kind]()
        if tracked:
            total = BackupClients(
                "x", pulumi.ResourceOptions(depends_on=depends_on), client_type="ECS_CLIENT"
            ).total_count
        else:
            after = pulumi.InvokeOutputOptions(depends_on=depends_on)
            total = get_backup_clients_output(after, client_type="ECS_CLIENT").total_count
        pulumi.export("total", total)
        total.apply(totals.append)
        slow.id.apply(lambda _: requests_at_creation.append(backend.requests))

    stack = engine.stack()
    assert "total: [unknown]" in re.sub(r"\s*:", ":", stack.preview(program, diff=True))
    assert backend.requests == 0
    stack.up(program)
    assert requests_at_creation == [0]
    stack.preview(program)
    assert totals == [len(ecs(backend))] * 2


def test_faults_are_refused_in_preview(engine: Any, backend: Backend) -> None:
    """All at once, in clean lines, with unknown inputs beside them or known only later, and nothing is sent."""

    def known() -> None:
        BackupClients("bad", client_type="ecs_client", page_size=100, instance_ids=[Made("made", "i-1").id])

    def later() -> None:
        BackupClients("bad", client_type=pulumi.Output.from_input("ecs_client"))

    stack = engine.stack()
    assert "page_size: must be 1 to 99 (given: 100)" in stack.fails("preview", known)
    stack.fails("preview", later)
    for text in stack.said:
        assert "BackupClients 'bad': client_type: must be one of ECS_CLIENT" in text
        assert "Traceback" not in text
    assert backend.requests == 0


def test_passwords_are_encrypted_in_state(engine: Any, backend: Backend) -> None:
    """A secret map, also after a refresh; the clients beside it stay readable and hold none."""

    def program() -> None:
        found = BackupClients("fleet", client_type="ECS_CLIENT", include_proxy_passwords=True)
        pulumi.export("passwords", found.proxy_passwords)
        pulumi.export("clients", found.clients)
        same = found.proxy_passwords.apply(lambda known: "ok" if known == expected else "wrong")
        pulumi.export("same", pulumi.Output.unsecret(same))

    rows = [row for row in ecs(backend) if (row.get("Settings") or {}).get("ProxyPassword")]
    expected = {row["ClientId"]: row["Settings"]["ProxyPassword"] for row in rows}
    assert expected
    stack = engine.stack()
    stack.up(program)
    assert stack.outputs()["same"] == "ok"
    for _ in range(2):
        outputs = stack.resource(":BackupClients")["outputs"]
        assert "ciphertext" in outputs["proxyPasswords"]
        assert isinstance(outputs["clients"], str)
        stack.refresh()


def test_config_is_enough(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone who uses the Alibaba Cloud provider configures nothing more; its keys sign and stay out of state."""
    for name in ("REGION_ID", "ACCESS_KEY_ID", "ACCESS_KEY_SECRET"):
        monkeypatch.delenv(f"ALIBABA_CLOUD_{name}")
        del engine.environment[f"ALIBABA_CLOUD_{name}"]
    stack = engine.stack(
        alicloud__region="cn-shanghai",
        alicloud__accessKey=FAKE_CREDENTIALS.access_key_id,
        alicloud__secretKey=FAKE_CREDENTIALS.access_key_secret,
    )

    def program() -> None:
        fleet()
        pulumi.export("looked_up", get_backup_clients(client_type="ECS_CLIENT").total_count)

    stack.up(program)
    assert stack.outputs()["clients"][0]["region"] == "cn-shanghai"
    assert stack.outputs()["looked_up"] == stack.outputs()["total"]
    assert FAKE_CREDENTIALS.access_key_id not in json.dumps(stack.resource(":BackupClients"))


def test_destroy_with_the_service_gone(engine: Any, service: Any) -> None:
    """There is nothing to delete, so nothing is asked."""
    stack = engine.stack()
    stack.up(fleet)
    service.close()
    assert "deleted" in stack.destroy()


def test_another_stack_reads_the_clients(engine: Any, backend: Backend) -> None:
    """What one stack exports, another has typed again."""
    engine.stack("one", "producer").up(fleet)

    def program() -> None:
        clients = clients_from_stack(pulumi.StackReference("organization/producer/one"), "clients")
        pulumi.export("hosts", clients.apply(lambda found: [client.hostname for client in found]))
        pulumi.export("cores", clients.apply(lambda found: [c.settings and c.settings.max_cpu_core for c in found]))
        pulumi.export("again", clients)

    consumer = engine.stack("two", "consumer")
    consumer.up(program)
    assert consumer.outputs()["hosts"] == [row["Hostname"] for row in ecs(backend)]
    assert {type(core) for core in consumer.outputs()["cores"]} <= {int, float, type(None)}
    assert consumer.outputs()["again"] == engine.stack("one", "producer").outputs()["clients"]


def test_the_function_needs_plain_values(engine: Any) -> None:
    """Handing it an Output is refused with the way out."""

    def program() -> None:
        with pytest.raises(InputError, match="get_backup_clients_output"):
            get_backup_clients(client_type=pulumi.Output.from_input("ECS_CLIENT"))  # type: ignore[arg-type]
        later = asyncio.sleep(0, "c-1")
        with pytest.raises(InputError, match=r"client_ids: is an Output or an awaitable"):
            get_backup_clients(client_type="ECS_CLIENT", client_ids=[later])  # type: ignore[list-item]
        later.close()

    engine.stack().preview(program)


def test_awaitables_are_inputs(engine: Any, backend: Backend) -> None:
    """As Pulumi's own resources and functions take them: alone, and inside of lists and maps."""
    chosen = ecs(backend)[0]

    def program() -> None:
        def arguments() -> dict[str, Any]:
            ids = [asyncio.sleep(0, chosen["ClientId"])]
            return {"client_type": asyncio.sleep(0, "ECS_CLIENT"), "client_ids": asyncio.sleep(0, ids)}

        pulumi.export("tracked", BackupClients("fleet", **arguments()).ids)
        pulumi.export("listed", get_backup_clients_output(**arguments()).ids)

    stack = engine.stack()
    stack.up(program)
    assert stack.outputs() == {"tracked": [chosen["ClientId"]], "listed": [chosen["ClientId"]]}


def test_state_holds_no_code(engine: Any) -> None:
    """The provider is pickled by reference: a name, no byte code, nothing of the program."""
    stack = engine.stack()
    stack.up(fleet)
    pickled = base64.b64decode(stack.resource(":BackupClients")["inputs"]["__provider"])
    assert b"pulumi_hbr_clients.state_providers" in pickled
    assert b"BackupClientsProvider" in pickled
    assert len(pickled) < 100


def test_a_large_list_is_warned_of(engine: Any, backend: Backend) -> None:
    """More than 1 MB in state makes every step of the stack slow: the warning names both ways out."""
    backend.add(*new_rows(2500))
    stack = engine.stack()
    text = stack.up(fleet)
    assert [
        part for part in ("MB to the stack's state", "fields=[...]", "get_backup_clients") if part not in text
    ] == []
    assert "MB to the stack's state" not in stack.up(partial(fleet, fields=["status"]))


def test_types_are_true(engine: Any, backend: Backend) -> None:
    """Whole numbers are int, clients are clients, and every client is found under its instance."""
    seen: list[Any] = []
    (config,) = (row for row in ecs(backend) if (row.get("Settings") or {}).get("ProxyPort") == 3128)

    def program() -> None:
        found = BackupClients("fleet", client_type="ECS_CLIENT", client_ids=(i for i in [config["ClientId"]]))
        pulumi.Output.all(
            found.total_count,
            found.service_total_count,
            found.counts_by_status,
            found.clients,
            found.by_instance_id,
            found.region,
            found.profile,
        ).apply(seen.append)
        pulumi.export("byInstance", found.by_instance_id)

    stack = engine.stack()
    stack.up(program)
    total, service_total, counts, (client,), by_instance, *places = seen[-1]
    assert [(value, type(value)) for value in (total, service_total, *counts.values())] == [(1, int)] * 3
    assert f"http://proxy:{client.settings.proxy_port}" == "http://proxy:3128"
    assert by_instance == {config["InstanceId"]: (client,)}
    assert isinstance(client, BackupClient)
    assert places == ["cn-hangzhou", None]
    assert stack.outputs()["byInstance"] == {config["InstanceId"]: [client.to_dict()]}


def test_inputs_in_state_are_the_arguments(engine: Any) -> None:
    """Nothing that was resolved elsewhere is an input; what was read is an output."""
    stack = engine.stack()
    stack.up(partial(fleet, tags={"env": "prod"}, timeout="5m"))
    found = stack.resource(":BackupClients")
    given = {"clientType": "ECS_CLIENT", "tags": {"env": "prod"}, "timeout": 300}
    assert {name: value for name, value in found["inputs"].items() if name != "__provider"} == given
    assert found["outputs"]["region"] == "cn-hangzhou"
    assert found["id"].startswith("ECS_CLIENT/")
    assert "2 unchanged" in stack.refresh()


def looked_up(**arguments: Any) -> None:
    found = get_backup_clients_output(**{"client_type": "ECS_CLIENT", **arguments})
    pulumi.export("complete", found.complete)


def test_an_incomplete_list_is_an_error(engine: Any, backend: Backend) -> None:
    """A short list would delete resources in a program that loops over it; accepted, it is a warning."""
    backend.add(*new_rows(150))
    backend.total_drift = 1
    stack = engine.stack()
    for program in (fleet, looked_up):
        assert "may be incomplete" in stack.up(partial(program, allow_incomplete=True))
        assert stack.outputs()["complete"] is False
    assert "allow_incomplete" in stack.fails("preview", fleet)
    assert "allow_incomplete" in stack.fails("preview", looked_up)
