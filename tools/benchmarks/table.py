"""What a bench prints: tables of figures, and whether what an issue asks for is reached.

Takes numbers, gives Markdown and plain values for JSON. Measures nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Must:
    """A figure that an issue asks for."""

    what: str
    figure: float
    limit: float
    unit: str = ""
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """Whether it is."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def __str__(self) -> str:
        """One line."""
        verdict = "reached:    " if self.reached else "FALLS SHORT:"
        side = "at least" if self.at_least else "at most"
        return f"{verdict} {self.what} {show(self.figure)}{self.unit} ({side} {show(self.limit)}{self.unit})"


@dataclass(frozen=True)
class Table:
    """One question's answer: raw figures, their ratios beside them, and the musts that they decide."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    musts: Sequence[Must] = ()
    note: str = ""

    def __str__(self) -> str:
        """The table as Markdown, its musts below it."""
        notes = [self.note, ""] if self.note else []
        musts = [f"- {must}" for must in self.musts]
        return "\n".join([f"## {self.title}", "", *notes, self.body(), "", *musts]).rstrip()

    def body(self) -> str:
        """Only its header and rows."""
        rows = [[show(cell) for cell in row] for row in (self.header, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [f"| {' | '.join(map(str.ljust, row, widths))} |" for row in rows]
        lines.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|")
        return "\n".join(lines)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        musts = [{**asdict(must), "reached": must.reached} for must in self.musts]
        return {**asdict(self), "musts": musts}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """The table that `plain` was made of."""
        musts = [Must(**{name: must[name] for name in must.keys() - {"reached"}}) for must in plain["musts"]]
        return cls(**{**plain, "musts": musts})


def show(value: str | float) -> str:
    """Three digits that count."""
    if isinstance(value, str):
        return value
    whole = value == int(value) or abs(value) >= 100  # noqa: PLR2004  three digits
    return f"{value + 0.0:,.0f}" if whole else f"{value:.3g}"  # no "-0"
