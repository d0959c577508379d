"""`BackupClient`: one backup client, typed.

One class serves the service's responses (`ClientId`), state and exports (`clientId`) and Python (`client_id`). Fields
of a response may be missing, null, empty or of the other type ("3" or 3, "true" or true): what cannot be read is None,
and no client is lost for it. A proxy password never becomes part of a client.
"""

import json
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, Final

from packaging.version import InvalidVersion, Version
from pydantic import AliasGenerator, ConfigDict, Field, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.tags import NO_TAGS, Tags

# The service capitalises these two as no rule would.
_STATE_NAMES: Final = {"last_heart_beat_time": "lastHeartBeatTime", "private_ip_v4": "privateIpV4"}
VOLATILE_FIELDS: Final = ("last_heart_beat_time", "updated_time")
"""They change by themselves, so they would be noise in a diff."""
STATE_FORMAT: Final = 1
"""The version of the text that holds clients in state. A reader refuses a newer one."""


def state_name(name: str) -> str:
    """`private_ip_v4` → `privateIpV4`."""
    return _STATE_NAMES.get(name) or to_camel(name)


def wire_name(name: str) -> str:
    """`private_ip_v4` → `PrivateIpV4`."""
    name = state_name(name)
    return name[0].upper() + name[1:]


class _OrNone:
    """A value that cannot be read becomes None, decided inside pydantic's own parser."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_default_schema(handler(source), default=None, on_error="default")


INTEGER_MAX: Final = 2**53
"""Beyond it JSON and Pulumi, whose numbers are doubles, lose digits."""
TIME_MAX: Final = 253_402_300_799
"""The last second of the year 9999: dates end there."""

LenientStr = Annotated[Annotated[str, Field(min_length=1)] | None, _OrNone()]
LenientInt = Annotated[Annotated[int, Field(ge=-INTEGER_MAX, le=INTEGER_MAX)] | None, _OrNone()]
LenientTime = Annotated[Annotated[int, Field(ge=0, le=TIME_MAX)] | None, _OrNone()]
LenientBool = Annotated[bool | None, _OrNone()]
_RECORD: Final = ConfigDict(
    defer_build=True,
    coerce_numbers_to_str=True,
    alias_generator=AliasGenerator(validation_alias=wire_name, serialization_alias=state_name),
)

if TYPE_CHECKING:
    _Mapping = Mapping[str, Any]
else:
    _Mapping = object


class _Values(Mapping[str, Any]):
    """What `vars(client)` returns. Pulumi's export takes one value after the other: each is read by itself."""

    def __init__(self, record: "Record") -> None:
        self._record = record

    def __iter__(self) -> Iterator[str]:
        return iter(self._record.to_dict())

    def __len__(self) -> int:
        return len(self._record)

    def __getitem__(self, key: str) -> Any:
        return getattr(self._record, _FIELD_NAMES[key])


class Record(_Mapping):
    """A slotted dataclass that is also a read-only mapping with the keys of state; empty values are left out.

    It is registered as a `collections.abc.Mapping` and has no `__iter__`: `pulumi.export` makes a list of whatever
    has one and is no real dict, and a plain object out of `__dict__` (pulumi 3.200 to 3.272, runtime/stack.py). Python
    iterates over it by `__getitem__` all the same. A real dict would need three times the memory.
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return a new plain dict: for `json.dumps`, or for a program that wants to change it."""
        plain: dict[str, Any] = _ADAPTERS[type(self)].dump_python(self, by_alias=True, exclude_defaults=True)
        return plain

    def __getitem__(self, key: str | int) -> Any:
        plain = self.to_dict()
        return list(plain)[key] if isinstance(key, int) else plain[key]  # by number: how Python iterates

    def __len__(self) -> int:
        return len(self.to_dict())

    if TYPE_CHECKING:

        def __iter__(self) -> Iterator[str]: ...

    else:
        __dict__ = property(_Values)

        def keys(self) -> KeysView[str]:
            """The names of the fields that have a value, as state spells them."""
            return self.to_dict().keys()

        def values(self) -> ValuesView[Any]:
            """The values, in the order of the keys."""
            return self.to_dict().values()

        def items(self) -> ItemsView[str, Any]:
            """Keys and values."""
            return self.to_dict().items()

        def get(self, key: str, default: Any = None) -> Any:
            """The value of a key, or the default where it is empty or there is no such field."""
            return self.to_dict().get(key, default)

        def __contains__(self, key: object) -> bool:
            return key in self.to_dict()


