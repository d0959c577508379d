"""`BackupClients`: a tracked, read-only data source on Pulumi's dynamic provider.

    program:            arguments → validated query → id (a digest) and inputs
    provider's process: inputs → query → list → outputs, `clients` as one text   (`state_providers`)
    program:            outputs → typed clients, warnings

With an id the engine *reads* the resource: in preview too and at every `up`; it never creates or deletes it. The id is
an Output of every input: with a known id the engine drops unknown inputs, and the query would select too much.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import Any

import pulumi
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.model.backup_client import BackupClient, from_state
from pulumi_hbr_clients.model.names import BACKUP_CLIENTS_TYPE
from pulumi_hbr_clients.model.outputs import INCOMPLETE, STATE_OUTPUTS, ClientList, counts_by_status, size_text
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.resources import inputs, pulumi_runtime
from pulumi_hbr_clients.resources.inputs import Filters, Strings, Tags, check_options
from pulumi_hbr_clients.state_providers import BackupClientsProvider

_MISSING_OF = {"client_ids": "missingClientIds", "instance_ids": "missingInstanceIds"}


class ClientOutputs(pulumi.CustomResource):
    """A resource with clients, which are one text in state. The outputs that follow from it are made in the program."""

    def _output(self, name: str) -> pulumi.Output[Any]:
        output: pulumi.Output[Any] = pulumi.get(self, name)
        return output

    def _output_or(self, name: str, otherwise: Callable[[list[BackupClient]], Any]) -> pulumi.Output[Any]:
        """An output; under Pulumi's mocks, which need not give it, what follows from the clients."""
        both = pulumi.Output.all(self._output(name), self._clients)
        return both.apply(lambda values: otherwise(values[1]) if values[0] is None else values[0])

    @cached_property
    def _clients(self) -> pulumi.Output[list[BackupClient]]:
        """The text, read once. Pulumi's mocks may give a list, or nothing."""
        return self._output("clients").apply(lambda text: [] if text is None else from_state(text))

    @property
    def clients(self) -> pulumi.Output[list[BackupClient]]:
        """The clients, sorted by id. `clients[0].client_id` works; exported, they are plain values."""
        return self._clients

    @property
    def ids(self) -> pulumi.Output[list[str]]:
        """The clients' ids, sorted."""
        return self._clients.apply(lambda found: list(ClientList(clients=tuple(found)).ids))

    @property
    def instance_ids(self) -> pulumi.Output[list[str]]:
        """The instances that have a client, sorted, each once."""
        return self._clients.apply(lambda found: list(ClientList(clients=tuple(found)).instance_ids))

    @property
    def by_instance_id(self) -> pulumi.Output[dict[str, tuple[BackupClient, ...]]]:
        """Instance id → its clients; an instance may have several."""
        return self._clients.apply(lambda found: ClientList(clients=tuple(found)).by_instance_id)

    @property
    def total_count(self) -> pulumi.Output[int]:
        """Number of clients listed."""
        return self._clients.apply(len)

    @property
    def counts_by_status(self) -> pulumi.Output[Mapping[str, int]]:
        """Number of clients by status."""
        counts = self._output_or("countsByStatus", counts_by_status)
        return counts.apply(lambda known: {status: int(count) for status, count in known.items()})


