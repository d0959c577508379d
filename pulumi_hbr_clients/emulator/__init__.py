"""The far end of the wire: Cloud Backup's DescribeBackupClients on loopback, without an account.

    fleet → Backend ⇄ commands (tests, POST /_emulator/...)
                │
    server (sockets) or InMemoryTransport → service → paging → responses, or a fault → back

It stands on `protocol.codec`, `protocol.signing` and `model.query`, the client's own, and the official SDK uses it
unchanged.
"""

from pulumi_hbr_clients.emulator.backend import (
    FAKE_CREDENTIALS,
    FAKE_STS_CREDENTIALS,
    Backend,
    Cloud,
    Record,
    account_credentials,
)
from pulumi_hbr_clients.emulator.behaviour import Turnover, Window
from pulumi_hbr_clients.emulator.fake_client import new_row, new_rows
from pulumi_hbr_clients.emulator.fleet_file import CLUSTER, SOURCE_ACCOUNT, open_fleet, sample
from pulumi_hbr_clients.emulator.server import REGION, RunningEmulator, run, serve
from pulumi_hbr_clients.emulator.service import InMemoryTransport

__all__ = [
    "CLUSTER",
    "FAKE_CREDENTIALS",
    "FAKE_STS_CREDENTIALS",
    "REGION",
    "SOURCE_ACCOUNT",
    "Backend",
    "Cloud",
    "InMemoryTransport",
    "Record",
    "RunningEmulator",
    "Turnover",
    "Window",
    "account_credentials",
    "new_row",
    "new_rows",
    "open_fleet",
    "run",
    "sample",
    "serve",
]
