"""One contender lists the whole fleet, once, in a fresh process, and says what it cost.

    listing.py ours|sdk|...

Each contender is a function: it imports what it needs and gives what lists. The service and the keys are in the
environment. Memory is the peak that the operating system counted, so no tracing slows anyone down. Every client is
held in a list until the figures are taken.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

Lists = Callable[[], Sequence[Any]]


def ours() -> Lists:
    """`HbrClient`, as a script uses it."""
    from pulumi_hbr_clients import HbrClient  # noqa: PLC0415  the import is part of the figure

    async def listed() -> Sequence[Any]:
        async with HbrClient() as client:
            found = await client.list_backup_clients(client_type="ECS_CLIENT")
        assert found.complete  # noqa: S101  a bench of wrong lists is none
        return found.clients

    return lambda: asyncio.run(listed())


def unpaced() -> Lists:
    """`HbrClient` that never holds a request back: what being careful may not cost."""
    from pulumi_hbr_clients.core.pace import Pace  # noqa: PLC0415  the import is part of the figure

    Pace.wait = lambda *_: 0.0  # type: ignore[method-assign]  # this process ends with its list
    return ours()


def sdk() -> Lists:
    """A loop over the official SDK, PageSize 99, as its documentation shows; its session keeps the connection."""
    from alibabacloud_hbr20170908.client import Client  # noqa: PLC0415  the import is part of the figure
    from alibabacloud_hbr20170908.models import DescribeBackupClientsRequest  # noqa: PLC0415
    from alibabacloud_tea_openapi.models import Config  # noqa: PLC0415

    config = Config(
        access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        region_id=os.environ["ALIBABA_CLOUD_REGION_ID"],
        endpoint=os.environ["ALIBABA_CLOUD_ENDPOINT_HBR"].removeprefix("http://"),
        protocol="HTTP",
    )

    def listed() -> Sequence[Any]:
        client, clients, total, number = Client(config), list[Any](), 1, 0
        while len(clients) < total:
            number += 1
            request = DescribeBackupClientsRequest(client_type="ECS_CLIENT", page_number=number, page_size=99)
            body = client.describe_backup_clients(request).body
            total = body.total_count
            clients += body.clients
        return clients

    return listed


CONTENDERS: Final = {"ours": ours, "unpaced": unpaced, "sdk": sdk}
_UNIT: Final = 1 if sys.platform == "darwin" else 1024


def _peak() -> int:
    """Bytes, which macOS counts and others count in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


def main() -> None:
    """Import, list, say."""
    start = time.perf_counter()
    lists = CONTENDERS[sys.argv[1]]()
    imported, peak = time.perf_counter(), _peak()
    clients = lists()
    figures = {
        "import": imported - start,
        "query": time.perf_counter() - imported,
        "memory": _peak() - peak,
        "peak": _peak(),
        "clients": len({client.client_id for client in clients}),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
