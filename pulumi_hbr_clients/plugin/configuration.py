"""The provider's configuration: what in it cannot work, property by property."""

from typing import Final, get_args

from pydantic import SecretStr

from pulumi_hbr_clients.client.settings import Settings
from pulumi_hbr_clients.model.configuration import Configuration
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.plugin.grpc_errors import reasons
from pulumi_hbr_clients.plugin.values import Properties

KEYS: Final = frozenset(
    field.alias or name for name, field in Configuration.model_fields.items() if SecretStr in get_args(field.annotation)
)
"""Never in clear text in state, also where a program hands them over in clear text."""
_CREDENTIALS: Final = frozenset({*KEYS, "profile", "sharedCredentialsFile", "ecsRoleName", "assumeRole"})


def failures(given: Properties) -> list[tuple[str, str]]:
    """Every fault of what is known. No region is no fault here: a query may name its own."""
    known = given.known()
    settings = Settings(lambda key: known.get(key.removeprefix("hbr-clients:")))
    return [*_location(settings, given), *_credentials(settings, given)]


def _location(settings: Settings, given: Properties) -> list[tuple[str, str]]:
    try:
        settings.location()
    except InputError as error:
        faults = reasons(error, given.secret)
        is_set = settings.first("region").value is not None
        return [fault for fault in faults if fault[0] not in given.unknown and (fault[0] != "region" or is_set)]
    return []


def _credentials(settings: Settings, given: Properties) -> list[tuple[str, str]]:
    """Half a source, or one that cannot be read. What the environment has is judged when a query is asked."""
    if _CREDENTIALS & given.unknown:
        return []
    place = next((place for place in settings.credentials() if place.speaks), None)
    if place is None or place.problem is None or not _CREDENTIALS & given.known().keys():
        return []
    return [("", str(place.problem))]  # the engine prints the value of a property that is named here, secret or not
