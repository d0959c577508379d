"""`wait_until_activated`: the gate as a function, for Python code that is no Pulumi program."""

from collections.abc import Iterable, Mapping
from typing import Any

from pulumi_hbr_clients.activation.bypass import gate_mode
from pulumi_hbr_clients.activation.condition import parse
from pulumi_hbr_clients.activation.waiter import ActivationResult, ProgressCallback, pass_gate
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import Config, no_config


async def wait_until_activated(  # noqa: PLR0913  keywords, each an argument of its own
    *,
    client_type: str,
    cluster_id: str | None = None,
    client_ids: Iterable[str] | None = None,
    instance_ids: Iterable[str] | None = None,
    tags: Mapping[str, str | None] | Iterable[Mapping[str, str]] | None = None,
    filters: Mapping[str, Iterable[str]] | Iterable[Mapping[str, Any]] | None = None,
    cross_account_type: str | None = None,
    cross_account_user_id: int | str | None = None,
    cross_account_role_name: str | None = None,
    zone_ids: Iterable[str] | None = None,
    os_types: Iterable[str] | None = None,
    outdated: bool | None = None,
    fields: Iterable[str] | None = None,
    region: str | None = None,
    endpoint: str | None = None,
    profile: str | None = None,
    assume_role: Mapping[str, Any] | None = None,
    min_clients: int | None = None,
    timeout: float | str | None = None,  # noqa: ASYNC109  part of the condition
    max_heartbeat_age: float | str | None = None,
    min_client_version: str | None = None,
    backup_status: str | None = None,
    tolerate: Iterable[str] | None = None,
    unknown_grace: float | str | None = None,
    poll: float | str | None = None,
    on_progress: ProgressCallback | None = None,
    config: Config = no_config,
) -> ActivationResult:
    """Wait until the selected clients are activated.

    Selected by ids, every id must have a client that is ACTIVATED. Selected by filters, at least `min_clients` must
    match and all that match must be ACTIVATED. An empty id list passes at once. Times are seconds, or text like
    90s, 15m, 1h30m. `HBR_CLIENTS_GATES=warn` or `off` in the environment bypasses the wait; the result says so.

    Args:
        client_type: ECS_CLIENT, CONTAINER_CLIENT or LOCAL_CLIENT.
        cluster_id: The cluster whose clients are waited for (container backup).
        client_ids: Ids of backup clients (c-…).
        instance_ids: Ids of ECS instances (i-…).
        tags: Tags to match, as a map or a list of key and value.
        filters: Further filters of the service, a key and its values each.
        cross_account_type: SELF_ACCOUNT, or CROSS_ACCOUNT with the next two.
        cross_account_user_id: The source account that is backed up.
        cross_account_role_name: The RAM role in the source account that lets this account in.
        zone_ids: Only clients in these zones.
        os_types: Only clients on linux or windows.
        outdated: Only clients whose version is below (True) or at (False) the newest one.
        fields: Only these fields of each client in the result.
        region: The region, for example cn-hangzhou.
        endpoint: The service's address, in place of the region's own.
        profile: The profile of the Alibaba CLI's config file to sign with.
        assume_role: A RAM role to assume with the credentials that were found.
        min_clients: Minimum number of matching clients; not together with ids. Default 1.
        timeout: How long to wait for all of them. Default 15 minutes.
        max_heartbeat_age: Maximum age of an activated client's last heartbeat, by the service's clock.
        min_client_version: Minimum version of an activated client.
        backup_status: Backup status that an activated client must have: PROTECTED.
        tolerate: Statuses that normally fail at once and are waited out instead.
        unknown_grace: How long a client may be UNKNOWN (disconnected). Default 2 minutes.
        poll: First interval between two polls; it grows to 15 s. Default 2 s.
        on_progress: Called with the current `Progress` while it waits.
        config: Pulumi config by full key (`hbr-clients:region`), where there is one.

    Raises:
        InputError: Before anything is sent, with every fault.
        GateFailedError: Clients are in a status that they do not leave by themselves.
        GateTimeoutError: The time was over.
        HbrError: Any other error that no wait can cure, for example a missing permission.
    """
    arguments = {name: value for name, value in locals().items() if name not in {"on_progress", "config"}}
    gate, mode = parse(arguments), gate_mode(config)
    async with HbrClient(config=config) as client:
        return await pass_gate(gate, client, mode, on_progress)
