"""`ActivationGate` for every language: checked, looked at in previews and diffs, waited at in create and update.

A gate is looked at again by diff: where the fleet has fallen behind, the next preview shows an update, which waits.
"""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final, TypeVar, cast

from pulumi_hbr_clients.activation import condition as gate
from pulumi_hbr_clients.activation import messages as telling
from pulumi_hbr_clients.activation.condition import ActivationCondition
from pulumi_hbr_clients.activation.progress import ProgressReporter
from pulumi_hbr_clients.activation.waiter import check_once, wait
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import Config, with_resolved_target
from pulumi_hbr_clients.model.backup_client import VOLATILE_FIELDS, to_dicts
from pulumi_hbr_clients.model.errors import GateError, HbrError, InputError
from pulumi_hbr_clients.model.outputs import ClientList, excluded_fields
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.model.validation import snake
from pulumi_hbr_clients.plugin.engine_log import Engine
from pulumi_hbr_clients.plugin.grpc_errors import reasons
from pulumi_hbr_clients.plugin.values import Properties

T = TypeVar("T")
OUTPUTS: Final = ("clients", "ids", "totalCount", "countsByStatus")
Outcome = tuple[str, dict[str, Any], set[str]]
"""A gate's id, its outputs, and the names of those that are unknown."""


class Gates:
    """The gates of one provider process."""

    def __init__(self, config: Config, engine: Engine) -> None:
        """None waits yet."""
        self.config, self.engine = config, engine
        self._waiting: set[asyncio.Task[Any]] = set()

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        """Every fault of what is known."""
        try:
            if asked := gate.parse(inputs.known(), inputs.unknown):
                with_resolved_target(asked[0], self.config)
        except InputError as error:
            return list(reasons(error, inputs.secret))
        return []

    async def diff(self, urn: str, old: Properties, new: Properties) -> dict[str, bool]:
        """What would be updated: name → whether it is an input. `countsByStatus` where the fleet has fallen behind."""
        names = old.values.keys() | new.values.keys() | new.unknown
        inputs = {n for n in names if n not in OUTPUTS and (n in new.unknown or old.values.get(n) != new.values.get(n))}
        if inputs or new.unknown:
            return dict.fromkeys(sorted(inputs), True)
        return {} if await self._still_passes(urn, new) else {"countsByStatus": False}

    async def pass_(self, urn: str, inputs: Properties, *, preview: bool, at_most: float) -> Outcome:
        """Wait at a gate, or look once. `at_most` is the resource's custom timeout in seconds, 0 if it has none."""
        asked = gate.parse(inputs.known(), inputs.unknown)
        if asked is None:
            return "", {}, set(OUTPUTS)
        query, condition = with_resolved_target(asked[0], self.config), asked[1]
        for text in gate.warnings_of(query, condition, set(map(snake, inputs.secret))):
            await self.engine.say(text, urn=urn, warning=True)
        if at_most:
            condition = condition.model_copy(update={"timeout": at_most})
        if preview:
            return await self._look(urn, query, condition)
        found = await self._until_cancelled(self._wait(urn, query, condition))
        return query.resource_id(), _record(query, found), set()

    def cancel(self) -> None:
        """End every wait."""
        for task in self._waiting:
            task.cancel()

    async def _wait(self, urn: str, query: Query, condition: ActivationCondition) -> ClientList:
        async with HbrClient(config=self.config) as client:
            with ProgressReporter(partial(self._say, urn)) as row:
                return (await wait(query, condition, client, row.update)).found

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

    async def _look(self, urn: str, query: Query, condition: ActivationCondition) -> Outcome:
        async with HbrClient(config=self.config) as client:
            verdict, found = await check_once(query, condition, client)
        if verdict.state == "passed":
            return query.resource_id(), _record(query, found), set()
        await self.engine.say(telling.outlook(verdict), urn=urn, warning=verdict.state == "failed")
        return "", {}, set(OUTPUTS)

    async def _still_passes(self, urn: str, inputs: Properties) -> bool:
        """Whether the gate would pass now. A service that does not answer is no reason for an update."""
        query, condition = cast("tuple[Query, ActivationCondition]", gate.parse(inputs.known()))
        try:
            async with HbrClient(config=self.config) as client:
                verdict, _ = await check_once(with_resolved_target(query, self.config), condition, client)
        except HbrError as error:
            await self.engine.say(f"not looked at again: {error}", urn=urn, warning=True)
            return True
        return verdict.state == "passed"

    async def _say(self, urn: str, text: str, *, live: bool) -> None:
        await self.engine.say(text, urn=urn, ephemeral=live)


def _record(query: Query, found: ClientList) -> dict[str, Any]:
    """What the gate saw when it passed; without what moves by itself, or every refresh would differ."""
    return {
        "clients": to_dicts(found.clients, leave_out=excluded_fields(query) | set(VOLATILE_FIELDS)),
        "ids": list(found.ids),
        "totalCount": found.total_count,
        "countsByStatus": dict(found.counts_by_status),
    }
