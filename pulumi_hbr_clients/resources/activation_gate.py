"""`ActivationGate`: a resource whose dependants wait until the selected clients are activated.

    hook, in the program's process: inputs → wait            (before the engine creates or updates the gate)
    provider's process:             inputs → list → outputs   (`state_providers.ActivationGateProvider`)

The engine keeps the rules of any resource: dependencies, targets, state. A hook waits on the program's event loop, so
it takes none of the four threads that the dynamic provider has for all resources of a stack.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi.resource_hooks import ResourceHook, ResourceHookBinding, ResourceHookFunction
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.activation.bypass import gate_mode
from pulumi_hbr_clients.activation.condition import ResourceCondition, parse_partial
from pulumi_hbr_clients.client.settings import check_location
from pulumi_hbr_clients.model.names import ACTIVATION_GATE_TYPE
from pulumi_hbr_clients.resources import inputs
from pulumi_hbr_clients.resources import pulumi_runtime as program
from pulumi_hbr_clients.resources.client_outputs import ClientOutputs
from pulumi_hbr_clients.resources.gate_hook import gate_hook
from pulumi_hbr_clients.resources.options import check_options
from pulumi_hbr_clients.state_providers import ActivationGateProvider

Strings = pulumi.Input[Sequence[pulumi.Input[str]]]
Duration = pulumi.Input[float | str]
_OUTPUTS: Final = ("clients", "countsByStatus", "bypassed", "settingsDigest")


class ActivationGate(ClientOutputs, pulumi.CustomResource):
    """Holds back what depends on it (`depends_on=[gate]`, or its outputs) until the selected clients are activated.

    Selected by ids, every id must have a client that is ACTIVATED. Selected by filters, at least `min_clients` must
    match and all that match must be ACTIVATED. It waits when it is created, when an argument or a trigger changes and
    when `recheck` finds that it would not pass; never in a preview. It must depend on whatever installs the clients.
    """

    def __init__(  # noqa: PLR0913  keywords, each an argument of its own
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        client_type: pulumi.Input[str],
        cluster_id: pulumi.Input[str] | None = None,
        client_ids: Strings | None = None,
        instance_ids: Strings | None = None,
        tags: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        filters: pulumi.Input[Mapping[str, Strings]] | None = None,
        cross_account_type: pulumi.Input[str] | None = None,
        cross_account_user_id: pulumi.Input[int | str] | None = None,
        cross_account_role_name: pulumi.Input[str] | None = None,
        zone_ids: Strings | None = None,
        os_types: Strings | None = None,
        outdated: pulumi.Input[bool] | None = None,
        fields: Strings | None = None,
        region: pulumi.Input[str] | None = None,
        endpoint: pulumi.Input[str] | None = None,
        profile: pulumi.Input[str] | None = None,
        assume_role: pulumi.Input[Mapping[str, pulumi.Input[Any]]] | None = None,
        min_clients: pulumi.Input[int] | None = None,
        timeout: Duration | None = None,
        max_heartbeat_age: Duration | None = None,
        min_client_version: pulumi.Input[str] | None = None,
        backup_status: pulumi.Input[str] | None = None,
        tolerate: Strings | None = None,
        unknown_grace: Duration | None = None,
        poll: Duration | None = None,
        triggers: pulumi.Input[Sequence[Any]] | None = None,
        recheck: pulumi.Input[bool] | None = None,
    ) -> None:
        """Declare a gate. Times are seconds, or text like 90s, 15m, 1h30m.

        Args:
            resource_name: The name in the stack.
            opts: Pulumi's options. `custom_timeouts` (create, update) are the timeout where none is given.
            client_type: ECS_CLIENT, CONTAINER_CLIENT or LOCAL_CLIENT.
            cluster_id: The cluster whose clients are waited for (container backup).
            client_ids: Ids of backup clients (c-…).
            instance_ids: Ids of ECS instances (i-…). An empty list passes at once.
            tags: Tags to match.
            filters: Further filters of the service, a key and its values each.
            cross_account_type: SELF_ACCOUNT, or CROSS_ACCOUNT with the next two.
            cross_account_user_id: The source account that is backed up.
            cross_account_role_name: The RAM role in the source account that lets this account in.
            zone_ids: Only clients in these zones.
            os_types: Only clients on linux or windows.
            outdated: Only clients whose version is below (True) or at (False) the newest one.
            fields: Only these fields of each client in the outputs.
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
            triggers: Any values; the gate waits again when one of them changes.
            recheck: Look at every preview, up and refresh, and wait again if the gate would not pass.

        Raises:
            pulumi.RunError: With every fault of the arguments. Nothing is sent from here.
        """
        arguments, config = inputs.given(locals()), program.config()
        with inputs.in_one_line(f"ActivationGate {resource_name!r}"):
            check_options("ActivationGate", opts, arguments, _OUTPUTS)
            later = {name for name, value in arguments.items() if program.contains_output(value)}
            known = {name: value for name, value in arguments.items() if name not in later}
            if (gate := parse_partial(known, later, ResourceCondition)) and not program.is_mocked():
                check_location(gate.query, config)
            mode = gate_mode(config)
        secret_outputs: list[str] = []
        properties: dict[str, Any] = {
            to_camel(name): _noting_secrets(value, secret_outputs) if name in later else value
            for name, value in arguments.items()
        }
        if mode != "enforce":
            properties["bypass"] = mode
        if opts and opts.custom_timeouts and timeout is None:
            properties["customTimeouts"] = _custom_timeouts(opts.custom_timeouts)
        # before 3.272, mocks have no server for hooks
        hooks: list[ResourceHook | ResourceHookFunction] | None = None if program.is_mocked() else [gate_hook(config)]
        own = pulumi.ResourceOptions(hooks=ResourceHookBinding(before_create=hooks, before_update=hooks))
        merged = pulumi.ResourceOptions.merge(opts, own)
        secret_outputs += map(to_camel, merged.additional_secret_outputs or [])
        merged.additional_secret_outputs = secret_outputs  # the SDK reads it when all inputs are resolved
        super().__init__(
            ACTIVATION_GATE_TYPE,
            resource_name,
            {**dict.fromkeys(_OUTPUTS), **properties, "__provider": program.by_reference(ActivationGateProvider)},
            merged,
        )
        self._hold(pulumi.get(self, "clients"))

    @property
    def counts_by_status(self) -> pulumi.Output[Mapping[str, int]]:
        """Number of clients by status."""
        counts: pulumi.Output[Mapping[str, float]] = pulumi.get(self, "countsByStatus")
        return counts.apply(lambda found: {status: int(count) for status, count in found.items()})

    @property
    def bypassed(self) -> pulumi.Output[bool]:
        """Whether the gate let something through because `hbr-clients:gates` was `warn` or `off`."""
        bypassed: pulumi.Output[bool] = pulumi.get(self, "bypassed")
        return bypassed


def _noting_secrets(value: Any, secret_outputs: list[str]) -> pulumi.Output[Any]:
    """The argument as an Output that makes `clients` a secret output if it is secret: ids and tags are in both."""
    output = pulumi.Output.from_input(value)

    async def noted(known: Any) -> Any:
        if await asyncio.shield(output.is_secret()) and "clients" not in secret_outputs:
            secret_outputs.append("clients")
        return known

    return output.apply(noted)


def _custom_timeouts(given: Any) -> dict[str, float]:
    """`{create: "1h30m"}` in Go's notation → seconds."""
    texts = {
        name: given.get(name) if isinstance(given, dict) else getattr(given, name) for name in ("create", "update")
    }
    return {name: _go_duration(text) for name in ("create", "update") if (text := texts.get(name))}


_GO_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def _go_duration(text: str) -> float:
    return sum(float(number) * _GO_UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|us|µs|ns|h|m|s)", text))
