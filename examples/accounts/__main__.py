"""The backup clients of several accounts and regions, joined into one list."""

import pulumi

from pulumi_hbr_clients import BackupClients, HbrError, get_backup_clients

config = pulumi.Config()
targets = [
    (profile, region) for profile in config.require_object("profiles") for region in config.require_object("regions")
]

# Data sources are tracked, and read side by side. If one of them fails, the update fails.
fleets = [
    BackupClients(
        f"{profile}-{region}",
        client_type="ECS_CLIENT",
        profile=profile,
        region=region,
        fields=["status", "hostname"],
    )
    for profile, region in targets
]


def join(lists: list[list[dict[str, str]]]) -> list[dict[str, str]]:
    """One list of all clients."""
    return [client for clients in lists for client in clients]


pulumi.export("clients", pulumi.Output.all(*(fleet.clients for fleet in fleets)).apply(join))

# A look-up that fails is an exception, which the program may tolerate.
stopped: list[str] = []
for profile, region in targets:
    try:
        found = get_backup_clients(client_type="ECS_CLIENT", profile=profile, region=region, statuses=["STOPPED"])
    except HbrError as error:
        pulumi.log.warn(f"{profile} in {region} was left out: {error}")
    else:
        stopped += [f"{profile} {region} {client.hostname}" for client in found.clients]
pulumi.export("stopped", stopped)
