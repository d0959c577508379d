"""Does a list of clients meet a gate's condition? Clients + condition → passed, waiting (for what), or failed (why).

Selected by ids: every id must have a client that is ACTIVATED. Selected by filters: at least `min_clients` match and
all that match are ACTIVATED. No source documents an order of the statuses, so they are a set, each with its effect.
Pure: the time, and how long a client has been UNKNOWN, are passed in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from packaging.version import InvalidVersion, Version

from pulumi_hbr_clients.activation.condition import ActivationCondition, Gate
from pulumi_hbr_clients.model.backup_client import BackupClient
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query

State = Literal["passed", "waiting", "failed"]
STATES: Final[tuple[State, ...]] = get_args(State)


@dataclass(frozen=True, slots=True)
class StatusRule:
    """What a status does to a gate, and what to do about it."""

    effect: Literal["passes", "fails", "waits", "grace"]
    advice: str


STATUSES: Final[Mapping[str, StatusRule]] = {
    "ACTIVATED": StatusRule("passes", "check the client on the machine"),
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
_NEW_STATUS: Final = StatusRule("waits", "a status that this version does not know")


@dataclass(frozen=True, slots=True)
class BlockingClient:
    """One client, or one requested id without a client, that keeps a gate from passing."""

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
    """What a list of clients means for a gate: how many of how many are ready, and what blocks it."""

    state: State
    ready: int
    wanted: int
    waiting: tuple[BlockingClient, ...] = ()
    failed: tuple[BlockingClient, ...] = ()
    note: str = ""
    found: ClientList = field(default_factory=lambda: ClientList(complete=False), repr=False)
    """The clients that were judged; nothing is known of them before the first poll."""


def evaluate(gate: Gate, found: ClientList, *, now: float, unknown_for: Mapping[str, float] | None = None) -> Verdict:
    """Judge the clients that were found.

    `now`: the service's time in UNIX seconds. `unknown_for`: for how many seconds each client has been UNKNOWN, by
    its identity; see `track_unknown`.
    """
    query, condition = gate.query, gate.condition
    if query.selects_nothing():
        return Verdict("passed", 0, 0, note="nothing was selected: the id list is empty", found=found)
    by_ids = query.client_ids is not None or query.instance_ids is not None
    groups = list(_by_requested_id(query, found)) if by_ids else [([client], None) for client in found.clients]
    ready, blocking = 0, dict[State, list[BlockingClient]](waiting=[], failed=[])
    for clients, missing in groups:
        judged = [_judge(condition, client, now, unknown_for or {}) for client in clients] or [("waiting", missing)]
        best = min((state for state, _ in judged), key=STATES.index)  # one client that passes is enough
        if best == "passed":
            ready += 1
        else:
            blocking[best] += [client for state, client in judged if client and state == best]
    wanted = max(len(groups), 0 if by_ids else condition.min_clients)
    note = "" if by_ids else _undecided_reason(condition, found)
    state: State = "failed" if blocking["failed"] else "waiting" if blocking["waiting"] or note else "passed"
    return Verdict(state, ready, wanted, tuple(blocking["waiting"]), tuple(blocking["failed"]), note, found)


def track_unknown(since: Mapping[str, float], clients: Iterable[BackupClient], now: float) -> dict[str, float]:
    """When each client that is UNKNOWN was first seen so without a break. `since` is the previous result."""
    return {c.identity: since.get(c.identity, now) for c in clients if c.status == "UNKNOWN"}


def _by_requested_id(query: Query, found: ClientList) -> Iterator[tuple[Sequence[BackupClient], BlockingClient | None]]:
    """For each requested id its clients, and what to report if it has none. An instance may have an old and a new."""
    for kind, wanted, missing in (
        ("client_id", query.client_ids, found.missing_client_ids),
        ("instance_id", query.instance_ids, found.missing_instance_ids),
    ):
        clients: dict[str | None, list[BackupClient]] = {identity: [] for identity in wanted or ()}
        for client in found.clients:
            clients.get(getattr(client, kind), []).append(client)
        for identity, own in clients.items():
            client_id, instance_id = (identity, None) if kind == "client_id" else (None, identity)
            why, advice = _NO_CLIENT if identity in missing else _FILTERED_OUT
            yield own, BlockingClient(client_id, instance_id, None, why, advice)


_NO_CLIENT: Final = ("there is no such client yet", "install the client, or check the id")
_FILTERED_OUT: Final = ("its client does not match the other filters", "check the filters")


def _undecided_reason(condition: ActivationCondition, found: ClientList) -> str:
    """Why clients that are selected by filters cannot be judged yet: what is not listed is not known."""
    if not found.complete:
        return "the list may be incomplete"
    few = f"{len(found.clients)} match, at least {condition.min_clients} must"
    return few if len(found.clients) < condition.min_clients else ""


def _judge(
    condition: ActivationCondition, client: BackupClient, now: float, unknown_for: Mapping[str, float]
) -> tuple[State, BlockingClient | None]:
    """Whether a client passes, is waited for, or cannot pass any more; and what is wrong with it."""
    rule, seconds = STATUSES.get(client.status or "", _NEW_STATUS), unknown_for.get(client.identity, 0.0)
    if client.status == "UNKNOWN":
        why = f"UNKNOWN for {seconds:.0f} s"
    elif client.status != "ACTIVATED":
        why = client.status or "has no status"
    elif unmet := _unmet(condition, client, now):
        why = f"ACTIVATED, but {unmet}"
    else:
        return "passed", None
    is_final = rule.effect == "fails" or (rule.effect == "grace" and seconds >= condition.unknown_grace)
    state: State = "failed" if is_final and client.status not in condition.tolerate else "waiting"
    return state, BlockingClient(
        client.client_id, client.instance_id, client.status, why, rule.advice, client.updated_time
    )


def _unmet(condition: ActivationCondition, client: BackupClient, now: float) -> str:
    """The further condition that an activated client does not meet."""
    age = now - (client.last_heart_beat_time or 0)
    if condition.max_heartbeat_age is not None and age > condition.max_heartbeat_age:
        seen = f"{age:.0f} s old" if client.last_heart_beat_time else "missing"
        return f"its heartbeat is {seen} (allowed: {condition.max_heartbeat_age:g} s)"
    if condition.min_client_version and not _is_at_least(client.client_version, condition.min_client_version):
        return f"its version is {client.client_version or 'missing'} (wanted: {condition.min_client_version})"
    if condition.backup_status and client.backup_status != condition.backup_status:
        return f"its backup status is {client.backup_status or 'missing'} (wanted: {condition.backup_status})"
    return ""


def _is_at_least(given: str | None, wanted: str) -> bool:
    try:
        return Version(given or "") >= Version(wanted)
    except InvalidVersion:
        return False
