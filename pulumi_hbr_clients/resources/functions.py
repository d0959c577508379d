"""Look-up functions: run the query in the calling process, or read what another stack exported. Nothing is in state.

The query works inside a Pulumi program, which lends its config, and in a plain script or notebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_hbr_clients.client.blocking import run
from pulumi_hbr_clients.model import outputs, query
from pulumi_hbr_clients.model.backup_client import BackupClient, from_state
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.names import FUNCTION_TOKEN
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.resources import pulumi_runtime

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import pulumi

    from pulumi_hbr_clients.model.configuration import Config
    from pulumi_hbr_clients.model.query import Query
    from pulumi_hbr_clients.resources.inputs import Filters, Strings, Tags

_NOT_PLAIN = "is an Output or an awaitable, whose value is not known here: use get_backup_clients_output"


def get_backup_clients(  # noqa: PLR0913  the arguments of `Query`; a test holds the two together
    *,
    client_type: str,
    cluster_id: str | None = None,
    client_ids: Iterable[str] | None = None,
    instance_ids: Iterable[str] | None = None,
    tags: Mapping[str, str | None] | Iterable[Mapping[str, str]] | None = None,
    filters: Mapping[str, Iterable[str]] | Iterable[Mapping[str, Any]] | None = None,
    cross_account_type: str | None = None,
    cross_account_user_id: int | str | None = None,
    cross_account_role_name: str | None = None,
    page_number: int | None = None,
    page_size: int | None = None,
    statuses: Iterable[str] | None = None,
    backup_statuses: Iterable[str] | None = None,
    zone_ids: Iterable[str] | None = None,
    os_types: Iterable[str] | None = None,
    outdated: bool | None = None,
    fields: Iterable[str] | None = None,
    include_heartbeats: bool | None = None,
    include_proxy_passwords: bool | None = None,
    consistency: str | None = None,
    allow_incomplete: bool | None = None,
    timeout: float | str | None = None,
    region: str | None = None,
    endpoint: str | None = None,
    profile: str | None = None,
    assume_role: Mapping[str, Any] | None = None,
) -> ClientList:
    """List backup clients now. In a Pulumi program this runs in every preview too.

    Args:
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
        outdated: Keep clients whose version is known to be below the newest one (true), or known not to be (false).
            Applied after the service answered.
        fields: Only these fields of each client (client id, instance id and region always stay): smaller state,
            faster previews.
        include_heartbeats: Include the heartbeat and update times, which change by themselves: every `up` then shows
            a change.
        include_proxy_passwords: Include proxy passwords, as a secret map from client id to password.
        consistency: How a list of several pages is checked. `verified`: two consecutive passes return the same
            clients. `counted`: one pass whose pages name one total and return that many clients.
        allow_incomplete: Accept a list that could not be completed, with a warning. Otherwise that is an error.
        timeout: Maximum time for the whole query, in seconds or as text like 5m. If left out: 5 minutes.
        region: The region, for example cn-hangzhou.
        endpoint: The service's address, if not the region's own.
        profile: The profile of the Alibaba CLI's config file to sign with.
        assume_role: A RAM role to assume with the credentials that were found.

    Returns:
        The clients, sorted by id, with counts and the requested ids that were not found.

    Raises:
        InputError: An argument is wrong, or is an Output: use `get_backup_clients_output`. Nothing was sent.
        CredentialsError: There are no usable credentials.
        ServiceError: The service refused.
        TransportError: No response came, or not in time (`DeadlineError`).
        InvalidResponseError: What came is not a response of this API.
        IncompleteListError: The list could not be completed, and `allow_incomplete` is not set.
    """
    arguments = dict(locals())
    if issues := [
        ValidationIssue(name, _NOT_PLAIN) for name, value in arguments.items() if pulumi_runtime.contains_output(value)
    ]:
        raise InputError(*issues)
    validated = query.parse(arguments)
    if pulumi_runtime.is_mocked():
        from pulumi.runtime import invoke

        mocked = invoke(FUNCTION_TOKEN, validated.to_state()).value
        return outputs.project(validated, pulumi_runtime.mocked_list(mocked))
    config = pulumi_runtime.config()
    return run(lambda: _list(validated, config))


def get_backup_clients_output(  # noqa: PLR0913  the arguments of `Query`; a test holds the two together
    opts: pulumi.InvokeOutputOptions | None = None,
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
) -> pulumi.Output[ClientList]:
    """List backup clients once all arguments are known and everything in `opts.depends_on` exists.

    In a preview the result is unknown, and nothing is sent, while an argument is unknown or a resource that it depends
    on is still to be created: components wait for their children, as in Pulumi's own functions. If an argument is
    secret, or with `include_proxy_passwords`, the whole result is secret.

    Args:
        opts: Pulumi's options, with `depends_on`. All other arguments are those of `get_backup_clients`.

    Returns:
        An Output of the list. `result.clients[0].client_id` works.

    Raises:
        InputError: An argument that is known is wrong. Nothing was sent.
        pulumi.RunError: When it is resolved: any other error of `get_backup_clients`, in one line.
    """
    arguments = dict(locals())
    import pulumi

    from pulumi_hbr_clients.resources import inputs

    arguments = inputs.read_arguments(arguments)
    inputs.check_options("get_backup_clients_output", opts, arguments)
    inputs.check(arguments)
    config = pulumi_runtime.config()

    async def listed(known: Query, secret: Collection[str]) -> ClientList:
        if pulumi_runtime.is_mocked():
            mocked = await pulumi.runtime.invoke_async(FUNCTION_TOKEN, known.to_state())
            return outputs.project(known, pulumi_runtime.mocked_list(mocked))
        return await _list(known, config, secret)

    found = inputs.resolve("get_backup_clients_output", inputs.as_outputs(arguments), opts, listed)
    return pulumi.Output.secret(found) if include_proxy_passwords else found


async def _list(validated: Query, config: Config, secret: Collection[str] = ()) -> ClientList:
    from pulumi_hbr_clients.client.client import HbrClient

    async with HbrClient(config=config) as client:
        found = await client.list(validated)
    for text in outputs.warnings_of(validated, found, secret):
        pulumi_runtime.warn(text)
    return outputs.project(validated, found)


def clients_from_stack(
    stack_reference: pulumi.StackReference, name: str = "clients"
) -> pulumi.Output[list[BackupClient]]:
    """Return the clients that a stack exported, by whichever language.

    Args:
        stack_reference: The reference to the other stack.
        name: The name of its output.

    Returns:
        An Output of the clients. Whole numbers are int again, though the engine's are floats.

    Raises:
        Exception: When it is resolved, as `StackReference.require_output` where there is no such output.
        pulumi.RunError: When it is resolved, where the output is something else than a list of clients.
    """

    def read(exported: Any) -> list[BackupClient]:
        from pulumi_hbr_clients.resources.inputs import as_run_error

        with as_run_error(f"clients_from_stack {name!r}"):
            return from_state(exported)

    return stack_reference.require_output(name).apply(read)
