"""`ActivationGate`: a resource whose dependants wait until the selected clients are activated.

    hook, in the program's process: resolved inputs → wait; in a preview: look once   (before create and update)
    provider's process:             inputs → list → outputs                           (`state_providers`)

The engine keeps the rules of any resource: dependencies, targets, state. When the hook raises, the gate is not created.
It waits on the program's event loop, so it takes none of the four threads that the dynamic provider has for a stack.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary

import grpc
import pulumi
from pulumi.resource_hooks import (
    ResourceHook,
    ResourceHookArgs,
    ResourceHookBinding,
    ResourceHookFunction,
    ResourceHookOptions,
)
from pulumi.runtime import rpc, settings
from pulumi.runtime.proto import engine_pb2
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.activation.condition import gate_mode, parse_partial
from pulumi_hbr_clients.client.settings import check_location
from pulumi_hbr_clients.model.configuration import Config
from pulumi_hbr_clients.model.errors import GateTimeoutError, InputError
from pulumi_hbr_clients.model.names import ACTIVATION_GATE_TYPE
from pulumi_hbr_clients.model.validators import snake
from pulumi_hbr_clients.resources import inputs, pulumi_runtime
from pulumi_hbr_clients.resources.backup_clients import ClientOutputs
from pulumi_hbr_clients.resources.inputs import Filters, Strings, Tags, check_options
from pulumi_hbr_clients.state_providers import ActivationGateProvider

_OUTPUTS: Final = ("clients", "countsByStatus", "bypassed", "settingsDigest")
_ORDER_ADVICE: Final = (
    "If this program installs the clients, the gate must depend on what installs them: depends_on=[installer]"
)


class ActivationGate(ClientOutputs):
    """Holds back what depends on it (`depends_on=[gate]`, or its outputs) until the selected clients are activated.

    Selected by ids, every id must have a client that is ACTIVATED; an empty list passes at once. Selected by filters,
    at least `min_clients` must match and all that match must be ACTIVATED. It waits when it is created, when an
    argument or a trigger changes and when `recheck` finds that it would not pass; never in a preview. It must depend
    on whatever installs the clients.
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
        tags: Tags | None = None,
        filters: Filters | None = None,
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
        timeout: pulumi.Input[float | str] | None = None,
        max_heartbeat_age: pulumi.Input[float | str] | None = None,
        min_client_version: pulumi.Input[str] | None = None,
        backup_status: pulumi.Input[str] | None = None,
        tolerate: Strings | None = None,
        unknown_grace: pulumi.Input[float | str] | None = None,
        poll: pulumi.Input[float | str] | None = None,
        triggers: pulumi.Input[Sequence[Any]] | None = None,
        recheck: pulumi.Input[bool] | None = None,
    ) -> None:
        """Declare a gate. Each argument may be a plain value or an Output; times are seconds, or text like 15m, 1h30m.

        Which clients: arguments as `BackupClients` has them.

        Args:
            resource_name: The name in the stack.
            opts: Pulumi's options. `custom_timeouts` (create, update) are the timeout where none is given.
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
        arguments, config = inputs.read_arguments(locals()), pulumi_runtime.config()
        is_mocked = pulumi_runtime.is_mocked()
        with inputs.as_run_error(f"ActivationGate {resource_name!r}"):
            check_options("ActivationGate", opts, arguments, _OUTPUTS)
            known, later = inputs.split(arguments)
            if (gate := parse_partial(known, later)) and not is_mocked:
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
            limits: Any = opts.custom_timeouts
            properties["customTimeouts"] = dict(limits if isinstance(limits, dict) else vars(limits))
        # before 3.272, mocks have no server for hooks
        hooks: list[ResourceHook | ResourceHookFunction] | None = None if is_mocked else [_hook(config)]
        own = pulumi.ResourceOptions(hooks=ResourceHookBinding(before_create=hooks, before_update=hooks))
        merged = pulumi.ResourceOptions.merge(opts, own)
        secret_outputs += map(to_camel, merged.additional_secret_outputs or [])
        merged.additional_secret_outputs = secret_outputs  # the SDK reads it when all inputs are resolved
        properties |= {**dict.fromkeys(_OUTPUTS), "__provider": pulumi_runtime.by_reference(ActivationGateProvider)}
        super().__init__(ACTIVATION_GATE_TYPE, resource_name, properties, merged)

    @property
    def bypassed(self) -> pulumi.Output[bool]:
        """Whether the gate let something through because `hbr-clients:gates` was `warn` or `off`."""
        return self._output("bypassed")


def _noting_secrets(value: Any, secret_outputs: list[str]) -> pulumi.Output[Any]:
    """The argument as an Output that makes `clients` a secret output if it is secret: ids and tags are in both."""
    output = pulumi.Output.from_input(value)

    async def noted(known: Any) -> Any:
        if await asyncio.shield(output.is_secret()) and "clients" not in secret_outputs:
            secret_outputs.append("clients")
        return known

    return output.apply(noted)


_hooks: WeakKeyDictionary[object, ResourceHook] = WeakKeyDictionary()
"""The hook of each program that this process runs, by the program's root resource."""


