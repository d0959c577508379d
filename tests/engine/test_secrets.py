"""Secret arguments of Python programs: they work, and no text or state repeats them."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from pulumi_hbr_clients import ActivationGate, BackupClients, get_backup_clients_output
from pulumi_hbr_clients.emulator import Backend
from tests.engine.programs import secrets
from tests.engine.projects import instances

pytestmark = pytest.mark.engine
SECRET = "fake-secret-0042"  # noqa: S105  to be searched for
ENTRY_POINTS: dict[str, Callable[..., Any]] = {
    "resource": lambda **arguments: BackupClients("x", **arguments),
    "gate": lambda **arguments: ActivationGate("x", **arguments),
    "function": lambda **arguments: pulumi.export("x", get_backup_clients_output(**arguments).ids),
}
FAULTS: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "a form": (
        {"client_type": SECRET, "tags": {"k": f"http://{SECRET}"}},
        [SECRET],
        ["client_type: must be one of ECS_CLIENT", "(given: [secret])", "tags[0].value: must not contain http://"],
    ),
    "a region": (
        {"client_type": "ECS_CLIENT", "region": "cn_hangzou"},
        ["hangz"],
        ["region: must be a region id"],
    ),
}


def as_secrets(arguments: dict[str, Any]) -> dict[str, Any]:
    """Each a secret Output, or a map that holds one."""
    secret = pulumi.Output.secret
    maps = {name: {key: secret(item) for key, item in arguments[name].items()} for name in arguments.keys() & {"tags"}}
    return {name: secret(value) for name, value in arguments.items()} | maps


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_reported_without_the_value(
    engine: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch, entry_point: str, fault: str
) -> None:
    """The argument and the rule in one line, in place of the value that it is secret, and not what it resembles."""
    monkeypatch.delenv("ALIBABA_CLOUD_ENDPOINT_HBR")
    del engine.environment["ALIBABA_CLOUD_ENDPOINT_HBR"]
    arguments, hidden, shown = FAULTS[fault]
    text = engine.stack().fails("preview", lambda: ENTRY_POINTS[entry_point](**as_secrets(arguments)))
    assert [part for part in shown if part not in text] == []
    assert [part for part in (*hidden, "Traceback") if part in text] == []
    assert backend.requests == 0


def test_a_new_value_is_warned_of_without_it(engine: Any) -> None:
    """A warning of a plain value names it; of a secret one, the argument alone. So does every entry point."""
    new = {"client_type": "MOON_CLIENT", "cluster_id": SECRET}

    def program(arguments: dict[str, Any]) -> None:
        for entry_point in ENTRY_POINTS.values():
            entry_point(**arguments)

    text = engine.stack("plain").preview(lambda: program(new))
    assert text.count("client_type: MOON_CLIENT is not known to this version") >= len(ENTRY_POINTS)
    text = engine.stack("secret").preview(lambda: program(as_secrets(new)))
    assert text.count("client_type: [secret] is not known to this version") >= len(ENTRY_POINTS)
    assert [part for part in ("MOON", SECRET) if part in text] == []


def test_secrets_may_choose(engine: Any, backend: Backend) -> None:
    """A secret argument chooses like a plain one, is encrypted in state, and shows in no id.

    Missing ids and echoes of a secret argument are secret; clients, which the service returned, are not.
    """
    chosen = {"client_type": "ECS_CLIENT", "region": "cn-shanghai", "tags": {"team": "web"}}
    (wanted,) = instances(backend, "web-1")

    def program() -> None:
        fleet = BackupClients("fleet", **as_secrets(chosen))
        nothing = BackupClients("nothing", client_type="ECS_CLIENT", cluster_id=pulumi.Output.secret(SECRET))
        gate = ActivationGate("gate", **as_secrets(chosen))
        counts = (fleet.total_count, nothing.total_count, gate.total_count)
        pulumi.export("counts", pulumi.Output.unsecret(pulumi.Output.all(*counts)))
        ids = pulumi.Output.secret(SECRET).apply(lambda missing: [wanted, missing])
        BackupClients("plain", client_type="ECS_CLIENT", client_ids=["c-none"])
        BackupClients("hidden", client_type="ECS_CLIENT", instance_ids=ids, region=pulumi.Output.secret("cn-hangzhou"))

    stack = engine.stack()
    stack.up(program)
    assert stack.outputs()["counts"] == [3, 0, 3]
    assert SECRET not in stack.file.read_text()
    reads = [found for found in stack.state() if "dynamic/hbr-clients" in found["type"]]
    assert {found["id"].count("/") for found in reads if not found["urn"].endswith("::plain")} == {0}
    stack.up(program)
    assert set(stack.operations()) <= {"same", "read"}
    for run in (lambda: None, stack.refresh):
        run()
        found = {each["urn"].rpartition("::")[2]: each["outputs"] for each in stack.state() if "outputs" in each}
        assert (secrets(found["plain"]), found["plain"]["missingClientIds"]) == (set(), ["c-none"])
        assert secrets(found["hidden"]) == {"instanceIds", "missingInstanceIds", "region"}
        assert wanted in found["hidden"]["clients"]
    assert set(stack.operations()) <= {"same", "read", "refresh"}
    assert " updated" not in stack.texts[-1]
