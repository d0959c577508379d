"""The provider's configuration: what in it cannot work, property by property."""

from typing import Any, Final, get_args

from pydantic import SecretStr

from pulumi_hbr_clients.client.credentials import credential_source
from pulumi_hbr_clients.client.settings import Settings
from pulumi_hbr_clients.model.configuration import Configuration
from pulumi_hbr_clients.model.errors import CredentialsError, InputError
from pulumi_hbr_clients.plugin.grpc_errors import reasons
from pulumi_hbr_clients.plugin.values import Properties

KEYS: Final = frozenset(
    field.alias or name for name, field in Configuration.model_fields.items() if SecretStr in get_args(field.annotation)
)
"""Never in clear text in state, also where a program hands them over in clear text."""


def failures(given: Properties) -> list[tuple[str, str]]:
    """Every fault of what is known. No region is no fault here: a query may name its own."""
    known = given.known()
    settings = Settings(lambda key: known.get(key.removeprefix("hbr-clients:")))
    return [fault for fault in (*_places(settings, given), *_keys(settings, given)) if fault[0] not in given.unknown]


def _places(settings: Settings, given: Properties) -> list[tuple[str, str]]:
    try:
        settings.target("provider")
    except InputError as error:
        return [fault for fault in reasons(error, given.secret) if fault[0] != "region" or settings.get("region")]
    return []


def _keys(settings: Settings, given: Properties) -> list[tuple[str, str]]:
    names: set[Any] = {"accessKey", "secretKey", "securityToken", "assumeRole"}
    if names & given.unknown:
        return []
    try:
        credential_source(settings)
    except CredentialsError as error:
        return [("", str(error))]  # the engine prints the value of a property that is named here, secret or not
    return []
