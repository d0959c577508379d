"""Lists many regions: `hbr-clients list` with all of them, or a serial loop over the official SDK.

python -m tools.bench.targets_worker verified|counted|sdk
"""

import json
import os
import sys

from tools.bench.list_worker import sdk


def command(regions: list[str], consistency: str) -> int:
    from click.testing import CliRunner  # noqa: PLC0415  the import is part of the figure

    from pulumi_hbr_clients.cli import hbr_clients  # noqa: PLC0415  the same

    words = ["list", "--client-type", "ECS_CLIENT", "--consistency", consistency, "--output", "json"]
    words += [word for region in regions for word in ("--region", region)]
    result = CliRunner().invoke(hbr_clients, words, catch_exceptions=False)
    return sum(len(target["outputs"]["clients"]) for target in json.loads(result.stdout)["targets"])


def loop(endpoints: dict[str, str]) -> int:
    count = 0
    for region, endpoint in endpoints.items():
        os.environ |= {"ALIBABA_CLOUD_REGION_ID": region, "ALIBABA_CLOUD_ENDPOINT_HBR": endpoint}
        count += len(sdk()())
    return count


def main() -> None:
    endpoints = dict(item.split("=") for item in os.environ["ALIBABA_CLOUD_ENDPOINT_HBR"].split(","))
    name = sys.argv[1]
    print(json.dumps({"clients": loop(endpoints) if name == "sdk" else command([*endpoints], name)}))


if __name__ == "__main__":
    main()
