"""Parts of the programs that the tests on a real engine run, and what they leave in state."""

import time
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ResourceProvider

from pulumi_hbr_clients import ActivationGate
from pulumi_hbr_clients.model.names import FUNCTION_TOKEN, GATE_TOKEN

GATE = "hbr-clients:ActivationGate"
SECRET_MARK = "4dabf18193072939515e22adb298388d"  # noqa: S105  the engine's mark of a secret in state
QUICK: dict[str, Any] = {"client_type": "ECS_CLIENT", "timeout": "60s", "poll": 0.3}


class _Recorder(ResourceProvider):
    """Records when it was created; `seconds` is how long that takes."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        time.sleep(props.get("seconds") or 0)
        return CreateResult("made", {**props, "at": time.time()})


class Dependant(pulumi.dynamic.Resource):
    """A resource that records when it was created."""

    at: pulumi.Output[float]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **props: Any) -> None:
        super().__init__(_Recorder(), name, {"at": None, **props}, opts)


def gated(name: str = "ready", opts: pulumi.ResourceOptions | None = None, **arguments: Any) -> ActivationGate:
    """A gate, a dependant, and what the gate gives."""
    gate = ActivationGate(name, opts, **{**QUICK, **arguments})
    Dependant(f"after-{name}", pulumi.ResourceOptions(depends_on=[gate]))
    pulumi.export(f"{name}-counts", gate.counts_by_status)
    pulumi.export(f"{name}-ids", gate.ids)
    pulumi.export(f"{name}-instances", gate.instance_ids)
    pulumi.export(f"{name}-first", gate.clients[0].hostname)
    pulumi.export(f"{name}-bypassed", gate.bypassed)
    return gate


def created_at(stack: Any) -> dict[str, float]:
    """When each recording resource of a stack was created."""
    resources = [found for found in stack.state() if "at" in found.get("outputs", {})]
    return {found["urn"].rpartition("::")[2]: found["outputs"]["at"] for found in resources}


class PluginGate(pulumi.CustomResource):
    """`ActivationGate` of the plugin, as a generated SDK has it."""

    ids: pulumi.Output[list[str]]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **inputs: Any) -> None:
        super().__init__(GATE_TOKEN, name, {"ids": None, **inputs}, opts)


def plugin_list(opts: pulumi.InvokeOptions | None = None, **arguments: Any) -> dict[str, Any]:
    """What the plugin's function gives."""
    return dict(pulumi.runtime.invoke(FUNCTION_TOKEN, arguments, opts).value or {})


def secrets(properties: dict[str, Any]) -> set[str]:
    """The names of properties that are secret in state."""
    return {name for name, value in properties.items() if isinstance(value, dict) and SECRET_MARK in value}
