"""`getBackupClients` for every language: arguments → query → list → plain results."""

from typing import Any, cast

from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import Config
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.backup_client import ClientList, excluded_fields, to_dicts
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.model.validation import snake
from pulumi_hbr_clients.plugin.engine_log import Engine
from pulumi_hbr_clients.plugin.grpc_errors import reasons
from pulumi_hbr_clients.plugin.values import Properties
from pulumi_hbr_clients.resources import pulumi_runtime as program


async def list_clients(
    asked: Properties, config: Config, engine: Engine
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The result, or the faults of the arguments. Raises `HbrError` for what the service refused."""
    try:
        query = cast("Query", queries.parse(asked.known()))
        async with HbrClient(config=config) as client:
            found = await client.list(query)
    except InputError as error:
        return {}, list(reasons(error, asked.secret))
    for text in program.notices(query, found, set(map(snake, asked.secret))):
        await engine.say(text, warning=True)
    return result(query, found), []


def result(query: Query, found: ClientList) -> dict[str, Any]:
    """The list under state names, as `schema.json` says."""
    answer = {
        "clients": to_dicts(found.clients, leave_out=excluded_fields(query.fields)),
        "ids": list(found.ids),
        "instanceIds": list(found.instance_ids),
        **found.summary(),
    }
    return {**answer, "proxyPasswords": found.reveal_passwords()} if query.include_proxy_passwords else answer
