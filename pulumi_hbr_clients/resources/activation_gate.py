"""Door: `ActivationGate`, which holds back everything that depends on it until the selected clients are activated.

    program: inputs → a task that waits in this process (see `waiting`) → a record → a child that the engine reads

It waits in the program, not in the provider: the dynamic provider has four threads for all resources of a stack and
hears no Cancel. The child is a read resource whose id is known only once the gate has passed, so dependants of the
gate wait for it; its provider gives back the record it is handed and asks nobody, also in a refresh.

`ActivationRecordProvider` is pickled by reference: its module and name stand in users' state. Never rename them.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import partial
from operator import itemgetter
from typing import Any, Final, Unpack

import grpc
import pulumi
from pulumi.dynamic import ReadResult, ResourceProvider
from pulumi.runtime import settings
from pulumi.runtime.proto import engine_pb2

from pulumi_hbr_clients.activation import condition as gate
from pulumi_hbr_clients.activation import messages as telling
from pulumi_hbr_clients.activation.condition import ActivationCondition, Verdict
from pulumi_hbr_clients.activation.progress import ProgressReporter
from pulumi_hbr_clients.client.settings import Config, with_resolved_target
from pulumi_hbr_clients.model.backup_client import VOLATILE_FIELDS, to_json
from pulumi_hbr_clients.model.outputs import ClientList, excluded_fields
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.resources import old_gate_inputs as inputs
from pulumi_hbr_clients.resources import pulumi_runtime as program
from pulumi_hbr_clients.resources.client_outputs import ClientOutputs
from pulumi_hbr_clients.resources.inputs import in_one_line
from pulumi_hbr_clients.resources.old_gate_inputs import ActivationInputs
from pulumi_hbr_clients.resources.pulumi_runtime import by_reference

Asked = tuple[Query, ActivationCondition]
_RECORD: Final = ("clients", "totalCount", "countsByStatus", "region")


class ActivationRecordProvider(ResourceProvider):
    """Gives back what the gate saw. Runs in the engine's provider process."""

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The record as it was handed over; a refresh leaves it as it is."""
        return ReadResult(id_, {name: props.get(name) for name in _RECORD})


class _ActivationRecord(pulumi.CustomResource):
    """What a gate saw when it passed."""

    clients: pulumi.Output[str]

    def __init__(self, name: str, record: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        """Hand the record to the provider."""
        props = {**record, "__provider": by_reference(ActivationRecordProvider)}
        super().__init__("pulumi-python:dynamic/hbr-clients:ActivationRecord", name, props, opts)


class ActivationGate(ClientOutputs, pulumi.ComponentResource):
    """Holds back what depends on it (`depends_on=[gate]`, or its outputs) until the selected clients are activated.

    Arguments are those of `model.query.Query` and `activation.condition.Condition`, as plain values or Outputs; `client_type` is
    required. Asked by ids, every id must have a client that is ACTIVATED; asked by filters, at least `min_clients`
    must match and all must be ACTIVATED. In a preview it looks once and never waits.
    """

    def __init__(
        self, resource_name: str, opts: pulumi.ResourceOptions | None = None, **arguments: Unpack[ActivationInputs]
    ) -> None:
        """Raise `pulumi.RunError` with every fault of the arguments; nothing is sent from here."""
        super().__init__("hbr-clients:index:ActivationGate", resource_name, None, opts)
        config, who = program.config(), f"ActivationGate {resource_name!r}"
        with in_one_line(who):
            _check(arguments, config)
        asked: pulumi.Output[Asked] = inputs.resolve(
            who,
            arguments,
            gate.parse,
            depends_on=opts.depends_on if opts else None,
            then=lambda asked, secret: _warned(self, (with_resolved_target(asked[0], config), asked[1]), secret),
        )
        looked: pulumi.Output[Any] = asked.apply(lambda asked: _pass(self, who, asked, config))
        passed = looked.apply(_known_or_not)
        identity = inputs.identity(asked.apply(itemgetter(0)))
        self._record = _ActivationRecord(
            resource_name,
            {name: passed.apply(_field(name)) for name in _RECORD},
            pulumi.ResourceOptions(parent=self, id=pulumi.Output.unsecret(passed.apply(lambda _: identity))),
        )
        self._hold(self._record.clients)
        self._waited = passed.apply(_field("waited"))
        self.register_outputs({})

    @property
    def counts_by_status(self) -> pulumi.Output[Mapping[str, int]]:
        """How many have each status: all ACTIVATED, when it has passed."""
        counts: pulumi.Output[Mapping[str, int]] = pulumi.get(self._record, "countsByStatus")
        return counts

    @property
    def total_count(self) -> pulumi.Output[int]:
        """How many there are."""
        return self._clients.apply(len)

    @property
    def waited(self) -> pulumi.Output[float]:
        """Seconds that this run waited. Not in state, for it differs with every run."""
        return self._waited


def _check(arguments: Mapping[str, Any], config: Config) -> None:
    """Find faults while the program still stands at the line that made them."""
    if asked := inputs.check(arguments, gate.parse):
        with_resolved_target(asked[0], config)


def _warned(resource: ActivationGate, asked: Asked, secret: Collection[str]) -> Asked:
    """What is asked, once its oddities are told on the gate's row."""
    for text in gate.warnings_of(*asked, secret):
        program.warn(text, resource)
    return asked


