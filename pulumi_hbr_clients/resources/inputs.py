"""What a Pulumi program gives to a resource or a look-up: arguments, which may be Outputs, and Pulumi's options.

    arguments → what is known is validated at once → one Output of the validated query
    options   → each is honoured, or refused with what to use instead

In a preview unknown values are no fault: the query is unknown then, and nothing is sent.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any, Final, Literal

import pulumi

from pulumi_hbr_clients.model.errors import HbrError, InputError, ValidationIssue
from pulumi_hbr_clients.model.names import FUNCTION_TOKEN, PACKAGE
from pulumi_hbr_clients.model.query import Query, parse, parse_partial
from pulumi_hbr_clients.model.validators import materialize, snake
from pulumi_hbr_clients.protocol.endpoints import parse_endpoint, region_issue
from pulumi_hbr_clients.resources import pulumi_runtime

Strings = pulumi.Input[Iterable[pulumi.Input[str]]]
Tags = pulumi.Input[Mapping[str, pulumi.Input[str | None]]] | pulumi.Input[Sequence[Mapping[str, pulumi.Input[str]]]]
Filters = pulumi.Input[Mapping[str, Strings]] | pulumi.Input[Sequence[Mapping[str, Any]]]


def read_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are given, each iterator read once."""
    own = {"self", "resource_name", "opts", "__class__"}
    return {name: materialize(value) for name, value in arguments.items() if value is not None and name not in own}


