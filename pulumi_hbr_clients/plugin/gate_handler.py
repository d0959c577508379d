"""`ActivationGate` for every language: checked, looked at in previews, waited for in create and update."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from pulumi_hbr_clients.activation import messages
from pulumi_hbr_clients.activation.bypass import GateMode, gate_mode
from pulumi_hbr_clients.activation.condition import Gate, ResourceCondition, parse, parse_partial, warnings_of
from pulumi_hbr_clients.activation.gate_state import (
    arguments_of,
    changed_arguments,
    outdated_output,
    settings_digest,
)
from pulumi_hbr_clients.activation.progress import ProgressReporter
from pulumi_hbr_clients.activation.waiter import check_once, pass_gate
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import Config, check_location
from pulumi_hbr_clients.model.errors import GateError, HbrError, InputError
from pulumi_hbr_clients.model.outputs import ClientList, to_outputs
from pulumi_hbr_clients.model.validation import snake
from pulumi_hbr_clients.plugin.engine_log import Engine
from pulumi_hbr_clients.plugin.grpc_errors import reasons
from pulumi_hbr_clients.plugin.values import Properties

T = TypeVar("T")
_LISTED: Final = ("clients", "ids", "instanceIds", "totalCount", "countsByStatus")
OUTPUTS: Final = (*_LISTED, "bypassed", "settingsDigest")
Outcome = tuple[str, dict[str, Any], set[str]]
"""A gate's id, its outputs, and the names of outputs that are unknown."""


class Gates:
    """The gates of one provider process."""

    def __init__(self, config: Config, engine: Engine) -> None:
        """`config` is the provider's; progress goes to `engine`."""
        self.config, self.engine = config, engine
        self._waiting: set[asyncio.Task[Any]] = set()

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        """Every fault of the arguments that are known: property path and reason."""
        try:
            gate_mode(self.config)
            if gate := parse_partial(inputs.known(), inputs.unknown, ResourceCondition):
                check_location(gate.query, self.config)
        except InputError as error:
            return list(reasons(error, inputs.secret))
        return []

    async def diff(self, urn: str, state: Mapping[str, Any], old: Properties, new: Properties) -> dict[str, bool]:
        """What makes the gate wait again: name → whether it is an input. `state` holds the outputs."""
        if changed := changed_arguments(old.values, new.values) | new.unknown:
            return dict.fromkeys(sorted(changed), True)
        try:
            gate = parse(arguments_of(new.values), ResourceCondition)
            async with HbrClient(config=self.config) as client:
                output = await outdated_output(gate, state, client, gate_mode(self.config))
        except HbrError as error:
            await self.engine.say(f"not checked again: {error}", urn=urn, warning=True)
            return {}
        return {output: False} if output else {}

    async def pass_(
        self, urn: str, inputs: Properties, *, preview: bool, at_most: float, previous: Mapping[str, Any]
    ) -> Outcome:
        """Wait for a gate, or look once in a preview.

        `at_most` is the resource's custom timeout in seconds, 0 if it has none; `previous` the outputs until now.
        """
        gate = parse_partial(inputs.known(), inputs.unknown, ResourceCondition)
        if gate is None:
            return "", {}, set(OUTPUTS)
        mode = gate_mode(self.config)
        for text in warnings_of(gate, set(map(snake, inputs.secret))):
            await self.engine.say(text, urn=urn, warning=True)
        if at_most and "timeout" not in inputs.values:
            gate = replace(gate, condition=gate.condition.model_copy(update={"timeout": at_most}))
        async with HbrClient(config=self.config) as client:
            work = self._preview(urn, gate, mode, client) if preview else self._wait(urn, gate, mode, client, previous)
            outputs = await self._until_cancelled(work)
        identity = gate.query.resource_id().rpartition("/")[2]
        return (identity, outputs, set()) if outputs else ("", {}, set(OUTPUTS))

    def cancel(self) -> None:
        """End every wait."""
        for task in self._waiting:
            task.cancel()

    async def _preview(self, urn: str, gate: Gate, mode: GateMode, client: HbrClient) -> dict[str, Any]:
        """Say what `up` will wait for. Returns the outputs if the gate would pass now, else nothing."""
        if mode == "off":
            return {}
        verdict = await check_once(gate, client)
        if verdict.state == "passed":
            return _outputs(gate, client, verdict.found, bypassed=False)
        warning = verdict.state == "failed" or mode == "warn"
        await self.engine.say(messages.preview_text(verdict), urn=urn, warning=warning)
        return {}

    async def _wait(
        self, urn: str, gate: Gate, mode: GateMode, client: HbrClient, previous: Mapping[str, Any]
    ) -> dict[str, Any]:
        def log(text: str, *, ephemeral: bool) -> object:
            return asyncio.ensure_future(self.engine.say(text, urn=urn, ephemeral=ephemeral))

        result = await pass_gate(gate, client, mode, ProgressReporter(log))
        if not result.bypassed:
            if result.verdict.note:
                await self.engine.say(result.verdict.note, urn=urn)
            return _outputs(gate, client, result.found, bypassed=False)
        await self.engine.say(messages.bypass_text(result.verdict), urn=urn, warning=True)
        try:
            found = result.found if result.found.complete else (await check_once(gate, client)).found
        except HbrError:
            kept = {name: previous[name] for name in OUTPUTS if name in previous}
            return {**_outputs(gate, client, ClientList(), bypassed=True), **kept, "bypassed": True}
        return _outputs(gate, client, found, bypassed=True)

    async def _until_cancelled(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        self._waiting.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            task.cancel()
            raise GateError("interrupted while waiting; the next update waits again") from None
        finally:
            self._waiting.discard(task)


def _outputs(gate: Gate, client: HbrClient, found: ClientList, *, bypassed: bool) -> dict[str, Any]:
    outputs = to_outputs(gate.query, found)
    return {
        **{name: outputs[name] for name in _LISTED},
        "bypassed": bypassed,
        "settingsDigest": settings_digest(client, gate.query),
    }
