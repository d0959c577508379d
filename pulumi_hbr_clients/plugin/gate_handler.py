"""`ActivationGate` for every language: checked, looked at in previews, waited for in create and update."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Final, TypeVar

from pulumi_hbr_clients.activation import stack_gate
from pulumi_hbr_clients.activation.condition import ResourceCondition, gate_mode, parse_partial
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import check_location
from pulumi_hbr_clients.model.configuration import Config
from pulumi_hbr_clients.model.errors import GateError, HbrError, InputError
from pulumi_hbr_clients.model.outputs import to_outputs
from pulumi_hbr_clients.model.validators import snake
from pulumi_hbr_clients.plugin.engine_log import Engine
from pulumi_hbr_clients.plugin.grpc_errors import reasons
from pulumi_hbr_clients.plugin.values import UNKNOWN, Properties

T = TypeVar("T")
OUTPUTS: Final = ("clients", "ids", "instanceIds", "totalCount", "countsByStatus", "bypassed", "settingsDigest")
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
        arguments = {**new.values, **dict.fromkeys(new.unknown, UNKNOWN)}  # unlike any value that is known
        try:
            names = await stack_gate.reasons_to_wait(old.values, arguments, state, gate_mode(self.config), self.config)
        except HbrError as error:
            await self.engine.say(f"not checked again: {error}", urn=urn, warning=True)
            return {}
        return {name: name in stack_gate.ARGUMENTS for name in sorted(names)}

    async def pass_(
        self, urn: str, inputs: Properties, *, preview: bool, at_most: float, previous: Mapping[str, Any]
    ) -> Outcome:
        """Wait for a gate, or look once in a preview.

        `at_most` is the resource's custom timeout in seconds, 0 if it has none; `previous` the outputs until now.
        """
        timeout = {"timeout": at_most} if at_most and "timeout" not in inputs.values else {}
        gate = parse_partial({**inputs.known(), **timeout}, inputs.unknown, ResourceCondition)
        if gate is None:
            return "", {}, set(OUTPUTS)
        mode, logged = gate_mode(self.config), list[asyncio.Future[None]]()

        def log(text: str, *, ephemeral: bool = False, warning: bool = False) -> None:
            line = self.engine.say(text, urn=urn, ephemeral=ephemeral, warning=warning)
            logged.append(asyncio.ensure_future(line))

        async with HbrClient(config=self.config) as client:
            secret = set(map(snake, inputs.secret))
            work = stack_gate.run(gate, mode, client, log, secret, preview=preview)
            result = await self._until_cancelled(work)
            await asyncio.gather(*logged)
            if result is None:
                return "", {}, set(OUTPUTS)
            identity, found = await stack_gate.outputs(gate, mode, client, to_outputs, previous=previous, result=result)
        return identity, {name: found[name] for name in OUTPUTS}, set()

    def cancel(self) -> None:
        """End every wait."""
        for task in self._waiting:
            task.cancel()

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
