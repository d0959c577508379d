"""What was measured, as tables and requirements: text, docs/benchmarks.json, and figures in README and docs/.

    {question: Table} → benchmarks.json (other questions keep their tables) → blocks in README and docs/*.md

A block of figures stands between `<!-- figures: NAME -->` and `<!-- end of figures -->`; NAME is a question, or one of
`in short`, `requirements` and `all tables`, which docs/benchmarks.md has.
"""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import tabulate
from pydantic import TypeAdapter

from tools.bench.list_worker import CONTENDERS
from tools.cache import ROOT
from tools.generated import with_blocks

PACKAGES: Final = ("pulumi-hbr-clients", "alibabacloud-hbr20170908", "pulumi", "httpcore", "pydantic")
IN_SHORT: Final = (
    ("lists-100ms", "10,000", "wall s", "10,000 clients, 100 ms a response: seconds"),
    ("lists-100ms", "10,000", "requests", "the same: requests"),
    ("lists-100ms", "100,000", "wall s", "100,000 clients, 100 ms a response: seconds"),
    ("lists-100ms", "100,000", "CPU s", "the same: CPU seconds"),
    ("lists-100ms", "100,000", "peak MB", "the same: peak memory, MB"),
    ("faults", "", "complete", "5 % of requests meet a fault: complete lists of {runs}"),
    ("changes", "all", "silently wrong", "clients come and go meanwhile: silently wrong lists of {runs}"),
    ("state", "", "passwords in clear text", "exported clients: proxy passwords in clear text in the state"),
)
"""Question, first cell of the row if it is not the contender, column, what to call it."""
Cell = str | int | float
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
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def __str__(self) -> str:
        bound = f"at {'least' if self.at_least else 'most'} {show(self.limit)}{self.unit}"
        return f"{'met' if self.met else '**not met**'}: {self.text}: {show(self.figure)}{self.unit} ({bound})"


@dataclass
class Table:
    """The answer to one question."""

    title: str
    header: list[str]
    rows: list[list[Cell]] = field(default_factory=list)
    requirements: list[Requirement] = field(default_factory=list)
    note: str = ""
    measured: str = ""
    """When, on which machine, with which versions."""

    def row(self, *cells: Cell) -> None:
        """Add a row. Figures are kept with four significant digits: more would be noise in the file."""
        self.rows.append([float(f"{cell:.4g}") if isinstance(cell, float) else cell for cell in cells])

    def require(self, text: str, figure: float, limit: float, unit: str = "", *, at_least: bool = False) -> None:
        self.requirements.append(Requirement(text, float(f"{figure:.4g}"), limit, unit, at_least))

    def __str__(self) -> str:
        """Markdown, without the title."""
        parts = [self.note, body(self.header, self.rows), "\n".join(f"- {found}" for found in self.requirements)]
        return "\n\n".join(filter(None, parts))


Tables = Mapping[str, Table]


def show(value: Cell) -> str:
    """A figure with three significant digits."""
    if isinstance(value, str):
        return value
    return f"{value + 0.0:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004  digits


def body(header: list[str], rows: list[list[Cell]]) -> str:
    """A Markdown table."""
    return tabulate.tabulate([[*map(show, row)] for row in rows], header, tablefmt="github", disable_numparse=True)


def machine(question: str) -> str:
    """One line about this machine, its load and the versions that are measured."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before"
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return f"`make bench ASK={question}` · {when} · {system} · Python {sys.version.split()[0]}, {packages}"


def load(root: Path = ROOT) -> dict[str, Table]:
    """All tables that are kept, by question."""
    return TypeAdapter(dict[str, Table]).validate_json((root / "docs" / "benchmarks.json").read_bytes())


def save(tables: Tables, questions: Sequence[str], root: Path = ROOT) -> None:
    """Keep these tables, one question a line, and write the pages again."""
    ordered = {name: tables[name] for name in questions if name in tables}
    lines = [f"{json.dumps(name)}: {json.dumps(asdict(t), ensure_ascii=False)}" for name, t in ordered.items()]
    (root / "docs" / "benchmarks.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    for path, text in pages(ordered, questions, root).items():
        path.write_text(text)


def pages(tables: Tables, questions: Sequence[str], root: Path = ROOT) -> dict[Path, str]:
    """README and the pages of docs/, with their blocks of figures made again."""
    blocks = {
        **{name: body(table.header, table.rows) for name, table in tables.items()},
        "in short": in_short(tables),
        "requirements": requirements(tables, questions),
        "all tables": "\n\n".join(f"## {t.title}\n\n{t}\n\n<sub>{t.measured}</sub>" for t in tables.values()),
    }

    def block(name: str) -> str:
        return blocks.get(name, f"Not measured: `make bench ASK={name}`.")

    paths = (root / "README.md", *root.glob("docs/*.md"))
    return {path: with_blocks("figures", path.read_text(), block) for path in paths}


def requirements(tables: Tables, questions: Sequence[str]) -> str:
    """How many requirements are met, and a list of the others."""
    found = [(name, requirement) for name, table in tables.items() for requirement in table.requirements]
    missed = [f"- `{name}`: {requirement}" for name, requirement in found if not requirement.met]
    missed += [f"- `{name}`: **not measured**" for name in questions if name not in tables]
    met = f"{sum(requirement.met for _, requirement in found)} of {len(found)} are met."
    return "\n".join([met, "", *missed]) if missed else met


def in_short(tables: Tables) -> str:
    """The figures that matter, one column for each contender."""
    rows = list[list[Cell]]()
    for name, first, column, text in IN_SHORT:
        if name in tables:
            lines = [dict(zip(tables[name].header, row, strict=True)) for row in tables[name].rows]
            found = {line[""]: line for line in lines if first in {"", next(iter(line.values()))}}
            cells = [found[contender][column] if contender in found else "-" for contender in CONTENDERS]
            rows.append([text.format(runs=next(iter(found.values())).get("runs", "")), *cells])
    return body(["", *CONTENDERS], rows)
