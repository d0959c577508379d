"""Where region, endpoint and credentials come from: the first layer that names one wins, and says so.

    argument → Pulumi config hbr-clients:* → Pulumi config alicloud:* → environment → Alibaba CLI profile

Reads the environment and the CLI's config file; the doors hand over Pulumi's config. Sends nothing. Every value
knows its source, which is what `hbr-clients doctor` shows.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pulumi_hbr_clients.model.configuration import ENDPOINT_VARIABLES, PROFILE_VARIABLE, REGION_VARIABLES
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol.endpoints import (
    Target,
    address,
    endpoint_of,
    network_fault,
    region_fault,
)

_NAMESPACES: Final = ("hbr-clients", "alicloud")
_VARIABLES: Final = {
    "region": REGION_VARIABLES,
    "endpoint": ENDPOINT_VARIABLES,
    "profile": (PROFILE_VARIABLE,),
}

Config = Callable[[str], Any]
"""Pulumi's config: a full key (`hbr-clients:region`) → its value, or None."""


def no_config(_key: str) -> None:
    """The config of a program that has none."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it was found. The value may be a secret: it is not in the repr."""

    value: Any = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All layers, ready to be asked. Immutable; the environment is read when asked."""

    config: Config = no_config
    arguments: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def get(self, key: str) -> Setting | None:
        """The first place that names this key."""
        return next((place for place in self.places(key) if place.value is not None), None)

    def places(self, key: str) -> Iterator[Setting]:
        """Every place where this key is looked for, in order; the value is None where it is not set."""
        yield Setting(self.arguments.get(key), "argument")
        for namespace in _NAMESPACES:
            yield Setting(self._config(namespace, key) or None, f"Pulumi config {namespace}:{key}")
        for name in _VARIABLES.get(key, ()):
            yield Setting(self.environment.get(name) or None, f"environment {name}")
        if key == "region":
            yield Setting(self.profile().get("region_id") or None, f"region_id of {self.profile_place()}")

    def first_of(self, *keys: str) -> tuple[str, dict[str, Any], str] | None:
        """The first of arguments, hbr-clients:* and alicloud:* that names any of these keys.

        Gives the strongest key there, the layer's values of all keys, and the layer's name: credentials are
        never put together from two layers.
        """
        layers = [("argument", {key: self.arguments.get(key) for key in keys})]
        layers += [
            (f"Pulumi config {space}:", {key: self._config(space, key) for key in keys}) for space in _NAMESPACES
        ]
        for name, values in layers:
            if found := next((key for key in keys if values[key]), None):
                return found, values, f"{name}{found}" if name[-1] == ":" else name
        return None

    def _config(self, namespace: str, key: str) -> Any:
        if namespace == "alicloud" and key == "endpoint":
            found = as_object(self.config("alicloud:endpoints"))
            rows = found if isinstance(found, list) else [found]
            return next((row["hbr"] for row in rows if isinstance(row, dict) and row.get("hbr")), None)
        return self.config(f"{namespace}:{key}")

    def profile_file(self) -> Path:
        """The Alibaba CLI's config file."""
        return Path(self.environment.get("HOME") or Path.home()) / ".aliyun" / "config.json"

    def profile_place(self) -> str:
        """The CLI profile in use and its file, in words, whether it is there or not."""
        named = self.get("profile")
        name = named.value if named else self.profile().get("name")
        return f"{f'profile {name}' if name else 'the current profile'} in {self.profile_file()}"

    def profile(self) -> dict[str, Any]:
        """The CLI profile in use: the one that is named, else the file's current one; {} if none."""
        if self.environment.get("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "").lower() == "true":
            return {}
        try:
            content = json.loads(self.profile_file().read_text())
            named = self.get("profile")
            name = named.value if named else content.get("current")
            return next((p for p in content["profiles"] if p.get("name") == name), {})
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return {}

    def target(self, account: str) -> Target:
        """The region and the address to speak to. Raises `InputError` with all faults, nothing sent."""
        region, endpoint = self.get("region"), self.get("endpoint")
        network = self.get("network")
        faults = [_NO_REGION] if region is None else []
        if network and (fault := network_fault(network.value)):
            faults.append(_from(fault, network))
        if region and not endpoint and (fault := region_fault(region.value)):
            faults.append(_from(fault, region))
        url = address(endpoint.value) if endpoint else None
        if endpoint and isinstance(url, ValidationIssue):
            faults.append(_from(url, endpoint))
        if faults or region is None or isinstance(url, ValidationIssue):
            raise InputError(*faults)
        url = url or endpoint_of(region.value, network.value if network else "public")
        return Target(account, region.value, url)


def with_resolved_target(query: Query, config: Config) -> Query:
    """The query with the region and the endpoint that the settings give it. Raises `InputError`."""
    own = {"region": query.region, "endpoint": query.endpoint}
    settings = Settings(config, {name: value for name, value in own.items() if value is not None})
    target = settings.target("program")
    return query.model_copy(update={"region": target.region, "endpoint": target.endpoint})


def as_object(value: Any) -> Any:
    """Structured Pulumi config arrives as JSON text or as an object, by the door it came through."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _from(fault: ValidationIssue, setting: Setting) -> ValidationIssue:
    given = f"{fault.given} from {setting.source}" if fault.given else f"from {setting.source}"
    return ValidationIssue(fault.path, fault.reason, given)


_NO_REGION: Final = ValidationIssue(
    "region",
    "is not set. Give it as the argument region (--region), as Pulumi config hbr-clients:region or "
    f"alicloud:region, in the environment as {' or '.join(REGION_VARIABLES)}, or as region_id of the profile in "
    "~/.aliyun/config.json",
)
