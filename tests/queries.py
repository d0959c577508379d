"""The query as a script asks it: a client for one list, at an emulated service or whatever else is at the address."""

import asyncio
from typing import Any, Final

from pulumi_hbr_clients import HbrClient
from pulumi_hbr_clients.client.session import RetryPolicy
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS
from pulumi_hbr_clients.model.outputs import ClientList

ONE_TRY: Final = {"retry_policy": RetryPolicy(attempts=1)}
QUICK: Final = RetryPolicy(first_delay=0.001, max_delay=0.01)


def client(endpoint: str, **settings: Any) -> HbrClient:
    return HbrClient(
        **{
            "retry_policy": QUICK,
            "region": "cn-hangzhou",
            "endpoint": endpoint,
            "credentials": FAKE_CREDENTIALS,
            **settings,
        }
    )


def listed(endpoint: str, settings: dict[str, Any] | None = None, **arguments: Any) -> ClientList:
    """All ECS clients, unless the arguments say otherwise."""

    async def work() -> ClientList:
        async with client(endpoint, **settings or {}) as hbr:
            return await hbr.list_backup_clients(**{"client_type": "ECS_CLIENT", **arguments})

    return asyncio.run(work())
