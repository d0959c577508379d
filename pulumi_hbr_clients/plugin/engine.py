"""The engine's gRPC messages and stubs without the rest of the Pulumi SDK, and the engine's log.

`import pulumi` costs 0.6 s and 40 MB, of which a provider process needs none: it needs the messages that lie in
`pulumi.runtime.proto`. So the two packages above them are stood in for by empty ones with the same paths. Goes away
when the messages come as a distribution of their own. Only for the plugin's own process.
"""

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

import grpc

if "pulumi" not in sys.modules and (_found := find_spec("pulumi")):
    for _name, _below in (("pulumi", ""), ("pulumi.runtime", "/runtime")):
        sys.modules[_name] = ModuleType(_name)
        sys.modules[_name].__path__ = [f"{folder}{_below}" for folder in _found.submodule_search_locations or ()]

from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

__all__ = ["CHANNEL", "EngineLog", "plugin_pb2", "provider_pb2", "provider_pb2_grpc"]
CHANNEL: Final[list[tuple[str, Any]]] = [
    ("grpc.max_receive_message_length", 400 * 1024 * 1024),  # as the engine's own limit
    ("grpc.max_send_message_length", -1),
]


class EngineLog:
    """Where the provider reports progress. Silent while no engine is connected."""

    def __init__(self, address: str | None = None) -> None:
        """Connect, if there is an address."""
        self._stub: Any = None
        self.connect(address)

    def connect(self, address: str | None) -> None:
        """Report to this engine from now on."""
        if address:
            self._stub = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(address, options=CHANNEL))

    async def write(self, text: str, *, urn: str = "", ephemeral: bool = False, warning: bool = False) -> None:
        """Write a line on a resource's row. An engine that is gone is no error of the provider."""
        if self._stub is None:
            return
        severity = engine_pb2.WARNING if warning else engine_pb2.INFO
        try:
            await self._stub.Log(engine_pb2.LogRequest(severity=severity, message=text, urn=urn, ephemeral=ephemeral))
        except grpc.RpcError:
            return
