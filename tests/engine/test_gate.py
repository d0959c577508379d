"""`ActivationGate` on a real engine: when it waits, when it waits again, and the engine's own rules around it."""

import re
import time
from functools import partial
from typing import Any

import pulumi
import pytest

from pulumi_hbr_clients import ActivationGate, BackupClients
from pulumi_hbr_clients.emulator import Backend
from tests.engine.programs import GATE, QUICK, Dependant, created_at, gated
from tests.engine.projects import instances

pytestmark = pytest.mark.engine


def test_a_gate_that_passes_at_once(engine: Any, backend: Backend) -> None:
    """A second `up`, in another order of ids, changes nothing and asks nobody; refresh and destroy neither.

    An empty selection passes, and its row says that nothing was selected; so do warnings of values that look mistyped.
    """
    chosen = instances(backend, "web-1", "web-2")

    def program() -> None:
        gated(instance_ids=chosen)
        ActivationGate("none", instance_ids=[], tolerate=["INSTAL_FAILED"], **QUICK)

    stack = engine.stack()
    assert "will wait" not in stack.preview(program)
    assert backend.requests == 1
    text = stack.up(program)
    assert "nothing was selected: the id list is empty" in text
    assert "INSTAL_FAILED is not known to this version" in text
    outputs = stack.outputs()
    assert (len(outputs["ready-ids"]), outputs["ready-counts"]) == (2, {"ACTIVATED": 2})
    assert (outputs["ready-instances"], outputs["ready-bypassed"]) == (sorted(chosen), False)
    asked = backend.requests
    chosen.reverse()
    stack.up(program)
    assert set(stack.operations()) == {"same"}
    backend.set_status("STOPPED", chosen[0])
    assert "updated" not in stack.refresh(program, run_program=True)
    assert "deleted" in stack.destroy(program, run_program=True)
    assert backend.requests == asked


def test_it_waits_or_fails_and_waits_again(engine: Any, backend: Backend) -> None:
    """The preview says what `up` will wait for; `up` holds dependants until then.

    A failure is one clean error that names clients and advice; nothing behind it is made, and the next `up` waits.
    """
    chosen = instances(backend, "web-1", "batch-1")
    program = partial(gated, instance_ids=chosen, timeout="4s")
    stack = engine.stack()
    text = stack.preview(program)
    assert "up will wait: 1 of 2 activated" in text
    assert f"({chosen[1]}): INSTALLING since" in text
    assert "ready-counts   : [unknown]" in text
    text = stack.fails("up", program)
    assert "failed: not activated within 4s: 1 of 2 activated; waiting for" in text
    assert "the gate must depend on what installs them" in text
    backend.set_status("INSTALL_FAILED", chosen[0])
    assert "up would fail now: 0 of 2 activated" in stack.preview(program)
    text = stack.fails("up", program)
    assert 'error: before hook "hbr-clients:ActivationGate" failed: 1 of 2 backup clients will not be activated' in text
    assert f"({chosen[0]}): INSTALL_FAILED since" in text
    assert "Traceback" not in "".join(stack.texts)
    assert stack.names() == stack.names(GATE) == set()
    backend.activate(chosen[0])
    activated: list[float] = []

    def activate() -> None:
        activated.append(time.time())
        backend.activate(chosen[1])

    backend.later(4, activate)
    text = stack.up(partial(gated, instance_ids=chosen))
    assert "1 of 2 activated; waiting for" in text
    assert re.search(r"ready creat\w+ .*2 of 2 activated$", text, flags=re.MULTILINE)
    assert text.count("; until 20") <= 2  # the line, and once more when the engine shows the row again
    assert activated[0] <= created_at(stack)["after-ready"]


