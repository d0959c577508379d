"""Traffic moves to the new nodes only when their backup clients are activated."""

import pulumi
from cutover import Cutover

from pulumi_hbr_clients import ActivationGate

nodes = pulumi.Config().require_object("instanceIds")

backed_up = ActivationGate(
    "backed-up",
    client_type="ECS_CLIENT",
    instance_ids=nodes,
    timeout="15m",
    max_heartbeat_age="10m",
)
cutover = Cutover("cutover", nodes, pulumi.ResourceOptions(depends_on=[backed_up]))

pulumi.export("servedBy", cutover.nodes)
pulumi.export("clientIds", backed_up.ids)
