"""What comes out: the service's clients, typed, and the list they make.

One record serves the wire (`ClientId`), state and exports (`clientId`) and Python (`client_id`). Fields may be
missing, null, empty or of the other type in an answer ("3" or 3, "true" or true): what cannot be read
is None, and no client is lost for it. A proxy password never becomes part of a record.
"""

import json
from abc import ABC
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass as plain_dataclass
from dataclasses import field, fields
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Annotated, Any, Final

from packaging.version import InvalidVersion, Version
from pydantic import (
    AliasGenerator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    TypeAdapter,
)
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass
from pydantic_core import CoreSchema, core_schema

# The service capitalises these two as no rule would.
_SPELLED: Final = {"last_heart_beat_time": "lastHeartBeatTime", "private_ip_v4": "privateIpV4"}
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
VOLATILE_FIELDS: Final = ("last_heart_beat_time", "updated_time")
"""They move by themselves, so they would be noise in a diff."""


def state_name(name: str) -> str:
    """`private_ip_v4` → `privateIpV4`."""
    return _SPELLED.get(name) or to_camel(name)


def wire_name(name: str) -> str:
    """`private_ip_v4` → `PrivateIpV4`."""
    name = state_name(name)
    return name[0].upper() + name[1:]


class _OrNone:
    """A value that cannot be read becomes None, decided inside pydantic's own parser."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_default_schema(handler(source), default=None, on_error="default")


LenientStr = Annotated[Annotated[str, Field(min_length=1)] | None, _OrNone()]
LenientInt = Annotated[int | None, _OrNone()]
LenientBool = Annotated[bool | None, _OrNone()]


def _tags(value: Any) -> Mapping[str, str]:
    """`[{"Key": k, "Value": v}]`, or the same wrapped as `{"Tag": […]}` → map by key, sorted."""
    if isinstance(value, dict):
        value = value.get("Tag")
    if not isinstance(value, list) or not value:
        return _NOTHING
    try:
        pairs = tuple([(row["Key"], row["Value"]) for row in value])
        "".join(chain.from_iterable(pairs))  # TypeError where one is no text: 1, true and 1.0 would be one cache key
    except (KeyError, TypeError):
        rows = [row for row in value if isinstance(row, dict)]
        pairs = tuple([(str(row.get("Key")), _text(row.get("Value"))) for row in rows])
    return _tag_map(pairs)


@lru_cache(maxsize=4096)
def _tag_map(pairs: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """Fleets repeat their tags: equal ones are kept once (100,000 clients: 1.35 KB each, so 0.85)."""
    return MappingProxyType(dict(sorted(pairs)))


def _text(value: Any) -> str:
    """A value as the answer spells it: true, 3."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


Tags = Annotated[Mapping[str, str], PlainValidator(_tags), PlainSerializer(dict, dict[str, str])]

_RECORD: Final = ConfigDict(
    coerce_numbers_to_str=True,
    alias_generator=AliasGenerator(validation_alias=wire_name, serialization_alias=state_name),
)


class Record(ABC):  # noqa: B024  an ABC so that `views` can register their like
    """A record: slotted, frozen, 1 KB a client. Programs get real dicts instead, see `views`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_RECORD)
class ClientSettings(Record):
    """How a client works. Its proxy password is not here: see `include_proxy_passwords`."""

    alert_on_partial_complete: LenientBool = None
    """Whether a partially completed job raises an alert."""
    data_network_type: LenientStr = None
    """The data plane's endpoint: PUBLIC, VPC or CLASSIC."""
    data_proxy_setting: LenientStr = None
    """The data plane's proxy: DISABLE, USE_CONTROL_PROXY or CUSTOM."""
    max_cpu_core: LenientInt = None
    """CPU cores of one job; 0 is unlimited."""
    max_memory: LenientInt = None
    """Memory the client may use, in bytes; 0 is unlimited. Clients of 2.13.0 and later."""
    max_worker: LenientInt = None
    """Jobs at the same time; 0 is unlimited."""
    proxy_host: LenientStr = None
    """The proxy's address on the data plane."""
    proxy_port: LenientInt = None
    """The proxy's port on the data plane; 0 is unset."""
    proxy_user: LenientStr = None
    """The proxy's user on the data plane."""
    use_https: LenientBool = None
    """Whether data travels over HTTPS."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_RECORD)
class BackupClient(Record):
    """A backup client, as DescribeBackupClients gives it. Times are UNIX timestamps in seconds."""

    appliance: LenientBool = None
    """Whether it runs on an all-in-one appliance."""
    arch_type: LenientStr = None
    """The machine's architecture: amd64 or 386."""
    backup_status: LenientStr = None
    """PROTECTED or UNPROTECTED."""
    client_id: LenientStr = None
    """The client's id (c-…)."""
    client_type: LenientStr = None
    """ECS_CLIENT, CONTAINER_CLIENT or LOCAL_CLIENT."""
    client_version: LenientStr = None
    """The installed version."""
    created_time: LenientInt = None
    """When the client was created, in seconds."""
    hostname: LenientStr = None
    """The machine's host name."""
    instance_id: LenientStr = None
    """The ECS instance's id (i-…), or an on-premises machine's hardware fingerprint."""
    instance_name: LenientStr = None
    """The ECS instance's name."""
    last_heart_beat_time: LenientInt = None
    """When the client last reported, in seconds. Moves by itself."""
    max_client_version: LenientStr = None
    """The newest version there is."""
    os_type: LenientStr = None
    """linux or windows."""
    private_ip_v4: LenientStr = None
    """The ECS instance's internal IPv4 address."""
    region: LenientStr = None
    """The region that was asked; not part of the service's answer."""
    settings: Annotated[ClientSettings | None, _OrNone()] = None
    """How the client works, where the service says so."""
    status: LenientStr = None
    """ACTIVATED, INSTALLING, … An open set: the service may add to it."""
    tags: Tags = field(default_factory=lambda: _NOTHING)
    """The client's tags, by key."""
    updated_time: LenientInt = None
    """When the client was last updated, in seconds. Moves by itself."""
    zone_id: LenientStr = None
    """The ECS instance's zone."""

    @property
    def outdated(self) -> bool:
        """Whether its version is below the newest one. False if either cannot be read."""
        try:
            return Version(self.client_version or "") < Version(self.max_client_version or "")
        except InvalidVersion:
            return False

    @property
    def identity(self) -> str:
        """What makes it one client: its id; where that is missing its instance, else all it says."""
        return self.client_id or self.instance_id or repr(self)


