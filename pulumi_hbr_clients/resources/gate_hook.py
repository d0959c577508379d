"""The hook of `ActivationGate`: what the engine calls in the program before it creates or updates a gate.

    resolved inputs → query and condition → wait (in a preview: look once) → return, or raise what is missing

When it returns, the provider's process reads the selection; when it raises, the gate is not created.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary

import grpc
import pulumi
from pulumi.resource_hooks import ResourceHook, ResourceHookArgs, ResourceHookOptions
from pulumi.runtime import settings
from pulumi.runtime.proto import engine_pb2

from pulumi_hbr_clients.activation.condition import ResourceCondition, parse_partial, warnings_of
from pulumi_hbr_clients.client.settings import Config
from pulumi_hbr_clients.model.errors import GateTimeoutError, InputError
from pulumi_hbr_clients.model.validation import snake

_INTERNAL: Final = frozenset({"bypass", "customTimeouts", "__provider"})
"""Inputs that are no arguments: the mode where it is not `enforce`, and Pulumi's timeouts where none is given."""
_ORDER_ADVICE: Final = (
    "If this program installs the clients, the gate must depend on what installs them: depends_on=[installer]"
)
_hooks: WeakKeyDictionary[object, ResourceHook] = WeakKeyDictionary()
"""The hook of each program that this process runs, by the program's root resource."""


def gate_hook(config: Config) -> ResourceHook:
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
        from pulumi_hbr_clients.activation import stack_gate  # noqa: PLC0415  httpx: 0.25 s
        from pulumi_hbr_clients.client.client import HbrClient  # noqa: PLC0415  httpx: 0.25 s

        values, unknown, secret = await _plain(args.new_inputs or {})
        arguments = {name: value for name, value in values.items() if name not in _INTERNAL}
        log = partial(self._log, args.urn)
        try:
            gate = parse_partial(arguments, unknown, ResourceCondition)
            if gate is None:
                return
            limit = values.get("customTimeouts", {}).get("update" if args.old_inputs else "create")
            gate = stack_gate.with_timeout(gate, limit)
            for text in warnings_of(gate, secret):
                log(text, warning=True)
            run = stack_gate.preview if self._is_preview else stack_gate.run
            async with HbrClient(config=self._config) as client:
                await run(gate, values.get("bypass", "enforce"), client, log)
        except InputError as error:
            raise error.without(secret) from None
        except GateTimeoutError as error:
            raise GateTimeoutError(f"{error}\n  {_ORDER_ADVICE}", error.verdict) from None

    def _log(self, urn: str, text: str, *, ephemeral: bool = False, warning: bool = False) -> None:
        """Write on the gate's row now. `pulumi.log` would hold it back until the gate has a URN: after the hook."""
        if self._engine is None:
            return
        severity = engine_pb2.WARNING if warning else engine_pb2.INFO
        try:
            self._engine.Log(engine_pb2.LogRequest(severity=severity, message=text, urn=urn, ephemeral=ephemeral))
        except grpc.RpcError:
            raise ConnectionError("the engine is gone") from None


async def _plain(properties: Mapping[str, Any]) -> tuple[dict[str, Any], set[str], set[str]]:
    """A hook's inputs as plain values, and the names of those that are unknown and of those that are secret."""
    values, unknown, secret = dict[str, Any](), set[str](), set[str]()
    for name, value in properties.items():
        output = pulumi.Output.from_input(value)
        if not await output.is_known():
            unknown.add(name)
        elif await output.is_secret():
            secret.add(snake(name))
        values[name] = await output.future()
    return values, unknown, secret
