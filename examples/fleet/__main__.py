"""The backup clients of a region, counted, checked and exported for other stacks."""

import pulumi

from pulumi_hbr_clients import BackupClients

fleet = BackupClients("fleet", client_type="ECS_CLIENT")

pulumi.export("clients", fleet.clients)
pulumi.export("countsByStatus", fleet.counts_by_status)
pulumi.export("totalCount", fleet.total_count)
pulumi.export(
    "outdated", fleet.clients.apply(lambda clients: [client.hostname for client in clients if client.outdated])
)
