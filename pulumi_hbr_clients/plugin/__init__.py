"""The provider plugin `pulumi-resource-hbr-clients`: the same query and the same gate for every Pulumi language.

provider   the gRPC methods and error codes     handlers   what each of them does, in plain Python
engine     the engine's messages and its log    values     the engine's values ↔ plain Python

schema.json is made from the models by tools/schema.py (`make schema`).
"""

import asyncio
import sys

from pulumi_hbr_clients._version import __version__


def main() -> None:
    """Serve until the engine ends it. Prints the port first, as the engine expects."""
    if "--version" in sys.argv[1:]:
        print(__version__)  # noqa: T201  the requested output
        return
    from pulumi_hbr_clients.plugin.provider import serve  # noqa: PLC0415  it replaces the SDK in its process: engine.py

    addresses = [word for word in sys.argv[1:] if not word.startswith("-")]
    asyncio.run(serve(*addresses[:1]))
