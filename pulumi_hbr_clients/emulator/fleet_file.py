"""Where a backend's clients come from: a sample, a number of made-up ones, or a file.

A file holds JSON or YAML: a list, or `{clients: [...]}` as `hbr-clients list --output json` prints it. An item is a
client in the service's spelling or in state's (tags may be a map), or a short form:

    - {count: 1000, clientType: ECS_CLIENT, seed: 7}
    - {clientId: c-1, instanceId: i-1, status: UNKNOWN, tags: {env: prod}, beats: false}
    - {clientId: c-2, clientType: CONTAINER_CLIENT, clusterId: cl-1}
    - {clientId: c-3, crossAccountUserId: "1293746723820000", crossAccountRoleName: hbrcrossrole}

Several accounts and regions: `{accounts: {prod: {cn-hangzhou: [...], cn-shanghai: [...]}, ...}}`. What a client does
not say is left out of responses. Raises `InputError` with every fault of a file.
"""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import yaml

from pulumi_hbr_clients.emulator.backend import Backend
from pulumi_hbr_clients.emulator.cloud import Cloud
from pulumi_hbr_clients.emulator.fixtures import ROW_FIELDS, SETTINGS, SETTINGS_FIELDS, Row, as_wire, new_row, new_rows
from pulumi_hbr_clients.model.errors import SUGGESTION_PREFIX, InputError, ValidationIssue
from pulumi_hbr_clients.model.validators import CLIENT_TYPES

COUNT_MAX: Final = 1_000_000
CLUSTER: Final = "cl-000emulator0cluster"
"""The cluster of the sample's container clients."""
SOURCE_ACCOUNT: Final = ("1293746723820000", "hbrcrossrole")
"""The account and role behind the sample's client that is backed up across accounts."""
_BESIDE: Final = {
    name[0].lower() + name[1:]: name for name in ("ClusterId", "CrossAccountUserId", "CrossAccountRoleName", "Beats")
}
_PROXIED: Final = {
    **SETTINGS,
    "DataProxySetting": "CUSTOM",
    "ProxyHost": "192.168.11.100",
    "ProxyPort": 3128,
    "ProxyUser": "backup",
    "ProxyPassword": "FAKE-PROXY-PASSWORD-0001",
}
_OLD: Final = {"ClientVersion": "2.9.0"}
_NEW: Final[dict[str, Any]] = {"Tags": [], "BackupStatus": "UNPROTECTED", "LastHeartBeatTime": 0, "ClientVersion": ""}
_DATA: Final = {"OsType": "linux", "ZoneId": "cn-hangzhou-h", "BackupStatus": "PROTECTED"}


def open_fleet(
    fleet: str | Path | None = None, *, seed: int = 0, lively: bool = True, **behaviours: Any
) -> Backend | Cloud:
    """The backend of a fleet file; without one the sample. `lively`: the sample changes while you watch."""
    if fleet is None:
        return sample(seed=seed, lively=lively, **behaviours)
    name, document = Path(fleet).name, _read(Path(fleet))
    if not isinstance(document, Mapping) or "accounts" not in document:
        return _backend(document, name, seed, behaviours)
    fleets = {
        (str(account), str(region)): _backend(clients, f"{name}.accounts.{account}.{region}", seed, behaviours)
        for account, regions in document["accounts"].items()
        for region, clients in regions.items()
    }
    return Cloud(fleets)


def _backend(document: Any, name: str, seed: int, behaviours: Mapping[str, Any]) -> Backend:
    backend = Backend(seed=seed, **behaviours)
    add_clients(backend, document, name=name)
    return backend


def sample(*, lively: bool = False, **behaviours: Any) -> Backend:
    """A small fleet with something of everything. Unless `lively`, nothing but heartbeats changes."""
    backend = Backend(_sample_rows(), **behaviours)
    for number in (1, 2):
        backend.add(_named(f"node-{number}", "CONTAINER_CLIENT"), cluster_id=CLUSTER)
    backend.add(_named("cross-1"), owner=SOURCE_ACCOUNT)
    if lively:
        backend.install([backend.find(_named("batch-1")["ClientId"]).row["InstanceId"]], seconds=30)
        backend.later(45, lambda: backend.set_status("ACTIVATED", _named("db-2")["ClientId"]))
        backend.churn(every=40, stay=20)
    return backend


def _named(name: str, client_type: str = "ECS_CLIENT", **fields: Any) -> dict[str, Any]:
    usual = {"Status": "ACTIVATED", "BackupStatus": "PROTECTED", "ClientVersion": "2.13.1"}
    if client_type == "ECS_CLIENT":
        usual |= {"InstanceName": name, "OsType": "linux"}
    given = {**usual, "Hostname": name, "Settings": SETTINGS, **fields}
    return new_row(f"sample/{name}", client_type, **given)


