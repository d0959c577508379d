"""Questions about size: what a list costs each contender from 100 clients to 100,000, at one speed of the service.

    ours    `HbrClient` in a script
    sdk     a loop over the official SDK, PageSize 99
    peer    the algorithm of Terraform's and Pulumi's alicloud data source, restated: serial pages of 50
    terraform   the peer itself, where it is on PATH

Another contender is one more function in listing.py and one more name here. Each run is a fresh process.
"""

from collections.abc import Mapping
from typing import Final

from tools.benchmarks import terraform
from tools.benchmarks.measure import Figures, Measure, Scale, fleet, in_turn, lists
from tools.benchmarks.table import Must, Table

PAGE: Final = 99
OURS: Final = "ours"
SDK: Final = "sdk"
PEER: Final = "peer"
CONTENDERS: Final = (OURS, SDK, PEER)
HEADER: Final = (
    "clients",
    "",
    "wall s",
    "of ours",
    "CPU s",
    "of ours",
    "requests",
    "peak MB",
    "of ours",
    "missed",
    "twice",
)
MOST: Final = {0.0: 100_000, 0.1: 10_000}
"""Seconds an answer → the size for which an issue asks for figures."""

Found = Mapping[int, Mapping[str, Figures]]


def at_once(scale: Scale) -> Table:
    """100 to 100,000 clients, 0 ms an answer: CPU and memory."""
    return _growth(scale, 0.0)


def near(scale: Scale) -> Table:
    """100 to 100,000 clients, 20 ms an answer."""
    return _growth(scale, scale.latency / 5)


def far(scale: Scale) -> Table:
    """100 to 100,000 clients, 100 ms an answer."""
    return _growth(scale, scale.latency)


def _growth(scale: Scale, latency: float) -> Table:
    found = {size: _at(scale, size, latency) for size in scale.fleets}
    rows = [_row(size, name, f, found[size][OURS]) for size in found for name, f in found[size].items()]
    return Table(
        f"Growth, {latency * 1000:.0f} ms an answer",
        HEADER,
        rows,
        [*_musts(found, latency)],
        "From the start of the program to its end, imports included. Peak: the most memory that the process ever had, "
        "Python and imports included. " + _rounds_told(scale, latency),
    )


def _at(scale: Scale, size: int, latency: float) -> Mapping[str, Figures]:
    with fleet(size, latency=latency) as service:
        contenders: dict[str, Measure] = {name: lists(service, name) for name in CONTENDERS}
        if terraform.found():
            contenders["terraform"] = lambda: service.run("terraform.py")
        return in_turn(_rounds(scale, size, latency), contenders)


def _rounds(scale: Scale, size: int, latency: float) -> int:
    """More where CPU is the question, one where it would take minutes."""
    serial = size / 50 * latency
    return 1 if serial > scale.patience or scale.repeats == 1 else 3 if latency else 5


def _rounds_told(scale: Scale, latency: float) -> str:
    return "Rounds: " + ", ".join(f"{_rounds(scale, size, latency)} at {size:,}" for size in scale.fleets) + "."


def _row(size: int, name: str, f: Figures, ours: Figures) -> list[str | float]:
    times = [(f[key], f[key] / ours[key]) for key in ("wall", "cpu", "peak")]
    (wall, walls), (cpu, cpus), (peak, peaks) = times
    missed = size - f["clients"]
    return [f"{size:,}", name, wall, walls, cpu, cpus, f["requests"], peak / 1e6, peaks, missed, f["twice"]]


def _musts(found: Found, latency: float) -> list[Must]:
    lost = max(size - figures[OURS]["clients"] + figures[OURS]["twice"] for size, figures in found.items())
    needless = max(figures[OURS]["requests"] + size // -PAGE for size, figures in found.items())
    always = [Must("clients missed or listed twice:", lost, 0), Must("requests beyond the pages needed:", needless, 2)]
    return [*always, *_asked(found, latency)]


def _asked(found: Found, latency: float) -> list[Must]:
    """What an issue asks for at one size."""
    size = MOST.get(latency, 0)
    if size not in found:
        return []
    ours, sdk = found[size][OURS], found[size][SDK]
    cpu = Must(f"{size:,} clients: CPU, of the SDK's:", ours["cpu"] / sdk["cpu"], 1)
    if latency:
        faster = Must(
            f"{size:,} clients: times faster than the SDK's loop:", sdk["wall"] / ours["wall"], 8, at_least=True
        )
        return [faster, cpu]
    memory = Must(
        f"{size:,} clients: memory of the list, of the SDK's ({sdk['memory'] / size:,.0f} bytes a client):",
        ours["memory"] / sdk["memory"],
        0.5,
    )
    return [cpu, memory]
