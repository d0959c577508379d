"""What follows from the models and from the repository's owner: `make schema` writes it, and a test compares.

    models, owner  →  plugin/schema.json, tables in docs/, the import path of the Go SDK in programs and pages

The owner is `owner` under [tool.hbr-clients] in pyproject.toml. While it is empty, the schema names neither a
repository nor a place to download the plugin from, and the Go SDK has a name that is no address. A table stands
between `<!-- table: NAME -->` and `<!-- end of table -->` in a page; NAME is a key of TABLES.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from pulumi_hbr_clients.activation.condition import ActivationCondition
from pulumi_hbr_clients.activation.evaluation import STATUSES
from pulumi_hbr_clients.model.backup_client import BackupClient, ClientSettings
from pulumi_hbr_clients.model.errors import HbrError
from pulumi_hbr_clients.model.names import PACKAGE
from pulumi_hbr_clients.model.outputs import ClientList
from pulumi_hbr_clients.model.query import Query
from tools import schema
from tools.cache import ROOT

SCHEMA: Final = ROOT / "pulumi_hbr_clients" / "plugin" / "schema.json"
OWNER: Final[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"][PACKAGE]["owner"]
REPOSITORY: Final = "pulumi-hbr-clients"
_GO_SDK: Final = re.compile(rf"(github\.com/[\w.-]+/)?{REPOSITORY}/sdk/go")
_PROGRAMS: Final = (
    "examples/go/go.mod",
    "examples/go/*.go",
    "tools/schema_texts/*.go",
    "tests/engine/sdks/*.go",
)
Row = tuple[str, ...]


def main() -> None:
    """Write what follows."""
    for path, text in generated(OWNER).items():
        path.write_text(text)


def generated(owner: str) -> dict[Path, str]:
    """Each file that follows, and its text for this owner."""
    pages = {path: with_blocks("table", path.read_text(), table) for path in ROOT.glob("docs/*.md")}
    programs = {path: path.read_text() for pattern in _PROGRAMS for path in ROOT.glob(pattern)}
    text = json.dumps(schema_of(owner), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    return {path: with_go_sdk(text, owner) for path, text in {SCHEMA: text, **pages, **programs}.items()}


def schema_of(owner: str) -> dict[str, Any]:
    """The schema, with what a registry wants to know of a repository."""
    address = f"https://github.com/{owner}/{REPOSITORY}"
    registry = {
        "homepage": address,
        "repository": address,
        "publisher": owner,
        "pluginDownloadURL": f"github://api.github.com/{owner}/{REPOSITORY}",
        "logoUrl": f"https://raw.githubusercontent.com/{owner}/{REPOSITORY}/main/docs/logo.png",
    }
    return {**schema.schema(), **(registry if owner else {})}


def with_go_sdk(text: str, owner: str) -> str:
    """A text that names Go's SDK by its address, or without an owner by a name that only a `replace` line explains."""
    return _GO_SDK.sub(f"{f'github.com/{owner}/' if owner else ''}{REPOSITORY}/sdk/go", text)


def with_blocks(kind: str, page: str, block: Callable[[str], str]) -> str:
    """A page with what stands between `<!-- KIND: NAME -->` and `<!-- end of KIND -->` made again, by name."""
    pattern = rf"(<!-- {kind}: (.+?) -->\n).*?(<!-- end of {kind} -->)"
    return re.sub(pattern, lambda found: f"{found[1]}{block(found[2])}\n{found[3]}", page, flags=re.DOTALL)


def table(name: str) -> str:
    """One of TABLES."""
    header, rows = TABLES[name]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows()))


def _arguments(model: type[BaseModel]) -> Iterator[Row]:
    for name, field in model.model_fields.items():
        default = "" if field.default in (None, (), False) else f"`{field.default}`"
        yield f"`{name}`", field.description or "", "required" if field.default is PydanticUndefined else default


def _described(record: type) -> Iterator[Row]:
    """The fields of a dataclass that have a description."""
    return ((f"`{each.name}`", each.metadata["description"]) for each in fields(record) if each.metadata)


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
