"""The growth of wall time and memory with the number of clients, a line a contender, as SVG.

Takes the plain tables of the growth questions, which name their own columns.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tools.benchmarks.growth import HEADER

PANELS: Final = (
    ("growth-0", "wall s", "Wall time, 0 ms an answer", "s"),
    ("growth-100", "wall s", "Wall time, 100 ms an answer", "s"),
    ("growth-0", "peak MB", "Peak memory of the process", "MB"),
)
NEEDED: Final = {name for name, *_ in PANELS}
STYLES: Final = {
    "ours": ("#0b6e4f", "o"),
    "sdk": ("#c8553d", "s"),
    "peer": ("#6b6b6b", "^"),
    "terraform": ("#5c4ee5", "D"),
}


def draw(tables: Mapping[str, Mapping[str, Any]], file: Path) -> None:
    """Three panels side by side."""
    import matplotlib as mpl  # noqa: PLC0415  a second to import, and only here
    from matplotlib.figure import Figure  # noqa: PLC0415

    mpl.rcParams.update({"svg.hashsalt": "hbr-clients", "svg.fonttype": "none", "font.size": 9})
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for axes, (name, column, title, unit) in zip(figure.subplots(1, 3), PANELS, strict=True):
        for contender, sizes, values in lines(tables[name]["rows"], column):
            colour, mark = STYLES[contender]
            axes.loglog(sizes, values, color=colour, marker=mark, label=contender, linewidth=1.6, markersize=4)
        axes.set(title=title, xlabel="clients", ylabel=unit)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.grid(which="major", alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False)
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})


def lines(rows: Sequence[Sequence[Any]], column: str) -> Iterator[tuple[str, list[int], list[float]]]:
    """Each contender's sizes and figures of a column."""
    place = HEADER.index(column)
    for contender in dict.fromkeys(row[1] for row in rows):
        own = [row for row in rows if row[1] == contender]
        yield contender, [int(row[0].replace(",", "")) for row in own], [row[place] for row in own]
