import pulumi
import pulumi_hbr_clients as hbr

instance_ids = pulumi.Config().require_object("instanceIds")

backed_up = hbr.ActivationGate(
    "backed-up",
    client_type="ECS_CLIENT",
    instance_ids=instance_ids,
    timeout="15m",
    max_heartbeat_age="10m",
)

pulumi.export("clientIds", backed_up.ids)
