"""Questions about lists from a service that behaves: time, CPU, memory, requests.

CONTENDERS of list_worker.py: verified, counted, sdk, peer.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from tools.bench.harness import Figures, in_turn, service
from tools.bench.report import Cell, Requirement, Table

PAGE: Final = 99
HEADER: Final = ("clients", "", "wall s", "of verified", "CPU s", "requests", "peak MB", "of verified", "missed")


def far(*, quick: bool) -> Table:
    """Lists of 100 to 100,000 clients, 100 ms a response."""
    sizes = (100, 300) if quick else (100, 1000, 10_000, 100_000)
    found = {size: _lists(size, 0.01 if quick else 0.1, 3 if 300 < size < 100_000 else 1) for size in sizes}  # noqa: PLR2004  where time allows
    requirements = [
        Requirement(
            f"{size:,} clients: {name}: times faster than the SDK's loop",
            _faster(found[size], name),
            limit,
            at_least=True,
        )
        for size, name, limit in ((10_000, "verified", 9), (10_000, "counted", 11), (100_000, "verified", 20))
        if size in found
    ]
    note = "With a far region it matters most that all pages are requested at once."
    return Table("Lists, 100 ms a response", HEADER, _rows(found), [*_right(found), *requirements], note)


def near(*, quick: bool) -> Table:
    """Lists of 1,000 to 100,000 clients, 0 ms a response: CPU and memory."""
    sizes = (100,) if quick else (1000, 10_000, 100_000)
    found = {size: _lists(size, 0.0, 1 if quick else 3) for size in sizes}
    largest = found[max(sizes)]
    ours, sdk = largest["verified"], largest["sdk"]
    requirements = [
        Requirement(f"{max(sizes):,} clients: CPU of verified, of the SDK's loop", ours["cpu"] / sdk["cpu"], 1),
        Requirement(
            f"{max(sizes):,} clients: memory of verified, of the SDK's loop", ours["memory"] / sdk["memory"], 0.5
        ),
    ]
    note = (
        "Peak: the most memory that the process ever had. The requirement compares what the list added to the imports."
    )
    return Table("Lists, 0 ms a response", HEADER, _rows(found), [*_right(found), *requirements], note)


def _lists(size: int, latency: float, rounds: int) -> dict[str, Figures]:
    # With 100,000 clients at 100 ms one list of the peer takes minutes.
    names = ("verified", "counted", "sdk", *(["peer"] if size * latency < 10_000 else []))  # noqa: PLR2004  100,000 x 0.1
    with service(size, latency=latency) as running:
        return in_turn(rounds, {name: partial(running.run, "list_worker", name) for name in names})


def _faster(found: Mapping[str, Figures], name: str) -> float:
    return found["sdk"]["wall"] / found[name]["wall"]


def _rows(found: Mapping[int, Mapping[str, Figures]]) -> list[list[Cell]]:
    return [
        [
            f"{size:,}",
            name,
            f["wall"],
            f["wall"] / ours["wall"],
            f["cpu"],
            f["requests"],
            f["peak"] / 1e6,
            f["peak"] / ours["peak"],
            size - f["clients"] + f["twice"],
        ]
        for size, contenders in found.items()
        for name, f in contenders.items()
        if (ours := contenders["verified"])
    ]


def _right(found: Mapping[int, Mapping[str, Figures]]) -> list[Requirement]:
    ours = [(size, passes, found[size][name]) for size in found for name, passes in (("verified", 2), ("counted", 1))]
    wrong = max(size - f["clients"] + f["twice"] for size, _, f in ours)
    needless = max(f["requests"] + passes * (size // -PAGE) for size, passes, f in ours)
    return [
        Requirement("clients missed or listed twice", wrong, 0),
        Requirement("requests beyond the pages", needless, 2),
    ]
