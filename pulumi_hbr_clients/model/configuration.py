"""What a provider may be configured with: Pulumi config `hbr-clients:<key>`, or the inputs of an explicit provider.

`Configuration` is the truth for these keys: their names, which are secret, and the environment variables that stand
in for them. `schema` describes them from here. Reads nothing itself.
"""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.model import validators

REGION_VARIABLES: Final = ("ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_REGION", "ALICLOUD_REGION")
ENDPOINT_VARIABLES: Final = ("ALIBABA_CLOUD_ENDPOINT_HBR", "HBR_ENDPOINT")
KEY_VARIABLES: Final = (
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
)
PROFILE_VARIABLE: Final = "ALIBABA_CLOUD_PROFILE"
_SPELLING: Final = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


def _key(description: str, *variables: str) -> Any:
    """A key that may be left out, and the environment variables that are read where it is, the first first."""
    extra: dict[str, Any] = {"environment": list(variables)} if variables else {}
    return Field(None, description=description, json_schema_extra=extra)


class AssumeRole(BaseModel):
    """A RAM role to assume with the credentials that were found."""

    model_config = _SPELLING

    role_arn: validators.Word = Field(description="The role's ARN, as in `acs:ram::1234567890123456:role/reader`.")
    session_name: validators.Word | None = _key(
        "A name for the session, for audit logs. If left out: pulumi-hbr-clients."
    )
    session_expiration: int | None = _key("How long the role is assumed, in seconds. If left out: 3600.")
    policy: str | None = _key("A policy, as JSON, that narrows what the role may do.")
    external_id: validators.Word | None = _key(
        "The external id that the role's trust policy asks for. It is no secret."
    )


class Configuration(BaseModel):
    """Where to ask, and who signs."""

    model_config = _SPELLING

    region: validators.Word | None = _key("The region, for example cn-hangzhou.", *REGION_VARIABLES)
    endpoint: validators.Word | None = _key(
        "The service's address, in place of the region's own: https, or http on this machine.", *ENDPOINT_VARIABLES
    )
    network: validators.Word | None = _key(
        "How the region's own address is reached: public or vpc. If left out: public."
    )
    access_key: SecretStr | None = _key("The AccessKey id. Give secret_key in the same place.", KEY_VARIABLES[0])
    secret_key: SecretStr | None = _key("The AccessKey secret.", KEY_VARIABLES[1])
    security_token: SecretStr | None = _key("The token that temporary keys come with.", KEY_VARIABLES[2])
    profile: validators.Word | None = _key("The profile to use of the Alibaba CLI's config file.", PROFILE_VARIABLE)
    ecs_role_name: validators.Word | None = _key("The RAM role of the ECS instance that this runs on.")
    assume_role: Annotated[AssumeRole | None, Field(description="A RAM role to assume.")] = None
