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

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from pulumi_hbr_clients.emulator.backend import Backend, Cloud
from pulumi_hbr_clients.emulator.fake_client import ROW_FIELDS, SETTINGS, Row, as_wire, new_row, new_rows
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.validators import CLIENT_TYPES, nearest

COUNT_MAX: Final = 1_000_000
CLUSTER: Final = "cl-000emulator0cluster"
"""The cluster of the sample's container clients."""
SOURCE_ACCOUNT: Final = ("1293746723820000", "hbrcrossrole")
"""The account and role behind the sample's client that is backed up across accounts."""
_BESIDE: Final = {
    name[0].lower() + name[1:]: name for name in ("ClusterId", "CrossAccountUserId", "CrossAccountRoleName", "Beats")
}
"""What a file may say of a client besides its row."""


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
    backend = Backend(**behaviours)
    for item in _sample_items():
        _add(backend, _completed(**item))
    backend.history.clear()
    if lively:
        backend.install([new_row("sample/batch-1")["InstanceId"]], seconds=30)
        backend.later(45, lambda: backend.activate(new_row("sample/db-2")["ClientId"]))
        backend.churn(every=40, stay=20)
    return backend


@cache
def _sample_items() -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = _read(Path(__file__).with_name("sample.yaml"))
    return items


def _completed(*, name: str, clientType: str = "ECS_CLIENT", **given: Any) -> dict[str, Any]:  # noqa: N803  as in the file
    """A client of the sample with all that the file does not say."""
    usual = {"Status": "ACTIVATED", "BackupStatus": "PROTECTED", "ClientVersion": "2.13.1", "Hostname": name}
    if clientType == "ECS_CLIENT":
        usual |= {"InstanceName": name, "OsType": "linux"}
    settings = given.pop("settings", {})
    given["settings"] = settings if settings is None else SETTINGS | settings
    row = new_row(f"sample/{name}", clientType, **usual) | as_wire(given)
    return {key: value for key, value in row.items() if value is not None}


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
        yield from _unknown(f"{path}.settings", row.get("Settings") or {}, SETTINGS)
        yield from _shapes(path, row)


def _unknown(path: str, given: Any, known: Collection[str]) -> Iterator[ValidationIssue]:
    for name in given if isinstance(given, Mapping) else ():
        if name not in known:
            yield ValidationIssue(f"{path}.{name}", f"no such field{nearest(str(name).capitalize(), known)}")


def _shapes(path: str, row: Row) -> Iterator[ValidationIssue]:
    client_id, tags = row.get("ClientId"), row.get("Tags") or []
    if not isinstance(client_id, str) or not client_id:
        yield ValidationIssue(f"{path}.clientId", "is required: a text such as c-0001", repr(client_id))
    if not isinstance(row.get("ClientType", ""), str):
        yield ValidationIssue(f"{path}.clientType", f"must be a text: {', '.join(CLIENT_TYPES)}")
    if not isinstance(row.get("Settings", {}), Mapping | None):
        yield ValidationIssue(f"{path}.settings", "must be a map of settings")
    if not isinstance(tags, list) or not all(isinstance(tag, Mapping) for tag in tags):
        yield ValidationIssue(f"{path}.tags", "must be a map, or a list of {Key, Value}")
    if bool(row.get("CrossAccountUserId")) != bool(row.get("CrossAccountRoleName")):
        yield ValidationIssue(f"{path}.crossAccountUserId", "goes together with crossAccountRoleName")
