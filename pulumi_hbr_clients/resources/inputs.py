"""What Pulumi programs hand over: arguments that may be Outputs → one Output of what they ask, checked.

Plain values are checked at once, where the program gives them; the rest as soon as they are known. In a preview
unknown values are no fault: what is asked is unknown then, and nothing is sent.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any, Protocol, TypedDict, TypeVar, cast

import pulumi

from pulumi_hbr_clients.model.errors import HbrError, InputError
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.model.validation import snake
from pulumi_hbr_clients.resources import pulumi_runtime as program

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


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
    allow_incomplete: pulumi.Input[bool] | None
    timeout: pulumi.Input[float | str] | None
    region: pulumi.Input[str] | None
    endpoint: pulumi.Input[str] | None
    profile: pulumi.Input[str] | None
    assume_role: pulumi.Input[Mapping[str, pulumi.Input[Any]]] | None


class ActivationInputs(QueryInputs, total=False):
    """The arguments of `Query` and of `ActivationCondition` as Pulumi inputs. A test holds them together."""

    min_clients: pulumi.Input[int] | None
    timeout: pulumi.Input[float | str] | None
    max_heartbeat_age: pulumi.Input[float | str] | None
    min_client_version: pulumi.Input[str] | None
    tolerate: pulumi.Input[Sequence[pulumi.Input[str]]] | None
    unknown_grace: pulumi.Input[float | str] | None
    poll: pulumi.Input[float | str] | None


class Parse(Protocol[T_co]):
    """`model.query.parse` or `activation.condition.parse`."""

    def __call__(self, args: Mapping[str, Any], unknown: Iterable[str]) -> T_co | None:
        """The checked arguments; None while any is unknown. Raises `InputError`."""


Then = Callable[[T, Collection[str]], Any]
"""Called with the checked arguments and the names of those that are secret."""


def check(arguments: Mapping[str, Any], parse: Parse[T]) -> T | None:
    """Check what is known now. Raises `InputError`; None while any argument is an Output."""
    later = {name for name, value in arguments.items() if program.contains_output(value)}
    return parse({k: v for k, v in arguments.items() if k not in later}, later)


def resolve(
    who: str, arguments: Mapping[str, Any], parse: Parse[T], *, depends_on: Any = None, then: Then[T]
) -> pulumi.Output[Any]:
    """`then` of the checked arguments, once all inputs and what it depends on are known.

    A dependency that is still to be created has no id, so the result is unknown in its preview. The engine itself
    waits for a read's dependencies only by name (pulumi/pulumi#16395).
    """
    given = {name: pulumi.Output.from_input(value) for name, value in arguments.items() if value is not None}
    ids = [r.id for r in _resources(depends_on) if isinstance(r, pulumi.CustomResource)]

    async def work(known: Sequence[Any]) -> Any:
        secret = {snake(name) for name, value in given.items() if await value.is_secret()}
        with in_one_line(who, secret):
            result = then(cast("T", parse(known[0], ())), secret)
            return await result if isawaitable(result) else result

    return pulumi.Output.all(pulumi.Output.from_input(given), *ids).apply(work)


def identity(query: pulumi.Output[Query]) -> pulumi.Output[str]:
    """The id in state of what a query finds. Ids are never secret: what is secret shows in the digest alone.

    A read's id that is marked secret ends the program with a TypeError (pulumi 3.272, runtime/resource.py).
    """

    async def made(known: Query) -> str:
        whole = known.resource_id()
        return whole.rpartition("/")[2] if await query.is_secret() else whole

    return pulumi.Output.unsecret(query.apply(made))


@contextmanager
def in_one_line(who: str, secret: Collection[str] = ()) -> Iterator[None]:
    """An error of ours becomes one that Pulumi shows without a traceback, named after its resource.

    The values of arguments that are `secret` are not repeated.
    """
    try:
        yield
    except HbrError as error:
        shown = error.without(secret) if isinstance(error, InputError) else error
        raise pulumi.RunError(f"{who}: {shown}") from None


def _resources(depends_on: Any) -> list[Any]:
    if depends_on is None or isinstance(depends_on, pulumi.Output):
        return []
    return list(depends_on) if isinstance(depends_on, Sequence) else [depends_on]
