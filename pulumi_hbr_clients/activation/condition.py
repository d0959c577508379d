"""What a gate waits for: arguments → a query and an `ActivationCondition`, or every fault of both.

Whether clients meet a condition is decided in `evaluation`.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from pydantic import BaseModel, Field

from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model import validators
from pulumi_hbr_clients.model.configuration import Config
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.model.validators import snake, unknown_value_warnings, validate


class ActivationCondition(BaseModel):
    """When a gate passes, and how long it waits."""

    model_config = Query.model_config

    min_clients: validators.PageNumber = Field(
        default=1, description="Minimum number of matching clients. Not together with client or instance ids."
    )
    timeout: validators.Duration = Field(default=900.0, description="How long to wait for all selected clients.")
    max_heartbeat_age: validators.Duration | None = Field(
        default=None, description="Maximum age of an activated client's last heartbeat, by the service's clock."
    )
    min_client_version: validators.ClientVersion | None = Field(
        default=None, description="Minimum version of an activated client."
    )
    backup_status: validators.BackupStatus | None = Field(
        default=None, description="Backup status that an activated client must have: PROTECTED."
    )
    tolerate: validators.Statuses = Field(
        default=(), description="Statuses that normally fail the gate at once and are waited out instead."
    )
    unknown_grace: validators.Seconds = Field(
        default=120.0, description="How long a client may be UNKNOWN (disconnected) before the gate fails."
    )
    poll: validators.Duration = Field(
        default=2.0, description="First interval between two polls; it grows to 15 s, with jitter."
    )


class ResourceCondition(ActivationCondition):
    """Also when a gate in a stack waits again. The other entry points have no such arguments."""

    triggers: tuple[Any, ...] = Field(
        default=(), description="Any values. The gate waits again when one of them changes."
    )
    recheck: bool = Field(
        default=False,
        description="Look at the clients at every preview, up and refresh; the gate waits again if it would not pass.",
    )


OPEN_SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "tolerate": validators.STATUSES,
    "backup_status": validators.BACKUP_STATUSES,
}
"""As those of a query."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Validated arguments of a gate: which clients, and what is waited for."""

    query: Query
    condition: ResourceCondition

    def warnings(self, secret: Collection[str] = ()) -> Iterator[str]:
        """What is allowed and yet looks wrong, a sentence each; without the values of arguments that are `secret`."""
        yield from self.query.warnings(secret)
        yield from unknown_value_warnings(self.condition, OPEN_SETS, secret)


_WHOLE: Final = "must not be given: a gate looks at all clients that are selected"
REFUSED: Final = {
    "page_number": _WHOLE,
    "page_size": _WHOLE,
    "statuses": "must not be given: a gate waits for ACTIVATED; see tolerate",
    "backup_statuses": "must not be given: it would hide clients that are not ready; see backup_status",
    "include_heartbeats": "must not be given: the outputs of a gate hold nothing that changes by itself",
    "include_proxy_passwords": "must not be given: a gate needs no passwords",
    "consistency": "must not be given: a gate passes only on a verified list",
    "allow_incomplete": "must not be given: a gate passes only on a complete list",
}
"""Arguments of a query that a gate does not take, and why."""
_IDS: Final = ("client_ids", "instance_ids")


def parse(args: Mapping[str, Any]) -> Gate:
    """Validate the arguments of a gate. Raises `InputError` with all faults of query and condition."""
    return cast("Gate", parse_partial(args, ()))  # without unknown arguments there is a gate, or an error


def parse_partial(args: Mapping[str, Any], unknown: Iterable[str]) -> Gate | None:
    """Validate arguments of which some are not known yet; None while any is `unknown`. Raises `InputError`."""
    unknown = {snake(name) for name in unknown}
    given = {name: value for name, value in args.items() if value is not None}
    own = {name: value for name, value in given.items() if snake(name) in ResourceCondition.model_fields}
    condition, faults = validate(ResourceCondition, own)
    try:
        rest = {name: value for name, value in given.items() if name not in own}
        query = queries.parse_partial(rest, unknown - ResourceCondition.model_fields.keys())
    except InputError as error:
        query, faults = None, [*error.faults, *faults]
    faults += _refused({snake(name): value for name, value in given.items()}, unknown)
    if faults := [fault for fault in faults if fault.argument not in unknown]:
        raise InputError(*faults)
    return None if unknown or query is None or condition is None else Gate(query, condition)


def _refused(given: Mapping[str, Any], unknown: set[str]) -> Iterator[ValidationIssue]:
    """Arguments that a gate does not take, and those that exclude each other."""
    for name in given.keys() & REFUSED.keys():
        yield ValidationIssue(name, REFUSED[name])
    ids = [name for name in _IDS if name in given or name in unknown]
    if ids and "min_clients" in given:
        reason = f"must not be given together with {' or '.join(ids)}: every id must have an activated client"
        yield ValidationIssue("min_clients", reason, repr(given["min_clients"]))
    tolerated = given.get("tolerate")
    if isinstance(tolerated, list | tuple) and "ACTIVATED" in tolerated:
        yield ValidationIssue("tolerate", "must not hold ACTIVATED: it is the status that a gate waits for")


GateMode = Literal["enforce", "warn", "off"]
"""`enforce` waits, `warn` looks once, warns and passes, `off` passes without a look: one dead machine must not hold up
a rollback."""


def gate_mode(config: Config, environment: Mapping[str, str] = os.environ) -> GateMode:
    """The mode that the environment or Pulumi config sets; `enforce` where none is. Raises `InputError` for others."""
    places = {
        "HBR_CLIENTS_GATES": environment.get("HBR_CLIENTS_GATES"),
        "hbr-clients:gates": config("hbr-clients:gates"),
    }
    place, value = next(((place, value) for place, value in places.items() if value), ("", "enforce"))
    if value in get_args(GateMode):
        return cast("GateMode", value)
    hint = validators.nearest(str(value), get_args(GateMode))
    raise InputError(ValidationIssue(place, f"must be enforce, warn or off{hint}", repr(value)))
