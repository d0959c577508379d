"""Unit tests of programs with Pulumi's mocks: look-ups ask `Mocks.call` and send nothing.

Resources need nothing of their own: Pulumi asks `Mocks.new_resource`. `clients` may be a list, or text as in state.
"""

import sys
from collections.abc import Mapping
from typing import Any

from pulumi_hbr_clients.model.backup_client import from_state
from pulumi_hbr_clients.model.names import FUNCTION_TOKEN
from pulumi_hbr_clients.model.outputs import ClientList, counts_by_status
from pulumi_hbr_clients.model.query import Query


def is_mocked() -> bool:
    """Whether the program runs under `pulumi.runtime.set_mocks`."""
    if "pulumi.runtime.mocks" not in sys.modules:
        return False
    from pulumi.runtime import mocks, settings  # noqa: PLC0415  a plain script has not loaded pulumi

    return isinstance(settings.SETTINGS.monitor, mocks.MockMonitor)


def mocked_list(query: Query) -> ClientList:
    """What `Mocks.call` returns for the function `hbr-clients:index:getBackupClients`, as a list. Raises as it does."""
    from pulumi.runtime import invoke  # noqa: PLC0415  a plain script has not loaded pulumi

    return _list(invoke(FUNCTION_TOKEN, query.to_state()).value or {})


async def mocked_list_async(query: Query) -> ClientList:
    """The same on the program's event loop."""
    from pulumi.runtime import invoke_async  # noqa: PLC0415  a plain script has not loaded pulumi

    return _list(await invoke_async(FUNCTION_TOKEN, query.to_state()) or {})


def _list(outputs: Mapping[str, Any]) -> ClientList:
    """A list of what a test gave; what it left out follows from the clients."""
    clients = tuple(from_state(outputs.get("clients") or []))
    return ClientList(
        clients=clients,
        service_total_count=int(outputs.get("serviceTotalCount", len(clients))),
        counts_by_status=outputs.get("countsByStatus") or counts_by_status(clients),
        missing_client_ids=tuple(outputs.get("missingClientIds") or ()),
        missing_instance_ids=tuple(outputs.get("missingInstanceIds") or ()),
        complete=bool(outputs.get("complete", True)),
        region=outputs.get("region"),
    )
