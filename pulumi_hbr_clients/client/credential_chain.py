"""The credential chain: every place where credentials may be set, in order. `settings` takes the first that has any.

A place has nothing, a whole source, or a problem. The first that has anything ends the search: half a source is an
error, and nothing further down is tried. `doctor` shows every place.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

from pulumi_hbr_clients.client import profiles
from pulumi_hbr_clients.client.credential_specs import KEY_FIELDS, CredentialSpec, whole, with_role
from pulumi_hbr_clients.client.profiles import ProfileFile
from pulumi_hbr_clients.model import configuration as variables
from pulumi_hbr_clients.model.configuration import AssumeRole
from pulumi_hbr_clients.model.errors import CredentialsError
from pulumi_hbr_clients.model.validators import validate
from pulumi_hbr_clients.protocol.signing import Credentials

_KINDS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "credentials": ("", {"": "credentials"}),
    "access key": ("AK", dict(zip(KEY_FIELDS, ("accessKey", "secretKey", "securityToken"), strict=True))),
    "profile": ("", {"": "profile"}),
    "ecsRoleName": ("EcsRamRole", {"ram_role_name": "ecsRoleName"}),
    "credentialsUri": ("CredentialsURI", {"credentials_uri": "credentialsUri"}),
    "assumeRoleWithOidc": ("OIDC", {"": "assumeRoleWithOidc"}),
}
"""Kinds of credentials that arguments and Pulumi config name: the mode, and the key of each field ("": of all)."""
_OIDC_FIELDS: Final = ("oidc_token_file", "oidc_provider_arn", "ram_role_arn", "ram_session_name")
_OIDC_KEYS: Final[Mapping[str, str]] = {
    **dict(zip(_OIDC_FIELDS, ("oidcTokenFile", "oidcProviderArn", "roleArn", "roleSessionName"), strict=True)),
    "expired_seconds": "sessionExpiration",
    "policy": "policy",
}
_OIDC_VARIABLES: Final = (*variables.OIDC_VARIABLES, "ALIBABA_CLOUD_ROLE_SESSION_NAME")
_VARIABLES: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    ("AK", dict(zip(KEY_FIELDS, variables.KEY_VARIABLES[0], strict=True))),
    ("OIDC", dict(zip(_OIDC_FIELDS, _OIDC_VARIABLES, strict=True))),
    *(("AK", dict(zip(KEY_FIELDS, names, strict=True))) for names in variables.KEY_VARIABLES[1:]),
    ("EcsRamRole", {"ram_role_name": variables.ECS_ROLE_VARIABLE}),
    *(("CredentialsURI", {"credentials_uri": name}) for name in variables.URI_VARIABLES),
)
_INI_VARIABLE: Final = "ALIBABA_CLOUD_CREDENTIALS_FILE"
_PROFILES_OFF: Final = ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "ALIBABA_CLOUD_IGNORE_PROFILE")


@dataclass(frozen=True, slots=True)
class Layer:
    """Arguments, or a namespace of Pulumi config. May set anything, by the keys of Pulumi config (`assumeRole`)."""

    read: Callable[[str], Any] = field(repr=False)
    namespace: str = ""
    """`hbr-clients:` or `alicloud:`; empty for arguments."""

    @property
    def name(self) -> str:
        """As texts name it."""
        return f"Pulumi config {self.namespace}" if self.namespace else "arguments"

    def source(self, key: str) -> str:
        """Where this key is set, in words."""
        return f"Pulumi config {self.namespace}{key}" if self.namespace else f"argument {key}"

    def get(self, key: str) -> Any:
        """The value, None if it is not set. White space around a text means nothing."""
        value = self.read(f"{self.namespace}{key}")
        return (value.strip() or None) if isinstance(value, str) else value

    def get_structured(self, key: str) -> Any:
        """The value; structured Pulumi config arrives as JSON text or as an object, depending on the entry point."""
        value = self.get(key)
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            return value

    def get_object(self, key: str, needs: str) -> dict[str, Any]:
        """An object, or the one of a list, as the Alibaba Cloud provider has it. Raises `CredentialsError`."""
        value = self.get_structured(key)
        value = value[0] if isinstance(value, list) and len(value) == 1 else value
        if not isinstance(value, dict):
            raise CredentialsError(f"{self.source(key)} must be an object with {needs}")
        return value

    def endpoint(self, product: str) -> str | None:
        """Of the Alibaba Cloud provider's `endpoints`: an object, or a list of objects, from product to address."""
        value = self.get_structured("endpoints")
        rows = value if isinstance(value, list) else [value]
        return next((row[product] for row in rows if isinstance(row, dict) and row.get(product)), None)

    def role(self) -> tuple[AssumeRole, str] | None:
        """The role to assume, and where it is set. Raises `CredentialsError`."""
        given, source = self.get("assumeRole"), self.source("assumeRole")
        if given is None or isinstance(given, AssumeRole):
            return (given, source) if given else None
        fields = self.get_object("assumeRole", "roleArn")
        role, faults = validate(AssumeRole, {key: value for key, value in fields.items() if value not in (None, "")})
        if role is None:
            raise CredentialsError("; ".join(f"{source}.{fault}" for fault in faults))
        return role, source


