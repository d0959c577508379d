"""The explicit parameters of the gate's entry points are those of the models."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from pulumi_hbr_clients import ActivationGate, wait_until_activated
from pulumi_hbr_clients.activation.condition import REFUSED, ActivationCondition, ResourceCondition
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
