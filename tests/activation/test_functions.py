"""`wait_until_activated`, as other Python code calls it, against a served emulator."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from pulumi_hbr_clients import ActivationResult, InputError, wait_until_activated
from pulumi_hbr_clients.activation.condition import gate_mode
from pulumi_hbr_clients.emulator import Backend
from pulumi_hbr_clients.model.configuration import no_config

pytestmark = pytest.mark.usefixtures("emulator")


def waited(**arguments: Any) -> ActivationResult:
    return asyncio.run(wait_until_activated(client_type="ECS_CLIENT", **arguments))


def test_it_waits(backend: Backend) -> None:
    """Settings come from the environment; iterators are read once."""
    instances: Iterator[str] = (row["InstanceId"] for row in backend.rows() if row["Hostname"] in {"web-1", "web-2"})
    passed = waited(instance_ids=instances, poll=0.2)
    assert (passed.found.total_count, passed.bypassed) == (2, False)


def test_it_can_be_bypassed(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the environment, as every gate; the result says so."""
    monkeypatch.setenv("HBR_CLIENTS_GATES", "off")
    assert waited(instance_ids=["i-without-client"]).bypassed
    assert backend.requests == 0


@pytest.mark.parametrize(
    ("config", "environment", "expected"),
    [
        (None, {}, "enforce"),
        ("warn", {}, "warn"),
        ("warn", {"HBR_CLIENTS_GATES": "off"}, "off"),
        ("off", {"HBR_CLIENTS_GATES": "enforce"}, "enforce"),
        ("off", {"HBR_CLIENTS_GATES": ""}, "off"),
    ],
)
def test_which_mode(config: str | None, environment: dict[str, str], expected: str) -> None:
    """The environment wins over the config; an empty variable is none."""
    found = gate_mode(lambda key: config if key == "hbr-clients:gates" else no_config(key), environment)
    assert found == expected


@pytest.mark.parametrize(
    ("config", "environment", "says"),
    [
        ("enforced", {}, "hbr-clients:gates: must be enforce, warn or off; did you mean enforce? (given: 'enforced')"),
        ("warn", {"HBR_CLIENTS_GATES": "no"}, "HBR_CLIENTS_GATES: must be enforce, warn or off (given: 'no')"),
    ],
)
def test_unknown_modes(config: str, environment: dict[str, str], says: str) -> None:
    """One clean error that names where it was set, and what is allowed."""
    with pytest.raises(InputError) as caught:
        gate_mode(lambda _: config, environment)
    assert str(caught.value) == says
