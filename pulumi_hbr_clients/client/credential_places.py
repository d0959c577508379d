"""Where credentials are looked for: one list, in order, that `settings` takes the first from and `doctor` shows.

    argument → Pulumi config hbr-clients:* → Pulumi config alicloud:* → environment → CLI profile → credentials.ini
    → metadata service

A place says nothing, gives a whole source, or has a problem. The first that says anything ends the search: half a
source is an error, and nothing further down is tried.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pulumi_hbr_clients.client import profiles
from pulumi_hbr_clients.client.credential_specs import (
    GIVEN,
    CredentialSpec,
    GivenSource,
    from_ini,
    from_profile,
    whole,
    with_role,
)
from pulumi_hbr_clients.client.layers import Layer, Layers, as_object
from pulumi_hbr_clients.model.configuration import (
    ECS_ROLE_VARIABLE,
    KEY_VARIABLES,
    OIDC_VARIABLES,
    PROFILE_FILE_VARIABLES,
    PROFILE_VARIABLES,
    URI_VARIABLES,
    AssumeRole,
)
from pulumi_hbr_clients.model.errors import CredentialsError
from pulumi_hbr_clients.model.validation import validate
from pulumi_hbr_clients.protocol.signing import Credentials

_FIELDS: Final = ("access_key_id", "access_key_secret", "sts_token")
_KEYS: Final = ("accessKey", "secretKey", "securityToken")
_OIDC_FIELDS: Final = ("oidc_token_file", "oidc_provider_arn", "ram_role_arn")
_INI_VARIABLE: Final = "ALIBABA_CLOUD_CREDENTIALS_FILE"
_ROLE_VARIABLE: Final = "ALICLOUD_ASSUME_ROLE_ARN"
"""The Alibaba Cloud provider reads it only inside `assumeRole`, to stand in for its roleArn."""
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "credentials": ("credentials",),
    "access key": _KEYS,
    "profile": ("profile",),
    "ecsRoleName": ("ecsRoleName",),
    "credentialsUri": ("credentialsUri",),
    "assumeRoleWithOidc": ("assumeRoleWithOidc",),
}


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
    for layer in layers:
        found = _of_layer(layer, layers)
        try:
            role = role or _role(layer)
        except CredentialsError as error:
            found = replace(found, spec=None, problem=error)
        yield _assuming(found, role)
    for found in (*_of_environment(layers), *_of_files(layers), _metadata(layers.environment)):
        yield _assuming(found, role)


def _assuming(found: CredentialPlace, role: tuple[AssumeRole, str] | None) -> CredentialPlace:
    return replace(found, spec=with_role(found.spec, *role)) if found.spec and role else found


def _looked(name: str, look: Callable[[], CredentialSpec | None], note: str = "not set") -> CredentialPlace:
    try:
        spec = look()
    except CredentialsError as error:
        return CredentialPlace(name, problem=error)
    return CredentialPlace(name, spec, note="" if spec else note)


def _of_layer(layer: Layer, layers: Layers) -> CredentialPlace:
    """The one kind of credentials that arguments or a namespace of Pulumi config name."""
    given = [kind for kind, keys in _KINDS.items() if any(layer.get(key) for key in keys)]
    if not given:
        return CredentialPlace(layer.name, note="names no credentials")
    if len(given) > 1:
        return CredentialPlace(
            layer.name, problem=CredentialsError(f"{layer.name}: {' and '.join(given)} are both set: set one of them")
        )
    if given == ["profile"]:
        return _profile(layers, layer.get("profile"), layer.source("profile"))
    return _looked(layer.source(given[0]) if given[0] != "access key" else layer.name, lambda: _spec(layer, given[0]))


def _spec(layer: Layer, kind: str) -> CredentialSpec:
    source = layer.source(_KEYS[0] if kind == "access key" else kind)
    if kind == "credentials":
        keys = layer.get(kind)
        if not isinstance(keys, Credentials):
            return CredentialSpec(GIVEN, source, (("given", GivenSource(keys)),))
        values = (keys.access_key_id, keys.access_key_secret, keys.security_token)
        return whole("AK", dict(zip(_FIELDS, values, strict=True)), source)
    if kind == "access key":
        names = {name: layer.source(key) for name, key in zip(_FIELDS, _KEYS, strict=True)}
        return whole("AK", {name: layer.get(key) for name, key in zip(_FIELDS, _KEYS, strict=True)}, source, names)
    if kind == "ecsRoleName":
        return whole("EcsRamRole", {"ram_role_name": layer.get(kind)}, source)
    if kind == "credentialsUri":
        return whole("CredentialsURI", {"credentials_uri": layer.get(kind)}, source)
    return _oidc_of_config(as_object(layer.get(kind)), source)


def _oidc_of_config(given: Any, source: str) -> CredentialSpec:
    given = given[0] if isinstance(given, list) and given else given
    if not isinstance(given, dict):
        raise CredentialsError(f"{source} must be an object with roleArn, oidcProviderArn and oidcTokenFile")
    if given.get("oidcToken"):
        raise CredentialsError(f"{source}.oidcToken is not read here: write the token to a file, name it oidcTokenFile")
    keys = ("oidcTokenFile", "oidcProviderArn", "roleArn", "roleSessionName", "sessionExpiration", "policy")
    fields = (*_OIDC_FIELDS, "ram_session_name", "expired_seconds", "policy")
    names = {field: f"{source}.{key}" for field, key in zip(fields, keys, strict=True)}
    return whole("OIDC", {field: given.get(key) for field, key in zip(fields, keys, strict=True)}, source, names)


def _role(layer: Layer) -> tuple[AssumeRole, str] | None:
    given, source = as_object(layer.get("assumeRole")), layer.source("assumeRole")
    given = given[0] if isinstance(given, list) and len(given) == 1 else given
    if given is None or isinstance(given, AssumeRole):
        return (given, source) if given else None
    if not isinstance(given, dict):
        raise CredentialsError(f"{source} must be an object with roleArn")
    role, faults = validate(AssumeRole, {key: value for key, value in given.items() if value not in (None, "")})
    if role is None:
        raise CredentialsError("; ".join(f"{source}.{fault}" for fault in faults))
    return role, source


def _of_environment(layers: Layers) -> Iterator[CredentialPlace]:
    environment = layers.environment
    library, *others = KEY_VARIABLES
    yield _variables(environment, "AK", _FIELDS, library)
    yield _variables(environment, "OIDC", _OIDC_FIELDS, OIDC_VARIABLES)
    for names in others:
        yield _variables(environment, "AK", _FIELDS, names)
    yield _variables(environment, "EcsRamRole", ("ram_role_name",), (ECS_ROLE_VARIABLE,))
    uri = next((name for name in URI_VARIABLES if environment.get(name)), URI_VARIABLES[0])
    yield _variables(environment, "CredentialsURI", ("credentials_uri",), (uri,))
    if environment.get(_ROLE_VARIABLE):
        yield CredentialPlace(f"environment {_ROLE_VARIABLE}", note="set, but not read: use assume_role")


def _variables(
    environment: Mapping[str, str], mode: str, fields: tuple[str, ...], names: tuple[str, ...]
) -> CredentialPlace:
    """Variables that belong together: all that the mode needs, or none."""
    by_field = dict(zip(fields, names, strict=True))
    values = {field: environment.get(name) for field, name in by_field.items()}
    source = f"environment {names[0]}"
    if not any(values.values()):
        return CredentialPlace(f"environment {', '.join(names)}", note="not set")
    if mode == "OIDC":
        values["ram_session_name"] = environment.get("ALIBABA_CLOUD_ROLE_SESSION_NAME")
    return _looked(source, lambda: whole(mode, values, source, by_field))


def profile_in_use(layers: Layers) -> tuple[CredentialPlace, str] | None:
    """The profile whose region counts, and the argument or config key that named it, "" if none did.

    None if an argument or config names credentials of another kind: then no profile is in use.
    """
    for layer in layers:
        if any(layer.get(key) for keys in _KINDS.values() for key in keys):
            source = layer.source("profile")
            return (_profile(layers, layer.get("profile"), source), source) if layer.get("profile") else None
    named, source = _named_by_environment(layers.environment)
    return _profile(layers, named, source), ""


def _named_by_environment(environment: Mapping[str, str]) -> tuple[str | None, str]:
    variable = next((name for name in PROFILE_VARIABLES if environment.get(name)), None)
    return (environment[variable].strip(), f"environment {variable}") if variable else (None, "")


def profile_file(layers: Layers) -> tuple[Path | None, str | None]:
    """The file that holds the CLI's profiles, and the setting that named it, if one did."""
    environment = layers.environment
    for path, source in (
        *((layer.get("sharedCredentialsFile"), layer.source("sharedCredentialsFile")) for layer in layers),
        *((environment.get(name), f"environment {name}") for name in PROFILE_FILE_VARIABLES),
    ):
        if path:
            return profiles.expanded(path, environment), source
    # alibabacloud-credentials reads an ini file here, the Alibaba Cloud provider the CLI's JSON
    if either := environment.get(_INI_VARIABLE):
        path = profiles.expanded(either, environment)
        if (profiles.read_text(path) or "").lstrip().startswith("{"):
            return path, f"environment {_INI_VARIABLE}"
    home = profiles.home(environment)
    return (home / ".aliyun" / "config.json" if home else None), None


