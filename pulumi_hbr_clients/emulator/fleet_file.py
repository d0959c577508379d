"""Where a backend's clients come from: the sample, or a file.

A file holds JSON or YAML: a list, or `{clients: [...]}` as `hbr-clients list --output json` prints it. An item is a
client in the service's spelling or in state's (tags may be a map), or a short form:

    - {count: 1000, clientType: ECS_CLIENT, seed: 7}
    - {name: web-1, status: STOPPED}
    - {clientId: c-1, instanceId: i-1, status: UNKNOWN, tags: {env: prod}, beats: false}
    - {clientId: c-2, clientType: CONTAINER_CLIENT, clusterId: cl-1}
    - {clientId: c-3, crossAccountUserId: "1293746723820000", crossAccountRoleName: hbrcrossrole}

A client with a `clientId` has the fields that are given. The rest of a client with a `name` is made up from that name.
Several accounts and regions: `{accounts: {prod: {cn-hangzhou: [...], cn-shanghai: [...]}, ...}}`.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, create_model

from pulumi_hbr_clients.emulator.backend import Backend, Cloud
from pulumi_hbr_clients.emulator.fake_client import HIDDEN_FIELDS, ROW_FIELDS, SETTINGS, as_wire, new_row, new_rows
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.model.validators import validate

CLUSTER: Final = "cl-000emulator0cluster"
"""The cluster of the sample's container clients."""
SOURCE_ACCOUNT: Final = ("1293746723820000", "hbrcrossrole")
"""The account and role behind the sample's client that is backed up across accounts."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Accounts(_Strict):
    accounts: dict[str, dict[str, Any]]


class _Generated(_Strict):
    count: Annotated[int, Field(ge=0, le=1_000_000, strict=True)]
    client_type: Annotated[str, Field(alias="clientType")] = "ECS_CLIENT"
    seed: int | None = None


_ANY: Final[Any] = (Any, None)
_REQUIRED: Final[Any] = (Annotated[str, Field(min_length=1)], ...)
_Settings = create_model("_Settings", __base__=_Strict, **dict.fromkeys(SETTINGS, _ANY))
_FIELDS: Final[dict[str, Any]] = {
    **dict.fromkeys((*ROW_FIELDS, *HIDDEN_FIELDS), _ANY),
    "ClientType": (str, "ECS_CLIENT"),
    "Settings": (_Settings | None, None),
    "Tags": (list[dict[str, Any]] | None, None),
}
_Named = create_model("_Named", __base__=_Strict, **{**_FIELDS, "name": _REQUIRED})
_Client = create_model("_Client", __base__=_Strict, **{**_FIELDS, "ClientId": _REQUIRED})


def open_fleet(
    fleet: str | Path | None = None, *, seed: int = 0, lively: bool = True, **behaviours: Any
) -> Backend | Cloud:
    """The backend of a fleet file; without one the sample. `lively`: the sample changes while you watch.

    Raises `InputError` with every fault of the file.
    """
    if fleet is None:
        return sample(seed=seed, lively=lively, **behaviours)

    def backend(clients: Any, name: str) -> Backend:
        backend = Backend(seed=seed, **behaviours)
        add_clients(backend, clients, name=name)
        return backend

    name, document = Path(fleet).name, _read(Path(fleet))
    if not isinstance(document, Mapping) or "accounts" not in document:
        return backend(document, name)
    found, issues = validate(_Accounts, document)
    if found is None:
        raise InputError(*issues)
    return Cloud(
        {
            (account, region): backend(clients, f"{name}.accounts.{account}.{region}")
            for account, regions in found.accounts.items()
            for region, clients in regions.items()
        }
    )


def sample(*, lively: bool = False, **behaviours: Any) -> Backend:
    """A small fleet with something of everything. Unless `lively`, nothing but heartbeats changes."""
    backend = Backend(**behaviours)
    add_clients(backend, _sample())
    if lively:
        backend.install([new_row("sample/batch-1")["InstanceId"]], seconds=30)
        backend.later(45, lambda: backend.activate(new_row("sample/db-2")["ClientId"]))
    return backend


@cache
def _sample() -> Any:
    return _read(Path(__file__).with_name("sample.yaml"))


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
    if issues := [issue for number, item in enumerate(items) for issue in _issues(f"{name}[{number}]", item)]:
        raise InputError(*issues)
    for item in items:
        backend.add(*_rows(item, backend.seed))


def _issues(path: str, item: Any) -> list[ValidationIssue]:
    if not isinstance(item, Mapping):
        return [ValidationIssue(path, "must be a client: a map of its fields", repr(item)[:80])]
    if "count" in item:
        _, issues = validate(_Generated, item)
    else:
        _, issues = validate(_Named if "name" in item else _Client, as_wire(item))
    return [ValidationIssue(f"{path}.{i.path[:1].lower()}{i.path[1:]}", i.reason, i.given) for i in issues]


def _rows(item: Mapping[str, Any], seed: int) -> Iterable[dict[str, Any]]:
    if "count" in item:
        return new_rows(item["count"], item.get("clientType", "ECS_CLIENT"), seed=item.get("seed", seed))
    if "name" in item:
        return [_named_row(as_wire(item))]
    return [dict(item)]


def _named_row(given: dict[str, Any]) -> dict[str, Any]:
    """An ACTIVATED client with the newest version; where null is given, the field is left out."""
    name = given.pop("name")
    usual = {"Status": "ACTIVATED", "BackupStatus": "PROTECTED", "ClientVersion": "2.13.1", "Hostname": name}
    client_type = given.get("ClientType", "ECS_CLIENT")
    if client_type == "ECS_CLIENT":
        usual |= {"InstanceName": name, "OsType": "linux"}
    settings = given.get("Settings", {})
    given["Settings"] = settings if settings is None else SETTINGS | settings
    row = new_row(f"sample/{name}", client_type, **usual) | given
    return {field: value for field, value in row.items() if value is not None}
