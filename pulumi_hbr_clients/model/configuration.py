"""What a provider may be configured with: Pulumi config `hbr-clients:<key>`, or the inputs of an explicit provider.

`Configuration` is the source for these keys: their names, which are secret, and the environment variables that stand
in for them. The schema describes them from here. Reads nothing itself.
"""

import json
from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.model.validators import Word, between, optional

Config = Callable[[str], Any]
"""Pulumi's config: a full key (`hbr-clients:region`) → its value, or None."""
REGION_VARIABLES: Final = ("ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_REGION", "ALICLOUD_REGION")
ENDPOINT_VARIABLES: Final = ("ALIBABA_CLOUD_ENDPOINT_HBR", "HBR_ENDPOINT")
PROFILE_VARIABLES: Final = ("ALIBABA_CLOUD_PROFILE", "ALICLOUD_PROFILE", "ALIBABACLOUD_PROFILE")
PROFILE_FILE_VARIABLES: Final = ("ALICLOUD_SHARED_CREDENTIALS_FILE",)
URI_VARIABLES: Final = ("ALIBABA_CLOUD_CREDENTIALS_URI", "ALICLOUD_CREDENTIALS_URI")
ECS_ROLE_VARIABLE: Final = "ALICLOUD_ECS_ROLE_NAME"
KEY_VARIABLES: Final = (
    ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"),
    ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", "ALICLOUD_SECURITY_TOKEN"),
    ("ALIBABACLOUD_ACCESS_KEY_ID", "ALIBABACLOUD_ACCESS_KEY_SECRET", "ALIBABACLOUD_SECURITY_TOKEN"),
)
"""Access key id, secret and token: alibabacloud-credentials' names, then those of the Alibaba Cloud provider."""
OIDC_VARIABLES: Final = (
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    "ALIBABA_CLOUD_ROLE_ARN",
)
STS_ENDPOINT_VARIABLES: Final = ("ALIBABA_CLOUD_STS_ENDPOINT", "ALIBABA_CLOUD_ENDPOINT_STS")
_MODEL: Final = ConfigDict(
    frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, defer_build=True
)
_SESSION_SECONDS: Final = (900, 43_200)
"""What STS accepts as DurationSeconds (AssumeRole, API reference of Sts 2015-04-01)."""


def _as_json_text(value: Any) -> Any:
    """A policy may be given as an object; STS takes its text."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True) if isinstance(value, dict | list) else value


def no_config(_key: str) -> None:
    """The config of a program that has none."""


class AssumeRole(BaseModel):
    """A RAM role to assume with the credentials that were found."""

    model_config = _MODEL

    role_arn: Word = Field(description="The role's ARN, as in `acs:ram::1234567890123456:role/reader`.")
    session_name: Word | None = optional("A name for the session, for audit logs. If left out: pulumi-hbr-clients.")
    session_expiration: Annotated[int, between(*_SESSION_SECONDS)] | None = optional(
        "How long the role is assumed, in seconds, 900 to 43200. If left out: 3600."
    )
    policy: Annotated[str, BeforeValidator(_as_json_text)] | None = optional(
        "A policy, as JSON text or as an object, that narrows what the role may do."
    )
    external_id: Word | None = optional("The external id that the role's trust policy asks for. It is no secret.")


class Configuration(BaseModel):
    """Where to ask, and who signs."""

    model_config = _MODEL

    region: Word | None = optional("The region, for example cn-hangzhou.", *REGION_VARIABLES)
    endpoint: Word | None = optional(
        "The service's address, in place of the region's own: https, or http on this machine.", *ENDPOINT_VARIABLES
    )
    network: Word | None = optional("How the region's own address is reached: public or vpc. If left out: public.")
    access_key: SecretStr | None = optional("The AccessKey id. Give secret_key in the same place.", KEY_VARIABLES[0][0])
    secret_key: SecretStr | None = optional("The AccessKey secret.", KEY_VARIABLES[0][1])
    security_token: SecretStr | None = optional("The token that temporary keys come with.", KEY_VARIABLES[0][2])
    profile: Word | None = optional("The profile to use of the Alibaba CLI's config file.", *PROFILE_VARIABLES[:2])
    shared_credentials_file: str | None = optional(
        "The file that holds the profiles, in place of ~/.aliyun/config.json.", *PROFILE_FILE_VARIABLES
    )
    ecs_role_name: Word | None = optional("The RAM role of the ECS instance that this runs on.", ECS_ROLE_VARIABLE)
    credentials_uri: SecretStr | None = optional("An address that gives temporary credentials.", *URI_VARIABLES)
    assume_role: Annotated[AssumeRole | None, Field(description="A RAM role to assume.")] = None
    gates: Word | None = optional(
        "Whether gates hold: enforce (the default), warn (look once, warn and pass) or off (pass). The environment "
        "wins over it, so that one run can bypass the gates.",
        "HBR_CLIENTS_GATES",
    )


CONFIG_KEYS: Final = (
    *(f"{place}:{to_camel(name)}" for place in ("hbr-clients", "alicloud") for name in Configuration.model_fields),
    *("alicloud:endpoints", "alicloud:assumeRoleWithOidc", "alicloud:skipRegionValidation"),
)
"""Every key of Pulumi config that is read, also those of the Alibaba Cloud provider that are refused by name."""