def _profile(layers: Layers, named: str | None, source: str) -> CredentialPlace:
    """A profile of the CLI's file: the one that was named, else the current one if it holds credentials."""
    name, off = f"profile {named}" if named else "the current profile", profiles.disabled_by(layers.environment)
    try:
        file, setting = profile_file(layers)
        name = f"{name} in {file or '~/.aliyun/config.json'}"
        text = profiles.read_text(file) if file and not off else None
        if file and text is not None:
            return _in_file(name, file, text, named, source)
    except CredentialsError as error:
        return CredentialPlace(name, problem=error)
    why = f"switched off by {off}" if off else f"there is no file {file}" if file else "there is no home directory"
    if named or (setting and not off):
        return CredentialPlace(
            name, problem=CredentialsError(f"{source or setting}: {name} cannot be read: {why}"), is_absent=True
        )
    return CredentialPlace(name, note=why)


def _in_file(name: str, file: Path, text: str, named: str | None, source: str) -> CredentialPlace:
    current, found = profiles.parse_cli_file(file, text)
    chosen = named or current
    if chosen is None:
        return CredentialPlace(name, note="the file names no current profile")
    name, fields = f"profile {chosen} in {file}", found.get(chosen, {})
    region = fields.get("region_id")
    region = region.strip() or None if isinstance(region, str) else None
    if not named and chosen in found and not any(fields.get(key) for key in _CREDENTIAL_FIELDS):
        return CredentialPlace(name, note="the profile holds no credentials", region_id=region)
    place = _looked(name, lambda: from_profile(file, found, chosen, source))
    return replace(place, region_id=region, is_absent=chosen not in found)