def _tags(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _sample_rows() -> Iterator[dict[str, Any]]:
    prod, dev = _tags(env="prod", team="web"), _tags(env="dev")
    yield _named("web-1", ZoneId="cn-hangzhou-f", Tags=prod)
    yield _named("web-2", ZoneId="cn-hangzhou-g", Tags=prod, **_OLD)
    yield _named("web-3", ZoneId="cn-hangzhou-h", Tags=prod)
    yield _named("db-1", **_DATA, Tags=_tags(env="prod", team="data"), Settings=_PROXIED)
    yield _named("db-2", **_DATA, Tags=_tags(env="prod", team="data"), Status="UNKNOWN", **_OLD)
    yield _named("desk-1", OsType="windows", Tags=dev, Settings={**SETTINGS, "UseHttps": "true"})
    yield _named("desk-2", OsType="windows", Tags=dev, Status="STOPPED", BackupStatus="UNPROTECTED")
    yield _named("batch-1", Status="INSTALLING", **_NEW)
    yield _named("batch-2", Status="INSTALL_FAILED", **_NEW)
    yield _named("cache-1", Tags=_tags(env="staging", note="caf\u00e9 & \u4e2d"), Status="REGISTERED")
    bare = _named("legacy-1", Tags=[], ArchType="386", ClientVersion="1.9.7")
    yield {name: value for name, value in bare.items() if name != "Settings"}
    yield _named("queue-1", Tags=dev, Status="DEACTIVATED")
    yield _named("nas-1", "LOCAL_CLIENT", Tags=[], Appliance=True)


def _read(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        with suppress(json.JSONDecodeError):  # YAML's reader takes 4 s for 2,000 clients, JSON's 0.03 s
            return json.loads(text)
        return yaml.safe_load(text)
    except OSError as error:
        raise InputError(ValidationIssue("fleet", f"cannot be read: {error.strerror}", str(path))) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(ValidationIssue("fleet", f"is neither JSON nor YAML: {reason}", str(path))) from None


def add_clients(backend: Backend, document: Any, *, name: str = "clients") -> None:
    """Add the clients of a document to a backend: all of them, or none and an `InputError`."""
    items = document.get("clients", [document]) if isinstance(document, Mapping) else document
    if not isinstance(items, list):
        raise InputError(ValidationIssue(name, "must be a list of clients, or {clients: [...]}"))
    if issues := [issue for i, item in enumerate(items) for issue in _issues(f"{name}[{i}]", item)]:
        raise InputError(*issues)
    for item in items:
        _add(backend, item)


def _add(backend: Backend, item: Row) -> None:
    if "count" in item:
        client_type = str(item.get("clientType", "ECS_CLIENT"))
        backend.add(*new_rows(item["count"], client_type, seed=item.get("seed", backend.seed)))
        return
    row = {_BESIDE.get(name, name): value for name, value in item.items() if name != "region"}
    cluster_id, user, role, beats = (row.pop(name, None) for name in _BESIDE.values())
    owner = (str(user), str(role)) if user else None
    backend.add(row, cluster_id=cluster_id, owner=owner, beats=beats is not False)


def _issues(path: str, item: Any) -> Iterator[ValidationIssue]:
    if not isinstance(item, Mapping):
        yield ValidationIssue(path, "must be a client: a map of its fields", repr(item)[:80])
    elif "count" in item:
        count = item["count"]
        yield from _unknown(path, item, ("count", "clientType", "seed"))
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= COUNT_MAX:
            yield ValidationIssue(f"{path}.count", f"must be a number from 0 to {COUNT_MAX:,}", repr(count))
    else:
        row = as_wire({_BESIDE.get(str(name), str(name)): value for name, value in item.items()})
        yield from _unknown(path, row, (*ROW_FIELDS, *_BESIDE.values(), "region"))
        yield from _unknown(f"{path}.settings", row.get("Settings") or {}, SETTINGS_FIELDS)
        yield from _shapes(path, row)


def _unknown(path: str, given: Any, known: Iterable[str]) -> Iterator[ValidationIssue]:
    by_lower_name = {name.lower(): name for name in known}
    for name in given if isinstance(given, Mapping) else ():
        if name not in by_lower_name.values():
            match = difflib.get_close_matches(str(name).lower(), by_lower_name, 1)
            hint = f"{SUGGESTION_PREFIX}{by_lower_name[match[0]]}?" if match else ""
            yield ValidationIssue(f"{path}.{name}", f"no such field{hint}")


def _shapes(path: str, row: Row) -> Iterator[ValidationIssue]:
    if not isinstance(row.get("ClientId"), str) or not row["ClientId"]:
        yield ValidationIssue(f"{path}.clientId", "is required: a text such as c-0001", repr(row.get("ClientId")))
    if not isinstance(row.get("ClientType", CLIENT_TYPES[0]), str):
        yield ValidationIssue(f"{path}.clientType", f"must be a text: {', '.join(CLIENT_TYPES)}")
    if not isinstance(row.get("Settings", {}), Mapping | None):
        yield ValidationIssue(f"{path}.settings", "must be a map of settings")
    tags = row.get("Tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, Mapping) for tag in tags):
        yield ValidationIssue(f"{path}.tags", "must be a map, or a list of {Key, Value}")
    if bool(row.get("CrossAccountUserId")) != bool(row.get("CrossAccountRoleName")):
        yield ValidationIssue(f"{path}.crossAccountUserId", "goes together with crossAccountRoleName")
