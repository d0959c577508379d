"""Where credentials are looked for: one list, in order, that `settings` takes the first from and `doctor` shows.

A place says nothing, gives a whole source, or has a problem. The first that says anything ends the search: half a
source is an error, and nothing further down is tried.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.client import credential_specs as specs
from pulumi_hbr_clients.client.credential_specs import CredentialSpec, GivenSource, whole
from pulumi_hbr_clients.model import configuration as variables
from pulumi_hbr_clients.model.configuration import AssumeRole
from pulumi_hbr_clients.model.errors import CredentialsError
from pulumi_hbr_clients.model.validators import validate
from pulumi_hbr_clients.protocol.signing import Credentials

Config = Callable[[str], Any]
"""Pulumi's config: a full key (`hbr-clients:region`) → its value, or None."""
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "AK": specs.MODES["StsToken"],
    "OIDC": (*specs.MODES["OIDC"], "ram_session_name", "expired_seconds", "policy"),
    "EcsRamRole": ("ram_role_name",),
    "CredentialsURI": ("credentials_uri",),
}
"""The fields of a mode, in the order in which settings are named here."""
_KINDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "credentials": ("", ("credentials",)),
    "access key": ("AK", ("accessKey", "secretKey", "securityToken")),
    "profile": ("", ("profile",)),
    "ecsRoleName": ("EcsRamRole", ("ecsRoleName",)),
    "credentialsUri": ("CredentialsURI", ("credentialsUri",)),
    "assumeRoleWithOidc": ("OIDC", ("assumeRoleWithOidc",)),
}
"""Kinds of credentials that arguments and Pulumi config name: the mode and the keys of each."""
_OIDC_KEYS: Final = ("oidcTokenFile", "oidcProviderArn", "roleArn", "roleSessionName", "sessionExpiration", "policy")
_VARIABLES: Final = (
    ("AK", variables.KEY_VARIABLES[0]),
    ("OIDC", (*variables.OIDC_VARIABLES, "ALIBABA_CLOUD_ROLE_SESSION_NAME")),
    *(("AK", names) for names in variables.KEY_VARIABLES[1:]),
    ("EcsRamRole", (variables.ECS_ROLE_VARIABLE,)),
    *(("CredentialsURI", (name,)) for name in variables.URI_VARIABLES),
)
_INI_VARIABLE: Final = "ALIBABA_CLOUD_CREDENTIALS_FILE"
_PROFILES_OFF: Final = ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "ALIBABA_CLOUD_IGNORE_PROFILE")


def no_config(_key: str) -> None:
    """The config of a program that has none."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Arguments, or a namespace of Pulumi config: may name any setting, asked by the keys of config (`assumeRole`)."""

    name: str
    prefix: str
    read: Callable[[str], Any] = field(repr=False)

    def get(self, key: str) -> Any:
        """The value, None if it is not set. White space around a text means nothing."""
        value = self.read(key)
        return (value.strip() or None) if isinstance(value, str) else value

    def source(self, key: str) -> str:
        """Where this key is set, in words."""
        return f"{self.prefix}{key}"


@dataclass(frozen=True)
class Layers:
    """Everything that settings are made from. Iterates over arguments and config; reads the environment when asked."""

    config: Config = field(default=no_config, repr=False)
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What is None is not given."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def __iter__(self) -> Iterator[Layer]:
        """Arguments, then each namespace of Pulumi config."""
        yield Layer("arguments", "argument ", {to_camel(name): value for name, value in self.arguments.items()}.get)
        yield from (_namespace(self.config, name) for name in ("hbr-clients", "alicloud"))


def _namespace(config: Config, name: str) -> Layer:
    return Layer(f"Pulumi config {name}:", f"Pulumi config {name}:", lambda key: config(f"{name}:{key}"))


@dataclass(frozen=True, slots=True)
class CredentialPlace:
    """One place, and what it says. Without a spec and a problem it says nothing, and `note` tells why."""

    name: str
    spec: CredentialSpec | None = None
    problem: CredentialsError | None = None
    note: str = ""
    region_id: str | None = field(default=None, compare=False)
    """The region of the profile, where this is one."""
    is_absent: bool = False
    """Whether the profile that was named is not in the file, or there is no file."""

    @property
    def speaks(self) -> bool:
        """Whether the search ends here."""
        return self.spec is not None or self.problem is not None


