"""The far end of the wire: Cloud Backup's DescribeBackupClients on loopback, without an account.

    fleet → World ⇄ commands (tests, POST /_emulator/…)
              │
    socket → Service: faults → Gateway (rate, key, date, signature, nonce) → limits → page → socket

It stands on `protocol.codec`, `protocol.signing` and `model.query`, the client's own, and the official SDK uses it
unchanged. Needs the extra `emulator`; nothing outside this package imports starlette or uvicorn.
"""

try:
    from pulumi_hbr_clients.emulator.server import REGION, RunningEmulator, app, run, serve
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {"starlette", "uvicorn", "h11"}:
        raise
    raise ModuleNotFoundError(
        "the emulator needs its extra: pip install 'pulumi-hbr-clients[emulator]'", name=error.name
    ) from error
from pulumi_hbr_clients.emulator.backend import FAKE_CREDENTIALS, FAKE_STS_CREDENTIALS, Backend, Change, Record
from pulumi_hbr_clients.emulator.fixtures import new_row, new_rows
from pulumi_hbr_clients.emulator.fleet_file import CLUSTER, SOURCE_ACCOUNT, open_fleet, sample
from pulumi_hbr_clients.emulator.in_memory import InMemoryTransport

__all__ = [
    "CLUSTER",
    "FAKE_CREDENTIALS",
    "FAKE_STS_CREDENTIALS",
    "REGION",
    "SOURCE_ACCOUNT",
    "Backend",
    "Change",
    "InMemoryTransport",
    "Record",
    "RunningEmulator",
    "app",
    "new_row",
    "new_rows",
    "open_fleet",
    "run",
    "sample",
    "serve",
]
