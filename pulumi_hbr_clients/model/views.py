"""What a program holds: clients as real dicts under state names, with a client's attributes.

    view["clientId"] == view.client_id

Pulumi exports, serializes and `json.dumps`es a real dict as plain values, in every place; of a record it would make
a list of keys or nothing. Statically and to `isinstance`, a view is a `BackupClient`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, ClassVar, cast

from pulumi_hbr_clients.model.backup_client import BackupClient, ClientSettings, Record, state_name


class _View(dict[str, Any]):
    """Empty values are left out of the dict; their attributes are None, and {} for tags."""

    __slots__ = ()
    record: ClassVar[type[Record]]

    def __getattr__(self, name: str) -> Any:
        """The value of a field of the record, by its Python name."""
        if name not in self.record.__dataclass_fields__:  # type: ignore[attr-defined]  # every record is a dataclass
            raise AttributeError(f"{self.record.__name__} has no field {name!r}")
        return self.get(state_name(name), {} if name == "tags" else None)

    def __dir__(self) -> Iterable[str]:
        """The fields, for notebooks."""
        return [*super().__dir__(), *(field.name for field in fields(self.record))]  # type: ignore[arg-type]


class ClientView(_View):
    """A `BackupClient`."""

    __slots__ = ()
    record = BackupClient

    @property
    def outdated(self) -> bool:
        """Whether its version is below the newest one. False if either cannot be read."""
        return BackupClient.outdated.fget(self)  # type: ignore[attr-defined, no-any-return]


class SettingsView(_View):
    """Its `ClientSettings`."""

    __slots__ = ()
    record = ClientSettings


BackupClient.register(ClientView)
ClientSettings.register(SettingsView)


def view(plain: Mapping[str, Any]) -> BackupClient:
    """One client from its plain dict."""
    client = ClientView(plain)
    if isinstance(client.get("settings"), Mapping):
        client["settings"] = SettingsView(client["settings"])
    return cast("BackupClient", client)


def views(exported: str | Iterable[Mapping[str, Any]]) -> list[BackupClient]:
    """The clients of a JSON text, or of plain values as a stack exports them."""
    rows = json.loads(exported) if isinstance(exported, str) else exported
    return [view(row) for row in rows]
