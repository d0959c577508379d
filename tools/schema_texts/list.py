import pulumi
import pulumi_hbr_clients as hbr

production = hbr.get_backup_clients_output(client_type="ECS_CLIENT", tags={"env": "prod"})

pulumi.export("clients", production.clients)
pulumi.export("countsByStatus", production.counts_by_status)
