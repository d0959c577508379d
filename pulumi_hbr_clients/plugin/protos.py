"""The engine's gRPC messages and stubs, without the rest of the Pulumi SDK.

`import pulumi` costs 0.6 s and 40 MB, of which a provider process needs none: it needs the messages that lie in
`pulumi.runtime.proto`. So the two packages above them are stood in for by empty ones with the same paths. Goes away
when the messages come as a distribution of their own. Only for the plugin's own process.
"""

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def _stand_in(name: str, folders: list[str]) -> None:
    module = ModuleType(name)
    module.__path__ = folders
    sys.modules[name] = module


def _skip_the_sdk() -> None:
    if "pulumi" in sys.modules:
        return
    found = find_spec("pulumi")
    folders = list(found.submodule_search_locations or ()) if found else []
    _stand_in("pulumi", folders)
    _stand_in("pulumi.runtime", [f"{folder}/runtime" for folder in folders])


_skip_the_sdk()

from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2  # noqa: E402  after the stand-ins
from pulumi.runtime.proto.provider_pb2_grpc import (  # noqa: E402  the same
    ResourceProviderServicer,
    add_ResourceProviderServicer_to_server,
)

CHANNEL: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", 400 * 1024 * 1024),  # as the engine's own limit
    ("grpc.max_send_message_length", -1),
]

__all__ = [
    "CHANNEL",
    "ResourceProviderServicer",
    "add_ResourceProviderServicer_to_server",
    "engine_pb2",
    "engine_pb2_grpc",
    "plugin_pb2",
    "provider_pb2",
]
