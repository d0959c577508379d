"""The provider plugin `pulumi-resource-hbr-clients`: the same query and the same gate for every Pulumi language.

protos       the engine's messages, without the SDK        provider      the gRPC methods
values       its values ↔ plain Python                     handlers      getBackupClients, CheckConfig
grpc_errors  our errors as its codes and check failures    gate_handler  ActivationGate
engine_log   where progress is reported                    schema        schema.json
"""

import asyncio
import signal
import sys


def main() -> None:
    """Serve until the engine says stop. Prints the port first, as the engine expects."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    if "--version" in sys.argv[1:]:
        from pulumi_hbr_clients import __version__  # noqa: PLC0415  used here only

        print(__version__)  # noqa: T201  it is what was asked
        return
    asyncio.run(_serve(words[0] if words else None))


async def _serve(engine_address: str | None) -> None:
    import grpc  # noqa: PLC0415  0.1 s that --version need not pay

    from pulumi_hbr_clients.plugin import protos as protocol  # noqa: PLC0415  it needs grpc
    from pulumi_hbr_clients.plugin.engine_log import Engine  # noqa: PLC0415  the same
    from pulumi_hbr_clients.plugin.provider import Provider  # noqa: PLC0415  the same

    server, stopped = grpc.aio.server(options=protocol.CHANNEL), asyncio.Event()
    protocol.add_ResourceProviderServicer_to_server(Provider(Engine(engine_address)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wanted, stopped.set)
    await stopped.wait()
    await server.stop(grace=None)
