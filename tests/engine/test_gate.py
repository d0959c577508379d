"""`ActivationGate` on a real engine: when it waits, when it waits again, and the engine's own rules around it."""

import time
from functools import partial
from typing import Any

import pulumi
import pytest

from pulumi_hbr_clients import ActivationGate, BackupClients
from pulumi_hbr_clients.emulator import Backend
from tests.engine.gates import GATE, QUICK, Dependant, Group, created_at, gated, ids

pytestmark = pytest.mark.engine


def test_a_gate_that_passes_at_once(engine: Any, backend: Backend) -> None:
    """A second `up`, in another order of ids, changes nothing and asks nobody; refresh and destroy neither."""
    chosen = ids(backend, "web-1", "web-2")
    stack = engine.stack()
    assert "will wait" not in stack.preview(partial(gated, instance_ids=chosen))
    assert backend.requests == 1
    stack.up(partial(gated, instance_ids=chosen))
    outputs = stack.outputs()
    assert (len(outputs["ready-ids"]), outputs["ready-counts"]) == (2, {"ACTIVATED": 2})
    assert (outputs["ready-instances"], outputs["ready-bypassed"]) == (sorted(chosen), False)
    asked = backend.requests
    text = stack.preview(partial(gated, instance_ids=chosen[::-1]))  # known from state
    assert "ACTIVATED: 2" in text or "3 unchanged" in text
    stack.up(partial(gated, instance_ids=chosen[::-1]))
    assert set(stack.operations()) == {"same"}
    backend.set_status("STOPPED", chosen[0])
    assert "updated" not in stack.refresh()
    stack.refresh(partial(gated, instance_ids=chosen), run_program=True)
    assert backend.requests == asked
    assert "deleted" in stack.destroy(partial(gated, instance_ids=chosen), run_program=True)
    assert backend.requests == asked


def test_a_gate_that_waits(engine: Any, backend: Backend) -> None:
    """The preview says what `up` will wait for, client by client; `up` holds dependants until then."""
    chosen = ids(backend, "web-1", "batch-1")
    program = partial(gated, instance_ids=chosen)
    stack = engine.stack()
    text = stack.preview(program)
    assert "up will wait: 1 of 2 activated" in text
    assert f"({chosen[1]}): INSTALLING since" in text
    assert "ready-counts   : [unknown]" in text
    activated: list[float] = []

    def activate() -> None:
        activated.append(time.time())
        backend.activate(chosen[1])

    backend.later(4, activate)
    text = stack.up(program)
    assert "1 of 2 activated; waiting for" in text
    assert text.count("; until 20") <= 2  # the line, and once more when the engine shows the row again
    assert stack.outputs()["ready-counts"] == {"ACTIVATED": 2}
    assert activated[0] <= created_at(stack)["after-ready"]


def test_failure_and_retry(engine: Any, backend: Backend) -> None:
    """One clean error that names clients and advice; nothing behind the gate is made, and the next `up` waits again."""
    chosen = ids(backend, "web-1", "web-2")
    backend.set_status("INSTALL_FAILED", chosen[0])
    program = partial(gated, instance_ids=chosen, timeout="8s")
    stack = engine.stack()
    assert "up would fail now: 1 of 2 activated" in stack.preview(program)
    text = stack.fails("up", program)
    assert 'error: before hook "hbr-clients:ActivationGate" failed: 1 of 2 backup clients will not be activated' in text
    assert f"({chosen[0]}): INSTALL_FAILED since" in text
    backend.set_status("INSTALLING", chosen[0])
    text = stack.fails("up", program)
    assert "failed: not activated within 8s: 1 of 2 activated; waiting for" in text
    assert "the gate must depend on what installs them" in text
    assert "Traceback" not in "".join(stack.said)
    assert stack.names() == stack.names(GATE) == set()
    backend.activate(chosen[0])
    stack.up(program)
    assert stack.names() == {"after-ready"}


