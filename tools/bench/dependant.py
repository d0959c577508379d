"""A resource that depends on a gate. The provider's process imports this module, so the class pickles by reference."""

import time
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class Timestamps(ResourceProvider):
    """Stores the time at which it was created."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """The dependant starts."""
        return CreateResult("dependant", {**props, "at": time.time()})


class Dependant(Resource):
    """`at` is the time at which the engine created it."""

    at: pulumi.Output[float]

    def __init__(self, name: str, gate: pulumi.Resource) -> None:
        """Depend on the gate."""
        super().__init__(Timestamps(), name, {"at": None}, pulumi.ResourceOptions(depends_on=[gate]))
