"""Drawn environments, configs and profile files: every part comes from the place that the documented order names.

The order stands here a second time, as docs/settings.md has it, written down by place and not by code path.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from pulumi_hbr_clients.client.credential_specs import CredentialSpec
from pulumi_hbr_clients.client.settings import ResolvedSettings, Settings
from pulumi_hbr_clients.model.errors import CredentialsError, HbrError, InputError
from pulumi_hbr_clients.protocol.signing import Credentials
from tests.client.samples import LIBRARY, NEWER, OIDC, PROVIDER, profile_file

ABSENT, WHOLE, HALF = "absent", "whole", "half"
LAYERS: Final = ("argument", "hbr-clients", "alicloud")
VARIABLES: Final = {"library": LIBRARY, "oidc": OIDC, "provider": PROVIDER, "newer": NEWER}
REGIONS: Final = ("ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_REGION", "ALICLOUD_REGION")
KINDS: Final = (ABSENT, "keys", "half keys", "profile", "missing profile", "half profile", "two")
CONFIG_KINDS: Final = (*KINDS, "ecs", "uri")


@dataclass
class World:
    """What was drawn, and every secret value in it."""

    layers: dict[str, str]
    roles: dict[str, bool]
    regions: dict[str, bool]
    variables: dict[str, str]
    env_profile: str
    file: str
    ini: str
    metadata: bool
    missing: int
    secrets: set[str] = field(default_factory=set)

    def secret(self, place: str, part: str) -> str:
        value = f"FAKE~{place}~{part}~never-shown"
        self.secrets.add(value)
        return value

    def keys(self, place: str) -> dict[str, str]:
        parts = ("access_key_id", "access_key_secret")
        return {"mode": "AK", **{part: self.secret(place, part) for part in parts}, "region_id": f"cn-{place}"}


worlds = st.builds(
    World,
    layers=st.fixed_dictionaries(
        {layer: st.sampled_from(KINDS if layer == "argument" else CONFIG_KINDS) for layer in LAYERS}
    ),
    roles=st.fixed_dictionaries({layer: st.booleans() for layer in LAYERS}),
    regions=st.fixed_dictionaries({place: st.booleans() for place in (*LAYERS, *REGIONS)}),
    variables=st.fixed_dictionaries({name: st.sampled_from((ABSENT, ABSENT, WHOLE, HALF)) for name in VARIABLES}),
    env_profile=st.sampled_from((ABSENT, "profile", "missing profile", "half profile")),
    file=st.sampled_from((ABSENT, "broken", WHOLE, HALF, "empty")),
    ini=st.sampled_from((ABSENT, WHOLE, HALF)),
    metadata=st.booleans(),
    missing=st.integers(0, 1),
)


def build(world: World, home: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """Arguments, config and environment of a world; its files are written to this home."""
    arguments: dict[str, Any] = {}
    config: dict[str, Any] = {}
    environment = {"HOME": str(home), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": str(not world.metadata).lower()}
    for layer in LAYERS:
        for key, value in layer_of(world, layer).items():
            if layer == "argument":
                arguments[key] = value
            else:
                config[f"{layer}:{key}"] = value
    for name, state in world.variables.items():
        for number, variable in enumerate(VARIABLES[name]):
            if state == WHOLE or (state == HALF and number != world.missing):
                environment[variable] = world.secret(name, str(number))
    environment |= {name: f"cn-{name.lower().replace('_', '-')}" for name in REGIONS if world.regions[name]}
    if world.env_profile != ABSENT:
        environment["ALIBABA_CLOUD_PROFILE"] = world.env_profile.replace(" ", "-")
    current = {WHOLE: world.keys("current"), HALF: {"mode": "AK", "access_key_id": world.secret("current", "half")}}
    if world.file != ABSENT:
        profiles: dict[str, Any] = {
            "usual": current.get(world.file, {"mode": "AK", "region_id": "cn-current"}),
            "profile": world.keys("profile"),
            "half-profile": {"mode": "AK", "access_key_secret": world.secret("profile", "half")},
        }
        file = profile_file(home, **profiles)
        text = file.read_text()
        file.write_text(text[:-20] if world.file == "broken" else text)
    if world.ini != ABSENT:
        (home / ".alibabacloud").mkdir()
        secret = f"access_key_secret = {world.secret('ini', 'secret')}\n" if world.ini == WHOLE else ""
        text = f"[default]\ntype = access_key\naccess_key_id = {world.secret('ini', 'id')}\n{secret}"
        (home / ".alibabacloud" / "credentials.ini").write_text(text)
    return arguments, config, environment


def layer_of(world: World, layer: str) -> dict[str, Any]:
    """What an argument or a namespace of config sets; keys are spelled as it spells them."""
    kind, found = world.layers[layer], dict[str, Any]()
    is_argument = layer == "argument"
    if kind in {"keys", "half keys", "two"}:
        values = [world.secret(layer, part) for part in ("id", "secret")]
        if kind == "half keys":
            values[world.missing] = ""
        if is_argument:
            found["credentials"] = Credentials(*values)
        else:
            found |= dict(zip(("accessKey", "secretKey"), values, strict=True))
    if "profile" in kind or kind == "two":
        found["profile"] = "profile" if kind == "two" else kind.replace(" ", "-")
    if kind == "ecs":
        found["ecsRoleName"] = "role"
    if kind == "uri":
        found["credentialsUri"] = world.secret(layer, "uri")
    if world.roles[layer]:
        role = {"roleArn": f"acs:ram::1:role/{layer}"}
        found["assume_role" if is_argument else "assumeRole"] = role if is_argument else json.dumps(role)
    if world.regions[layer]:
        found["region"] = f"cn-{layer}"
    return found


def signs(world: World) -> tuple[str, str]:
    """The place that the documented order names, the first that says anything, and whether what it has is whole."""
    readable = world.file not in {ABSENT, "broken"}
    found: list[tuple[str, str]] = []
    for layer in LAYERS:
        kind = world.layers[layer]
        if "profile" in kind:
            found.append(("profile", WHOLE if kind == "profile" and readable else HALF))
        elif kind != ABSENT:
            found.append((layer, HALF if kind in {"half keys", "two"} else WHOLE))
    found += [(name, world.variables[name]) for name in VARIABLES if world.variables[name] != ABSENT]
    if world.env_profile != ABSENT:
        found.append(("profile", WHOLE if world.env_profile == "profile" and readable else HALF))
    elif world.file in {"broken", WHOLE, HALF}:
        found.append(("current", WHOLE if world.file == WHOLE else HALF))
    if world.ini != ABSENT and world.env_profile == ABSENT:
        found.append(("ini", world.ini))
    return [*found, ("metadata", WHOLE if world.metadata else HALF)][0]


def region(world: World) -> str | None:
    """The region of the documented order: a profile's counts where it signs, or below the environment."""
    readable = world.file not in {ABSENT, "broken"}
    found: list[str] = []
    first = next((layer for layer in LAYERS if world.layers[layer] != ABSENT), None)
    for layer in LAYERS:
        kind = world.layers[layer]
        found += [f"cn-{layer}"] if world.regions[layer] else []
        found += ["cn-profile"] if layer == first and kind in {"profile", "two"} and readable else []
    found += [f"cn-{name.lower().replace('_', '-')}" for name in REGIONS if world.regions[name]]
    if first is None and readable and world.env_profile == "profile":
        found.append("cn-profile")
    if first is None and world.file in {WHOLE, "empty"} and world.env_profile == ABSENT:
        found.append("cn-current")
    return next(iter(found), None)


