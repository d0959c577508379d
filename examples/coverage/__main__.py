"""Which of these instances have no backup client, and which have one that does not work."""

import pulumi

from pulumi_hbr_clients import get_backup_clients

instance_ids = pulumi.Config().require_object("instanceIds")
found = get_backup_clients(client_type="ECS_CLIENT", instance_ids=instance_ids)
not_working = {client.instance_id: client.status for client in found.clients if client.status != "ACTIVATED"}

pulumi.export("withoutClient", found.missing_instance_ids)
pulumi.export("notWorking", not_working)
if found.missing_instance_ids:
    pulumi.log.warn(f"{len(found.missing_instance_ids)} of {len(instance_ids)} instances have no backup client")
