"""Lists for programs: results → one JSON object, or CSV. Pure; the order is that of the lists, sorted by id."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from io import StringIO
from types import MappingProxyType
from typing import Any, Final

from pulumi_hbr_clients.cli.messages import error_text, one_line
from pulumi_hbr_clients.cli.printable import printable
from pulumi_hbr_clients.cli.targets import TargetResult
from pulumi_hbr_clients.model.backup_client import CLIENT_FIELDS, ClientSettings, state_name, to_dicts, to_json
from pulumi_hbr_clients.model.outputs import ClientList, excluded_fields, summary
from pulumi_hbr_clients.model.query import Query

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_IDS: Final = ("client_id", "instance_id")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a cell that starts with one of these (OWASP, "CSV Injection")."""


def with_ids(names: Iterable[str]) -> list[str]:
    """The fields to show, ids first, each once."""
    return list(dict.fromkeys([*_IDS, *names]))


def json_text(
    results: Sequence[TargetResult], *, several: bool, head: Mapping[str, Any] = _NOTHING, compact: bool = False
) -> str:
    """One target: the object of its list. Several: `targets`, each with `outputs`, `error` or both.

    `compact` puts all on one line; else `head` comes first.
    """
    if not several and results[0].found is not None:
        return list_json(results[0].found, results[0].query, head=head, compact=compact)
    texts = [_target_json(result) for result in results]
    if compact:
        return f'{{"targets": [{", ".join(texts)}]}}\n'
    lines = [f"{json.dumps(name)}: {_json_value(value)}" for name, value in head.items()]
    return "{\n  " + ",\n  ".join([*lines, f'"targets": {_json_rows(texts)}']) + "\n}\n"


def _target_json(result: TargetResult) -> str:
    head: dict[str, Any] = {"region": result.region, "profile": result.query.profile}
    if result.error is not None:
        head["error"] = one_line(error_text(result.error))
    text = json.dumps(head, ensure_ascii=False)
    if result.found is None:
        return text
    return f'{text[:-1]}, "outputs": {list_json(result.found, result.query, head=result.head, compact=True).rstrip()}}}'


def list_json(found: ClientList, query: Query, *, head: Mapping[str, Any] = _NOTHING, compact: bool = False) -> str:
    """One object, one client a line; `compact` puts all on one line. `head` comes first."""
    shown = {**head, **summary(query, found)}
    hidden = excluded_fields(query, heartbeats=True)
    if compact:
        return (
            f'{json.dumps(shown, ensure_ascii=False)[:-1]}, "clients": {to_json(found.clients, leave_out=hidden)}}}\n'
        )
    texts = (to_json([client], leave_out=hidden)[1:-1] for client in found.clients)
    lines = [f"{json.dumps(name)}: {_json_value(value)}" for name, value in shown.items()]
    return "{\n  " + ",\n  ".join([*lines, f'"clients": {_json_rows(texts)}']) + "\n}\n"


def _json_value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return _json_rows(json.dumps(item, ensure_ascii=False) for item in value)
    return json.dumps(value, ensure_ascii=False)


def _json_rows(texts: Iterable[str]) -> str:
    """A list with one item a line."""
    rows = ",\n    ".join(texts)
    return f"[\n    {rows}\n  ]" if rows else "[]"


def csv_text(results: Sequence[TargetResult], *, several: bool) -> str:
    """RFC 4180, a row for each client: state names, `settings.proxyHost`, tags as JSON text.

    With several targets, `region` and `profile` come first. Every cell is safe in a spreadsheet and on a terminal.
    """
    query = results[0].query
    target_columns = ["region", "profile"] if several else []
    fields_shown = with_ids(CLIENT_FIELDS if query.fields is None else query.fields)
    paths = list(_paths(name for name in fields_shown if name not in target_columns))
    secret = ["proxyPassword"] if query.include_proxy_passwords else []
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([*target_columns, *(".".join(path) for path in paths), *secret])
    for result in results:
        found = result.found or ClientList()
        for client in found.clients:
            (plain,) = to_dicts([client])
            password = found.proxy_passwords.get(client.client_id or "")
            cells = [result.region, result.query.profile] if target_columns else []
            cells += [_at(plain, path) for path in paths]
            cells += [password.get_secret_value() if password else "" for _ in secret]
            writer.writerow(map(_safe_cell, cells))
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


def _safe_cell(value: Any) -> str:
    """The text of a value, printable, and with an apostrophe before what a spreadsheet would run as a formula."""
    text = printable(text_of(value))
    return f"'{text}" if isinstance(value, str) and value.startswith(_FORMULA) else text


def text_of(value: Any) -> str:
    """Text as it is, None as "", anything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
