"""A gate in a stack, whatever its language: look or wait, its outputs, and whether it must wait again."""

from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import Any, Final

from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.activation import messages
from pulumi_hbr_clients.activation.condition import REFUSED, Gate, GateMode, ResourceCondition, parse, warnings_of
from pulumi_hbr_clients.activation.waiter import ActivationResult, LogSink, ProgressReporter, check_once, pass_gate
from pulumi_hbr_clients.client import blocking
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.credential_specs import CredentialSpec
from pulumi_hbr_clients.client.settings import Config
from pulumi_hbr_clients.model.errors import HbrError, IncompleteListError, InputError
from pulumi_hbr_clients.model.outputs import INCOMPLETE, ClientList, to_state
from pulumi_hbr_clients.model.query import Query

ARGUMENTS: Final = frozenset(
    to_camel(name) for name in Query.model_fields.keys() | ResourceCondition.model_fields.keys() - REFUSED.keys()
)
"""Arguments of a gate, as state spells them."""


async def run(  # noqa: PLR0913  each from the entry point
    gate: Gate, mode: GateMode, client: HbrClient, log: LogSink, secret: Collection[str], *, preview: bool
) -> ActivationResult | None:
    """Wait, with progress on the gate's row; in a preview look once and say what `up` will wait for.

    None in the preview of a gate that would not pass now. Raises as `pass_gate`.
    """
    for text in warnings_of(gate, secret):
        log(text, warning=True)
    if not preview:
        result = await pass_gate(gate, client, mode, ProgressReporter(log))
        if result.bypassed:
            log(messages.bypass_text(result.verdict), warning=True)
        elif result.verdict.note:
            log(result.verdict.note)
        return result
    if mode == "off":
        return None
    verdict = await check_once(gate, client)
    if verdict.state == "passed" and verdict.found.complete:
        return ActivationResult(verdict.found, 0.0, verdict)
    log(messages.preview_text(verdict), warning=verdict.state == "failed" or mode == "warn")
    return None


async def outputs(  # noqa: PLR0913  each decides a part
    gate: Gate,
    mode: GateMode,
    client: HbrClient,
    project: Callable[[Query, ClientList], Mapping[str, Any]],
    *,
    previous: Mapping[str, Any],
    result: ActivationResult | None = None,
) -> dict[str, Any]:
    """The projected list, and what decides when the gate waits again.

    `result` is the wait's, where it was in this process. A bypassed gate whose list cannot be read keeps its `previous`
    outputs. Raises `HbrError` where a gate that passed cannot be read.
    """
    found, bypassed = (result.found, result.bypassed) if result else (ClientList(complete=False), mode == "off")
    try:
        if not found.complete:
            verdict = await check_once(gate, client)
            found, bypassed = verdict.found, bypassed or (mode == "warn" and verdict.state != "passed")
        if not found.complete:
            raise IncompleteListError(INCOMPLETE, found)
        listed = project(gate.query, found)
    except HbrError:
        if mode == "enforce":
            raise
        listed, bypassed = {**project(gate.query, ClientList()), **previous}, True
    return {**listed, "bypassed": bypassed, "settingsDigest": settings_digest(client, gate.query)}


def identity(gate: Gate) -> str:
    """An id for state: a digest of the query, so that nothing of an argument shows that is secret."""
    return gate.query.resource_id().rpartition("/")[2]


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


async def changed_output(
    properties: Mapping[str, Any], state: Mapping[str, Any], mode: GateMode, config: Config
) -> str | None:
    """The output that makes a gate wait again although its arguments are the same; None while it need not.

    Raises `HbrError` where a `recheck` gets no answer.
    """
    gate = parse(arguments_of(properties), ResourceCondition)
    if mode != "enforce":
        return None
    if state.get("bypassed"):
        return "bypassed"
    async with HbrClient(config=config) as client:
        if state.get("settingsDigest") not in {None, settings_digest(client, gate.query)}:
            return "settingsDigest"
        if isinstance(gate.condition, ResourceCondition) and gate.condition.recheck:
            return None if (await check_once(gate, client)).state == "passed" else "countsByStatus"
    return None


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


# The Python gate in the dynamic provider's process. It has four threads for all resources of a stack, so nothing waits
# here: the hook does, in the program, whose mode is the property `bypass`.


def read_gate(properties: Mapping[str, Any], previous: Mapping[str, Any], config: Config) -> tuple[str, dict[str, Any]]:
    """The gate's id and its properties with its outputs. `previous` and what is raised: as `outputs`."""
    gate = parse(arguments_of(properties), ResourceCondition)

    async def work() -> dict[str, Any]:
        async with HbrClient(config=config) as client:
            return await outputs(gate, properties.get("bypass", "enforce"), client, to_state, previous=previous)

    found = blocking.run(work)
    kept = ("clients", "countsByStatus", "bypassed", "settingsDigest")
    return identity(gate), {**properties, **{name: found[name] for name in kept}}


def must_wait_again(
    old: Mapping[str, Any], new: Mapping[str, Any], config: Config, warn: Callable[[str], object]
) -> bool:
    """Whether arguments differ, or the gate must wait again although they do not. `old`: properties and outputs."""
    if changed_arguments(old, new):
        return True
    try:
        changed = blocking.run(lambda: changed_output(new, old, new.get("bypass", "enforce"), config))
    except HbrError as error:
        warn(f"not checked again: {error}")
        return False
    return changed is not None