def doc(description: str, **default: Any) -> Any:
    """A field of a dataclass and its description, for the schema and the docs. Without a default it is None."""
    return field(metadata={"description": description}, **(default or {"default": None}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings(Record):
    """How a client works. Its proxy password is not here: see `include_proxy_passwords`."""

    __pydantic_config__ = _RECORD

    alert_on_partial_complete: LenientBool = doc("Whether a partially completed job raises an alert.")
    data_network_type: LenientStr = doc("The data plane's endpoint: PUBLIC, VPC or CLASSIC.")
    data_proxy_setting: LenientStr = doc("The data plane's proxy: DISABLE, USE_CONTROL_PROXY or CUSTOM.")
    max_cpu_core: LenientInt = doc("CPU cores of one job; 0 is unlimited.")
    max_memory: LenientInt = doc("Memory the client may use, in bytes; 0 is unlimited. Clients of 2.13.0 and later.")
    max_worker: LenientInt = doc("Jobs at the same time; 0 is unlimited.")
    proxy_host: LenientStr = doc("The proxy's address on the data plane.")
    proxy_port: LenientInt = doc("The proxy's port on the data plane; 0 is unset.")
    proxy_user: LenientStr = doc("The proxy's user on the data plane.")
    use_https: LenientBool = doc("Whether data travels over HTTPS.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupClient(Record):
    """A backup client, as DescribeBackupClients returns it. Times are UNIX timestamps in seconds.

    A value object: compare it, hash it, `dataclasses.replace` it. As a mapping it has the keys of state:
    `client["clientId"]`. A field is None where the service did not report it or `fields` left it out.
    """

    __pydantic_config__ = _RECORD

    appliance: LenientBool = doc("Whether it runs on an all-in-one appliance.")
    arch_type: LenientStr = doc("The machine's architecture: amd64 or 386.")
    backup_status: LenientStr = doc("PROTECTED or UNPROTECTED.")
    client_id: LenientStr = doc("The client's id (c-…).")
    client_type: LenientStr = doc("ECS_CLIENT, CONTAINER_CLIENT or LOCAL_CLIENT.")
    client_version: LenientStr = doc("The installed version.")
    cluster_id: LenientStr = doc("The cluster's id, of a container client, where the service reports it.")
    created_time: LenientTime = doc("When the client was created, in seconds.")
    hostname: LenientStr = doc("The machine's host name.")
    instance_id: LenientStr = doc("The ECS instance's id (i-…), or an on-premises machine's hardware fingerprint.")
    instance_name: LenientStr = doc("The ECS instance's name.")
    last_heart_beat_time: LenientTime = doc("When the client last reported, in seconds. Changes by itself.")
    max_client_version: LenientStr = doc("The newest version available.")
    os_type: LenientStr = doc("linux or windows.")
    private_ip_v4: LenientStr = doc("The ECS instance's internal IPv4 address.")
    region: LenientStr = doc("The region of the query; not part of the service's response.")
    settings: Annotated[ClientSettings | None, _OrNone()] = doc("How the client works, where the service reports it.")
    status: LenientStr = doc("ACTIVATED, INSTALLING, … An open set: the service may add to it.")
    tags: Tags = doc("The client's tags, by key.", default=NO_TAGS)
    updated_time: LenientTime = doc("When the client was last updated, in seconds. Changes by itself.")
    zone_id: LenientStr = doc("The ECS instance's zone.")

    def __hash__(self) -> int:
        return hash((self.client_id, self.instance_id, self.status, self.client_version))

    @property
    def outdated(self) -> bool | None:
        """Whether its version is below the newest one; None if either is missing or cannot be read."""
        try:
            return Version(self.client_version or "") < Version(self.max_client_version or "")
        except InvalidVersion:
            return None

    @property
    def identity(self) -> str:
        """What makes it one client: its id; without one its instance; without both everything that does not change."""
        return self.client_id or self.instance_id or repr(replace(self, last_heart_beat_time=None, updated_time=None))


Mapping.register(BackupClient)
Mapping.register(ClientSettings)

CLIENT_FIELDS: Final = tuple(f.name for f in fields(BackupClient))
_LIST: Final = TypeAdapter(list[BackupClient], config=ConfigDict(defer_build=True))
_ADAPTERS: Final[Mapping[type, TypeAdapter[Any]]] = {kind: TypeAdapter(kind) for kind in (BackupClient, ClientSettings)}
_FIELD_NAMES: Final = {state_name(f.name): f.name for record in _ADAPTERS for f in fields(record)}
_WIRE_NAMES: Final = {state: wire_name(name) for state, name in _FIELD_NAMES.items()}


def field_name(name: str) -> str:
    """`privateIpV4` → `private_ip_v4`; any other name is returned unchanged."""
    return _FIELD_NAMES.get(name, name)


def to_json(clients: Iterable[BackupClient], *, leave_out: Iterable[str] = ()) -> str:
    """Return canonical JSON: state names, sorted, without empty values and without the fields `leave_out`."""
    return _LIST.dump_json(list(clients), **_dump(leave_out)).decode()


def to_dicts(clients: Iterable[BackupClient], *, leave_out: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return the same as plain dicts."""
    rows: list[dict[str, Any]] = _LIST.dump_python(list(clients), mode="json", **_dump(leave_out))
    return rows


def to_state_text(clients: Iterable[BackupClient], *, leave_out: Iterable[str] = ()) -> str:
    """Return the text that holds clients in state: their JSON and the format's version."""
    return f'{{"clients":{to_json(clients, leave_out=leave_out)},"format":{STATE_FORMAT}}}'


def _dump(leave_out: Iterable[str]) -> dict[str, Any]:
    return {"by_alias": True, "exclude_defaults": True, "exclude": {"__all__": set(leave_out)}}


def from_wire(rows: Any) -> list[BackupClient]:
    """The clients of rows as the service names them."""
    return _LIST.validate_python(rows)


def from_state(value: Any) -> list[BackupClient]:
    """The clients of a text from state, or of plain values as a stack exports them.

    Whole numbers are int, though the engine's are floats. Raises `InputError` for anything else, and for a text that
    a newer version of this package wrote.
    """
    try:
        found = json.loads(value) if isinstance(value, str) else value
        if isinstance(found, Mapping):
            if found["format"] > STATE_FORMAT:
                reason = f"has format {found['format']}, which is newer than this version of pulumi-hbr-clients reads"
                raise InputError(ValidationIssue("clients", f"{reason}: upgrade it"))
            found = found["clients"]
        return from_wire([_wire_names(row) for row in found])
    except (ValueError, TypeError, LookupError, AttributeError, ValidationError):
        reason = "must be a list of clients, as pulumi.export makes of `clients`"
        raise InputError(ValidationIssue("clients", reason, type(value).__name__)) from None


def _wire_names(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        _WIRE_NAMES.get(key, key): _wire_names(value) if key == "settings" and isinstance(value, Mapping) else value
        for key, value in row.items()
    }
