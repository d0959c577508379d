"""The query as a script asks it: a client for one list, at an emulated service or whatever else is at the address."""

import asyncio
from typing import Any

from pulumi_hbr_clients import HbrClient
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS
from pulumi_hbr_clients.model.backup_client import ClientList


def client(endpoint: str, **settings: Any) -> HbrClient:
    return HbrClient(**{"region": "cn-hangzhou", "endpoint": endpoint, "keys": FAKE_CREDENTIALS, **settings})


def listed(endpoint: str, settings: dict[str, Any] | None = None, **arguments: Any) -> ClientList:
    """All ECS clients, unless the arguments say otherwise."""

    async def work() -> ClientList:
        async with client(endpoint, **settings or {}) as hbr:
            return await hbr.list_backup_clients(**{"client_type": "ECS_CLIENT", **arguments})

    return asyncio.run(work())
