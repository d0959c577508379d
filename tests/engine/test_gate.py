"""`ActivationGate` on a real engine, against the emulator's timeline."""

import subprocess
import sys
import threading
import time
from functools import partial
from typing import Any

import pulumi
import pytest

from pulumi_hbr_clients import ActivationGate, BackupClients
from pulumi_hbr_clients.emulator import Backend

pytestmark = pytest.mark.engine


class After(pulumi.dynamic.ResourceProvider):
    """Notes when it was created."""

    def create(self, props: dict[str, Any]) -> pulumi.dynamic.CreateResult:
        return pulumi.dynamic.CreateResult("after", {**props, "at": time.time()})


class Dependant(pulumi.dynamic.Resource):
    at: pulumi.Output[float]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **props: Any) -> None:
        super().__init__(After(), name, {"at": None, **props}, opts)


def ids(backend: Backend, *names: str) -> list[str]:
    found = {row["Hostname"]: row["InstanceId"] for row in backend.rows()}
    return [found[name] for name in names]


def gated(name: str = "ready", **arguments: Any) -> None:
    given = {"client_type": "ECS_CLIENT", "timeout": "30s", "poll": 0.3, **arguments}
    gate = ActivationGate(name, **given)
    Dependant(f"after-{name}", pulumi.ResourceOptions(depends_on=[gate]))
    pulumi.export(f"{name}-counts", gate.counts_by_status)
    pulumi.export(f"{name}-ids", gate.ids)
    pulumi.export(f"{name}-first", gate.clients[0].hostname)


def later(seconds: float, backend: Backend, *instances: str) -> None:
    """Activate them after so many real seconds."""
    backend.later(seconds, lambda: backend.activate(*instances))


def test_passes_at_once(engine: Any, backend: Backend) -> None:
    """Known in preview, one request, and a second `up` changes nothing."""
    chosen = ids(backend, "web-1", "web-2")
    stack = engine.stack()
    text = stack.preview(partial(gated, instance_ids=chosen))
    assert "ACTIVATED: 2" in text
    assert "will wait" not in text
    assert backend.requests == 1
    stack.up(partial(gated, instance_ids=chosen))
    assert len(stack.outputs()["ready-ids"]) == 2
    stack.up(partial(gated, instance_ids=chosen))
    assert set(stack.operations()) == {"same", "read"}


def test_passes_late(engine: Any, backend: Backend) -> None:
    """The preview says what `up` will wait for, client by client; `up` holds its dependants until then."""
    chosen = ids(backend, "web-1", "batch-1")

    def program() -> None:
        gated(instance_ids=chosen)

    stack = engine.stack()
    text = stack.preview(program)
    assert "up will wait: 1 of 2 activated" in text
    assert f"({chosen[1]}): INSTALLING since" in text
    assert "ready-counts: [unknown]" in text
    activated_at = time.time() + 2.5
    later(2.5, backend, chosen[1])
    text = stack.up(program)
    assert "1 of 2 activated; waiting for" in text
    assert "s left" in text
    assert stack.outputs()["ready-counts"] == {"ACTIVATED": 2}
    at = stack.resource("dynamic:Resource")["outputs"]["at"]
    assert activated_at <= at <= activated_at + 0.3 * 1.5 * 4 + 2


@pytest.mark.parametrize("status", ["INSTALL_FAILED", "DEACTIVATED", "UPGRADE_FAILED", "UNINSTALL_FAILED"])
def test_fails_at_once(engine: Any, backend: Backend, status: str) -> None:
    """One clean error that names the client and what to do; nothing behind the gate is created."""
    chosen = ids(backend, "web-1", "web-2")
    backend.set_status(status, chosen[0])

    def program() -> None:
        gated(instance_ids=chosen)

    stack = engine.stack()
    assert "up would fail now: 1 of 2 activated" in stack.preview(program)
    text = stack.fails("up", program)
    assert "error: ActivationGate 'ready': 1 of 2 backup clients will not be activated by waiting:" in text
    assert f"({chosen[0]}): {status} since" in text
    assert "Traceback" not in text
    assert not [found for found in stack.state() if found["type"].endswith("dynamic:Resource")]


def test_a_tolerated_status_and_a_grace(engine: Any, backend: Backend) -> None:
    """Tolerated failures and short disconnections are waited out."""
    chosen = ids(backend, "web-1", "db-2", "queue-1")  # ACTIVATED, UNKNOWN, DEACTIVATED
    later(1.5, backend, *chosen)
    stack = engine.stack()
    stack.up(partial(gated, instance_ids=chosen, tolerate=["DEACTIVATED"], unknown_grace="20s"))
    assert stack.outputs()["ready-counts"] == {"ACTIVATED": 3}


def test_unknown_does_not_recover(engine: Any, backend: Backend) -> None:
    """Beyond its grace a disconnected client fails the gate."""
    chosen = ids(backend, "db-2")
    text = engine.stack().fails("up", partial(gated, instance_ids=chosen, unknown_grace=1))
    assert "UNKNOWN for " in text
    assert "check that the machine runs" in text


def test_a_timeout_tells_the_last_picture(engine: Any, backend: Backend) -> None:
    """Who was missing, in which status; nothing behind the gate is created."""
    chosen = [*ids(backend, "web-1", "batch-1"), "i-without-client"]
    stack = engine.stack()
    text = stack.fails("up", partial(gated, instance_ids=chosen, timeout=2))
    assert "ActivationGate 'ready': not activated within 2s: 1 of 3 activated; waiting for" in text
    assert "i-without-client: there is no such client yet. Install the client, or check the id" in text
    assert "INSTALLING since" in text
    assert not [found for found in stack.state() if found["type"].endswith("dynamic:Resource")]