def places(layers: Layers) -> Iterator[CredentialPlace]:
    """Every place in order, each looked at when it is reached. A role goes with what its own or a later place has."""
    role: tuple[AssumeRole, str] | None = None

    def assuming(found: CredentialPlace) -> CredentialPlace:
        return replace(found, spec=specs.with_role(found.spec, *role)) if found.spec and role else found

    for layer in layers:
        found = of_layer(layer, layers)
        try:
            role = role or _role(layer)
        except CredentialsError as error:
            found = replace(found, spec=None, problem=error)
        yield assuming(found)
    yield from map(assuming, _of_environment(layers.environment))
    yield from map(assuming, _of_files(layers))
    yield assuming(_metadata(layers.environment))


def _looked(name: str, look: Callable[[], CredentialSpec | None], note: str = "not set") -> CredentialPlace:
    try:
        spec = look()
    except CredentialsError as error:
        return CredentialPlace(name, problem=error)
    return CredentialPlace(name, spec, note="" if spec else note)


def _together(mode: str, source: str, names: Sequence[str], values: Iterable[Any]) -> CredentialSpec:
    """Settings that belong together, in the order of the mode's fields."""
    fields = _FIELDS[mode]
    return whole(mode, dict(zip(fields, values, strict=False)), source, dict(zip(fields, names, strict=False)))


def of_layer(layer: Layer, layers: Layers) -> CredentialPlace:
    """The one kind of credentials that arguments or a namespace of Pulumi config name, without a role."""
    given = [kind for kind, (_, keys) in _KINDS.items() if any(layer.get(key) for key in keys)]
    if not given:
        return CredentialPlace(layer.name, note="names no credentials")
    if len(given) > 1:
        problem = f"{layer.name.rstrip(':')}: {' and '.join(given)} are both set: set one of them"
        return CredentialPlace(layer.name, problem=CredentialsError(problem))
    mode, keys = _KINDS[given[0]]
    source = layer.source(keys[0])
    if given == ["profile"]:
        return _profile(layers, layer.get("profile"), source)
    if given == ["credentials"]:
        return _looked(source, lambda: _of_argument(layer.get("credentials"), source))
    if mode == "OIDC":
        return _looked(source, lambda: _of_oidc(layer, source))
    return _looked(source, lambda: _together(mode, source, [*map(layer.source, keys)], map(layer.get, keys)))


def _of_argument(given: Any, source: str) -> CredentialSpec:
    if not isinstance(given, Credentials):
        return CredentialSpec(specs.GIVEN, source, (("given", GivenSource(given, id(given))),))
    values = (given.access_key_id, given.access_key_secret, given.security_token)
    return _together("AK", source, [f"{name} of {source}" for name in _FIELDS["AK"]], values)


def _of_oidc(layer: Layer, source: str) -> CredentialSpec:
    given = _object(layer, "assumeRoleWithOidc", "roleArn, oidcProviderArn and oidcTokenFile")
    if given.get("oidcToken"):
        raise CredentialsError(f"{source}.oidcToken is not read here: write the token to a file, name it oidcTokenFile")
    return _together("OIDC", source, [f"{source}.{key}" for key in _OIDC_KEYS], map(given.get, _OIDC_KEYS))


def _role(layer: Layer) -> tuple[AssumeRole, str] | None:
    given, source = layer.get("assumeRole"), layer.source("assumeRole")
    if given is None or isinstance(given, AssumeRole):
        return (given, source) if given else None
    fields = _object(layer, "assumeRole", "roleArn")
    role, faults = validate(AssumeRole, {key: value for key, value in fields.items() if value not in (None, "")})
    if role is None:
        raise CredentialsError("; ".join(f"{source}.{fault}" for fault in faults))
    return role, source


