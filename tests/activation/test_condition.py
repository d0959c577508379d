"""Arguments of a gate: the parameters of its entry points, what is refused, and what gates are set to."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from pulumi_hbr_clients import ActivationGate, wait_until_activated
from pulumi_hbr_clients.activation import condition as gate
from pulumi_hbr_clients.activation.condition import REFUSED, ActivationCondition, ResourceCondition, gate_mode
from pulumi_hbr_clients.model.configuration import no_config
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.model.query import Query

OWN = {"resource_name", "opts"}


@pytest.mark.parametrize(
    ("function", "model", "own", "documented"),
    [
        (ActivationGate.__init__, ResourceCondition, {"self", *OWN}, {*OWN, *ResourceCondition.model_fields}),
        (wait_until_activated, ActivationCondition, {"on_progress", "config"}, {"on_progress", "config"}),
    ],
)
def test_parameters(
    function: Callable[..., Any], model: type[ActivationCondition], own: set[str], documented: set[str]
) -> None:
    """A field that is added to a model needs a parameter here."""
    parameters = inspect.signature(function).parameters
    assert parameters.keys() == Query.model_fields.keys() - REFUSED.keys() | model.model_fields.keys() | own
    assert documented <= {*re.findall(r"^    (\w+): [A-Z]", inspect.getdoc(function) or "", flags=re.MULTILINE)}
    required = [name for name, each in parameters.items() if each.default is inspect.Parameter.empty]
    assert set(required) - own == {"client_type"}


@pytest.mark.parametrize(
    ("arguments", "path", "says"),
    [
        ({"timeout": "soon"}, "timeout", "must be a time: seconds, or text like 90s, 15m or 1h30m"),
        ({"timeout": True}, "timeout", "must be a time"),
        ({"min_clients": 0}, "min_clients", "must be 1 or more"),
        ({"min_client_version": "new"}, "min_client_version", "must be a version"),
        ({"tolerate": ["install_failed"]}, "tolerate[0]", "did you mean INSTALL_FAILED?"),
        ({"page_size": 5}, "page_size", "a gate looks at all clients that are selected"),
        ({"statuses": ["ACTIVATED"]}, "statuses", "see tolerate"),
        ({"backup_statuses": ["PROTECTED"]}, "backup_statuses", "see backup_status"),
        ({"backupStatuses": ["PROTECTED"]}, "backup_statuses", "see backup_status"),
        ({"consistency": "counted"}, "consistency", "passes only on a verified list"),
        ({"include_heartbeats": True}, "include_heartbeats", "nothing that changes by itself"),
        ({"min_clients": 2, "instance_ids": ["i-1"]}, "min_clients", "together with instance_ids"),
        ({"min_clients": 1, "client_ids": []}, "min_clients", "together with client_ids"),
        ({"tolerate": ["ACTIVATED"]}, "tolerate", "must not hold ACTIVATED"),
        ({"backup_status": "protected"}, "backup_status", "did you mean PROTECTED?"),
        ({"tiemout": 5}, "tiemout", "no such argument"),
    ],
)
def test_refused(arguments: dict[str, Any], path: str, says: str) -> None:
    """Faults of query and condition come together, each with its argument."""
    with pytest.raises(InputError) as caught:
        gate.parse({"client_type": "ecs", **arguments})
    found = {fault.path: fault.reason for fault in caught.value.faults}
    assert says in found[path]
    assert "client_type" in found


def test_an_unknown_value_is_a_warning() -> None:
    """Statuses are an open set, so one that is not known may be new: it is used, with a warning."""
    asked = gate.parse({"client_type": "MOON_CLIENT", "tolerate": ["INSTAL_FAILED"], "backup_status": "PROTECTE"})
    warnings = list(asked.warnings())
    assert [text.partition(" ")[0] for text in warnings] == ["client_type:", "tolerate:", "backup_status:"]
    assert [text.rpartition("; ")[2] for text in warnings[1:]] == [
        "did you mean INSTALL_FAILED?",
        "did you mean PROTECTED?",
    ]
    assert "INSTAL" not in "".join(asked.warnings({"tolerate"}))


def test_unknown_arguments_are_no_fault() -> None:
    """In a preview there is no gate yet, and what is known is checked."""
    assert gate.parse_partial({"client_type": "ECS_CLIENT"}, ["instance_ids", "timeout"]) is None
    with pytest.raises(InputError, match="min_clients"):
        gate.parse_partial({"min_clients": 0}, ["client_type"])
    with pytest.raises(InputError, match="together with instance_ids"):
        gate.parse_partial({"client_type": "ECS_CLIENT", "min_clients": 2}, ["instanceIds"])


def test_times() -> None:
    """Seconds, or the usual letters."""
    for given, expected in {
        "15m": 900,
        "90s": 90,
        "1h30m": 5400,
        "2d": 172800,
        5: 5,
        0.5: 0.5,
        "45": 45,
        "1m30": 90,
    }.items():
        assert ActivationCondition.model_validate({"timeout": given}).timeout == expected


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
