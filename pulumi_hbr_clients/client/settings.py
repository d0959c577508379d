"""Region, endpoint, network and credentials of a query, resolved together: `resolve` → one value with every source.

    argument → Pulumi config hbr-clients:* → Pulumi config alicloud:* → environment → Alibaba CLI profile

The first place that sets a part wins; credentials are taken whole from one place (see `credential_chain`). Resolving
happens in the process that runs the query, and only reads: the environment, Pulumi's config, the CLI's file. Nothing
is sent.
"""

import os
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.client.credential_chain import CredentialChain, Layer
from pulumi_hbr_clients.client.credential_specs import CredentialSpec
from pulumi_hbr_clients.model.configuration import (
    ENDPOINT_VARIABLES,
    REGION_VARIABLES,
    STS_ENDPOINT_VARIABLES,
    Config,
    no_config,
)
from pulumi_hbr_clients.model.errors import CredentialsError, InputError, ValidationIssue
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.endpoints import (
    NETWORKS,
    Target,
    endpoint_of,
    parse_endpoint,
    region_issue,
    region_warning,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it was found; None where it is not set. The value may be a secret: it is not in the repr."""

    value: Any = field(repr=False)
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sts:
    """Where roles are assumed."""

    endpoint: str | None = None
    """Host and port, without a scheme; None for the one of `region`."""
    region: str | None = None
    vpc: bool = False


@dataclass(frozen=True, slots=True)
class ResolvedSettings:
    """Where a query is sent and who signs it, each with its source. Holds secrets; its repr shows none."""

    region: Setting
    network: Setting
    endpoint: Setting
    """The address, with scheme and without a path."""
    credentials: CredentialSpec
    sts: Sts = Sts()
    warnings: tuple[str, ...] = ()

    @property
    def account(self) -> Hashable:
        """Equal for settings that sign as the same caller. A key for dictionaries: never show it."""
        return (self.credentials, self.sts)

    @property
    def profile(self) -> str | None:
        """The profile of the Alibaba CLI that signs, or that assumes the role that does."""
        return (self.credentials.base or self.credentials).profile

    @property
    def target(self) -> Target:
        """The same without secrets: a label of the caller, the region and the endpoint."""
        return Target(self.credentials.label, self.region.value, self.endpoint.value)


def check_location(query: Query, config: Config) -> None:
    """Refuse a query that has no region here, or one that cannot be. Raises `InputError` with every issue."""
    Settings(config, {"region": query.region, "endpoint": query.endpoint, "profile": query.profile}).location()


@dataclass(frozen=True)
class Settings:
    """Everything that settings are made from. `resolve` takes the first place of each part; `doctor` shows them all."""

    config: Config = field(default=no_config, repr=False)
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """region, endpoint, network, profile, assume_role and credentials; what is None is not given."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def resolve(self) -> ResolvedSettings:
        """Resolve all parts together.

        Raises:
            InputError: a region, an endpoint or a network that cannot be, or no region anywhere.
            CredentialsError: half a source of credentials, one that cannot be read, or none.
        """
        chosen = next((place for place in self.credentials if place.is_set), None)
        if chosen and chosen.problem and self.first("region").value is None:
            raise chosen.problem  # perhaps the profile that would have named the region
        region, network, endpoint, warnings = self.location()
        if chosen and chosen.problem:
            raise chosen.problem
        if chosen is None or chosen.spec is None:
            places = "; ".join(f"{place.name} ({place.note})" for place in self.credentials)
            msg = f"no credentials are set. Looked at, in this order: {places}. `hbr-clients doctor` shows this too"
            raise CredentialsError(msg)
        return ResolvedSettings(region, network, endpoint, chosen.spec, self.sts(), warnings)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Arguments, then each namespace of Pulumi config."""
        arguments = {to_camel(name): value for name, value in self.arguments.items()}
        return Layer(arguments.get), Layer(self.config, "hbr-clients:"), Layer(self.config, "alicloud:")

    @property
    def credentials(self) -> CredentialChain:
        """Every place of credentials, in order."""
        return CredentialChain(self.layers, self.environment)

    def location(self) -> tuple[Setting, Setting, Setting, tuple[str, ...]]:
        """Region, network, endpoint, and warnings. Raises `InputError` with every issue of them."""
        region, network, endpoint = map(self.first, ("region", "network", "endpoint"))
        endpoint = _of_region(endpoint, region.value)
        if issues := list(self._issues(region, network, endpoint)):
            raise InputError(*issues)
        network = network if network.value else Setting("public", "default")
        if endpoint.value is not None:
            return region, network, Setting(parse_endpoint(endpoint.value), endpoint.source), ()
        endpoint = Setting(endpoint_of(region.value, network.value), "the region's own")
        is_checked = str(self.config("alicloud:skipRegionValidation")).lower() != "true"
        warning = region_warning(region.value) if is_checked else None
        return region, network, endpoint, (f"{warning} ({region.source})",) if warning else ()

    def first(self, key: str) -> Setting:
        """The first place that sets region, network or endpoint; a value of None if none does."""
        return next((found for found in self.places(key) if found.value is not None), Setting(None, ""))

    def places(self, key: str) -> Iterator[Setting]:
        """Every place of region, network or endpoint, in order. A profile's region counts where the profile signs."""
        is_region, is_signed, credentials = key == "region", False, self.credentials
        for layer in self.layers:
            if key == "endpoint" and layer.namespace == "alicloud:":
                yield Setting(layer.endpoint("hbr"), f"{layer.source('endpoints')} hbr")
            else:
                yield Setting(layer.get(key), layer.source(key))
            place = credentials.of_layer(layer) if is_region and not is_signed else None
            is_signed = is_signed or bool(place and place.is_set)
            if place and layer.get("profile"):
                yield Setting(place.region_id, f"region_id of {place.name}")
        for name in {"region": REGION_VARIABLES, "endpoint": ENDPOINT_VARIABLES}.get(key, ()):
            yield Setting((self.environment.get(name) or "").strip() or None, f"environment {name}")
        if is_region and not is_signed:
            profile = credentials.profile_of_environment()
            note = str(profile.problem) if profile.problem else profile.note
            yield Setting(profile.region_id, f"region_id of {profile.name}", note)

    def sts(self) -> Sts:
        """Where roles are assumed: the Alibaba Cloud provider's endpoints, then the environment."""
        environment = self.environment
        named = [layer.endpoint("sts") for layer in self.layers]
        named += [environment.get(name) for name in STS_ENDPOINT_VARIABLES]
        endpoint = next((str(name).rpartition("://")[2] for name in named if name), None)
        vpc = environment.get("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "").lower() == "true"
        return Sts(endpoint, environment.get("ALIBABA_CLOUD_STS_REGION") or None, vpc)

    def _issues(self, region: Setting, network: Setting, endpoint: Setting) -> Iterator[ValidationIssue]:
        """Each names the place that the value came from; no region names every place where one may be set."""
        if region.value is None:
            *_, profile = self.places("region")
            yield ValidationIssue(
                "region",
                "is not set. Give it as the argument region (--region), as Pulumi config hbr-clients:region or "
                f"alicloud:region, in the environment as {' or '.join(REGION_VARIABLES)}, or as region_id of the "
                f"profile in ~/.aliyun/config.json{f' ({profile.note})' if profile.note else ''}",
            )
        elif endpoint.value is None and (issue := region_issue(region.value)):
            yield _from(issue, region)
        if network.value is not None and network.value not in NETWORKS:
            issue = ValidationIssue("network", f"must be one of {', '.join(NETWORKS)}", repr(network.value))
            yield _from(issue, network)
        parsed = parse_endpoint(endpoint.value) if endpoint.value is not None else None
        if isinstance(parsed, ValidationIssue):
            yield _from(parsed, endpoint)


def _of_region(endpoint: Setting, region: str | None) -> Setting:
    """The endpoint of a region where there is one for each: `cn-hangzhou=ADDRESS,cn-shanghai=ADDRESS`."""
    if region is None or "=" not in str(endpoint.value):
        return endpoint
    named = dict(part.strip().partition("=")[::2] for part in str(endpoint.value).split(","))
    if region not in named:
        reason = f"names no endpoint for {region}, only for {', '.join(named)}"
        raise InputError(ValidationIssue("endpoint", reason, f"from {endpoint.source}"))
    return Setting(named[region], endpoint.source)


def _from(issue: ValidationIssue, setting: Setting) -> ValidationIssue:
    return ValidationIssue(issue.path, issue.reason, f"{issue.given} from {setting.source}".lstrip())