@dataclass(frozen=True, slots=True)
class CredentialPlace:
    """One place, and what it has. Without a spec and a problem it has nothing, and `note` tells why."""

    name: str
    spec: CredentialSpec | None = None
    problem: CredentialsError | None = None
    note: str = ""
    region_id: str | None = field(default=None, compare=False)
    """The region of the profile, where this is one."""
    is_absent: bool = False
    """Whether the profile that was named is not in the file, or there is no file."""

    @classmethod
    def read(cls, name: str, spec: Callable[[], CredentialSpec | None], note: str = "not set") -> "CredentialPlace":
        """What `spec` returns, or the problem that it raises."""
        try:
            found = spec()
        except CredentialsError as error:
            return cls(name, problem=error)
        return cls(name, found, note="" if found else note)

    @property
    def is_set(self) -> bool:
        """Whether the search ends here."""
        return self.spec is not None or self.problem is not None


@dataclass(frozen=True)
class CredentialChain:
    """Every place, in order. Each is read when it is reached."""

    layers: Sequence[Layer]
    environment: Mapping[str, str] = field(repr=False)

    def __iter__(self) -> Iterator[CredentialPlace]:
        """A role goes with what its own or a later place has."""
        role: tuple[AssumeRole, str] | None = None
        for layer in self.layers:
            place = self.of_layer(layer)
            try:
                role = role or layer.role()
            except CredentialsError as error:
                place = replace(place, spec=None, problem=error)
            yield _assuming(role, place)
        for place in chain(self._of_environment(), self._of_files(), self._of_metadata()):
            yield _assuming(role, place)

    def of_layer(self, layer: Layer) -> CredentialPlace:
        """The one kind of credentials that arguments or a namespace of Pulumi config name, without a role."""
        kinds = [kind for kind, (_, keys) in _KINDS.items() if any(layer.get(key) for key in keys.values())]
        if not kinds:
            return CredentialPlace(layer.name, note="names no credentials")
        if len(kinds) > 1:
            problem = f"{layer.name.rstrip(':')}: {' and '.join(kinds)} are both set: set one of them"
            return CredentialPlace(layer.name, problem=CredentialsError(problem))
        mode, keys = _KINDS[kinds[0]]
        source = layer.source(next(iter(keys.values())))
        if kinds == ["profile"]:
            return self._profile(layer.get("profile"), source)
        if kinds == ["credentials"]:
            return CredentialPlace.read(source, partial(_of_argument, layer.get("credentials"), source))
        if mode == "OIDC":
            return CredentialPlace.read(source, partial(_of_oidc, layer, source))
        values = {name: layer.get(key) for name, key in keys.items()}
        names = {name: layer.source(key) for name, key in keys.items()}
        return CredentialPlace.read(source, partial(whole, mode, source, values, names))

    def profile_of_environment(self) -> CredentialPlace:
        """The profile that the environment names, else the current one if it holds credentials."""
        return self._profile(*self._named_profile())

    def _named_profile(self) -> tuple[str | None, str]:
        """The profile that the environment names, and where."""
        variable = next((name for name in variables.PROFILE_VARIABLES if self.environment.get(name)), None)
        return (self.environment[variable].strip(), f"environment {variable}") if variable else (None, "")

    def _of_environment(self) -> Iterator[CredentialPlace]:
        """Variables that belong together: all that their mode needs, or none."""
        for mode, names in _VARIABLES:
            values = {name: self.environment.get(variable) for name, variable in names.items()}
            shown = [variable for name, variable in names.items() if name != "ram_session_name"]  # names nothing alone
            if any(self.environment.get(variable) for variable in shown):
                source = f"environment {shown[0]}"
                yield CredentialPlace.read(source, partial(whole, mode, source, values, names))
            else:
                yield CredentialPlace(f"environment {', '.join(shown)}", note="not set")
        if self.environment.get("ALICLOUD_ASSUME_ROLE_ARN"):  # the Alibaba Cloud provider reads it inside `assumeRole`
            yield CredentialPlace("environment ALICLOUD_ASSUME_ROLE_ARN", note="set, but not read: use assume_role")

    def _of_files(self) -> Iterator[CredentialPlace]:
        """The CLI's profile, named by the environment or current, then credentials.ini."""
        named, source = self._named_profile()
        cli, section = self._profile(named, source), named or "default"
        file = profiles.expanded(
            self.environment.get(_INI_VARIABLE) or "~/.alibabacloud/credentials.ini", self.environment
        )
        ini = CredentialPlace.read(
            f"[{section}] in {file}", lambda: profiles.from_ini(file, section), "no such file or section"
        )
        yield CredentialPlace(cli.name, note=str(cli.problem)) if named and cli.is_absent and ini.is_set else cli
        yield ini

    def _of_metadata(self) -> Iterator[CredentialPlace]:
        name = "metadata service of the ECS instance, 100.100.100.200"
        if self.environment.get("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "").lower() == "true":
            yield CredentialPlace(name, note="switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED")
        else:
            spec = whole("EcsRamRole", name, {"ram_role_name": self.environment.get("ALIBABA_CLOUD_ECS_METADATA")})
            yield CredentialPlace(name, replace(spec, is_fallback=True))

    def _profile(self, named: str | None, source: str) -> CredentialPlace:
        """A profile of the CLI's file. One that was named, by name or by its file, must be there."""
        name = f"profile {named}" if named else "the current profile"
        off = next((name for name in _PROFILES_OFF if self.environment.get(name, "").lower() == "true"), None)
        try:
            path, setting = self._profile_path()
            name = f"{name} in {path}"
            file = None if off else ProfileFile.read(path)
        except CredentialsError as error:
            return CredentialPlace(name, problem=error)
        if file is None:
            why = f"there is no file {path}" if path.parts[0] != "~" else "there is no home directory"
            why = f"switched off by {off}" if off else why
            if not named and (off or not setting):
                return CredentialPlace(name, note=why)
            problem = CredentialsError(f"{source or setting}: {name} cannot be read: {why}")
            return CredentialPlace(name, problem=problem, is_absent=True)
        chosen = named or file.current
        if chosen is None:
            return CredentialPlace(name, note="the file names no current profile")
        name, region, is_absent = f"profile {chosen} in {path}", file.region_of(chosen), chosen not in file.profiles
        if not (named or is_absent or file.has_credentials(chosen)):
            return CredentialPlace(name, note="the profile holds no credentials", region_id=region)
        place = CredentialPlace.read(name, lambda: file.spec(chosen, source))
        return replace(place, region_id=region, is_absent=is_absent)

    def _profile_path(self) -> tuple[Path, str | None]:
        """The file that holds the CLI's profiles, and the setting that named it, if one did."""
        key = "sharedCredentialsFile"
        for path, source in (
            *((layer.get(key), layer.source(key)) for layer in self.layers),
            *((self.environment.get(name), f"environment {name}") for name in variables.PROFILE_FILE_VARIABLES),
        ):
            if path:
                return profiles.expanded(path, self.environment), source
        # alibabacloud-credentials reads an ini file here, the Alibaba Cloud provider the CLI's JSON
        if either := self.environment.get(_INI_VARIABLE):
            path = profiles.expanded(either, self.environment)
            if (profiles.read_text(path) or "").lstrip().startswith("{"):
                return path, f"environment {_INI_VARIABLE}"
        return profiles.expanded("~/.aliyun/config.json", self.environment), None


def _assuming(role: tuple[AssumeRole, str] | None, place: CredentialPlace) -> CredentialPlace:
    return replace(place, spec=with_role(place.spec, *role)) if place.spec and role else place


def _of_argument(given: Any, source: str) -> CredentialSpec:
    if not isinstance(given, Credentials):
        return CredentialSpec("Given", source, (("id", id(given)),), given=given)
    values = (given.access_key_id, given.access_key_secret, given.security_token)
    names = {name: f"{name} of {source}" for name in KEY_FIELDS}
    return whole("AK", source, dict(zip(KEY_FIELDS, values, strict=True)), names)


def _of_oidc(layer: Layer, source: str) -> CredentialSpec:
    given = layer.get_object("assumeRoleWithOidc", "roleArn, oidcProviderArn and oidcTokenFile")
    if given.get("oidcToken"):
        raise CredentialsError(f"{source}.oidcToken is not read here: write the token to a file, name it oidcTokenFile")
    values = {name: given.get(key) for name, key in _OIDC_KEYS.items()}
    return whole("OIDC", source, values, {name: f"{source}.{key}" for name, key in _OIDC_KEYS.items()})
