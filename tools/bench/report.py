"""What was measured, as tables and requirements: text, docs/benchmarks.json and .md, and figures in other pages.

    {question: Table} → benchmarks.json (other questions keep their tables) → benchmarks.md, blocks in README and docs

A block of figures in another page stands between `<!-- figures: NAME -->` and `<!-- end of figures -->`.
"""

import json
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import tabulate

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("pulumi-hbr-clients", "alibabacloud-hbr20170908", "pulumi", "httpcore", "pydantic")

Cell = str | float
tabulate.MIN_PADDING = 0  # its way to say that a header needs no more room than its column


@dataclass(frozen=True)
class Requirement:
    """A figure that the project asks of itself."""

    text: str
    figure: float
    limit: float
    unit: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is within its limit."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def __str__(self) -> str:
        """One line: what was required, and what was measured."""
        bound = f"at {'least' if self.at_least else 'most'} {show(self.limit)}{self.unit}"
        return f"{'met' if self.met else '**not met**'}: {self.text}: {show(self.figure)}{self.unit} ({bound})"


@dataclass(frozen=True)
class Table:
    """The answer to one question."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    requirements: Sequence[Requirement] = ()
    note: str = ""
    measured: str = field(default="", compare=False)
    """When, on which machine, with which versions."""

    def __str__(self) -> str:
        """Markdown, without a heading."""
        parts = [self.note, body(self.header, self.rows), "\n".join(f"- {found}" for found in self.requirements)]
        return "\n\n".join(filter(None, parts))

    @classmethod
    def load(cls, plain: Mapping[str, Any]) -> "Table":
        """A table of benchmarks.json."""
        return cls(**{**plain, "requirements": [Requirement(**found) for found in plain["requirements"]]})


def show(value: Cell) -> str:
    """A figure with three significant digits."""
    if isinstance(value, str):
        return value
    return f"{value + 0.0:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004  digits


def body(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A Markdown table."""
    return tabulate.tabulate([[*map(show, row)] for row in rows], [*header], tablefmt="github", disable_numparse=True)


def machine(question: str) -> str:
    """One line about this machine, its load and the versions that are measured."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before"
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return f"`make bench ASK={question}` · {when} · {system} · Python {sys.version.split()[0]}, {packages}"


def load(root: Path = ROOT) -> dict[str, Table]:
    """All tables that are kept, by question."""
    data = root / "docs" / "benchmarks.json"
    return {name: Table.load(plain) for name, plain in json.loads(data.read_text()).items()} if data.exists() else {}


def save(tables: Mapping[str, Table], root: Path = ROOT) -> None:
    """Keep these tables: one row a line, so that the file stays short and its changes readable."""
    texts = [f'"{name}": {_lines(asdict(table))}' for name, table in tables.items()]
    (root / "docs" / "benchmarks.json").write_text("{\n" + ",\n".join(texts) + "\n}\n")
    (root / "docs" / "benchmarks.md").write_text(page(tables))
    for path in (root / "README.md", *(root / "docs").glob("*.md")):
        path.write_text(with_figures(path.read_text(), tables))


def _lines(plain: Mapping[str, Any]) -> str:
    def value(found: Any) -> str:
        if isinstance(found, list | tuple) and found and isinstance(found[0], list | tuple | dict):
            return "[\n  " + ",\n  ".join(json.dumps(_rounded(item), ensure_ascii=False) for item in found) + "\n ]"
        return json.dumps(_rounded(found), ensure_ascii=False)

    return "{\n " + ",\n ".join(f'"{key}": {value(found)}' for key, found in plain.items()) + "\n}"


def _rounded(found: Any) -> Any:
    """Four significant digits: more would only be noise in the file."""
    if isinstance(found, float):
        return float(f"{found:.4g}")
    if isinstance(found, list | tuple):
        return [_rounded(item) for item in found]
    return {key: _rounded(item) for key, item in found.items()} if isinstance(found, dict) else found


HEAD: Final = """\
# Benchmarks

Written by `make bench`, all on loopback, against the project's own emulator. The rows of a table were measured in one
run, in turn, each in a fresh process, imports included: read ratios, not seconds.

- **verified**, **counted**: `HbrClient`, with the default `consistency` and with the cheaper one.
- **sdk**: a loop over the official SDK (alibabacloud-hbr20170908) with `PageSize` 99, as its documentation shows.
- **peer**: the *algorithm* of Terraform's and Pulumi's alicloud data source, written again over the official SDK:
  serial pages of 50, a page of fewer ends the list, throttling and 5xx are tried again every three seconds. Its wall
  time and CPU are a Python program's; requests, missed clients and secrets are the algorithm's own.
"""


def page(tables: Mapping[str, Table]) -> str:
    """docs/benchmarks.md."""
    return "\n".join([HEAD, "## In short", "", in_short(tables), "", *_not_met(tables), *_sections(tables)])


def _not_met(tables: Mapping[str, Table]) -> Iterator[str]:
    found = [(name, requirement) for name, table in tables.items() for requirement in table.requirements]
    missed = [f"- `{name}`: {requirement}" for name, requirement in found if not requirement.met]
    yield from ("## Requirements", "", f"{len(found) - len(missed)} of {len(found)} are met.", "", *missed)
    if missed:
        yield ""


def _sections(tables: Mapping[str, Table]) -> Iterator[str]:
    for table in tables.values():
        yield from (f"## {table.title}", "", str(table), "", f"<sub>{table.measured}</sub>", "")


IN_SHORT: Final[Sequence[tuple[str, Mapping[str, str], str, str]]] = (
    ("lists-100ms", {"clients": "10,000"}, "wall s", "10,000 clients, 100 ms a response: seconds"),
    ("lists-100ms", {"clients": "10,000"}, "requests", "the same: requests"),
    ("lists-0ms", {"clients": "100,000"}, "CPU s", "100,000 clients, 0 ms a response: CPU seconds"),
    ("lists-0ms", {"clients": "100,000"}, "peak MB", "the same: peak memory, MB"),
    ("faults", {}, "complete", "5 % of requests meet a fault: complete lists of {runs}"),
    ("changes", {"change": "all"}, "silently wrong", "clients come and go meanwhile: silently wrong lists of {runs}"),
    ("state", {}, "passwords in clear text", "exported clients: proxy passwords in clear text in the state"),
)
"""Question, rows, column, what to call it."""
CONTENDERS: Final = ("verified", "counted", "sdk", "peer")


def in_short(tables: Mapping[str, Table]) -> str:
    """The page in a few lines: one row for each figure that matters, one column for each contender."""
    rows = list[list[Cell]]()
    for name, wanted, column, text in IN_SHORT:
        if name in tables:
            lines = [dict(zip(tables[name].header, row, strict=True)) for row in tables[name].rows]
            found = {line[""]: line for line in lines if wanted.items() <= line.items()}
            runs = next((line.get("runs", "") for line in found.values()), "")
            cells = [found[contender][column] if contender in found else "-" for contender in CONTENDERS]
            rows.append([text.format(runs=show(runs)), *cells])
    return body(["", *CONTENDERS], rows)


def with_figures(text: str, tables: Mapping[str, Table]) -> str:
    """A page with its blocks of figures made again: `in short`, or a question's table."""

    def block(match: re.Match[str]) -> str:
        name = match[1]
        found = in_short(tables) if name == "in short" else body(tables[name].header, tables[name].rows)
        return f"<!-- figures: {name} -->\n{found}\n<!-- end of figures -->"

    return re.sub(r"<!-- figures: (.+?) -->\n.*?<!-- end of figures -->", block, text, flags=re.DOTALL)
