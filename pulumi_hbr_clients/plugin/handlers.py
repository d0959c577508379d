"""CheckConfig and `getBackupClients`: properties → faults or results. Loaded when first asked: it takes 0.4 s."""

from typing import Any, Final, get_args

from pydantic import SecretStr

from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.settings import Settings
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.configuration import Config, Configuration
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.model.outputs import to_outputs, warnings_of
from pulumi_hbr_clients.model.validators import snake
from pulumi_hbr_clients.plugin.engine_log import Engine
from pulumi_hbr_clients.plugin.grpc_errors import reasons
from pulumi_hbr_clients.plugin.values import Properties

SECRET_KEYS: Final = frozenset(
    field.alias or name for name, field in Configuration.model_fields.items() if SecretStr in get_args(field.annotation)
)
"""Never in clear text in state, also where a program hands them over in clear text."""
_CREDENTIALS: Final = frozenset({*SECRET_KEYS, "profile", "sharedCredentialsFile", "ecsRoleName", "assumeRole"})


def configuration_faults(given: Properties) -> list[tuple[str, str]]:
    """Every fault of what is known: property path and reason. No region is no fault here: a query may name its own."""
    known = given.known()
    settings = Settings(lambda key: known.get(key.removeprefix("hbr-clients:")))
    return [*_location_faults(settings, given), *_credential_faults(settings, given)]


def _location_faults(settings: Settings, given: Properties) -> list[tuple[str, str]]:
    try:
        settings.location()
    except InputError as error:
        faults = reasons(error, given.secret)
        is_set = settings.first("region").value is not None
        return [fault for fault in faults if fault[0] not in given.unknown and (fault[0] != "region" or is_set)]
    return []


def _credential_faults(settings: Settings, given: Properties) -> list[tuple[str, str]]:
    """Half a source, or one that cannot be read. What the environment has is judged when a query is asked."""
    if _CREDENTIALS & given.unknown:
        return []
    place = next((place for place in settings.credentials if place.is_set), None)
    if place is None or place.problem is None or not _CREDENTIALS & given.known().keys():
        return []
    return [("", str(place.problem))]  # the engine prints the value of a property that is named here, secret or not


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
