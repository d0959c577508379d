"""When a gate passes: clients + condition → passed, waiting (and for what), or failed (and why).

Asked by ids, every id must be there and ACTIVATED; asked by filters, at least `min_clients` must match and all that
match must be ACTIVATED. No source documents the order of states, so they are a set, each with its effect.
Pure: the time comes from outside, and so does since when a client has been UNKNOWN.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model import validators
from pulumi_hbr_clients.model.backup_client import BackupClient
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.model.validation import snake, unknown_value_warnings, validate

Effect = Literal["passes", "fails", "waits", "grace"]


@dataclass(frozen=True, slots=True)
class StatusRule:
    """What a status does to a gate, and what to do about it."""

    effect: Effect
    advice: str


STATUSES: Final[Mapping[str, StatusRule]] = {
    "ACTIVATED": StatusRule("passes", "nothing to do"),
    "REGISTERED": StatusRule("waits", "it activates by itself"),
    "INSTALLING": StatusRule("waits", "the installation is under way"),
    "UPGRADING": StatusRule("waits", "the upgrade is under way"),
    "UNINSTALLING": StatusRule("waits", "it is being removed: install it again"),
    "NOT_INSTALLED": StatusRule("waits", "install the client"),
    "STOPPED": StatusRule("waits", "start the client on the machine, or install it again"),
    "UNKNOWN": StatusRule("grace", "disconnected: check that the machine runs and reaches the service"),
    "INSTALL_FAILED": StatusRule("fails", "check Cloud Assistant and that the instance runs, then install again"),
    "DEACTIVATED": StatusRule("fails", "its activation failed or has expired: activate or install it again"),
    "UPGRADE_FAILED": StatusRule("fails", "upgrade it again; tolerate=['UPGRADE_FAILED'] waits for that"),
    "UNINSTALL_FAILED": StatusRule("fails", "uninstall it again, or remove it from the selection"),
}
_NEW: Final = StatusRule("waits", "a status that this version does not know")


class ActivationCondition(BaseModel):
    """What a gate waits for, and how."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, loc_by_alias=False
    )

    min_clients: validators.PageNumber = Field(
        default=1, description="At least so many clients must match, where the gate is asked by filters."
    )
    timeout: validators.Duration = Field(default=900.0, description="How long to wait for the whole selection.")
    max_heartbeat_age: validators.Duration | None = Field(
        default=None, description="An activated client counts only if its last heartbeat is no older."
    )
    min_client_version: validators.ClientVersion | None = Field(
        default=None, description="An activated client counts only from this version on."
    )
    tolerate: validators.Statuses = Field(
        default=(), description="Statuses that would fail the gate at once, and shall be waited out instead."
    )
    unknown_grace: validators.Seconds = Field(
        default=120.0, description="How long a client may be UNKNOWN (disconnected) before the gate fails."
    )
    poll: validators.Duration = Field(
        default=2.0, description="The first interval between two looks; it grows to 15 s, with jitter."
    )


