"""The hook of `ActivationGate`: what the engine calls in the program before it creates or updates a gate.

    resolved inputs → query and condition → wait (in a preview: look once) → return, or raise what is missing

When it returns, the provider's process reads the selection; when it raises, the gate is not created.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

import grpc
import pulumi
from pulumi.output import Unknown
from pulumi.resource_hooks import ResourceHook, ResourceHookArgs, ResourceHookOptions
from pulumi.runtime import settings
from pulumi.runtime.proto import engine_pb2

from pulumi_hbr_clients.activation import messages
from pulumi_hbr_clients.activation.bypass import GateMode
from pulumi_hbr_clients.activation.condition import Gate, ResourceCondition, parse_partial, warnings_of
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
        given = _Given()
        values = await given.plain(args.new_inputs or {})
        secret = {snake(name) for name in given.secret}
        arguments = {name: value for name, value in values.items() if name not in _INTERNAL}
        try:
            gate = parse_partial(arguments, given.unknown, ResourceCondition)
            if gate is None:
                return
            if timeout := values.get("customTimeouts", {}).get("update" if args.old_inputs else "create"):
                gate = replace(gate, condition=gate.condition.model_copy(update={"timeout": timeout}))
            log = partial(self._log, args.urn)
            for text in warnings_of(gate, secret):
                log(text, warning=True)
            await (self._preview if self._is_preview else self._wait)(gate, values.get("bypass", "enforce"), log)
        except InputError as error:
            raise error.without(secret) from None

    async def _preview(self, gate: Gate, mode: GateMode, log: "_Log") -> None:
        if mode == "off":
            return
        from pulumi_hbr_clients.activation.waiter import check_once  # noqa: PLC0415  httpx: 0.25 s
        from pulumi_hbr_clients.client.client import HbrClient  # noqa: PLC0415  httpx: 0.25 s

        async with HbrClient(config=self._config) as client:
            verdict = await check_once(gate, client)
        if verdict.state != "passed":
            log(messages.preview_text(verdict), warning=verdict.state == "failed" or mode == "warn")

    async def _wait(self, gate: Gate, mode: GateMode, log: "_Log") -> None:
        from pulumi_hbr_clients.activation.progress import ProgressReporter  # noqa: PLC0415  httpx: 0.25 s
        from pulumi_hbr_clients.activation.waiter import pass_gate  # noqa: PLC0415  httpx: 0.25 s
        from pulumi_hbr_clients.client.client import HbrClient  # noqa: PLC0415  httpx: 0.25 s

        async with HbrClient(config=self._config) as client:
            try:
                result = await pass_gate(gate, client, mode, ProgressReporter(log))
            except GateTimeoutError as error:
                raise GateTimeoutError(f"{error}\n  {_ORDER_ADVICE}", error.verdict) from None
        if result.bypassed:
            log(messages.bypass_text(result.verdict), warning=True)
        elif result.verdict.note:
            log(result.verdict.note)

    def _log(self, urn: str, text: str, *, ephemeral: bool = False, warning: bool = False) -> None:
        """Write on the gate's row now. `pulumi.log` would hold it back until the gate has a URN: after the hook."""
        if self._engine is None:
            return
        severity = engine_pb2.WARNING if warning else engine_pb2.INFO
        try:
            self._engine.Log(engine_pb2.LogRequest(severity=severity, message=text, urn=urn, ephemeral=ephemeral))
        except grpc.RpcError:
            raise ConnectionError("the engine is gone") from None


class _Log(Protocol):
    def __call__(self, text: str, *, ephemeral: bool = False, warning: bool = False) -> None: ...


@dataclass(slots=True)
class _Given:
    """What a hook is given: plain values, and the names of those that are unknown or secret, at any depth."""

    unknown: set[str] = field(default_factory=set)
    secret: set[str] = field(default_factory=set)

    async def plain(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return {name: await self._plain(name, value) for name, value in properties.items()}

    async def _plain(self, name: str, value: Any) -> Any:
        if isinstance(value, pulumi.Output):
            self.secret.add(name)
            return await self._plain(name, await asyncio.shield(value.future(with_unknowns=True)))
        if isinstance(value, Unknown):
            self.unknown.add(name)
            return None
        if isinstance(value, Mapping):
            return {key: await self._plain(name, item) for key, item in value.items()}
        return [await self._plain(name, item) for item in value] if isinstance(value, list | tuple) else value