def split(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The arguments that are known now, and the names of those that hold an Output."""
    later = {name for name, value in arguments.items() if pulumi_runtime.contains_output(value)}
    return {name: value for name, value in arguments.items() if name not in later}, later


def check(arguments: Mapping[str, Any]) -> Query | None:
    """Validate what is known now; None while any argument is an Output. Raises `InputError`."""
    if query := parse_partial(*split(arguments)):
        check_address(query)
    return query


def check_address(query: Query) -> None:
    """Refuse a region or an endpoint that cannot be. Where none is given, the process that reads resolves them."""
    parsed = [
        parse_endpoint(query.endpoint) if query.endpoint else None,
        region_issue(query.region) if query.region else None,
    ]
    if issues := [each for each in parsed if isinstance(each, ValidationIssue)]:
        raise InputError(*issues)


def as_outputs(arguments: Mapping[str, Any]) -> dict[str, pulumi.Output[Any]]:
    """Each argument as an Output. Once: an awaitable can be awaited only once."""
    return {name: pulumi.Output.from_input(value) for name, value in arguments.items()}


def resolve(
    label: str,
    outputs: Mapping[str, pulumi.Output[Any]],
    options: pulumi.InvokeOutputOptions | pulumi.ResourceOptions | None,
    then: Callable[[Query, Collection[str]], Any],
) -> pulumi.Output[Any]:
    """`then` of the query and the names of secret arguments, once all are known and every dependency exists."""
    known: pulumi.Output[Any] = pulumi.Output.all(**outputs)

    async def work(values: Sequence[Any]) -> Any:
        secret = {snake(name) for name, value in outputs.items() if await value.is_secret()}
        with as_run_error(label, secret):
            query = parse(values[0])
            check_address(query)
            result = then(query, secret)
            return await result if isawaitable(result) else result

    return pulumi.Output.all(known, pulumi_runtime.dependency_ids(options, known)).apply(work)


@contextmanager
def as_run_error(label: str, secret: Collection[str] = ()) -> Iterator[None]:
    """An error of ours becomes one that Pulumi shows without a traceback, named after its resource.

    The values of arguments that are `secret` are not repeated.
    """
    try:
        yield
    except HbrError as error:
        shown = error.without(secret) if isinstance(error, InputError) else error
        raise pulumi.RunError(f"{label}: {shown}") from None


# Options that have no effect here would list another region or account than was meant, or show in clear text what was
# to be a secret. docs/settings.md has the table; a test holds the two together. Options that ask for what is true
# anyway pass: a data source is never deleted, so `protect` and `retain_on_delete` are kept.
_PROVIDER: Final = (
    "does not choose the region or the account here: a Python program uses no provider plugin of hbr-clients. "
    "Use the arguments region, profile and assume_role"
)
_ONLY_READ: Final = "has no effect on a data source: it is only read, never created, changed or replaced"
_REFUSED: Final[Mapping[str, str]] = {
    "provider": _PROVIDER,
    "providers": _PROVIDER,
    "version": "chooses a plugin's version, and there is no plugin here: install that version of pulumi-hbr-clients",
    "plugin_download_url": "names a plugin, and there is no plugin here: remove it",
    "id": "is made from the query: remove it",
    "urn": "names a resource that exists already: export its outputs and use clients_from_stack",
    "import_": "is not possible, since there is nothing to import: remove it",
}
REFUSED: Final[Mapping[str, Mapping[str, str]]] = {
    "BackupClients": {
        **_REFUSED,
        "custom_timeouts": "do not apply to a data source: use the argument timeout",
        "ignore_changes": f"{_ONLY_READ}. To leave out what changes, use the argument fields",
        "hide_diffs": f"{_ONLY_READ}. To leave out what changes, use the argument fields",
        "replace_on_changes": _ONLY_READ,
        "replacement_trigger": _ONLY_READ,
        "replace_with": _ONLY_READ,
        "transforms": f"{_ONLY_READ}, and Pulumi runs transforms on what it registers alone. Use transformations",
        "hooks": f"{_ONLY_READ}, so that no hook would run. To wait for clients, use ActivationGate",
    },
    "ActivationGate": _REFUSED,
    "get_backup_clients_output": {name: _REFUSED[name] for name in ("provider", "version", "plugin_download_url")},
}
"""For each class and look-up: the options that are refused, and what to use instead. All others are honoured."""

Kind = Literal["BackupClients", "ActivationGate", "get_backup_clients_output"]


def check_options(
    kind: Kind,
    opts: pulumi.ResourceOptions | pulumi.InvokeOptions | None,
    arguments: Mapping[str, Any],
    outputs: Collection[str] = (),
) -> None:
    """Refuse options that would have no effect, all at once. Sends nothing.

    Args:
        kind: the class or look-up.
        opts: as the program gave them, before any of our own are merged.
        arguments: the program's arguments; a region or an endpoint among them is what was meant.
        outputs: the names in state that `additional_secret_outputs` may have.

    Raises:
        InputError: with an issue `opts.<option>` for each.
    """
    if opts is None:
        return
    if issues := list(_issues(kind, opts, outputs)):
        raise InputError(*issues)
    if opts.parent and not arguments.keys() & {"region", "endpoint", "profile"} and _provider_of(opts, "alicloud"):
        pulumi_runtime.warn(
            f"{kind}: the parent has a provider of alicloud, whose region and account are not used here. Use the "
            "arguments region, profile and assume_role"
        )


def _issues(kind: Kind, opts: Any, outputs: Collection[str]) -> Iterator[ValidationIssue]:
    for name, reason in REFUSED[kind].items():
        if getattr(opts, name, None):
            yield ValidationIssue(f"opts.{name}", reason)
    if opts.parent and not opts.provider and _provider_of(opts, PACKAGE):
        yield ValidationIssue("opts.parent", f"has a provider of {PACKAGE}, which {_PROVIDER}")
    known = {*outputs, *map(snake, outputs)}
    for name in getattr(opts, "additional_secret_outputs", None) or ():
        if outputs and name not in known:
            names = ", ".join(sorted(map(snake, outputs)))
            yield ValidationIssue("opts.additional_secret_outputs", f"must be of {names}", repr(name))


def _provider_of(opts: Any, package: str) -> Any:
    """The provider that the parent hands down for a package, if any."""
    return opts.parent.get_provider(FUNCTION_TOKEN.replace(PACKAGE, package, 1))
