"""A gate in a stack's state: its arguments, the settings it was checked with, and whether it must wait again."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.activation.bypass import GateMode
from pulumi_hbr_clients.activation.condition import REFUSED, Gate, ResourceCondition, parse
from pulumi_hbr_clients.activation.waiter import check_once
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.credential_specs import CredentialSpec
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.model.query import Query

ARGUMENTS: Final = frozenset(
    to_camel(name) for name in Query.model_fields.keys() | ResourceCondition.model_fields.keys() - REFUSED.keys()
)
"""Arguments of a gate, as state spells them."""


def arguments_of(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments among a resource's properties."""
    return {name: value for name, value in properties.items() if name in ARGUMENTS and value is not None}


def changed_arguments(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    """Names of arguments that do not mean the same any more; the order of ids, for one, means nothing."""
    old, new = arguments_of(old), arguments_of(new)
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    try:
        same = bool(changed) and parse(old, ResourceCondition) == parse(new, ResourceCondition)
    except InputError:  # state of another version, or arguments that the next step refuses
        return changed
    return set() if same else changed


def settings_digest(client: HbrClient, query: Query) -> str:
    """A digest of region, endpoint, key id, profile and role. It stays the same when temporary keys are renewed."""
    settings = client.resolve(query)
    signer: list[Any] = []
    spec: CredentialSpec | None = settings.credentials
    while spec is not None:
        key_id = spec.get("access_key_id") if spec.mode == "AK" else None
        signer += [spec.mode, spec.profile, key_id, spec.get("ram_role_arn"), spec.get("ram_role_name")]
        spec = spec.base
    return sha256(repr((settings.region.value, settings.endpoint.value, signer)).encode()).hexdigest()[:16]


async def outdated_output(gate: Gate, state: Mapping[str, Any], client: HbrClient, mode: GateMode) -> str | None:
    """The output that makes a gate wait again although its arguments are the same; None while it need not.

    Raises `HbrError` where a `recheck` gets no answer.
    """
    if mode != "enforce":
        return None
    if state.get("bypassed"):
        return "bypassed"
    if state.get("settingsDigest") not in {None, settings_digest(client, gate.query)}:
        return "settingsDigest"
    if isinstance(gate.condition, ResourceCondition) and gate.condition.recheck:
        return None if (await check_once(gate, client)).state == "passed" else "countsByStatus"
    return None