def test_triggers_and_recheck(engine: Any, backend: Backend) -> None:
    """A trigger makes the gate wait again; recheck does so when it would not pass. No answer is a warning only."""
    chosen = ids(backend, "web-1")
    stack = engine.stack()
    stack.up(partial(gated, instance_ids=chosen, triggers=["a", {"b": 1}]))
    stack.up(partial(gated, instance_ids=chosen, triggers=["a", {"b": 1}]))
    assert set(stack.operations()) == {"same"}
    stack.up(partial(gated, instance_ids=chosen, triggers=["a", {"b": 2}]))
    assert sorted(stack.operations()) == ["same", "update"]
    rechecked = partial(gated, instance_ids=chosen, triggers=["a", {"b": 2}], recheck=True, timeout="8s")
    stack.up(rechecked)
    stack.up(rechecked)
    assert set(stack.operations()) == {"same"}
    backend.set_status("STOPPED", chosen[0])
    assert "up will wait: 0 of 1 activated" in stack.preview(rechecked)
    assert sorted(stack.operations()) == ["same", "update"]
    assert "not activated within 8s" in stack.fails("up", rechecked)
    backend.activate(chosen[0])
    stack.up(rechecked)
    assert set(stack.operations()) == {"same"}
    backend.next_faults += ["no_permission"]
    assert "not checked again: NoPermission" in stack.preview(rechecked)
    assert set(stack.operations()) == {"same"}


