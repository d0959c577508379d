"""Measured processes that list clients, each as one contender does it. They print what it cost and whether it is right.

    python -m tools.bench.list_worker list CONTENDER              the whole fleet, once
    python -m tools.bench.list_worker judge CONTENDER [SELECT]    compared with the fleet before and after
    python -m tools.bench.list_worker regions CONTENDER           all regions, by one command or one after another
    python -m tools.bench.list_worker plugin                      the provider plugin, called as the engine calls it

A contender is a function that imports what it needs and returns a function that lists: the imports are part of the
figures. SELECT is `tags` or `filters`, which select nine clients in ten.
"""

import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

Lists = Callable[[], Sequence[Any]]
Figures = dict[str, float]
RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024  # getrusage(2): KiB, on macOS bytes


def admin(path: str, body: Any = None) -> Any:
    """What the admin API of the emulated service returns; with a body it is a command."""
    address = f"{os.environ['ALIBABA_CLOUD_ENDPOINT_HBR']}/_emulator/{path}"
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address, data), timeout=60) as response:  # noqa: S310  loopback
        return json.load(response)


def ours(consistency: str, select: str = "") -> Lists:
    """`HbrClient`, as a script uses it."""
    from pulumi_hbr_clients import HbrClient

    async def listed() -> Any:
        async with HbrClient(timeout=500) as client:
            selection: dict[str, Any] = {"tags": {"bench": "yes"}, "filters": {"Hostname": ["bench"]}}
            arguments = {name: value for name, value in selection.items() if name == select}
            return await client.list_backup_clients(client_type="ECS_CLIENT", consistency=consistency, **arguments)

    # The whole result: asyncio makes a text of what a coroutine returns, and a ClientList's is short.
    return lambda: asyncio.run(listed()).clients


def sdk(select: str = "") -> Lists:
    """A loop over the official SDK, PageSize 99, as its documentation shows; its session keeps the connection."""
    from alibabacloud_hbr20170908 import models
    from alibabacloud_hbr20170908.client import Client
    from alibabacloud_tea_openapi.models import Config

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


CONTENDERS: Final[dict[str, Callable[..., Lists]]] = {
    "verified": partial(ours, "verified"),
    "counted": partial(ours, "counted"),
    "sdk": sdk,
}


def timed(name: str) -> Figures:
    """Seconds and memory of the list, without the imports. Every client is held until the figures are taken."""
    lists = CONTENDERS[name]()
    start, before = time.perf_counter(), _peak()
    clients = lists()
    seconds, after = time.perf_counter() - start, _peak()
    ids = Counter(client.client_id for client in clients)
    memory = {"peak": after, "memory": after - before}
    return {"query": seconds, **memory, "clients": len(ids), "twice": ids.total() - len(ids)}


def _peak() -> int:
    """The most memory that this process ever had, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: its ru_maxrss begins with the parent's, and the parent holds the emulated fleet
        (kibibytes,) = re.findall(r"VmHWM:\s+(\d+)", status.read_text())
        return int(kibibytes) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT


def judged(name: str, select: str = "") -> Figures:
    """Whether the list is right: clients that were there before and after must be in it, once each. An error counts."""
    lists, before = CONTENDERS[name](select), _ids(select)
    figures: Figures = dict.fromkeys(("error", "incomplete", "complete", "wrong", "missed", "twice"), 0)
    try:
        ids = Counter(client.client_id for client in lists())
    except Exception as error:  # noqa: BLE001  whatever ends it is its result
        figures["incomplete" if type(error).__name__ == "IncompleteListError" else "error"] = 1
    else:
        figures["missed"] = len((before & _ids(select)) - ids.keys())
        figures["twice"] = sum(count > 1 for count in ids.values())
        figures["wrong" if figures["missed"] or figures["twice"] else "complete"] = 1
    return figures


def _ids(select: str) -> set[str]:
    """The clients that are selected now."""
    rows = admin("fleet")["clients"]
    if select == "tags":
        rows = [row for row in rows if {"Key": "bench", "Value": "yes"} in row.get("Tags", ())]
    if select == "filters":
        rows = [row for row in rows if row["Hostname"] == "bench"]
    return {row["ClientId"] for row in rows}


def regions(name: str) -> Figures:
    """Number of clients in all regions: one `hbr-clients list`, or a serial loop over the SDK."""
    endpoints = dict(item.split("=") for item in os.environ["ALIBABA_CLOUD_ENDPOINT_HBR"].split(","))
    if name == "sdk":
        count = 0
        for region, endpoint in endpoints.items():
            os.environ |= {"ALIBABA_CLOUD_REGION_ID": region, "ALIBABA_CLOUD_ENDPOINT_HBR": endpoint}
            count += len(sdk()())
        return {"clients": count}
    from click.testing import CliRunner

    from pulumi_hbr_clients.cli import hbr_clients

    words = ["list", "--client-type", "ECS_CLIENT", "--consistency", name, "--output", "json"]
    words += [word for region in endpoints for word in ("--region", region)]
    return {"clients": CliRunner().invoke(hbr_clients, words).stdout.count('"clientId"')}


def plugin() -> Figures:
    """Seconds until the plugin gives its name, until it has listed ten clients, and of a list of all clients."""
    import grpc
    from google.protobuf.empty_pb2 import Empty
    from google.protobuf.struct_pb2 import Struct
    from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

    def invoke(**arguments: Any) -> None:
        struct = Struct()
        struct.update({"clientType": "ECS_CLIENT", **arguments})
        stub.Invoke(provider_pb2.InvokeRequest(tok="hbr-clients:index:getBackupClients", args=struct))

    start = time.perf_counter()
    command = Path(sys.executable).with_name("pulumi-resource-hbr-clients")
    with subprocess.Popen([command], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        address = f"127.0.0.1:{int(child.stdout.readline())}"
        channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        stub.GetPluginInfo(Empty())
        answers = time.perf_counter()
        stub.Configure(provider_pb2.ConfigureRequest(args=Struct()))
        invoke(pageSize=10)
        first = time.perf_counter()
        invoke()
        everything = time.perf_counter()
        child.terminate()
    seconds = {"answers": answers - start, "first": first - start, "invoke": everything - first}
    return {**seconds, "plugin_peak": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * RSS_UNIT}


TASKS: Final[dict[str, Callable[..., Figures]]] = {
    "list": timed,
    "judge": judged,
    "regions": regions,
    "plugin": plugin,
}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](*sys.argv[2:])))
