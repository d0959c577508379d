"""Arguments of Pulumi programs, which may be Outputs → one Output of the validated query.

Plain values are validated at once, where the program gives them; the rest as soon as they are known. In a preview
unknown values are no fault: the query is unknown then, and nothing is sent.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any

import pulumi

from pulumi_hbr_clients.model.errors import HbrError, InputError, ValidationIssue
from pulumi_hbr_clients.model.query import Query, parse, parse_partial
from pulumi_hbr_clients.model.validators import materialize, snake
from pulumi_hbr_clients.protocol.endpoints import parse_endpoint, region_issue
from pulumi_hbr_clients.resources import pulumi_runtime

Strings = pulumi.Input[Iterable[pulumi.Input[str]]]
Tags = pulumi.Input[Mapping[str, pulumi.Input[str | None]]] | pulumi.Input[Sequence[Mapping[str, pulumi.Input[str]]]]
Filters = pulumi.Input[Mapping[str, Strings]] | pulumi.Input[Sequence[Mapping[str, Any]]]
Then = Callable[[Query, Collection[str]], Any]
"""Called with the query and the names of the arguments that are secret."""


def given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are given, each iterator read once."""
    own = {"self", "resource_name", "opts", "__class__"}
    return {name: materialize(value) for name, value in arguments.items() if value is not None and name not in own}


def check(arguments: Mapping[str, Any]) -> Query | None:
    """Validate what is known now; None while any argument is an Output. Raises `InputError`."""
    later = {name for name, value in arguments.items() if pulumi_runtime.contains_output(value)}
    query = parse_partial({k: v for k, v in arguments.items() if k not in later}, later)
    if query:
        check_address(query)
    return query


def check_address(query: Query) -> None:
    """Refuse a region or an endpoint that cannot be. Where none is given, the process that reads resolves them."""
    found: list[str | ValidationIssue | None] = [parse_endpoint(query.endpoint)] if query.endpoint else []
    found += [region_issue(query.region)] if query.region else []
    if issues := [issue for issue in found if isinstance(issue, ValidationIssue)]:
        raise InputError(*issues)


def as_outputs(arguments: Mapping[str, Any]) -> dict[str, pulumi.Output[Any]]:
    """Each argument as an Output. Once: an awaitable can be awaited only once."""
    return {name: pulumi.Output.from_input(value) for name, value in arguments.items()}


def resolve(
    who: str,
    outputs: Mapping[str, pulumi.Output[Any]],
    options: pulumi.InvokeOutputOptions | pulumi.ResourceOptions | None,
    then: Then,
) -> pulumi.Output[Any]:
    """`then` of the query, once all inputs are known and everything that it depends on exists."""
    known: pulumi.Output[Any] = pulumi.Output.all(**outputs)

    async def work(values: Sequence[Any]) -> Any:
        secret = {snake(name) for name, value in outputs.items() if await value.is_secret()}
        with in_one_line(who, secret):
            query = parse(values[0])
            check_address(query)
            result = then(query, secret)
            return await result if isawaitable(result) else result

    return pulumi.Output.all(known, pulumi_runtime.dependency_ids(options, known)).apply(work)


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
