"""Door: the look-ups. The query runs in the caller's own process and leaves no trace in state.

They work inside a Pulumi program, which lends its config, and in a plain script or notebook.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final, Unpack

from pulumi_hbr_clients.client.blocking import run
from pulumi_hbr_clients.client.settings import Config
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.outputs import ClientList, project
from pulumi_hbr_clients.model.query import Query, QueryArgs
from pulumi_hbr_clients.resources import pulumi_runtime as program

if TYPE_CHECKING:
    import pulumi

    from pulumi_hbr_clients.resources.inputs import QueryInputs

_OUTPUT: Final = "is an Output, whose value is not known here: use get_backup_clients_output"


def get_backup_clients(**arguments: Unpack[QueryArgs]) -> ClientList:
    """List backup clients now. For arguments see `model.query.Query`, for the result `ClientList`.

    In a program this runs in every preview too. Arguments are plain values; for Outputs use
    `get_backup_clients_output`. Raises `InputError` before anything is sent, else `HbrError`.
    """
    if faults := [
        ValidationIssue(name, _OUTPUT) for name, value in arguments.items() if program.contains_output(value)
    ]:
        raise InputError(*faults)
    query = queries.parse(arguments)
    config = program.config()
    return run(lambda: _listed(query, config))


def get_backup_clients_output(
    opts: "pulumi.InvokeOutputOptions | None" = None, **arguments: "Unpack[QueryInputs]"
) -> "pulumi.Output[ClientList]":
    """List backup clients once all arguments are known; unknown in a preview until then, and nothing is asked.

    With `include_proxy_passwords` the whole result is secret. `opts.depends_on` is waited for.
    """
    import pulumi  # noqa: PLC0415  0.6 s that a plain script need not pay

    from pulumi_hbr_clients.resources import inputs  # noqa: PLC0415

    inputs.check(arguments, queries.parse_partial)
    config = program.config()
    depends_on = opts.depends_on if opts else None
    found: pulumi.Output[Any] = inputs.resolve(
        "get_backup_clients_output",
        arguments,
        queries.parse_partial,
        depends_on=depends_on,
        then=lambda query, secret: _listed(query, config, secret),
    )
    return pulumi.Output.secret(found) if arguments.get("include_proxy_passwords") else found


async def _listed(query: Query, config: Config, secret: Collection[str] = ()) -> ClientList:
    from pulumi_hbr_clients.client.client import HbrClient  # noqa: PLC0415  httpx costs 0.25 s

    async with HbrClient(config=config) as client:
        found = await client.list(query)
    for text in program.notices(query, found, secret):
        program.warn(text)
    return project(query, found)