class BackupClients(ClientOutputs):
    """The backup clients that match a query: known in preview, and read again at every `up` and refresh.

    It never shows as created, updated or deleted; `preview --diff` shows what changed in the fleet. In a preview the
    outputs are unknown, and nothing is sent, while an argument is unknown or a resource that it depends on is still to
    be created. An incomplete list is an error unless `allow_incomplete` is set.
    """

    def __init__(  # noqa: PLR0913  the arguments of `Query`; a test holds the two together
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        client_type: pulumi.Input[str],
        cluster_id: pulumi.Input[str] | None = None,
        client_ids: Strings | None = None,
        instance_ids: Strings | None = None,
        tags: Tags | None = None,
        filters: Filters | None = None,
        cross_account_type: pulumi.Input[str] | None = None,
        cross_account_user_id: pulumi.Input[int | str] | None = None,
        cross_account_role_name: pulumi.Input[str] | None = None,
        page_number: pulumi.Input[int] | None = None,
        page_size: pulumi.Input[int] | None = None,
        statuses: Strings | None = None,
        backup_statuses: Strings | None = None,
        zone_ids: Strings | None = None,
        os_types: Strings | None = None,
        outdated: pulumi.Input[bool] | None = None,
        fields: Strings | None = None,
        include_heartbeats: pulumi.Input[bool] | None = None,
        include_proxy_passwords: pulumi.Input[bool] | None = None,
        consistency: pulumi.Input[str] | None = None,
        allow_incomplete: pulumi.Input[bool] | None = None,
        timeout: pulumi.Input[float | str] | None = None,
        region: pulumi.Input[str] | None = None,
        endpoint: pulumi.Input[str] | None = None,
        profile: pulumi.Input[str] | None = None,
        assume_role: pulumi.Input[Mapping[str, pulumi.Input[Any]]] | None = None,
    ) -> None:
        """Declare the data source. Each argument may be a plain value or an Output.

        Args:
            resource_name: The name in the stack.
            opts: Pulumi's options.
            client_type: The type of backup client: ECS_CLIENT, CONTAINER_CLIENT or LOCAL_CLIENT.
            cluster_id: The id of the cluster whose clients are listed (container backup).
            client_ids: Ids of backup clients (c-…). An empty list selects nothing.
            instance_ids: Ids of ECS instances (i-…). An empty list selects nothing.
            tags: Tags to match, key and value or key alone; at most 20.
            filters: Further filters of the service, a key and its values each; at most 5 of at most 100 values.
            cross_account_type: SELF_ACCOUNT; CROSS_ACCOUNT with the source account's user id and role name; or
                CROSS_ACCOUNT_BY_RD (a resource directory) with its user id.
            cross_account_user_id: The id of the source account that is backed up.
            cross_account_role_name: The RAM role in the source account that lets this account in.
            page_number: Request this single page only, counted from 1. The result is that page.
            page_size: Clients on the single page, 1 to 99 (the service's default is 10).
            statuses: Keep clients with one of these statuses. Applied after the service answered.
            backup_statuses: Keep PROTECTED or UNPROTECTED clients. Applied after the service answered.
            zone_ids: Keep clients in these zones. Applied after the service answered.
            os_types: Keep linux or windows clients. Applied after the service answered.
            outdated: Keep clients whose version is known to be below the newest one (true), or known not to be
                (false). Applied after the service answered.
            fields: Only these fields of each client (client id, instance id and region always stay): smaller state,
                faster previews.
            include_heartbeats: Include the heartbeat and update times, which change by themselves: every `up` then
                shows a change.
            include_proxy_passwords: Include proxy passwords, as a secret map from client id to password.
            consistency: How a list of several pages is checked. `verified`: two consecutive passes return the same
                clients. `counted`: one pass whose pages name one total and return that many clients.
            allow_incomplete: Accept a list that could not be completed, with a warning. Otherwise that is an error.
            timeout: Maximum time for the whole query, in seconds or as text like 5m. If left out: 5 minutes.
            region: The region, for example cn-hangzhou.
            endpoint: The service's address, if not the region's own.
            profile: The profile of the Alibaba CLI's config file to sign with.
            assume_role: A RAM role to assume with the credentials that were found.

        Raises:
            pulumi.RunError: With every fault of the arguments. Nothing is sent from here.
        """
        arguments, label = inputs.read_arguments(locals()), f"BackupClients {resource_name!r}"
        with inputs.as_run_error(label):
            check_options("BackupClients", opts, arguments, STATE_OUTPUTS)
            known = inputs.check(arguments)
        outputs = inputs.as_outputs(arguments)
        query = inputs.resolve(label, outputs, opts, lambda query, secret: _warn_of(label, query, secret))
        properties = known.to_state() if known else _properties(outputs, query)
        super().__init__(
            BACKUP_CLIENTS_TYPE,
            resource_name,
            {
                **dict.fromkeys(STATE_OUTPUTS),
                **properties,
                "__provider": pulumi_runtime.by_reference(BackupClientsProvider),
            },
            pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(id=_resource_id(query), additional_secret_outputs=["proxyPasswords"]),
            ),
        )
        pulumi.Output.all(self._output("clients"), self.complete, query).apply(self._warn_of_list)

    def _warn_of_list(self, values: list[Any]) -> None:
        text, complete, query = values
        if complete is False and not query.is_single_page():
            pulumi_runtime.warn(INCOMPLETE, self)
        if isinstance(text, str) and (warning := size_text(text)):
            pulumi_runtime.warn(warning, self)

    @property
    def service_total_count(self) -> pulumi.Output[int]:
        """Number of clients that the service counted, before our own filters."""
        return self._output_or("serviceTotalCount", len).apply(int)

    @property
    def missing_client_ids(self) -> pulumi.Output[list[str]]:
        """Requested client ids that were not returned; a secret if they were given as one."""
        return self._output_or("missingClientIds", lambda _: [])

    @property
    def missing_instance_ids(self) -> pulumi.Output[list[str]]:
        """Requested instances that have no client; a secret if they were given as one."""
        return self._output_or("missingInstanceIds", lambda _: [])

    @property
    def proxy_passwords(self) -> pulumi.Output[Mapping[str, str] | None]:
        """Client id → proxy password, a secret; None without include_proxy_passwords."""
        return self._output("proxyPasswords")

    @property
    def complete(self) -> pulumi.Output[bool]:
        """Whether this is certainly the whole list."""
        return self._output_or("complete", lambda _: True)

    @property
    def region(self) -> pulumi.Output[str]:
        """The region that was read."""
        return self._output("region")

    @property
    def profile(self) -> pulumi.Output[str | None]:
        """The profile of the Alibaba CLI that signed, if one did."""
        return self._output("profile")


def _warn_of(label: str, query: Query, secret: Collection[str]) -> Query:
    """The query, once its oddities are reported: here, where it is known which arguments are secret."""
    for text in query.warnings(secret):
        pulumi_runtime.warn(f"{label}: {text}")
    return query


def _resource_id(query: pulumi.Output[Query]) -> pulumi.Output[str]:
    """The id of the query. Ids are never secret: with secret arguments it is the digest alone.

    A read's id that is marked secret ends the program with a TypeError (pulumi 3.272, runtime/resource.py).
    """

    async def made(known: Query) -> str:
        return known.digest() if await query.is_secret() else known.resource_id()

    return pulumi.Output.unsecret(query.apply(made))


def _properties(outputs: Mapping[str, pulumi.Output[Any]], query: pulumi.Output[Query]) -> dict[str, Any]:
    """The validated arguments as inputs, each secret if it was given as a secret.

    The engine marks an output as secret where the input of that name is one (dynamic providers see no secrets). So the
    ids that are missing are named as an input too, without a value: they repeat what was given.
    """
    plain = pulumi.Output.unsecret(query)

    def validated(key: str, output: pulumi.Output[Any]) -> pulumi.Output[Any]:
        return pulumi.Output.all(plain, output).apply(lambda both: both[0].to_state().get(key))

    missing = {
        _MISSING_OF[name]: output.apply(lambda _: None) for name, output in outputs.items() if name in _MISSING_OF
    }
    return {key: validated(key, output) for name, output in outputs.items() if (key := to_camel(name))} | missing
