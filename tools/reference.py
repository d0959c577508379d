"""Tables of the documentation that follow from the models: arguments, outputs, fields of a client, errors.

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->` in a page; NAME is a key of TABLES. Run
`make schema` after a change of the models; a test fails if that was forgotten.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pulumi_hbr_clients.activation.condition import ActivationCondition
from pulumi_hbr_clients.activation.evaluation import STATUSES
from pulumi_hbr_clients.model.backup_client import BackupClient, ClientSettings
from pulumi_hbr_clients.model.errors import HbrError
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query

ROOT: Final = Path(__file__).resolve().parents[1]
Row = tuple[str, ...]


def main() -> None:
    """Write the tables of all pages again."""
    for path in (ROOT / "docs").glob("*.md"):
        path.write_text(with_tables(path.read_text()))


def with_tables(text: str) -> str:
    """A page with its tables made again."""

    def table(match: re.Match[str]) -> str:
        header, rows = TABLES[match[1]]
        lines = [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows())]
        return "\n".join([f"<!-- table: {match[1]} -->", *lines, "<!-- end of table -->"])

    return re.sub(r"<!-- table: (.+?) -->\n.*?<!-- end of table -->", table, text, flags=re.DOTALL)


def _arguments(model: type[BaseModel]) -> Iterator[Row]:
    for name, field in model.model_fields.items():
        default = "" if field.default in (None, (), False) else f"`{field.default}`"
        yield f"`{name}`", field.description or "", "required" if field.default is PydanticUndefined else default


def _described(record: type) -> Iterator[Row]:
    """The fields of a dataclass whose annotations describe them."""
    for name, hint in get_type_hints(record, include_extras=True).items():
        described = [part.description for part in getattr(hint, "__metadata__", ()) if isinstance(part, FieldInfo)]
        yield from ((f"`{name}`", text) for text in described if text)


def _errors(kind: type[HbrError] = HbrError) -> Iterator[Row]:
    for child in (each for each in kind.__subclasses__() if each.__module__ == HbrError.__module__):
        yield f"`{child.__name__}`", (child.__doc__ or "").partition("\n")[0]
        yield from _errors(child)


def _statuses() -> Iterable[Row]:
    effects = {"passes": "passes", "fails": "fails at once", "waits": "waits", "grace": "waits for `unknown_grace`"}
    return ((f"`{name}`", effects[rule.effect], rule.advice) for name, rule in STATUSES.items())


TABLES: Final[Mapping[str, tuple[Row, Callable[[], Iterable[Row]]]]] = {
    "query arguments": (("argument", "", "default"), lambda: _arguments(Query)),
    "gate arguments": (("argument", "", "default"), lambda: _arguments(ActivationCondition)),
    "outputs": (("output", ""), lambda: _described(ClientList)),
    "client fields": (("field", ""), lambda: _described(BackupClient)),
    "settings fields": (("field", ""), lambda: _described(ClientSettings)),
    "errors": (("error", ""), _errors),
    "statuses": (("status", "a gate", "what to do"), _statuses),
}

if __name__ == "__main__":
    main()
