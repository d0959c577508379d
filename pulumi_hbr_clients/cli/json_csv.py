"""Lists for programs: results → one JSON object, or CSV. Pure; the order is that of the lists, sorted by id."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from io import StringIO
from typing import Any, Final

from pulumi_hbr_clients.cli.errors import error_text, one_line
from pulumi_hbr_clients.cli.messages import printable
from pulumi_hbr_clients.cli.targets import Target
from pulumi_hbr_clients.model.backup_client import CLIENT_FIELDS, ClientSettings, state_name, to_dicts, to_json
from pulumi_hbr_clients.model.outputs import ClientList, excluded_fields, summary

_SETTINGS: Final = [f"settings.{state_name(field.name)}" for field in fields(ClientSettings)]
_dumps: Final = partial(json.dumps, ensure_ascii=False)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a cell that starts with one of these (OWASP, "CSV Injection")."""


def with_ids(names: Iterable[str]) -> list[str]:
    """The fields to show, ids first, each once."""
    return list(dict.fromkeys(["client_id", "instance_id", *names]))


def json_text(results: Sequence[Target], *, head: Mapping[str, Any] | None = None, compact: bool = False) -> str:
    """One target: the object of its list. Several: `targets`, each with `outputs`, `error` or both.

    `compact` puts all on one line; else each client or target has a line of its own. `head` comes before `targets`.
    """
    if [result.several for result in results] == [False] and results[0].found:
        return _list_json(results[0], results[0].found, compact=compact) + "\n"
    return _object(head or {}, "targets", map(_target_json, results), compact=compact) + "\n"


def _target_json(result: Target) -> str:
    row: dict[str, Any] = {"region": result.region, "profile": result.query.profile}
    if result.error:
        row["error"] = one_line(error_text(result.error))
    text = _dumps(row)
    return f'{text[:-1]}, "outputs": {_list_json(result, result.found)}}}' if result.found else text


def _list_json(result: Target, found: ClientList, *, compact: bool = True) -> str:
    hidden = excluded_fields(result.query, heartbeats=True)
    rows = (to_json([client], leave_out=hidden)[1:-1] for client in found.clients)
    return _object({**result.head, **summary(result.query, found)}, "clients", rows, compact=compact)


def _object(values: Mapping[str, Any], name: str, rows: Iterable[str], *, compact: bool) -> str:
    """An object of some values and, last, a list of JSON texts."""
    if compact:
        members = "".join(f"{_dumps(key)}: {_dumps(value)}, " for key, value in values.items())
        return f'{{{members}"{name}": [{",".join(rows)}]}}'

    def array(texts: Iterable[str]) -> str:
        text = ",\n    ".join(texts)
        return f"[\n    {text}\n  ]" if text else "[]"

    members = ""
    for key, value in values.items():
        text = array(map(_dumps, value)) if isinstance(value, list) else _dumps(value)
        members += f'  "{key}": {text},\n'
    return f'{{\n{members}  "{name}": {array(rows)}\n}}'


def csv_text(results: Sequence[Target]) -> str:
    """RFC 4180, a row for each client: state names, `settings.proxyHost`, tags as JSON text.

    With several targets, `region` and `profile` come first. Every cell is safe in a spreadsheet and on a terminal.
    """
    query, several = results[0].query, results[0].several
    columns = ["region", "profile"] if several else []
    for name in with_ids(CLIENT_FIELDS if query.fields is None else query.fields):
        columns += _SETTINGS if name == "settings" else [state_name(name)]
    columns += ["proxyPassword"] if query.include_proxy_passwords else []
    columns = list(dict.fromkeys(columns))
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for result in results:
        found = result.found or ClientList()
        passwords = found.reveal_passwords()
        for client in found.clients:
            (row,) = to_dicts([client])
            row |= {f"settings.{name}": value for name, value in row.get("settings", {}).items()}
            row |= {"region": result.region, "profile": result.query.profile} if several else {}
            row["proxyPassword"] = passwords.get(client.client_id or "")
            writer.writerow(_safe_cell(row.get(column)) for column in columns)
    return text.getvalue()


def _safe_cell(value: Any) -> str:
    """The text of a value, printable, and with an apostrophe before what a spreadsheet would run as a formula."""
    text = printable(text_of(value))
    return f"'{text}" if isinstance(value, str) and value.startswith(_FORMULA) else text


def text_of(value: Any) -> str:
    """Text as it is, None as "", anything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else _dumps(value)
