"""Lists many regions: `hbr-clients list` with all of them, or a serial loop over the official SDK.

python -m tools.bench.targets_worker verified|counted|sdk
"""

import json
import os
import sys
import time
from functools import partial

from click.testing import CliRunner

from tools.bench.list_worker import sdk


def command(endpoints: dict[str, str], consistency: str) -> int:
    from pulumi_hbr_clients import HbrClient  # noqa: PLC0415  the import is part of the figure
    from pulumi_hbr_clients.cli import hbr_clients  # noqa: PLC0415  the same
    from pulumi_hbr_clients.client.transport import ConnectionPool  # noqa: PLC0415  the same

    def transport(endpoint: str) -> ConnectionPool:
        """A connection to the emulator's port of a region, in place of the region's own address."""
        return ConnectionPool(next(url for region, url in endpoints.items() if f".{region}." in endpoint))

    del os.environ["ALIBABA_CLOUD_ENDPOINT_HBR"]
    regions = [word for region in endpoints for word in ("--region", region)]
    words = ["list", "--client-type", "ECS_CLIENT", *regions, "--consistency", consistency, "--output", "json"]
    client = partial(HbrClient, transport=transport)
    result = CliRunner().invoke(hbr_clients, words, obj=client, catch_exceptions=False)
    return sum(len(target["outputs"]["clients"]) for target in json.loads(result.stdout)["targets"])


def loop(endpoints: dict[str, str]) -> int:
    count = 0
    for region, endpoint in endpoints.items():
        os.environ |= {"ALIBABA_CLOUD_REGION_ID": region, "ALIBABA_CLOUD_ENDPOINT_HBR": endpoint}
        count += len(sdk()())
    return count


def main() -> None:
    start, endpoints = time.perf_counter(), json.loads(os.environ["BENCH_ENDPOINTS"])
    clients = loop(endpoints) if sys.argv[1] == "sdk" else command(endpoints, sys.argv[1])
    print(json.dumps({"clients": clients, "query": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
