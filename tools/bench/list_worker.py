"""Lists the whole fleet once, as one contender does it, and prints what it cost and whether it was right.

    python -m tools.bench.list_worker CONTENDER [judge [tags|filters]]

A contender is a function that imports what it needs and returns a function that lists: the imports are part of the
figures. With `judge` the list is compared with the fleet before and after, and an error is a result too; `tags` and
`filters` select nine clients in ten.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from tools.bench.admin import call

Lists = Callable[[], Sequence[Any]]
_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024  # getrusage(2): KiB, on macOS bytes


def ours(consistency: str, select: str = "") -> Lists:
    """`HbrClient`, as a script uses it."""
    from pulumi_hbr_clients import HbrClient  # noqa: PLC0415  the import is part of the figure

    async def listed() -> Any:
        async with HbrClient(timeout=500) as client:
            selection: dict[str, Any] = {"tags": {"bench": "yes"}, "filters": {"Hostname": ["bench"]}}
            arguments = {name: value for name, value in selection.items() if name == select}
            return await client.list_backup_clients(client_type="ECS_CLIENT", consistency=consistency, **arguments)

    # The whole result: asyncio makes a text of what a coroutine returns, and a ClientList's is short.
    return lambda: asyncio.run(listed()).clients


def sdk(select: str = "") -> Lists:
    """A loop over the official SDK, PageSize 99, as its documentation shows; its session keeps the connection."""
    from alibabacloud_hbr20170908 import models  # noqa: PLC0415  the import is part of the figure
    from alibabacloud_hbr20170908.client import Client  # noqa: PLC0415  the same
    from alibabacloud_tea_openapi.models import Config  # noqa: PLC0415  the same

    client = Client(
        Config(
            access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
            access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
            region_id=os.environ["ALIBABA_CLOUD_REGION_ID"],
            endpoint=os.environ["ALIBABA_CLOUD_ENDPOINT_HBR"].removeprefix("http://"),
            protocol="HTTP",
        )
    )
    request = models.DescribeBackupClientsRequest(client_type="ECS_CLIENT", page_size=99)
    if select == "tags":
        request.tag = [models.DescribeBackupClientsRequestTag(key="bench", value="yes")]
    if select == "filters":
        request.filters = [models.DescribeBackupClientsRequestFilters(key="Hostname", values=["bench"])]

    def listed() -> Sequence[Any]:
        clients, total, number = list[Any](), 1, 0
        while len(clients) < total:
            number += 1
            request.page_number = number
            body = client.describe_backup_clients(request).body
            total = body.total_count
            clients += body.clients
        return clients

    return listed


CONTENDERS: Final[dict[str, Callable[[str], Lists]]] = {
    "verified": partial(ours, "verified"),
    "counted": partial(ours, "counted"),
    "sdk": sdk,
}


def main() -> None:
    """List, print the figures."""
    name, *judge = sys.argv[1:]
    select = judge[1] if len(judge) > 1 else ""
    lists = CONTENDERS[name](select)
    print(json.dumps(judged(lists, select) if judge else timed(lists)))


def timed(lists: Lists) -> dict[str, float]:
    """Seconds and memory of the list, without the imports. Every client is held until the figures are taken."""
    start, before = time.perf_counter(), _peak()
    clients = lists()
    seconds, ids = time.perf_counter() - start, Counter(client.client_id for client in clients)
    return {"query": seconds, "memory": _peak() - before, "clients": len(ids), "twice": ids.total() - len(ids)}


def judged(lists: Lists, select: str) -> dict[str, float]:
    """Whether the list is right. Clients that were there before and after must be in it, once each."""
    before, start = _ids(select), time.perf_counter()
    figures = dict.fromkeys(("error", "incomplete", "complete", "wrong", "missed", "twice"), 0)
    try:
        ids = Counter(client.client_id for client in lists())
    except Exception as error:  # noqa: BLE001  whatever ends it is its result
        figures["incomplete" if type(error).__name__ == "IncompleteListError" else "error"] = 1
    else:
        figures["missed"] = len((before & _ids(select)) - ids.keys())
        figures["twice"] = sum(count > 1 for count in ids.values())
        figures["wrong" if figures["missed"] or figures["twice"] else "complete"] = 1
    return {**figures, "query": time.perf_counter() - start}


def _ids(select: str) -> set[str]:
    """The clients that are selected now."""
    rows = call("fleet")["clients"]
    if select == "tags":
        rows = [row for row in rows if {"Key": "bench", "Value": "yes"} in row.get("Tags", ())]
    if select == "filters":
        rows = [row for row in rows if row["Hostname"] == "bench"]
    return {row["ClientId"] for row in rows}


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT


if __name__ == "__main__":
    main()