def test_triggers_and_recheck(engine: Any, backend: Backend) -> None:
    """A trigger makes the gate wait again; recheck does so when it would not pass. No answer is a warning only."""
    chosen = instances(backend, "web-1")
    stack = engine.stack()
    program = partial(gated, instance_ids=chosen, recheck=True, timeout="4s")
    rechecked = partial(program, triggers=["a", {"b": 2}])
    stack.up(partial(program, triggers=["a", {"b": 1}]))
    stack.up(rechecked)
    assert sorted(stack.operations()) == ["same", "update"]
    stack.up(rechecked)
    assert set(stack.operations()) == {"same"}
    backend.set_status("STOPPED", chosen[0])
    assert "up will wait: 0 of 1 activated" in stack.preview(rechecked)
    assert sorted(stack.operations()) == ["same", "update"]
    assert "not activated within 4s" in stack.fails("up", rechecked)
    backend.next_faults += ["NoPermission"]
    assert "not checked again: NoPermission" in stack.preview(rechecked)
    assert set(stack.operations()) == {"same"}


def test_bypass_and_other_settings(engine: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """`off` and `warn` let a rollback through and say so; the first `up` that enforces gates waits again.

    So does one in another region, whose clients are others: an update, not a replacement.
    """
    chosen = instances(backend, "web-1", "web-2")
    backend.set_status("STOPPED", chosen[0])
    stack = engine.stack(hbr_clients__gates="warn")
    program = partial(gated, instance_ids=chosen, timeout="4s")
    text = stack.up(program)
    assert "warning: gate bypassed (hbr-clients:gates): 1 of 2 activated" in text
    assert (stack.outputs()["ready-bypassed"], len(stack.outputs()["ready-ids"])) == (True, 2)
    stack.up(program)
    assert set(stack.operations()) == {"same"}
    monkeypatch.setenv("HBR_CLIENTS_GATES", "off")
    backend.next_faults += ["NoPermission"] * 2
    program = partial(gated, instance_ids=chosen, timeout="4s", triggers=[1])
    stack.up(program)
    assert len(stack.outputs()["ready-ids"]) == 2  # kept: the list could not be read
    monkeypatch.setenv("HBR_CLIENTS_GATES", "enforce")
    backend.next_faults.clear()
    assert "up will wait: 1 of 2 activated" in stack.preview(program)
    backend.activate(chosen[0])
    stack.up(program)
    assert stack.outputs()["ready-bypassed"] is False
    engine.environment["ALIBABA_CLOUD_REGION_ID"] = "cn-shanghai"
    monkeypatch.setenv("ALIBABA_CLOUD_REGION_ID", "cn-shanghai")
    stack = engine.stack()
    stack.preview(program)
    assert sorted(stack.operations()) == ["same", "update"]
    monkeypatch.setenv("HBR_CLIENTS_GATES", "of")
    text = stack.fails("preview", program)
    assert "HBR_CLIENTS_GATES: must be enforce, warn or off; did you mean off? (given: 'of')" in text


def test_targets(engine: Any, backend: Backend) -> None:
    """The engine's own rules: a gate that is not targeted, or excluded, holds up nobody; --replace waits again."""
    chosen = instances(backend, "batch-1")

    def program(number: int = 1) -> None:
        Dependant("other", number=number)
        gated(instance_ids=chosen, timeout="4s")

    stack = engine.stack()
    stack.up(program, exclude=["**ready"], exclude_dependents=True)
    assert stack.names() == {"other"}
    stack.up(partial(program, 2), target=[stack.urn("other")])
    assert backend.requests == 0
    backend.activate(*chosen)
    stack.up(program)
    backend.set_status("STOPPED", *chosen)
    assert "not activated within 4s" in stack.fails("up", program, replace=[stack.urn("ready")])
    assert "deleted" in stack.destroy()


def test_dependencies_of_every_kind(engine: Any, backend: Backend) -> None:
    """A gate waits for components' children, Outputs and lists of Outputs, other gates; others wait for it."""
    first, second = instances(backend, "web-1", "web-2")

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
    assert "unknown" in stack.texts[-1]
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
    good, bad = instances(backend, "web-1"), instances(backend, "db-2")  # the second is UNKNOWN
    backend.set_status("DEACTIVATED", *bad)

    def program() -> None:
        for name, chosen in {"good": good, "bad": bad}.items():
            parent = pulumi.ComponentResource(f"test:index:{name.title()}", name)  # a URN holds types of parents
            gate = ActivationGate("ready", pulumi.ResourceOptions(parent=parent), instance_ids=chosen, **QUICK)
            Dependant(f"after-{name}", pulumi.ResourceOptions(parent=parent, depends_on=[gate]))

    stack = engine.stack()
    text = stack.fails("up", program, continue_on_error=True)
    assert f"({bad[0]}): DEACTIVATED" in text
    assert stack.names() == {"after-good"}
    backend.activate(*bad)
    stack.up(program)
    assert stack.names() == {"after-good", "after-bad"}


def test_one_slot(engine: Any, backend: Backend) -> None:
    """A gate that depends on its installers passes with `-p 1`, and so does one that follows them in the program."""
    chosen = instances(backend, "web-1", "web-2")

    def program() -> None:
        installers = [Dependant(f"installer-{number}", seconds=0.5) for number in range(6)]
        gated("ordered", pulumi.ResourceOptions(depends_on=installers), instance_ids=chosen)
        gated("later", instance_ids=chosen)

    stack = engine.stack()
    stack.up(program, parallel=1)
    at = created_at(stack)
    assert max(at[f"installer-{number}"] for number in range(6)) < at["after-ordered"]


def test_waiting_gates_take_no_provider_thread(engine: Any, backend: Backend) -> None:
    """The dynamic provider has four threads: while six gates wait, other resources are made and read."""
    chosen = instances(backend, "batch-1")
    backend.later(12, lambda: backend.activate(*chosen))

    def program() -> None:
        fleet = BackupClients("fleet", client_type="ECS_CLIENT")
        Dependant("other", seen=fleet.total_count)
        for number in range(6):
            gated(f"gate-{number}", instance_ids=chosen)

    stack = engine.stack()
    stack.up(program, parallel=16)
    at = created_at(stack)
    assert at["other"] < min(at[f"after-gate-{number}"] for number in range(6))


def test_unknown_and_secret_inputs_and_options(engine: Any, backend: Backend) -> None:
    """Unknown in preview: nothing is asked. Secret: used, and in no text and no state in clear.

    Pulumi's options hold: outputs become secret, and custom timeouts are the gate's where it has none.
    """
    chosen = instances(backend, "web-1")
    limits = pulumi.CustomTimeouts(create="1m", update="1.5s")
    opts = pulumi.ResourceOptions(additional_secret_outputs=["counts_by_status"], custom_timeouts=limits)

    def program(trigger: str = "FAKE-TRIGGER") -> None:
        made = Dependant("made")
        gated("unknown", instance_ids=[made.id.apply(lambda _: chosen[0])], fields=(name for name in ["hostname"]))
        secret = [pulumi.Output.secret(each) for each in chosen]
        arguments = {**QUICK, "timeout": None, "instance_ids": secret, "triggers": [pulumi.Output.secret(trigger)]}
        ActivationGate("secret", opts, **arguments)

    stack = engine.stack()
    stack.preview(program)
    assert backend.requests == 1  # the secret one is known
    stack.up(program)
    outputs = {resource["urn"].rpartition("::")[2]: resource.get("outputs", {}) for resource in stack.state()}
    found = {name: outputs[name] for name in ("secret", "unknown")}
    assert chosen[0] not in str(found["secret"])
    assert "FAKE-TRIGGER" not in stack.file.read_text()
    of = [type(found[gate][name]) for gate in found for name in ("clients", "countsByStatus", "bypassed")]
    assert of == [dict, dict, bool, str, dict, bool]
    assert "secret" not in str(found["unknown"]["countsByStatus"])
    assert stack.outputs()["unknown-first"] == "web-1"
    backend.set_status("STOPPED", *chosen)
    assert "not activated within 2s" in stack.fails("up", partial(program, "FAKE-OTHER"))


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
    assert "Traceback" not in "".join(stack.texts)
    assert backend.requests == 0
