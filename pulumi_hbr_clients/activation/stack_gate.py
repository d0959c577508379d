"""A gate in a stack, whatever its language: run on its row, its outputs, and whether it must wait again."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.activation import messages
from pulumi_hbr_clients.activation.bypass import GateMode
from pulumi_hbr_clients.activation.condition import REFUSED, Gate, ResourceCondition, parse
from pulumi_hbr_clients.activation.progress import LogSink, ProgressReporter
from pulumi_hbr_clients.activation.waiter import ActivationResult, check_once, pass_gate
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.credential_specs import CredentialSpec
from pulumi_hbr_clients.model.errors import HbrError, InputError
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query

ARGUMENTS: Final = frozenset(
    to_camel(name) for name in Query.model_fields.keys() | ResourceCondition.model_fields.keys() - REFUSED.keys()
)
"""Arguments of a gate, as state spells them."""


async def preview(gate: Gate, mode: GateMode, client: HbrClient, log: LogSink) -> ActivationResult | None:
    """Look once and say what `up` will wait for. None unless the gate would pass now. Raises `HbrError`."""
    if mode == "off":
        return None
    verdict = await check_once(gate, client)
    if verdict.state == "passed":
        return ActivationResult(verdict.found, 0.0, verdict)
    log(messages.preview_text(verdict), warning=verdict.state == "failed" or mode == "warn")
    return None


async def run(gate: Gate, mode: GateMode, client: HbrClient, log: LogSink) -> ActivationResult:
    """Wait, with progress on the gate's row. Raises as `pass_gate`."""
    result = await pass_gate(gate, client, mode, ProgressReporter(log))
    if result.bypassed:
        log(messages.bypass_text(result.verdict), warning=True)
    elif result.verdict.note:
        log(result.verdict.note)
    return result


async def outputs(  # noqa: PLR0913  each decides a part
    gate: Gate,
    client: HbrClient,
    project: Callable[[Query, ClientList], Mapping[str, Any]],
    names: tuple[str, ...],
    *,
    mode: GateMode,
    result: ActivationResult | None = None,
    previous: Mapping[str, Any],
) -> dict[str, Any]:
    """The gate's outputs: these `names` of the projected list, and what decides when it waits again.

    `result` is the wait's, where it was in this process. A bypassed gate whose list cannot be read keeps its `previous`
    outputs. Raises `HbrError` where a gate that passed cannot be read.
    """
    found, bypassed = (result.found, result.bypassed) if result else (ClientList(complete=False), mode == "off")
    listed: Mapping[str, Any] = {}
    try:
        if not found.complete:
            verdict = await check_once(gate, client)
            found, bypassed = verdict.found, bypassed or (mode == "warn" and verdict.state != "passed")
        listed = project(gate.query, found)
    except HbrError:
        if mode == "enforce":
            raise
        listed, bypassed = {**project(gate.query, ClientList()), **previous}, True
    digest = settings_digest(client, gate.query)
    return {**{name: listed[name] for name in names}, "bypassed": bypassed, "settingsDigest": digest}


def with_timeout(gate: Gate, seconds: float | None) -> Gate:
    """The gate with Pulumi's custom timeout, where there is one."""
    return replace(gate, condition=gate.condition.model_copy(update={"timeout": seconds})) if seconds else gate


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