def _hook(config: Config) -> ResourceHook:
    """The one hook of all gates of a program: names of hooks must be unique in a stack and equal in every run."""
    root = settings.get_root_resource() or asyncio.get_event_loop()
    if root not in _hooks:
        options = ResourceHookOptions(on_dry_run=True)
        _hooks[root] = ResourceHook("hbr-clients:ActivationGate", _Hook(config), options)
    return _hooks[root]


class _Hook:
    """What the engine calls before it creates or updates a gate, and in a preview before it would."""

    __name__ = "ActivationGate"  # the SDK copies a hook's name and docstring from its function

    def __init__(self, config: Config) -> None:
        self._config, self._engine, self._is_preview = config, settings.get_engine(), pulumi.runtime.is_dry_run()

    async def __call__(self, args: ResourceHookArgs) -> None:
        """Wait; in a preview say what `up` will wait for. Raises what ends the wait."""
        from pulumi_hbr_clients.activation.stack_gate import StackGate, arguments_of
        from pulumi_hbr_clients.client.client import HbrClient

        values, unknown, secret = dict[str, Any](), set[str](), set[str]()
        for name, value in (args.new_inputs or {}).items():
            output = pulumi.Output.from_input(rpc.unwrap_rpc_secret(value))
            if not await output.is_known():
                unknown.add(name)
            elif rpc.is_rpc_secret(value) or await output.is_secret():  # pulumi 3.200 wraps what 3.272 makes an Output
                secret.add(snake(name))
            values[name] = await output.future()
        limit = values.get("customTimeouts", {}).get("update" if args.old_inputs else "create")
        arguments = {"timeout": limit, **arguments_of(values)}
        try:
            if gate := parse_partial(arguments, unknown):
                async with HbrClient(config=self._config) as client:
                    stack_gate = StackGate(gate, values.get("bypass", "enforce"), client)
                    await stack_gate.run(partial(self._log, args.urn), secret, preview=self._is_preview)
        except InputError as error:
            raise error.without(secret) from None
        except GateTimeoutError as error:
            raise GateTimeoutError(f"{error}\n  {_ORDER_ADVICE}", error.verdict) from None

    def _log(self, urn: str, text: str, *, ephemeral: bool = False, warning: bool = False) -> None:
        """Write on the gate's row now. `pulumi.log` would hold it back until the gate has a URN: after the hook."""
        severity = engine_pb2.WARNING if warning else engine_pb2.INFO
        line = engine_pb2.LogRequest(severity=severity, message=text, urn=urn, ephemeral=ephemeral)
        try:
            self._engine.Log(line)  # type: ignore[union-attr]  # under mocks alone there is none, and no hook runs
        except grpc.RpcError:
            raise ConnectionError("the engine is gone") from None
