"""The far end of the wire: Cloud Backup's DescribeBackupClients on loopback, without an account.

    fleet → World ⇄ commands (tests, POST /_emulator/…)
              │
    socket → Service: faults → Gateway (rate, key, date, signature, nonce) → limits → page → socket

It stands on `core.wire`, `core.signing` and `core.query`, the client's own, and the official SDK uses it
unchanged. Needs the extra `emulator`; nothing outside this package imports starlette or uvicorn.
"""

try:
    from pulumi_hbr_clients.emulator.server import REGION, Running, app, run, serve
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {"starlette", "uvicorn", "h11"}:
        raise
    raise ModuleNotFoundError(
        "the emulator needs its extra: pip install 'pulumi-hbr-clients[emulator]'", name=error.name
    ) from error
from pulumi_hbr_clients.emulator.fleet import CLUSTER, SOURCE_ACCOUNT, open_world, sample
from pulumi_hbr_clients.emulator.rows import new_row, new_rows
from pulumi_hbr_clients.emulator.world import FAKE_KEYS, FAKE_STS_KEYS, Change, Record, World

__all__ = [
    "CLUSTER",
    "FAKE_KEYS",
    "FAKE_STS_KEYS",
    "REGION",
    "SOURCE_ACCOUNT",
    "Change",
    "Record",
    "Running",
    "World",
    "app",
    "new_row",
    "new_rows",
    "open_world",
    "run",
    "sample",
    "serve",
]
