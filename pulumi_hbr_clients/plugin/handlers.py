"""What the provider does: checks its configuration, lists clients, and checks, compares and waits for gates.

Plain Python in and out; `Failures` are all faults of a call. Loaded when first needed: pydantic and httpx take 0.4 s.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.activation.condition import gate_mode, parse_partial
from pulumi_hbr_clients.activation.stack_gate import ARGUMENTS, StackGate, reasons_to_wait
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import Settings, check_location
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.configuration import Config, Configuration
from pulumi_hbr_clients.model.errors import GateError, HbrError, InputError
from pulumi_hbr_clients.model.outputs import to_outputs, warnings_of
from pulumi_hbr_clients.model.validators import snake
from pulumi_hbr_clients.plugin.engine import EngineLog
from pulumi_hbr_clients.plugin.values import UNKNOWN, Properties

Failures = list[tuple[str, str]]
"""Property path in the engine's spelling (`tags[2].key`), and the reason."""


class Handlers:
    """The calls of one provider process."""

    SECRET_KEYS = frozenset(
        to_camel(name) for name, field in Configuration.model_fields.items() if SecretStr in get_args(field.annotation)
    )
    """Settings that are never in clear text in state, also where a program hands them over in clear text."""
    _CREDENTIALS = SECRET_KEYS | {"profile", "sharedCredentialsFile", "ecsRoleName", "assumeRole"}

    def __init__(self, config: Config, log: EngineLog) -> None:
        """`config` is the provider's; progress and warnings go to `log`."""
        self.config, self.log = config, log
        self._waiting: set[asyncio.Task[Any]] = set()

    def check_config(self, given: Properties) -> Failures:
        """Return every fault of what is known. No region is no fault here: a query may name its own."""
        known = given.known()
        settings = Settings(lambda key: known.get(key.removeprefix("hbr-clients:")))
        failures: Failures = []
        try:
            settings.location()
        except InputError as error:
            is_set = settings.first("region").value is not None
            found = ((path, reason) for path, reason in _failures(error, given) if path not in given.unknown)
            failures += [(path, reason) for path, reason in found if path != "region" or is_set]
        # half a source, or one that cannot be read; what the environment has is judged when a query is sent
        if self._CREDENTIALS & known.keys() and not self._CREDENTIALS & given.unknown:
            place = next((place for place in settings.credentials if place.is_set), None)
            if place and place.problem:
                # no path: the engine prints the value of a property that is named there, secret or not
                failures.append(("", str(place.problem)))
        return failures

    async def list_clients(self, arguments: Properties) -> tuple[dict[str, Any], Failures]:
        """Return the result, or the faults of the arguments. Raises `HbrError` for what the service refused."""
        try:
            query = queries.parse(arguments.known())
            async with HbrClient(config=self.config) as client:
                found = await client.list(query)
        except InputError as error:
            return {}, _failures(error, arguments)
        for text in warnings_of(query, found, set(map(snake, arguments.secret))):
            await self.log.write(text, warning=True)
        return to_outputs(query, found), []

    def check_gate(self, inputs: Properties) -> Failures:
        """Return every fault of the arguments that are known."""
        try:
            gate_mode(self.config)
            if gate := parse_partial(inputs.known(), inputs.unknown):
                check_location(gate.query, self.config)
        except InputError as error:
            return _failures(error, inputs)
        return []

    async def diff_gate(self, urn: str, state: Mapping[str, Any], old: Properties, new: Properties) -> dict[str, bool]:
        """Return what makes the gate wait again: name → whether it is an input. `state` holds the outputs."""
        arguments = {**new.values, **dict.fromkeys(new.unknown, UNKNOWN)}  # unlike any value that is known
        try:
            names = await reasons_to_wait(old.values, arguments, state, gate_mode(self.config), self.config)
        except HbrError as error:
            await self.log.write(f"not checked again: {error}", urn=urn, warning=True)
            return {}
        return {name: name in ARGUMENTS for name in sorted(names)}

    async def pass_gate(
        self, urn: str, inputs: Properties, *, preview: bool, at_most: float, previous: Mapping[str, Any]
    ) -> tuple[str, dict[str, Any]] | None:
        """Wait for a gate, or look once in a preview. Return its id and its outputs, or None if they are not known.

        `at_most` is the resource's custom timeout in seconds, 0 if it has none; `previous` the outputs until now.
        """
        timeout = {"timeout": at_most} if at_most and "timeout" not in inputs.values else {}
        gate = parse_partial({**inputs.known(), **timeout}, inputs.unknown)
        if gate is None:
            return None
        logged = list[asyncio.Future[None]]()

        def log(text: str, *, ephemeral: bool = False, warning: bool = False) -> None:
            line = self.log.write(text, urn=urn, ephemeral=ephemeral, warning=warning)
            logged.append(asyncio.ensure_future(line))

        async with HbrClient(config=self.config) as client:
            secret = set(map(snake, inputs.secret))
            stack_gate = StackGate(gate, gate_mode(self.config), client)
            work = asyncio.create_task(stack_gate.run(log, secret, preview=preview))
            self._waiting.add(work)
            try:
                result = await work
            except asyncio.CancelledError:
                work.cancel()
                raise GateError("interrupted while waiting; the next update waits again") from None
            finally:
                self._waiting.discard(work)
            await asyncio.gather(*logged)
            if result is None:
                return None
            return await stack_gate.outputs(to_outputs, previous, result)

    def cancel(self) -> None:
        """End every wait."""
        for task in self._waiting:
            task.cancel()


def _failures(error: InputError, given: Properties) -> Failures:
    """The engine prints the value of a property that is named, secret or not: a secret one is named in the reason."""
    failures = []
    for fault in error.faults:
        head, *rest = fault.path.split(".")
        path = ".".join([to_camel(head), *rest])
        is_secret = to_camel(fault.argument) in given.secret
        failures.append(("", f"{path}: {fault.redacted().detail}") if is_secret else (path, fault.detail))
    return failures