def test_two_gates_where_one_fails(engine: Any, backend: Backend) -> None:
    """Dependants of the one that passed are created, those of the other are not."""
    good, bad = ids(backend, "web-1"), ids(backend, "batch-1")

    def program() -> None:
        gated("good", instance_ids=good)
        gated("bad", instance_ids=bad, timeout=3)

    stack = engine.stack()
    stack.fails("up", program)
    created = {r["urn"].rpartition("::")[2] for r in stack.state() if r["type"].endswith("dynamic:Resource")}
    assert created == {"after-good"}


def test_unknown_inputs_in_preview(engine: Any, backend: Backend) -> None:
    """A gate on instances that do not exist yet looks at nothing in preview, and waits in `up`."""
    chosen = ids(backend, "web-1")

    def program() -> None:
        made = Dependant("made")
        gated(instance_ids=[made.id.apply(lambda _: chosen[0])])

    stack = engine.stack()
    stack.preview(program)
    assert backend.requests == 0
    stack.up(program)
    assert len(stack.outputs()["ready-ids"]) == 1


def test_faults_are_told_in_preview(engine: Any, backend: Backend) -> None:
    """Of query and condition, all at once, in clean lines."""
    text = engine.stack().fails("preview", partial(gated, client_type="ecs", timeout="soon"))
    assert "ActivationGate 'ready': client_type: must be one of ECS_CLIENT" in text
    assert "timeout: must be a time" in text
    assert "Traceback" not in text
    assert backend.requests == 0


def test_a_mistyped_status_is_a_warning(engine: Any, backend: Backend) -> None:
    """It passes, for it may be new; on the gate's row stands which known one is near."""
    chosen = ids(backend, "web-1")
    stack = engine.stack()
    text = stack.up(partial(gated, instance_ids=chosen, tolerate=["INSTAL_FAILED"]))
    said = "tolerate: INSTAL_FAILED is not known to this version and is used unchanged; did you mean INSTALL_FAILED?"
    assert f"hbr-clients:index:ActivationGate (ready):\n    warning: {said}\n" in text
    assert len(stack.outputs()["ready-ids"]) == 1


def test_refresh_and_destroy_ask_nobody(engine: Any, backend: Backend, service: Any) -> None:
    """The record of a passed gate stays as it is, and goes without the service."""
    chosen = ids(backend, "web-1")
    stack = engine.stack()
    stack.up(partial(gated, instance_ids=chosen))
    asked = backend.requests
    backend.set_status("STOPPED", chosen[0])
    assert "unchanged" in stack.refresh()
    assert "updated" not in stack.said[-1]
    assert backend.requests == asked
    service.close()
    assert "deleted" in stack.destroy()


def test_the_service_comes_back(engine: Any, backend: Backend) -> None:
    """Throttled and unavailable while it waits: the gate survives it and says so."""
    chosen = ids(backend, "batch-1")
    backend.next_faults += ["throttle:100", "none", *["unavailable"] * 8]
    later(25, backend, *chosen)  # eight tries back off for 23 s at the most: it still waits when that is over
    stack = engine.stack()
    text = stack.up(partial(gated, instance_ids=chosen, timeout=90))
    assert "the service does not answer: ServiceUnavailable" in text
    assert stack.outputs()["ready-counts"] == {"ACTIVATED": 1}


def test_four_waiting_gates_slow_nobody(engine: Any, backend: Backend) -> None:
    """They do not take the dynamic provider's four threads: another read goes through while they wait."""
    chosen = ids(backend, "batch-1")
    later(7, backend, *chosen)

    def program() -> None:
        for number in range(4):
            gated(f"gate-{number}", instance_ids=chosen)
        fleet = BackupClients("fleet", client_type="ECS_CLIENT")
        Dependant("beside", seen=fleet.total_count)

    stack = engine.stack()
    stack.up(program)
    found = {r["urn"].rpartition("::")[2]: r["outputs"]["at"] for r in stack.state() if "at" in r.get("outputs", {})}
    assert found["beside"] + 1 < min(found[f"after-gate-{number}"] for number in range(4))


INTERRUPTED = """
from pulumi import automation as auto
from pulumi_hbr_clients import ActivationGate
def program():
    ActivationGate("ready", client_type="ECS_CLIENT", instance_ids={ids!r}, timeout="60s")
settings = auto.ProjectSettings(name="fleet", runtime="python", backend=auto.ProjectBackend(url={backend!r}))
options = auto.LocalWorkspaceOptions(project_settings=settings, secrets_provider="passphrase", env_vars={env!r})
stack = auto.create_or_select_stack("dev", project_name="fleet", program=program, opts=options)
stack.up(on_output=lambda line: print(line, flush=True), color="never")
"""


def test_interrupted(engine: Any, backend: Backend) -> None:
    """Ctrl-C at the engine ends a waiting gate within moments, and the next `up` waits again."""
    chosen = ids(backend, "batch-1")
    code = INTERRUPTED.format(ids=chosen, backend=f"file://{engine.folder}", env=engine.environment)
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    threading.Timer(60, run.kill).start()
    assert run.stdout is not None
    while "waiting for" not in run.stdout.readline():
        pass
    time.sleep(1)
    before = time.monotonic()
    subprocess.run(["pkill", "-INT", "-P", str(run.pid), "pulumi"], check=True)
    said, _ = run.communicate()
    assert time.monotonic() - before < 10  # two seconds at most on a quiet machine; `make bench` measures it
    assert run.returncode == 1
    assert "cancel" in said
    later(1, backend, *chosen)
    stack = engine.stack()
    stack.up(partial(gated, instance_ids=chosen))
    assert stack.outputs()["ready-counts"] == {"ACTIVATED": 1}
