"""One contender lists the whole fleet, once, in a fresh process, and says what it cost.

    listing.py ours|sdk|peer|...

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
from functools import partial
from typing import Any, Final, NamedTuple


class Listed(NamedTuple):
    """What a contender lists, and whether it says that this is all. The others say nothing else."""

    clients: Sequence[Any]
    complete: bool = True


Lists = Callable[[], Listed]
PEER_PAGE: Final = 50
PEER_WAIT: Final = 3.0
PEER_PATIENCE: Final = 300.0


def ours(**arguments: Any) -> Lists:
    """`HbrClient`, as a script uses it."""
    from pulumi_hbr_clients import HbrClient  # noqa: PLC0415  the import is part of the figure

    async def asked() -> Any:
        async with HbrClient() as client:
            return await client.list_backup_clients(client_type="ECS_CLIENT", **arguments)

    def listed() -> Listed:
        found = asyncio.run(asked())  # asyncio makes a text of what a coroutine gives: a ClientList's is short
        return Listed(found.clients, found.complete)

    return listed


def unpaced() -> Lists:
    """`HbrClient` that never holds a request back: what being careful may not cost."""
    from pulumi_hbr_clients.protocol.rate_limiter import RateLimiter  # noqa: PLC0415  the import is part of the figure

    RateLimiter.delay = lambda *_: 0.0  # type: ignore[method-assign]  # this process ends with its list
    return ours()


def page_of(size: int) -> Callable[[int], Any]:
    """What asks the official SDK for a page of this size; its session keeps the connection."""
    from alibabacloud_hbr20170908.client import Client  # noqa: PLC0415  the import is part of the figure
    from alibabacloud_hbr20170908.models import DescribeBackupClientsRequest  # noqa: PLC0415
    from alibabacloud_tea_openapi.models import Config  # noqa: PLC0415

    client = Client(
        Config(
            access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
            access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
            region_id=os.environ["ALIBABA_CLOUD_REGION_ID"],
            endpoint=os.environ["ALIBABA_CLOUD_ENDPOINT_HBR"].removeprefix("http://"),
            protocol="HTTP",
        )
    )

    def page(number: int) -> Any:
        request = DescribeBackupClientsRequest(client_type="ECS_CLIENT", page_number=number, page_size=size)
        return client.describe_backup_clients(request).body

    return page


def sdk() -> Lists:
    """A loop over the official SDK, PageSize 99, as its documentation shows."""
    page = page_of(99)

    def listed() -> Listed:
        clients, total, number = list[Any](), 1, 0
        while len(clients) < total:
            number += 1
            body = page(number)
            total = body.total_count
            clients += body.clients
        return Listed(clients)

    return listed


def peer() -> Lists:
    """The algorithm of Terraform's and Pulumi's alicloud data source, restated over the official SDK's requests.

    Serial pages of 50; a page of fewer ends the list and TotalCount is not looked at; trouble of the connection, of the
    service (5xx) and throttling are tried again every 3 s for five minutes (reference/hbr-api.md, 2.3 and 6.2).
    """
    page = page_of(PEER_PAGE)

    def listed() -> Listed:
        clients, number, rows = list[Any](), 0, [None] * PEER_PAGE
        while len(rows) == PEER_PAGE:
            number += 1
            rows = _patiently(partial(page, number)).clients
            clients += rows
        return Listed(clients)

    return listed


def _patiently(ask: Callable[[], Any]) -> Any:
    """As the peer tries again: always after the same three seconds."""
    until = time.monotonic() + PEER_PATIENCE
    while True:
        try:
            body = ask()
        except Exception as error:
            if time.monotonic() > until or not _peer_retries(error):
                raise
        else:
            if body.success is False:  # the peer looks at it, the SDK does not
                raise RuntimeError(body.message)
            return body
        time.sleep(PEER_WAIT)


def _peer_retries(error: Exception) -> bool:
    """What the peer's NeedRetry names: the network, throttling, ServiceUnavailable and 5xx. Not what cannot be read."""
    from darabonba.exceptions import UnretryableException  # noqa: PLC0415  the import is part of the figure

    if isinstance(error, UnretryableException):
        return "Failed to parse" not in str(error)
    code, status = str(getattr(error, "code", "")), getattr(error, "status_code", None) or 0
    return "Throttling" in code or code == "ServiceUnavailable" or status >= 500  # noqa: PLR2004  server errors


CONTENDERS: Final[dict[str, Callable[[], Lists]]] = {
    "ours": ours,
    "verified": partial(ours, consistency="verified"),
    "unpaced": unpaced,
    "sdk": sdk,
    "peer": peer,
}
_UNIT: Final = 1 if sys.platform == "darwin" else 1024


def _peak() -> int:
    """Bytes, which macOS counts and others count in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


def main() -> None:
    """Import, list, say."""
    start = time.perf_counter()
    lists = CONTENDERS[sys.argv[1]]()
    imported, peak = time.perf_counter(), _peak()
    clients, complete = lists()
    figures = {
        "import": imported - start,
        "query": time.perf_counter() - imported,
        "memory": _peak() - peak,
        "peak": _peak(),
        "clients": (unique := len({client.client_id for client in clients})),
        "twice": len(clients) - unique,
    }
    assert complete  # noqa: S101  a fleet that stands still is listed whole, or the figures mean nothing
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
