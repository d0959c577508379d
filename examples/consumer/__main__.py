"""Another stack uses the clients that the fleet's stack exported."""

import pulumi

from pulumi_hbr_clients import clients_from_stack

fleet = pulumi.StackReference(pulumi.Config().require("fleetStack"))
clients = clients_from_stack(fleet, "clients")

pulumi.export(
    "backedUpAddresses",
    clients.apply(
        lambda found: {
            client.hostname: client.private_ip_v4
            for client in found
            if client.status == "ACTIVATED" and client.tags.get("env") == "prod"
        }
    ),
)
