"""The Pulumi program that this process runs, if it runs one: its config, and where its warnings go.

Never imports pulumi (0.6 s): where that is not loaded, no program runs.
"""

import logging
import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pulumi_hbr_clients.client.settings import Config, no_config
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.configuration import CONFIG_KEYS
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query

_log = logging.getLogger("pulumi_hbr_clients")


def config() -> Config:
    """The program's Pulumi config, read now; empty outside a program."""
    pulumi = sys.modules.get("pulumi")
    if pulumi is None:
        return no_config
    names = [(key, *key.split(":")) for key in CONFIG_KEYS]
    return {full: pulumi.Config(space).get(key) for full, space, key in names}.get


def contains_output(value: Any) -> bool:
    """Whether a value is an Output or holds one."""
    pulumi = sys.modules.get("pulumi")
    if pulumi is not None and isinstance(value, pulumi.Output):
        return True
    if isinstance(value, Mapping):
        return any(contains_output(item) for item in value.values())
    return isinstance(value, list | tuple) and any(contains_output(item) for item in value)


def warn(message: str, resource: Any = None) -> None:
    """On the resource's row in a program, else to the logger `pulumi_hbr_clients`."""
    pulumi = sys.modules.get("pulumi")
    if pulumi is None:
        _log.warning(message)
    else:
        pulumi.log.warn(message, resource=resource)  # noqa: G010  Pulumi calls it so


def notices(query: Query, found: ClientList, secret: Collection[str] = ()) -> Iterator[str]:
    """What a person should know of this query and its list, a sentence each. `secret`: see `warnings_of`."""
    yield from queries.warnings_of(query, secret)
    yield from incomplete(query, found)


def incomplete(query: Query, found: ClientList) -> Iterator[str]:
    """That not all may be listed, where that is so."""
    if not found.complete and query.page_number is None and query.page_size is None:
        yield (
            f"the list of {found.total_count} clients may be incomplete: the fleet kept changing between "
            f"readings ({found.request_count} pages asked for). Ask again when it is calmer"
        )
