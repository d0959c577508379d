"""Whether gates hold at all: `hbr-clients:gates` in Pulumi config, or HBR_CLIENTS_GATES in the environment, which wins.

A rollback must not be held up by one machine that is down.
"""

import os
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from pulumi_hbr_clients.client.settings import Config
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.validators import nearest

GateMode = Literal["enforce", "warn", "off"]
"""`enforce` waits, `warn` looks once, warns and passes, `off` passes without a look."""
VARIABLE: Final = "HBR_CLIENTS_GATES"
CONFIG_KEY: Final = "hbr-clients:gates"


def gate_mode(config: Config, environment: Mapping[str, str] = os.environ) -> GateMode:
    """The mode that is set; `enforce` where none is. Raises `InputError` for any other value."""
    value: Any
    place, value = VARIABLE, environment.get(VARIABLE)
    if not value:
        place, value = CONFIG_KEY, config(CONFIG_KEY)
    if not value:
        return "enforce"
    for mode in get_args(GateMode):
        if value == mode:
            return mode  # type: ignore[no-any-return]  # get_args gives the literals
    hint = nearest(str(value), get_args(GateMode))
    raise InputError(ValidationIssue(place, f"must be enforce, warn or off{hint}", repr(value)))