def test_bypass(engine: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """`off` and `warn` let a rollback through and say so; the first `up` that enforces gates waits again."""
    chosen = ids(backend, "web-1", "web-2")
    backend.set_status("STOPPED", chosen[0])
    stack = engine.stack(hbr_clients__gates="warn")
    program = partial(gated, instance_ids=chosen, timeout="8s")
    text = stack.up(program)
    assert "warning: gate bypassed (hbr-clients:gates): 1 of 2 activated" in text
    assert stack.outputs()["ready-bypassed"] is True
    assert len(stack.outputs()["ready-ids"]) == 2
    stack.up(program)
    assert set(stack.operations()) == {"same"}
    monkeypatch.setenv("HBR_CLIENTS_GATES", "off")
    backend.next_faults += ["no_permission"] * 2
    stack.up(partial(gated, instance_ids=chosen, timeout="8s", triggers=[1]))
    assert len(stack.outputs()["ready-ids"]) == 2  # kept: the list could not be read
    monkeypatch.setenv("HBR_CLIENTS_GATES", "enforce")
    backend.next_faults.clear()
    program = partial(gated, instance_ids=chosen, timeout="8s", triggers=[1])
    assert "up will wait: 1 of 2 activated" in stack.preview(program)
    assert "not activated within 8s" in stack.fails("up", program)
    backend.activate(chosen[0])
    stack.up(program)
    assert stack.outputs()["ready-bypassed"] is False
    monkeypatch.setenv("HBR_CLIENTS_GATES", "of")
    text = stack.fails("preview", program)
    assert "HBR_CLIENTS_GATES: must be enforce, warn or off; did you mean off? (given: 'of')" in text


def test_where_the_settings_change(engine: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients of another region are others: the gate waits again, without being replaced."""
    chosen = ids(backend, "web-1")
    stack = engine.stack()
    stack.up(partial(gated, instance_ids=chosen))
    engine.environment["ALIBABA_CLOUD_REGION_ID"] = "cn-shanghai"
    monkeypatch.setenv("ALIBABA_CLOUD_REGION_ID", "cn-shanghai")
    stack = engine.stack()
    stack.preview(partial(gated, instance_ids=chosen))
    assert sorted(stack.operations()) == ["same", "update"]


def test_targets(engine: Any, backend: Backend) -> None:
    """The engine's own rules: a gate that is not targeted, or excluded, holds up nobody; --replace waits again."""
    chosen = ids(backend, "batch-1")

    def program() -> None:
        Dependant("beside", number=1)
        gated(instance_ids=chosen, timeout="8s")

    def changed() -> None:
        Dependant("beside", number=2)
        gated(instance_ids=chosen, timeout="8s")

    stack = engine.stack()
    before = time.monotonic()
    stack.up(program, exclude=["**ready"], exclude_dependents=True)
    assert stack.names() == {"beside"}
    stack.up(changed, target=[stack.urn("beside")])
    assert time.monotonic() - before < 60
    assert backend.requests == 0
    text = stack.fails("up", program, continue_on_error=True)
    assert "not activated within 8s" in text
    assert stack.names() == {"beside"}
    backend.activate(*chosen)
    stack.up(program)
    backend.set_status("STOPPED", *chosen)
    assert "not activated within 8s" in stack.fails("up", program, replace=[stack.urn("ready")])
    backend.activate(*chosen)
    stack.up(program, replace=[stack.urn("ready")])
    assert "deleted" in stack.destroy()


def test_dependencies_of_every_kind(engine: Any, backend: Backend) -> None:
    """A gate waits for components' children, Outputs and lists of Outputs, other gates; others wait for it."""
    first, second = ids(backend, "web-1", "web-2")

    class Installer(pulumi.ComponentResource):
        def __init__(self, name: str, seconds: float) -> None:
            super().__init__("test:index:Installer", name)
            Dependant(f"{name}-child", pulumi.ResourceOptions(parent=self), seconds=seconds)

    def program() -> None:
        component = Installer("component", 3)
        single, listed = Dependant("single", seconds=2), Dependant("listed", seconds=2)
        nodes = [Dependant(f"node-{number}") for number in (1, 2)]
        opts = pulumi.ResourceOptions
        gates = {
            "component": gated("behind-component", opts(depends_on=[component]), instance_ids=[first]),
            "output": gated("behind-output", opts(depends_on=pulumi.Output.from_input(single)), instance_ids=[first]),
            "list": gated("behind-list", opts(depends_on=[pulumi.Output.from_input(listed)]), instance_ids=[first]),
        }
        chosen = [pulumi.Output.all(nodes[0].id, first)[1], pulumi.Output.all(nodes[1].id, second)[1]]
        gated("behind-gate", opts(depends_on=list(gates.values())), instance_ids=chosen)
        Dependant("by-output", seen=gates["list"].ids)
        fleet = BackupClients("fleet", opts(depends_on=[gates["list"]]), client_type="ECS_CLIENT")
        pulumi.export("fleet", fleet.total_count)

    stack = engine.stack()
    stack.preview(program)
    assert "unknown" in stack.said[-1]
    stack.up(program, parallel=4)
    at = created_at(stack)
    assert at["component-child"] < at["after-behind-component"]
    assert at["single"] < at["after-behind-output"]
    assert at["listed"] < min(at["after-behind-list"], at["by-output"])
    assert max(at["after-behind-component"], at["node-2"]) < at["after-behind-gate"] + 0.5
    assert stack.outputs()["behind-gate-instances"] == sorted([first, second])
    stack.up(program)
    assert set(stack.operations()) <= {"same", "read"}


def test_two_gates_of_one_name(engine: Any, backend: Backend) -> None:
    """Under two components; each waits for its own clients, and where one fails the other's dependants are made."""
    good, bad = ids(backend, "web-1"), ids(backend, "db-2")  # the second is UNKNOWN
    backend.set_status("DEACTIVATED", *bad)

    def program() -> None:
        Group("good", good)
        Group("bad", bad)

    stack = engine.stack()
    text = stack.fails("up", program, continue_on_error=True)
    assert f"({bad[0]}): DEACTIVATED" in text
    assert stack.names() == {"after-good"}
    backend.activate(*bad)
    stack.up(program)
    assert stack.names() == {"after-good", "after-bad"}


@pytest.mark.parametrize("parallel", [1, 4])
def test_few_slots(engine: Any, backend: Backend, parallel: int) -> None:
    """A gate that depends on its installers passes with one slot, and so does one that follows them in the program."""
    chosen = ids(backend, "web-1", "web-2")

    def program() -> None:
        installers = [Dependant(f"installer-{number}", seconds=0.5) for number in range(6)]
        gated("ordered", pulumi.ResourceOptions(depends_on=installers), instance_ids=chosen)
        gated("later", instance_ids=chosen)

    stack = engine.stack()
    before = time.monotonic()
    stack.up(program, parallel=parallel)
    assert time.monotonic() - before < 50
    at = created_at(stack)
    assert max(at[f"installer-{number}"] for number in range(6)) < at["after-ordered"]


def test_waiting_gates_take_no_provider_thread(engine: Any, backend: Backend) -> None:
    """The dynamic provider has four threads: while six gates wait, other resources are made and read."""
    chosen = ids(backend, "batch-1")
    backend.later(12, lambda: backend.activate(*chosen))

    def program() -> None:
        fleet = BackupClients("fleet", client_type="ECS_CLIENT")
        Dependant("beside", seen=fleet.total_count)
        for number in range(6):
            gated(f"gate-{number}", instance_ids=chosen)

    stack = engine.stack()
    stack.up(program, parallel=16)
    at = created_at(stack)
    assert at["beside"] < min(at[f"after-gate-{number}"] for number in range(6))


def test_inputs_that_are_unknown_or_secret(engine: Any, backend: Backend) -> None:
    """Unknown in preview: nothing is asked. Secret: used, and in no text and no state in clear."""
    chosen = ids(backend, "web-1")

    def program() -> None:
        made = Dependant("made")
        gated("unknown", instance_ids=[made.id.apply(lambda _: chosen[0])], fields=(name for name in ["hostname"]))
        secret = [pulumi.Output.secret(each) for each in chosen]
        gated("secret", instance_ids=secret, triggers=[pulumi.Output.secret("FAKE-TRIGGER")])

    stack = engine.stack()
    stack.preview(program)
    assert backend.requests == 1  # the secret one is known
    stack.up(program)
    gate = next(found for found in stack.state() if found["urn"].endswith("ActivationGate::secret"))
    assert chosen[0] not in str(gate)
    assert "FAKE-TRIGGER" not in stack.file.read_text()
    assert stack.outputs()["unknown-first"] == "web-1"


def test_additional_secret_outputs_and_timeouts(engine: Any, backend: Backend) -> None:
    """Pulumi's options hold: outputs become secret, and custom timeouts are the gate's where it has none."""
    chosen = ids(backend, "web-1")
    secret = pulumi.ResourceOptions(additional_secret_outputs=["clients", "counts_by_status"])
    stack = engine.stack()
    stack.up(partial(gated, opts=secret, instance_ids=chosen))
    outputs = stack.resource(GATE)["outputs"]
    assert [type(outputs[name]) for name in ("clients", "countsByStatus")] == [dict, dict]
    assert chosen[0] not in str(outputs["clients"])
    backend.set_status("STOPPED", *chosen)
    limits = pulumi.CustomTimeouts(create="1m", update="1.5s")

    def limited() -> None:
        arguments = {**QUICK, "timeout": None, "instance_ids": chosen, "triggers": [1]}
        ActivationGate("ready", pulumi.ResourceOptions(custom_timeouts=limits), **arguments)

    assert "not activated within 2s" in stack.fails("up", limited)
    refused = pulumi.ResourceOptions(import_="x")
    text = stack.fails("preview", partial(gated, opts=refused, instance_ids=chosen))
    assert "opts.import_: is not possible" in text


def test_bad_input(engine: Any, backend: Backend) -> None:
    """All faults at once in clean lines, in preview too; of Outputs as well. Nothing is sent."""
    stack = engine.stack()
    wrong = partial(gated, client_type="ecs", timeout="soon", min_clients=2, instance_ids=["i-1"])
    text = stack.fails("preview", wrong)
    assert "ActivationGate 'ready': client_type: must be one of ECS_CLIENT" in text
    assert "timeout: must be a" in text
    assert "min_clients: must not be given together with instance_ids" in text

    def later() -> None:
        gated(client_type=pulumi.Output.from_input("ecs"), min_client_version=pulumi.Output.secret("new"))

    text = stack.fails("preview", later)
    assert "client_type: must be one of ECS_CLIENT" in text
    assert "min_client_version: must be a version, for example 2.13.0 (given: [secret])" in text
    assert "Traceback" not in "".join(stack.said)
    assert backend.requests == 0


def test_an_empty_selection(engine: Any, backend: Backend) -> None:
    """It passes, and its row says that nothing was selected; so do warnings of values that may be typing errors."""
    program = partial(ActivationGate, "none", instance_ids=[], tolerate=["INSTAL_FAILED"], **QUICK)
    text = engine.stack().up(program)
    assert "nothing was selected: the id list is empty" in text
    assert "INSTAL_FAILED is not known to this version" in text
    assert backend.requests == 0


def test_the_service_comes_back(engine: Any, backend: Backend) -> None:
    """Throttled and unavailable while it waits: the gate survives it and says so."""
    chosen = ids(backend, "batch-1")
    backend.next_faults += ["none", "throttle:100", "none", *["unavailable"] * 8]
    backend.later(25, lambda: backend.activate(*chosen))  # eight tries back off for 23 s at the most
    stack = engine.stack()
    text = stack.up(partial(gated, instance_ids=chosen, timeout=90))
    assert "the service does not answer: ServiceUnavailable" in text
    assert stack.outputs()["ready-counts"] == {"ACTIVATED": 1}
    assert len([line for line in text.splitlines() if "activated; waiting for" in line]) <= 8
