"""A stand-in for what moves the traffic: a load balancer's server group, a DNS record."""

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class CutoverProvider(ResourceProvider):
    """Does nothing but say that it did."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Move the traffic."""
        return CreateResult("cutover", props)


class Cutover(Resource):
    """Traffic that goes to these nodes."""

    nodes: pulumi.Output[list[str]]

    def __init__(
        self, name: str, nodes: Sequence[pulumi.Input[str]], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Take the ids of the nodes."""
        super().__init__(CutoverProvider(), name, {"nodes": nodes}, opts)