async def _pass(resource: ActivationGate, who: str, asked: Asked, config: Config) -> dict[str, Any] | None:
    """The record of a gate that passed. None in a preview whose gate has not."""
    from pulumi_hbr_clients.activation.waiter import check_once, wait  # noqa: PLC0415
    from pulumi_hbr_clients.client.client import HbrClient  # noqa: PLC0415  httpx costs 0.25 s

    query, condition = asked
    with in_one_line(who):
        async with HbrClient(config=config) as client:
            if pulumi.runtime.is_dry_run():
                verdict, found = await check_once(query, condition, client)
                return _record(query, found) if _preview(resource, verdict) else None
            with ProgressReporter(partial(_say, resource)) as row:
                passed = await wait(query, condition, client, row.update)
            return _record(query, passed.found, passed.waited)


async def _say(resource: ActivationGate, text: str, *, live: bool) -> None:
    """A line on the gate's row. `pulumi.log` would leave a broken engine unnoticed."""
    urn = await resource.urn.future() or ""
    engine = settings.get_engine()
    line = engine_pb2.LogRequest(severity=engine_pb2.INFO, message=text, urn=urn, ephemeral=live)
    try:
        if engine is not None:
            engine.Log(line)
    except grpc.RpcError:
        raise ConnectionError from None


def _preview(resource: ActivationGate, verdict: Verdict) -> bool:
    """Say what `up` will wait for, client by client; whether the gate would pass now."""
    if verdict.state == "passed":
        return True
    say = pulumi.log.warn if verdict.state == "failed" else pulumi.log.info
    say(telling.outlook(verdict), resource=resource)
    return False


def _record(query: Query, found: ClientList, waited: float = 0.0) -> dict[str, Any]:
    return {
        "clients": to_json(found.clients, leave_out=excluded_fields(query) | set(VOLATILE_FIELDS)),
        "totalCount": found.total_count,
        "countsByStatus": dict(found.counts_by_status),
        "region": query.region,
        "waited": round(waited, 1),
    }


def _known_or_not(record: dict[str, Any] | None) -> Any:
    """An unknown Output, for a preview whose gate has not passed yet."""
    if record is not None:
        return record
    resources, value, known = (asyncio.get_running_loop().create_future() for _ in range(3))
    resources.set_result(set())
    value.set_result(None)
    known.set_result(False)
    return pulumi.Output(resources, value, known)


def _field(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda record: record[name]
