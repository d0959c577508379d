"""The judge itself: each kind of wrong that chaos looks for is found when something does it on purpose."""

import asyncio
import logging
from typing import Any

import pytest

from pulumi_hbr_clients import HbrClient
from pulumi_hbr_clients.emulator import Backend, Turnover, new_rows
from pulumi_hbr_clients.model.errors import GateFailedError, GateTimeoutError, HbrError
from pulumi_hbr_clients.model.outputs import ClientList
from tests.chaos.judge import wrong_gate
from tests.chaos.runs import Run, Vault
from tests.virtual_clock import VirtualClock


class OnePass(HbrClient):
    """Reads each list once, and takes it for complete when the counts fit."""

    async def list_backup_clients(self, **arguments: Any) -> ClientList:
        return await super().list_backup_clients(**{**arguments, "consistency": "counted"})


class Talkative(HbrClient):
    """Logs what it signs with."""

    async def list_backup_clients(self, **arguments: Any) -> ClientList:
        logging.getLogger("pulumi_hbr_clients").debug("token FAKE-VAULT-TOKEN-0")
        return await super().list_backup_clients(**arguments)


class Stuck(HbrClient):
    """Waits for what never comes."""

    async def list_backup_clients(self, **_: Any) -> ClientList:
        await asyncio.Event().wait()
        return ClientList()


class Broken(HbrClient):
    """Raises what is not ours."""

    async def list_backup_clients(self, **_: Any) -> ClientList:
        raise KeyError("a foreign exception")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (HbrClient, None),
        (OnePass, "is complete and lacks 1 of 249"),
        (Talkative, "a secret stands in: token FAKE-VAULT-TOKEN-0"),
        (Stuck, "hangs"),
        (Broken, "an exception that is not ours"),
    ],
)
def test_clients_that_are_wrong_on_purpose(kind: type[HbrClient], expected: str | None) -> None:
    """One old client takes the place of another while the list is read; only the client as it is comes out clean."""
    clock = VirtualClock()
    backend = Backend(new_rows(250), clock=clock.time, turnover=Turnover(arrivals="old", times=1))
    run = Run(backend, clock, Vault(backend), client=kind)
    run.start_list(consistency="verified")
    wrong = run.finish()
    assert [text for text in wrong if expected is None or expected not in text] == []
    assert bool(wrong) == (expected is not None)


IDS = [str(row["ClientId"]) for row in new_rows(3)]
GATE = {"client_type": "ECS_CLIENT", "client_ids": IDS, "timeout": 120.0}


@pytest.mark.parametrize(
    ("status", "arguments", "end", "expected"),
    [
        ("ACTIVATED", GATE, None, []),
        ("INSTALLING", GATE, None, ["passed although 1 of 3 were never ready", "passed on 1 that were not ready"]),
        ("ACTIVATED", {**GATE, "client_ids": [*IDS, "c-0"]}, None, ["passed without 1 clients, such as c-0"]),
        ("ACTIVATED", {**GATE, "min_clients": 4}, None, ["passed with only 3 clients"]),
        ("ACTIVATED", GATE, GateFailedError("c-1"), ["failed for nothing: c-1"]),
        ("DEACTIVATED", GATE, GateFailedError("c-1"), []),
        ("INSTALLING", GATE, GateTimeoutError("late"), ["gave up after 60 s of 120 s"]),
        ("INSTALLING", {**GATE, "timeout": 60.0}, GateTimeoutError("late"), []),
    ],
)
def test_gates_that_end_wrong(
    status: str, arguments: dict[str, Any], end: HbrError | None, expected: list[str]
) -> None:
    """A gate passed on a client that was never ready, without one, or on too few; failed for nothing; gave up early."""
    backend = Backend(new_rows(3, Status="ACTIVATED"))
    backend.set_status(status, IDS[0])
    run = Run(backend, VirtualClock())
    run.start_list()
    assert run.finish() == []
    wrong = list(wrong_gate(arguments, end or run.lists[0], run.history, run.history.now(), seconds=60))
    assert len(wrong) == len(expected)
    assert all(text.startswith(part) for text, part in zip(wrong, expected, strict=True))
