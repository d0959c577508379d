"""The engine's end of the line: where a provider says how a resource stands. Silent while no engine is connected."""

from typing import Any

import grpc

from pulumi_hbr_clients.plugin.protos import CHANNEL, engine_pb2, engine_pb2_grpc


class Engine:
    """Where to tell progress."""

    def __init__(self, address: str | None = None) -> None:
        """Connect, if there is an address."""
        self._stub: Any = None
        self.connect(address)

    def connect(self, address: str | None) -> None:
        """Speak to this engine from now on."""
        if address:
            self._stub = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(address, options=CHANNEL))

    async def say(self, text: str, *, urn: str = "", ephemeral: bool = False, warning: bool = False) -> None:
        """A line on a resource's row. An engine that is gone is no error of the provider."""
        if self._stub is None:
            return
        severity = engine_pb2.WARNING if warning else engine_pb2.INFO
        try:
            await self._stub.Log(engine_pb2.LogRequest(severity=severity, message=text, urn=urn, ephemeral=ephemeral))
        except grpc.RpcError:
            return
