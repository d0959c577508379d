"""`wait_until_activated`: the gate as a function, for Python code that is no Pulumi program."""

from collections.abc import Iterable, Mapping
from typing import Any

from pulumi_hbr_clients.activation.condition import gate_mode, parse
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
    Which clients: arguments as `get_backup_clients` has them. What is waited for: as `ActivationGate`.

    Args:
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