def as_object(value: Any) -> Any:
    """Structured Pulumi config arrives as JSON text or as an object, depending on the entry point."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _object(layer: Layer, key: str, needs: str) -> dict[str, Any]:
    """An object, or the one of a list, as the Alibaba Cloud provider has it. Raises `CredentialsError`."""
    given = as_object(layer.get(key))
    given = given[0] if isinstance(given, list) and len(given) == 1 else given
    if not isinstance(given, dict):
        raise CredentialsError(f"{layer.source(key)} must be an object with {needs}")
    return given


def _of_environment(environment: Mapping[str, str]) -> Iterator[CredentialPlace]:
    """Variables that belong together: all that their mode needs, or none."""
    for mode, names in _VARIABLES:
        values, source = [environment.get(name) for name in names], f"environment {names[0]}"
        if any(values[:3]):  # the name of a session alone names nothing
            yield _looked(source, partial(_together, mode, source, names, values))
        else:
            yield CredentialPlace(f"environment {', '.join(names[:3])}", note="not set")
    if environment.get("ALICLOUD_ASSUME_ROLE_ARN"):  # the Alibaba Cloud provider reads it inside `assumeRole` only
        yield CredentialPlace("environment ALICLOUD_ASSUME_ROLE_ARN", note="set, but not read: use assume_role")


def _of_files(layers: Layers) -> Iterator[CredentialPlace]:
    """The CLI's profile, named by the environment or current, then credentials.ini."""
    environment, named = layers.environment, _named(layers.environment)[0]
    cli, section = named_or_current_profile(layers), named or "default"
    file = specs.expanded(environment.get(_INI_VARIABLE) or "~/.alibabacloud/credentials.ini", environment)
    ini = _looked(f"[{section}] in {file}", lambda: specs.from_ini(file, section), "no such file or section")
    if named and cli.is_absent and ini.speaks:
        cli = CredentialPlace(cli.name, note=str(cli.problem))
    yield cli
    yield ini


def named_or_current_profile(layers: Layers) -> CredentialPlace:
    """The profile that the environment names, else the current one if it holds credentials."""
    return _profile(layers, *_named(layers.environment))


def _named(environment: Mapping[str, str]) -> tuple[str | None, str]:
    variable = next((name for name in variables.PROFILE_VARIABLES if environment.get(name)), None)
    return (environment[variable].strip(), f"environment {variable}") if variable else (None, "")


def _profile(layers: Layers, named: str | None, source: str) -> CredentialPlace:
    """A profile of the CLI's file. One that was named, by name or by its file, must be there."""
    name = f"profile {named}" if named else "the current profile"
    off = next((name for name in _PROFILES_OFF if layers.environment.get(name, "").lower() == "true"), None)
    try:
        file, setting = _profile_file(layers)
        name = f"{name} in {file}"
        text = None if off else specs.read_text(file)
        if text is not None:
            return _in_file(file, text, named, source)
    except CredentialsError as error:
        return CredentialPlace(name, problem=error)
    why = f"there is no file {file}" if file.parts[0] != "~" else "there is no home directory"
    why = f"switched off by {off}" if off else why
    if named or (setting and not off):
        problem = CredentialsError(f"{source or setting}: {name} cannot be read: {why}")
        return CredentialPlace(name, problem=problem, is_absent=True)
    return CredentialPlace(name, note=why)


def _in_file(file: Path, text: str, named: str | None, source: str) -> CredentialPlace:
    current, found = specs.parse_cli_file(file, text)
    chosen = named or current
    if chosen is None:
        return CredentialPlace(f"the current profile in {file}", note="the file names no current profile")
    name, fields = f"profile {chosen} in {file}", found.get(chosen, {})
    region = fields.get("region_id")
    region = region.strip() or None if isinstance(region, str) else None
    if not named and chosen in found and not any(fields.get(key) for key in specs.CREDENTIAL_FIELDS):
        return CredentialPlace(name, note="the profile holds no credentials", region_id=region)
    place = _looked(name, lambda: specs.from_profile(file, found, chosen, source))
    return replace(place, region_id=region, is_absent=chosen not in found)


def _profile_file(layers: Layers) -> tuple[Path, str | None]:
    """The file that holds the CLI's profiles, and the setting that named it, if one did."""
    environment = layers.environment
    for path, source in (
        *((layer.get("sharedCredentialsFile"), layer.source("sharedCredentialsFile")) for layer in layers),
        *((environment.get(name), f"environment {name}") for name in variables.PROFILE_FILE_VARIABLES),
    ):
        if path:
            return specs.expanded(path, environment), source
    # alibabacloud-credentials reads an ini file here, the Alibaba Cloud provider the CLI's JSON
    if either := environment.get(_INI_VARIABLE):
        file = specs.expanded(either, environment)
        if (specs.read_text(file) or "").lstrip().startswith("{"):
            return file, f"environment {_INI_VARIABLE}"
    return specs.expanded("~/.aliyun/config.json", environment), None


def _metadata(environment: Mapping[str, str]) -> CredentialPlace:
    name = "metadata service of the ECS instance, 100.100.100.200"
    if environment.get("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "").lower() == "true":
        return CredentialPlace(name, note="switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED")
    spec = whole("EcsRamRole", {"ram_role_name": environment.get("ALIBABA_CLOUD_ECS_METADATA")}, name)
    return CredentialPlace(name, replace(spec, is_fallback=True))