CLIENT_FIELDS: Final = tuple(f.name for f in fields(BackupClient))
_KEPT_FIELDS: Final = frozenset({"client_id", "instance_id", "region"})
_LIST: Final = TypeAdapter(list[BackupClient])
_FIELD_NAMES: Final = {state_name(f.name): f.name for record in (BackupClient, ClientSettings) for f in fields(record)}


def field_name(name: str) -> str:
    """`privateIpV4` → `private_ip_v4`; what is no state name comes back as it is."""
    return _FIELD_NAMES.get(name, name)


@plain_dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ClientList:
    """The clients that match a query, sorted by client id, and what can be said of the list."""

    clients: tuple[BackupClient, ...] = ()
    """The clients, sorted by id."""
    counts_by_status: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    """How many clients have each status."""
    missing_client_ids: tuple[str, ...] = ()
    """Asked for by id, not answered."""
    missing_instance_ids: tuple[str, ...] = ()
    """Instances asked for that have no client."""
    proxy_passwords: Mapping[str, SecretStr] = field(default_factory=lambda: _NOTHING, repr=False)
    """Client id → proxy password, only with include_proxy_passwords."""
    complete: bool = True
    """Whether this is certainly the whole list."""
    request_count: int = 0
    """Pages that were asked for."""

    def __repr__(self) -> str:
        """Short: asyncio's runner, for one, makes a text of every result and throws it away."""
        return f"ClientList({self.total_count} clients, complete={self.complete})"

    @property
    def total_count(self) -> int:
        """How many clients are listed."""
        return len(self.clients)

    @property
    def ids(self) -> tuple[str, ...]:
        """The clients' ids, sorted."""
        return tuple(client.client_id for client in self.clients if client.client_id)

    @property
    def instance_ids(self) -> tuple[str, ...]:
        """The instances that have a client, sorted, each once."""
        return tuple(sorted({client.instance_id for client in self.clients if client.instance_id}))

    def summary(self) -> dict[str, Any]:
        """What is said of the list beside its clients, under state names."""
        return {
            "totalCount": self.total_count,
            "countsByStatus": dict(self.counts_by_status),
            "missingClientIds": list(self.missing_client_ids),
            "missingInstanceIds": list(self.missing_instance_ids),
            "complete": self.complete,
        }

    def reveal_passwords(self) -> dict[str, str]:
        """Client id → proxy password in clear text: for outputs that are marked as secret."""
        return {client_id: text.get_secret_value() for client_id, text in self.proxy_passwords.items()}


def counts_by_status(clients: Iterable[BackupClient]) -> dict[str, int]:
    """How many clients have each status, sorted by status; a client without one counts as UNKNOWN."""
    return dict(sorted(Counter(client.status or "UNKNOWN" for client in clients).items()))


def excluded_fields(kept: Iterable[str] | None) -> frozenset[str]:
    """The fields that a projection drops. Ids and region always stay; None keeps everything."""
    return frozenset() if kept is None else frozenset(CLIENT_FIELDS) - _KEPT_FIELDS - set(kept)


def to_json(clients: Iterable[BackupClient], *, leave_out: Iterable[str] = ()) -> str:
    """Canonical JSON text: state names, sorted, empty values left out, and these fields."""
    return _LIST.dump_json(list(clients), **_dump(leave_out)).decode()


def to_dicts(clients: Iterable[BackupClient], *, leave_out: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The same as plain dicts."""
    found: list[dict[str, Any]] = _LIST.dump_python(list(clients), mode="json", **_dump(leave_out))
    return found


def _dump(leave_out: Iterable[str]) -> dict[str, Any]:
    return {"by_alias": True, "exclude_defaults": True, "exclude": {"__all__": set(leave_out)}}


def from_wire(rows: Any) -> list[BackupClient]:
    """The clients of rows as the service names them."""
    return _LIST.validate_python(rows)