_CREDENTIAL_FIELDS: Final = (
    "access_key_id", "access_key_secret", "sts_token", "ram_role_arn", "ram_role_name", "credentials_uri",
    "process_command", "access_token", "oauth_refresh_token", "source_profile", "oidc_token_file",
)  # fmt: skip


def _of_files(layers: Layers) -> Iterator[CredentialPlace]:
    """The CLI's profile, named by the environment or current, then credentials.ini."""
    environment = layers.environment
    named, source = _named_by_environment(environment)
    ini = _ini(environment, named or "default")
    cli = _profile(layers, named, source)
    if named and cli.is_absent and ini.speaks:
        cli = CredentialPlace(cli.name, note=str(cli.problem))
    yield cli
    yield ini


def _ini(environment: Mapping[str, str], section: str) -> CredentialPlace:
    home, named = profiles.home(environment), environment.get(_INI_VARIABLE)
    file = profiles.expanded(named, environment) if named else home and home / ".alibabacloud" / "credentials.ini"
    name = f"[{section}] in {file or '~/.alibabacloud/credentials.ini'}"

    def look() -> CredentialSpec | None:
        text = profiles.read_text(file) if file else None
        if text is None or text.lstrip().startswith("{"):
            return None
        found = profiles.parse_ini_file(file, text, section) if file else None
        return from_ini(file, found, section) if file and found is not None else None

    return _looked(name, look, "no such file or section")


def _metadata(environment: Mapping[str, str]) -> CredentialPlace:
    name = "metadata service of the ECS instance, 100.100.100.200"
    if environment.get("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "").lower() == "true":
        return CredentialPlace(name, note="switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED")
    spec = whole("EcsRamRole", {"ram_role_name": environment.get("ALIBABA_CLOUD_ECS_METADATA")}, name)
    return CredentialPlace(name, replace(spec, is_fallback=True))
