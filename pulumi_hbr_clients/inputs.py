"""What Pulumi programs hand over: arguments that may be Outputs → one Output of a checked query.

Plain values are checked at once, where the program gives them; the rest as soon as they are known. In a preview
unknown values are no fault: the query is unknown then, and nothing is asked.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict, cast

import pulumi

from pulumi_hbr_clients import program
from pulumi_hbr_clients.core import query as queries
from pulumi_hbr_clients.core.query import Query


class QueryInputs(TypedDict, total=False):
    """The arguments of `Query` as Pulumi inputs. A test holds the two together."""

    client_type: pulumi.Input[str]
    cluster_id: pulumi.Input[str] | None
    client_ids: pulumi.Input[Sequence[pulumi.Input[str]]] | None
    instance_ids: pulumi.Input[Sequence[pulumi.Input[str]]] | None
    tags: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None
    filters: pulumi.Input[Mapping[str, pulumi.Input[Sequence[pulumi.Input[str]]]]] | None
    cross_account_type: pulumi.Input[str] | None
    cross_account_user_id: pulumi.Input[int | str] | None
    cross_account_role_name: pulumi.Input[str] | None
    page_number: pulumi.Input[int] | None
    page_size: pulumi.Input[int] | None
    statuses: pulumi.Input[Sequence[pulumi.Input[str]]] | None
    backup_statuses: pulumi.Input[Sequence[pulumi.Input[str]]] | None
    zone_ids: pulumi.Input[Sequence[pulumi.Input[str]]] | None
    os_types: pulumi.Input[Sequence[pulumi.Input[str]]] | None
    outdated: pulumi.Input[bool] | None
    fields: pulumi.Input[Sequence[pulumi.Input[str]]] | None
    include_heartbeats: pulumi.Input[bool] | None
    include_proxy_passwords: pulumi.Input[bool] | None
    consistency: pulumi.Input[str] | None
    region: pulumi.Input[str] | None
    endpoint: pulumi.Input[str] | None


def check(arguments: Mapping[str, Any]) -> Query | None:
    """Check what is known now. Raises `InputError`; None while any argument is an Output."""
    later = {name for name, value in arguments.items() if program.is_output(value)}
    return queries.parse({k: v for k, v in arguments.items() if k not in later}, later)


def resolve(
    arguments: Mapping[str, Any], *, depends_on: Any = None, then: Callable[[Query], Any]
) -> pulumi.Output[Any]:
    """`then` of the checked query, once all inputs and what it depends on are known.

    A dependency that is still to be created has no id, so the result is unknown in its preview. The engine itself
    waits for a read's dependencies only by name (pulumi/pulumi#16395).
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    ids = [r.id for r in _resources(depends_on) if isinstance(r, pulumi.CustomResource)]
    both = pulumi.Output.all(pulumi.Output.from_input(given), *ids)
    return both.apply(lambda known: then(cast("Query", queries.parse(known[0]))))


def _resources(depends_on: Any) -> list[Any]:
    if depends_on is None or isinstance(depends_on, pulumi.Output):
        return []
    return list(depends_on) if isinstance(depends_on, Sequence) else [depends_on]
