"""The Python gate in the dynamic provider's process: reads the selection, and says whether the gate must wait again.

Nothing waits here, for the process has four threads for all resources of a stack: the hook waits, in the program.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from pulumi_hbr_clients.activation import stack_gate
from pulumi_hbr_clients.activation.condition import ResourceCondition, parse
from pulumi_hbr_clients.client.blocking import run
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import Config
from pulumi_hbr_clients.model.errors import HbrError, InputError
from pulumi_hbr_clients.model.outputs import to_state


def gate_id(properties: Mapping[str, Any]) -> str:
    """An id for state: a digest of the query, so that nothing of an argument shows that is secret."""
    return parse(stack_gate.arguments_of(properties), ResourceCondition).query.resource_id().rpartition("/")[2]


def gate_outputs(properties: Mapping[str, Any], previous: Mapping[str, Any], config: Config) -> dict[str, Any]:
    """The gate's properties with its outputs. `previous`: its outputs until now, kept if a bypassed gate has no list.

    Raises `HbrError` where the list cannot be read and the gate is not bypassed.
    """
    gate, mode = parse(stack_gate.arguments_of(properties), ResourceCondition), properties.get("bypass", "enforce")

    async def work() -> dict[str, Any]:
        async with HbrClient(config=config) as client:
            names = ("clients", "countsByStatus")
            return await stack_gate.outputs(gate, client, to_state, names, mode=mode, previous=previous)

    return {**properties, **run(work)}


def must_wait_again(gate_id: str, old: Mapping[str, Any], new: Mapping[str, Any], config: Config) -> bool:
    """Whether arguments differ, or the gate must wait again although they do not. `old`: properties and outputs."""
    if stack_gate.changed_arguments(old, new):
        return True
    try:
        gate = parse(stack_gate.arguments_of(new), ResourceCondition)
    except InputError:  # the hook says what is wrong
        return True
    mode = new.get("bypass", "enforce")

    async def work() -> str | None:
        async with HbrClient(config=config) as client:
            return await stack_gate.outdated_output(gate, old, client, mode)

    try:
        return run(work) is not None
    except HbrError as error:
        pulumi.log.warn(f"ActivationGate {gate_id}: not checked again: {error}")
        return False
