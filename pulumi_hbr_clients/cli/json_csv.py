"""What a list is for programs: ClientList → one JSON object, or CSV. Pure, in an order that never changes by itself."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from io import StringIO
from types import MappingProxyType
from typing import Any, Final

from pydantic import SecretStr

from pulumi_hbr_clients.model.backup_client import (
    CLIENT_FIELDS,
    ClientList,
    ClientSettings,
    state_name,
    to_dicts,
    to_json,
)
from pulumi_hbr_clients.model.query import Query

_IDS: Final = ("client_id", "instance_id")
_SECRET: Final = "proxyPassword"  # noqa: S105  a column's name


def named(names: Iterable[str]) -> list[str]:
    """The fields to show, ids first, each once."""
    return list(dict.fromkeys([*_IDS, *names]))


def outputs(found: ClientList, query: Query) -> dict[str, Any]:
    """All of the resource's outputs but the clients, and what it took. Passwords only if asked for."""
    shown: dict[str, Any] = {
        **found.summary(),
        "requestCount": found.request_count,
        "ids": found.ids,
        "instanceIds": found.instance_ids,
    }
    if query.include_proxy_passwords:
        shown["proxyPasswords"] = found.reveal_passwords()
    return shown


def json_text(
    found: ClientList, query: Query, *, head: Mapping[str, Any] = MappingProxyType({}), compact: bool = False
) -> str:
    """One object, one client a line; `compact` has it all on one line. `head` stands in front."""
    shown = {**head, **outputs(found, query)}
    kept = named(CLIENT_FIELDS if query.fields is None else ["region", *query.fields])
    gone = [name for name in CLIENT_FIELDS if name not in kept]
    texts = [to_json([client], leave_out=gone)[1:-1] for client in found.clients]
    if compact:
        rest = json.dumps(shown, ensure_ascii=False)
        return f'{rest[:-1]}, "clients": [{", ".join(texts)}]}}\n'
    lines = [f"{json.dumps(name)}: {_json_value(value)}" for name, value in shown.items()]
    return "{\n  " + ",\n  ".join([*lines, f'"clients": {_json_rows(texts)}']) + "\n}\n"


def _json_value(value: Any) -> str:
    if isinstance(value, list):
        return _json_rows(json.dumps(item, ensure_ascii=False) for item in value)
    return json.dumps(value, ensure_ascii=False)


def _json_rows(texts: Iterable[str]) -> str:
    """One object a line."""
    rows = ",\n    ".join(texts)
    return f"[\n    {rows}\n  ]" if rows else "[]"


def csv_text(found: ClientList, query: Query) -> str:
    """RFC 4180, a row a client: state names, `settings.proxyHost`, tags as JSON text."""
    paths = list(_paths(named(CLIENT_FIELDS if query.fields is None else query.fields)))
    secret = [_SECRET] if query.include_proxy_passwords else []
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([*(".".join(path) for path in paths), *secret])
    for client in found.clients:
        (plain,) = to_dicts([client])
        password = found.proxy_passwords.get(client.client_id or "")
        writer.writerow([*(text_of(_at(plain, path)) for path in paths), *(_shown(password) for _ in secret)])
    return text.getvalue()


def _paths(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    for name in names:
        if name == "settings":
            yield from ((name, state_name(field.name)) for field in fields(ClientSettings))
        else:
            yield (state_name(name),)


def _at(plain: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        plain = (plain or {}).get(name)
    return plain


def _shown(password: SecretStr | None) -> str:
    return password.get_secret_value() if password else ""


def printable(text: str | None) -> str:
    """What the service says, on one line: a name may hold anything, also a terminal's control codes."""
    if text is None or text.isprintable():
        return text or ""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def text_of(value: Any) -> str:
    """A plain value in a cell: texts and numbers as they are, the rest as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