@dataclass(frozen=True, slots=True)
class BlockingClient:
    """One client, or one asked-for id without a client, that keeps a gate shut."""

    client_id: str | None
    instance_id: str | None
    status: str | None
    why: str
    advice: str
    since: int | None = None
    """When the client was last updated, in UNIX seconds, as the service says."""

    @property
    def name(self) -> str:
        """`c-1 (i-1)`, as far as known."""
        if self.client_id and self.instance_id:
            return f"{self.client_id} ({self.instance_id})"
        return self.client_id or self.instance_id or "a client without an id"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at the clients means for a gate."""

    state: Literal["passed", "waiting", "failed"]
    ready: int
    wanted: int
    waiting: tuple[BlockingClient, ...] = ()
    failed: tuple[BlockingClient, ...] = ()
    note: str = ""
    found: ClientList = field(default_factory=lambda: ClientList(complete=False), repr=False)
    """The clients that were judged; nothing is known of them before the first look."""


def parse(args: Mapping[str, Any], unknown: Iterable[str] = ()) -> tuple[Query, ActivationCondition] | None:
    """Arguments of a gate: those of a query and those of a condition. Raises `InputError` with all faults of both."""
    unknown = {snake(name) for name in unknown}
    given = {name: value for name, value in args.items() if value is not None}
    own = {name: value for name, value in given.items() if snake(name) in ActivationCondition.model_fields}
    condition, faults = validate(ActivationCondition, own)
    try:
        rest = {name: value for name, value in given.items() if name not in own}
        query = queries.parse_partial(rest, unknown - ActivationCondition.model_fields.keys())
    except InputError as error:
        query, faults = None, [*error.faults, *faults]
    faults += [ValidationIssue(name, reason) for name, reason in REFUSED.items() if name in map(snake, given)]
    if faults := [fault for fault in faults if fault.argument not in unknown]:
        raise InputError(*faults)
    return None if unknown or query is None or condition is None else (query, condition)


def warnings_of(query: Query, condition: ActivationCondition, secret: Collection[str] = ()) -> Iterator[str]:
    """What is allowed and yet looks odd, a sentence each; without the values of arguments that are `secret`."""
    yield from queries.warnings_of(query, secret)
    yield from unknown_value_warnings("tolerate", condition.tolerate, STATUSES, secret)


_WHOLE: Final = "must not be given: a gate looks at the whole selection"
REFUSED: Final = {
    "page_number": _WHOLE,
    "page_size": _WHOLE,
    "statuses": "must not be given: a gate waits for ACTIVATED; see tolerate",
    "include_proxy_passwords": "must not be given: a gate needs no passwords",
    "allow_incomplete": "must not be given: a gate opens only on a complete list",
}


def evaluate(
    query: Query, condition: ActivationCondition, found: ClientList, *, now: float, unknown_since: Mapping[str, float]
) -> Verdict:
    """What these clients mean. `now` in UNIX seconds; `unknown_since` by client identity."""
    if query.selects_nothing():
        return Verdict("passed", 0, 0, note="nothing was selected: the id list is empty", found=found)
    judged = [(c, _trouble(condition, c, now, unknown_since)) for c in found.clients]
    failed = tuple(t for c, t in judged if t and _fails(condition, c, now, unknown_since))
    missing = tuple(_missing(query, found))
    waiting = tuple(t for _, t in judged if t and t not in failed) + missing
    ready = sum(1 for _, t in judged if t is None)
    wanted = max(len(judged) + len(missing), 0 if _by_ids(query) else condition.min_clients)
    if failed:
        return Verdict("failed", ready, wanted, waiting, failed, found=found)
    note = _open_question(query, condition, found)
    if waiting or note:
        return Verdict("waiting", ready, wanted, waiting, note=note, found=found)
    return Verdict("passed", ready, wanted, found=found)


def track_unknown(before: Mapping[str, float], found: Iterable[BackupClient], now: float) -> dict[str, float]:
    """Since when each client that is UNKNOWN has been seen so, without a break."""
    return {c.identity: before.get(c.identity, now) for c in found if c.status == "UNKNOWN"}


def meaning(status: str | None) -> StatusRule:
    """The effect of a status and what to do about it; a new one is waited out."""
    return STATUSES.get(status or "", _NEW)


def _by_ids(query: Query) -> bool:
    return query.client_ids is not None or query.instance_ids is not None


def _missing(query: Query, found: ClientList) -> Iterator[BlockingClient]:
    """Ids asked for that no listed client has: without a client, or with one that another filter drops."""
    for client_id in sorted(set(query.client_ids or ()) - {c.client_id for c in found.clients}):
        absent = client_id in found.missing_client_ids
        yield BlockingClient(client_id, None, None, *(_NO_CLIENT if absent else _DROPPED))
    for instance_id in sorted(set(query.instance_ids or ()) - {c.instance_id for c in found.clients}):
        absent = instance_id in found.missing_instance_ids
        yield BlockingClient(None, instance_id, None, *(_NO_CLIENT if absent else _DROPPED))


_NO_CLIENT: Final = ("there is no such client yet", "install the client, or check the id")
_DROPPED: Final = ("its client does not match the other filters", "check the filters")


def _open_question(query: Query, condition: ActivationCondition, found: ClientList) -> str:
    """Asked by filters, what is not listed cannot be judged."""
    if _by_ids(query):
        return ""
    if not found.complete:
        return "the list may be incomplete, so not all is known"
    few = f"{len(found.clients)} match, at least {condition.min_clients} must"
    return few if len(found.clients) < condition.min_clients else ""


def _fails(
    condition: ActivationCondition, client: BackupClient, now: float, unknown_since: Mapping[str, float]
) -> bool:
    if client.status in condition.tolerate:
        return False
    effect = meaning(client.status).effect
    overdue = now - unknown_since.get(client.identity, now) >= condition.unknown_grace
    return effect == "fails" or (effect == "grace" and overdue)


def _trouble(
    condition: ActivationCondition, client: BackupClient, now: float, unknown_since: Mapping[str, float]
) -> BlockingClient | None:
    why = _why(condition, client, now, unknown_since)
    if why is None:
        return None
    advice = meaning(client.status).advice if client.status != "ACTIVATED" else _STALE
    return BlockingClient(client.client_id, client.instance_id, client.status, why, advice, client.updated_time)


_STALE: Final = "check the client on the machine"


def _why(
    condition: ActivationCondition, client: BackupClient, now: float, unknown_since: Mapping[str, float]
) -> str | None:
    """What is not right with a client, or None."""
    if client.status == "UNKNOWN":
        return f"UNKNOWN for {now - unknown_since.get(client.identity, now):.0f} s"
    if client.status != "ACTIVATED":
        return client.status or "has no status"
    age = now - (client.last_heart_beat_time or 0)
    if condition.max_heartbeat_age is not None and age > condition.max_heartbeat_age:
        seen = f"{age:.0f} s old" if client.last_heart_beat_time else "missing"
        return f"ACTIVATED, but its heartbeat is {seen} (allowed: {condition.max_heartbeat_age:g} s)"
    if condition.min_client_version and not _is_at_least(client.client_version, condition.min_client_version):
        version = client.client_version or "missing"
        return f"ACTIVATED, but its version is {version} (wanted: {condition.min_client_version})"
    return None


def _is_at_least(given: str | None, wanted: str) -> bool:
    try:
        return Version(given or "") >= Version(wanted)
    except InvalidVersion:
        return False