def role(world: World) -> str | None:
    """The nearest role of the place that signs, or of one before it."""
    for layer in LAYERS:
        if world.roles[layer]:
            return f"acs:ram::1:role/{layer}"
        if world.layers[layer] != ABSENT:
            return None
    return None


def origins(spec: CredentialSpec) -> set[str]:
    """The places that the secrets of a source come from."""
    own = {value.split("~")[1] for _, value in spec.fields if str(value).endswith("never-shown")}
    return own | (origins(spec.base) if spec.base else set())


@settings(max_examples=600)
@given(worlds)
def test_the_order(world: World) -> None:
    """The place that signs, the region and the role are the documented ones; half of a source is an error.

    All parts of the credentials come from one place, and no text shows a secret, whatever happens.
    """
    with TemporaryDirectory() as folder:
        arguments, config, environment = build(world, Path(folder))
        places = Settings(config.get, arguments, environment)
        found: ResolvedSettings | HbrError
        try:
            found = places.resolve()
        except HbrError as error:
            found = error
        shown = [repr(found), str(found), *(f"{place!r} {place.problem}" for place in places.credentials)]
        shown += [repr(places), *(repr(place) for key in ("region", "endpoint") for place in places.places(key))]
    place, state = signs(world)
    if isinstance(found, ResolvedSettings):
        shown += [found.credentials.label, str(found.target)]
        assert state == WHOLE
        assert found.region.value == region(world)
        if place != "oidc":  # whose own role comes from a variable
            assert found.credentials.get("ram_role_arn") == role(world)
        assert origins(found.credentials) <= {place}
    elif isinstance(found, CredentialsError):
        assert state == HALF
    else:
        assert isinstance(found, InputError)
        assert region(world) is None
    assert [(value, text) for value in world.secrets for text in shown if value in text] == []
