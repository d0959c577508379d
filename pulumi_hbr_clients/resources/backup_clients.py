"""Door: `BackupClients`, a tracked, read-only data source, on Pulumi's dynamic provider.

    program: arguments → checked query → id (a digest) and inputs
    provider process: inputs → query → list → outputs, `clients` as one JSON text
    program: outputs → typed clients

With an id the engine *reads* the resource: in preview too, at every `up`, and never creates or deletes it. The id
is an Output of every input, or the engine would drop unknown inputs and ask for too much.
"""

import pickle
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Unpack

import pulumi
from pulumi.dynamic import ResourceProvider
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.client.settings import Config, with_resolved_target
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.names import BACKUP_CLIENTS_TYPE
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.resources import inputs
from pulumi_hbr_clients.resources import pulumi_runtime as program
from pulumi_hbr_clients.resources.client_outputs import ClientOutputs
from pulumi_hbr_clients.resources.inputs import QueryInputs
from pulumi_hbr_clients.state_providers import BackupClientsProvider

_OUTPUTS: Final = (
    "clients",
    "totalCount",
    "countsByStatus",
    "missingClientIds",
    "missingInstanceIds",
    "proxyPasswords",
    "complete",
)


class BackupClients(ClientOutputs, pulumi.CustomResource):
    """The backup clients that match a query, known in preview and read again at every `up` and refresh.

    Arguments are those of `model.query.Query`, as plain values or Outputs; `client_type` is required. Never shows as
    created, updated or deleted. `depends_on` is waited for: with a dependency still to be created, the outputs are
    unknown in its preview.
    """

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **arguments: Unpack[QueryInputs],
    ) -> None:
        """Raise `pulumi.RunError` with every fault of the arguments; nothing is sent from here."""
        config, who = program.config(), f"BackupClients {resource_name!r}"
        with inputs.in_one_line(who):
            _check(arguments, config)
        query = inputs.resolve(
            who,
            arguments,
            queries.parse_partial,
            depends_on=opts.depends_on if opts else None,
            then=lambda query, secret: _warned(who, with_resolved_target(query, config), secret),
        )
        given = {to_camel(name) for name, value in arguments.items() if value is not None}
        names = given | {"region", "endpoint"}
        props = {name: query.apply(_argument(name)) for name in names}
        super().__init__(
            BACKUP_CLIENTS_TYPE,
            resource_name,
            {**dict.fromkeys(_OUTPUTS), **props, "__provider": by_reference(BackupClientsProvider)},
            pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(id=inputs.identity(query), additional_secret_outputs=["proxyPasswords"]),
            ),
        )
        self._hold(pulumi.get(self, "clients"))

    def _output(self, name: str) -> pulumi.Output[Any]:
        output: pulumi.Output[Any] = pulumi.get(self, name)
        return output

    @property
    def total_count(self) -> pulumi.Output[int]:
        """How many clients are listed."""
        return self._output("totalCount")

    @property
    def counts_by_status(self) -> pulumi.Output[Mapping[str, int]]:
        """How many clients have each status."""
        return self._output("countsByStatus")

    @property
    def missing_client_ids(self) -> pulumi.Output[list[str]]:
        """Asked for by id, not answered."""
        return self._output("missingClientIds")

    @property
    def missing_instance_ids(self) -> pulumi.Output[list[str]]:
        """Instances asked for that have no client."""
        return self._output("missingInstanceIds")

    @property
    def proxy_passwords(self) -> pulumi.Output[Mapping[str, str] | None]:
        """Client id → proxy password, a secret; None without include_proxy_passwords."""
        return self._output("proxyPasswords")

    @property
    def complete(self) -> pulumi.Output[bool]:
        """Whether this is certainly the whole list."""
        return self._output("complete")


def by_reference(provider: type[ResourceProvider]) -> str:
    """A provider as state holds it: its module and its name.

    `pulumi.dynamic.Resource` would let dill do the same, and wrap pickle's class once more at each call (pulumi 3.272,
    dynamic.py): after some 300 dynamic resources in a program, the next one exceeds Python's recursion limit.
    """
    return b64encode(pickle.dumps(provider(), protocol=4)).decode()


def _argument(name: str) -> Callable[[Query], Any]:
    return lambda query: query.to_state().get(name)


def _check(arguments: Mapping[str, Any], config: Config) -> None:
    """Find faults while the program still stands at the line that made them."""
    if query := inputs.check(arguments, queries.parse_partial):
        with_resolved_target(query, config)


def _warned(who: str, query: Query, secret: Collection[str]) -> Query:
    """The query, once its oddities are told: here, where it is known which arguments are secret."""
    for text in queries.warnings_of(query, secret):
        program.warn(f"{who}: {text}")
    return query
