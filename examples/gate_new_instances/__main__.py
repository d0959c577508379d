"""Instances are created, their backup clients are installed, and the rest waits for those.

The gate's input is an Output: in the preview of new instances it is unknown, and the gate starts once they exist.
"""

import pulumi
from nodes import Node

from pulumi_hbr_clients import ActivationGate

nodes = [Node(f"node-{number}") for number in (1, 2, 3)]

ready = ActivationGate(
    "ready",
    client_type="ECS_CLIENT",
    instance_ids=[node.instance_id for node in nodes],
    timeout="10m",
)

pulumi.export("clients", ready.clients)
pulumi.export("ready", ready.counts_by_status)
