"""A gate in a stack, whatever its language: look or wait, its outputs, and whether it must wait again."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.activation import messages
from pulumi_hbr_clients.activation.condition import REFUSED, Gate, GateMode, ResourceCondition, parse
from pulumi_hbr_clients.activation.waiter import ActivationResult, LogSink, ProgressReporter, check_once, pass_gate
from pulumi_hbr_clients.client import blocking
from pulumi_hbr_clients.client.client import HbrClient
from pulumi_hbr_clients.client.credential_specs import CredentialSpec
from pulumi_hbr_clients.model.configuration import Config
from pulumi_hbr_clients.model.errors import HbrError, IncompleteListError, InputError
from pulumi_hbr_clients.model.outputs import INCOMPLETE, ClientList, to_state
from pulumi_hbr_clients.model.query import Query

ARGUMENTS: Final = frozenset(
    to_camel(name) for name in Query.model_fields.keys() | ResourceCondition.model_fields.keys() - REFUSED.keys()
)
"""Arguments of a gate, as state spells them."""


@dataclass(frozen=True, slots=True)
class StackGate:
    """A gate, what gates are set to, and who asks the service."""

    gate: Gate
    mode: GateMode
    client: HbrClient

    async def run(self, log: LogSink, secret: Collection[str], *, preview: bool) -> ActivationResult | None:
        """Wait, with progress on the gate's row; in a preview look once and say what `up` will wait for.

        None in the preview of a gate that would not pass now. Raises as `pass_gate`.
        """
        for text in self.gate.warnings(secret):
            log(text, warning=True)
        if not preview:
            progress = ProgressReporter(log)
            result = await pass_gate(self.gate, self.client, self.mode, progress)
            if result.bypassed:
                log(messages.bypass_text(result.verdict), warning=True)
            elif result.verdict.note:
                log(result.verdict.note)
            else:
                progress.finish(result.verdict)
            return result
        if self.mode == "off":
            return None
        verdict = await check_once(self.gate, self.client)
        if verdict.state == "passed" and verdict.found.complete:
            return ActivationResult(verdict)
        log(messages.preview_text(verdict), warning=verdict.state == "failed" or self.mode == "warn")
        return None

    async def outputs(
        self,
        project: Callable[[Query, ClientList], Mapping[str, Any]],
        previous: Mapping[str, Any],
        result: ActivationResult | None = None,
    ) -> tuple[str, dict[str, Any]]:
        """The gate's id, and its outputs: the projected list, and what decides when it waits again.

        `result` is the wait's, where it was in this process. A bypassed gate whose list cannot be read keeps its
        `previous` outputs. Raises `HbrError` where a gate that passed cannot be read.
        """
        query, mode = self.gate.query, self.mode
        found, bypassed = (result.found, result.bypassed) if result else (ClientList(complete=False), mode == "off")
        try:
            if not found.complete:
                verdict = await check_once(self.gate, self.client)
                found, bypassed = verdict.found, bypassed or (mode == "warn" and verdict.state != "passed")
            if not found.complete:
                raise IncompleteListError(INCOMPLETE, found)
            listed = project(query, found)
        except HbrError:
            if mode == "enforce":
                raise
            listed, bypassed = {**project(query, ClientList()), **previous}, True
        # nothing of a secret argument shows in the digest
        return query.digest(), {**listed, "bypassed": bypassed, "settingsDigest": settings_digest(self.client, query)}


def arguments_of(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments among a resource's properties."""
    return {name: value for name, value in properties.items() if name in ARGUMENTS and value is not None}


async def reasons_to_wait(
    old: Mapping[str, Any], new: Mapping[str, Any], state: Mapping[str, Any], mode: GateMode, config: Config
) -> set[str]:
    """What makes a gate wait again: the arguments that changed, or else one output; empty if it need not.

    `old` and `new` hold the arguments, `state` the outputs. Raises `HbrError` where a `recheck` gets no answer.
    """
    old, new = arguments_of(old), arguments_of(new)
    differing = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    if differing and not _are_equal_gates(old, new):
        return differing
    if mode != "enforce":
        return set()
    if state.get("bypassed"):
        return {"bypassed"}
    gate = parse(new)
    async with HbrClient(config=config) as client:
        if state.get("settingsDigest") not in {None, settings_digest(client, gate.query)}:
            return {"settingsDigest"}
        if gate.condition.recheck and (await check_once(gate, client)).state != "passed":
            return {"countsByStatus"}
    return set()


def _are_equal_gates(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether arguments mean the same: the order of ids, for one, means nothing."""
    try:
        return parse(old) == parse(new)
    except InputError:  # state of another version, or arguments that the next step refuses
        return False


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
    """The gate's id and its properties with its outputs. `previous` and what is raised: as `StackGate.outputs`."""
    gate = parse(arguments_of(properties))

    async def work() -> tuple[str, dict[str, Any]]:
        async with HbrClient(config=config) as client:
            return await StackGate(gate, properties.get("bypass", "enforce"), client).outputs(to_state, previous)

    own_id, found = blocking.run(work)
    kept = ("clients", "countsByStatus", "bypassed", "settingsDigest")
    return own_id, {**properties, **{name: found[name] for name in kept}}
