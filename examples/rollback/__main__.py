"""Each release waits for the backup clients of its machines; a rollback must not wait for a machine that is down.

pulumi config set release 42; pulumi up                          waits at the gate
pulumi config set release 41; HBR_CLIENTS_GATES=warn pulumi up   warns, and passes
pulumi up                                                        waits again, now that gates are enforced
"""

import pulumi
from release import Release

from pulumi_hbr_clients import ActivationGate

config = pulumi.Config()
release = config.require_int("release")

backed_up = ActivationGate(
    "backed-up",
    client_type="ECS_CLIENT",
    instance_ids=config.require_object("instanceIds"),
    triggers=[release],
    timeout="10s",
)
served = Release("served", release, pulumi.ResourceOptions(depends_on=[backed_up]))

pulumi.export("release", served.number)
pulumi.export("bypassed", backed_up.bypassed)
