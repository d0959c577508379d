"""What the README says is what the package does."""

import re
from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients import InputError
from pulumi_hbr_clients.activation.condition import ActivationCondition
from pulumi_hbr_clients.activation.evaluation import STATUSES
from pulumi_hbr_clients.model.configuration import ENDPOINT_VARIABLES, KEY_VARIABLES, REGION_VARIABLES
from pulumi_hbr_clients.model.errors import HbrError
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.mark.engine
def test_the_first_program(engine: Any) -> None:
    """The program at the top runs as it stands."""
    program, _ = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len([line for line in program.splitlines() if line]) <= 10
    stack = engine.stack()
    stack.up(lambda: exec(compile(program, "README.md", "exec"), {}))  # noqa: S102  it is our own
    assert {client["tags"]["env"] for client in stack.outputs()["clients"]} == {"prod"}
    assert stack.outputs()["firstAddress"] == stack.outputs()["clients"][0]["privateIpV4"]


def test_every_argument_is_told() -> None:
    """Each argument, output, variable and error stands in a table."""
    outputs = {*ClientList.__dataclass_fields__, "ids", "instance_ids", "total_count"} - {"request_count"}
    errors = {"HbrError", *(kind.__name__ for kind in _below(HbrError))}
    names = {
        *Query.model_fields,
        *ActivationCondition.model_fields,
        *outputs,
        *REGION_VARIABLES,
        *ENDPOINT_VARIABLES,
        *KEY_VARIABLES,
        *errors,
    }
    assert InputError.__name__ in errors
    assert {name for name, found in STATUSES.items() if found.effect != "waits" and f"`{name}`" not in README} == set()
    assert {name for name in names if f"`{name}`" not in README} == set()


def _below(kind: type[HbrError]) -> list[type[HbrError]]:
    return [found for child in kind.__subclasses__() for found in (child, *_below(child))]


def test_links_lead_somewhere() -> None:
    """Every file that is linked exists."""
    root = Path(__file__).parents[2]
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (root / target).exists(), target
