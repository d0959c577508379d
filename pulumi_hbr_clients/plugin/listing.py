"""`getBackupClients` for every language: arguments → query → list → plain results."""

from typing import Any, cast

from pulumi_hbr_clients import program
from pulumi_hbr_clients.api import HbrClient
from pulumi_hbr_clients.core import query as queries
from pulumi_hbr_clients.core.checks import snake
from pulumi_hbr_clients.core.clients import ClientList, left_out, to_plain
from pulumi_hbr_clients.core.errors import InputError
from pulumi_hbr_clients.core.query import Query
from pulumi_hbr_clients.plugin.engine import Engine
from pulumi_hbr_clients.plugin.failures import reasons
from pulumi_hbr_clients.plugin.properties import Properties
from pulumi_hbr_clients.settings import Config


async def list_clients(
    asked: Properties, config: Config, engine: Engine
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The result, or the faults of the arguments. Raises `HbrError` for what the service refused."""
    try:
        query = cast("Query", queries.parse(asked.known()))
        async with HbrClient(config=config) as client:
            found = await client.ask(query)
    except InputError as error:
        return {}, list(reasons(error, asked.secret))
    for text in program.notices(query, found, set(map(snake, asked.secret))):
        await engine.say(text, warning=True)
    return result(query, found), []


def result(query: Query, found: ClientList) -> dict[str, Any]:
    """The list under state names, as `schema.json` says."""
    answer = {
        "clients": to_plain(found.clients, leave_out=left_out(query.fields)),
        "ids": list(found.ids),
        "instanceIds": list(found.instance_ids),
        **found.summary(),
    }
    return {**answer, "proxyPasswords": found.shown_passwords()} if query.include_proxy_passwords else answer
