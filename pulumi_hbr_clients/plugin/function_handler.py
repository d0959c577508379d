"""`getBackupClients` for every language: arguments → query → list → plain results."""

from typing import Any

from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import Config
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.model.outputs import to_outputs, warnings_of
from pulumi_hbr_clients.model.validation import snake
from pulumi_hbr_clients.plugin.engine_log import Engine
from pulumi_hbr_clients.plugin.grpc_errors import reasons
from pulumi_hbr_clients.plugin.values import Properties


async def list_clients(
    asked: Properties, config: Config, engine: Engine
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The result, or the faults of the arguments. Raises `HbrError` for what the service refused."""
    try:
        query = queries.parse(asked.known())
        async with HbrClient(config=config) as client:
            found = await client.list(query)
    except InputError as error:
        return {}, list(reasons(error, asked.secret))
    for text in warnings_of(query, found, set(map(snake, asked.secret))):
        await engine.say(text, warning=True)
    return to_outputs(query, found), []
