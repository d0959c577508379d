"""The explicit parameters of the gate's entry points are those of the models, and each is documented."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from pulumi_hbr_clients import ActivationGate, wait_until_activated
from pulumi_hbr_clients.activation.condition import REFUSED, ActivationCondition, ResourceCondition
from pulumi_hbr_clients.model.query import Query


@pytest.mark.parametrize(
    ("function", "model", "own"),
    [
        (ActivationGate.__init__, ResourceCondition, {"self", "resource_name", "opts"}),
        (wait_until_activated, ActivationCondition, {"on_progress", "config"}),
    ],
)
def test_parameters(function: Callable[..., Any], model: type[ActivationCondition], own: set[str]) -> None:
    """A field that is added to a model needs a parameter and a line of documentation here."""
    fields = Query.model_fields.keys() - REFUSED.keys() | model.model_fields.keys()
    parameters = inspect.signature(function).parameters
    assert parameters.keys() == fields | own
    documented = re.findall(r"^    (\w+): [A-Z]", inspect.getdoc(function) or "", flags=re.MULTILINE)
    assert {*documented} >= parameters.keys() - {"self"}
    required = [name for name, each in parameters.items() if each.default is inspect.Parameter.empty]
    assert set(required) - own == {"client_type"}
