"""Questions about lists from a service that breaks, moves or throttles: are they right, and if not, who says so."""

import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

from tools.bench.harness import Figures, note, service
from tools.bench.report import Cell, Requirement, Table

JUDGED: Final = ("", "runs", "complete", "incomplete", "errors", "silently wrong", "missed", "twice", "requests")
NOTE: Final = "Missed and twice: clients, in all runs, that were there all along. Requests: the median run."


def faults(*, quick: bool) -> Table:
    """1,000 clients, 5 % of requests meet a fault: dropped connections, 5xx, HTML, half a JSON, throttling and more."""
    names, seeds = ("verified", "counted", "sdk", "peer"), range(2 if quick else 20)
    found = {name: _judge(name, seeds, 1000, fault_rate=0.05) for name in names}
    return Table(
        "1,000 clients, 5 % of requests meet a fault",
        JUDGED,
        [_row(name, runs) for name, runs in found.items()],
        [
            Requirement("verified: silently wrong", _total(found["verified"], "wrong"), 0),
            Requirement("verified: errors", _total(found["verified"], "error"), 0),
        ],
        NOTE,
    )


OLD: Final = {"arrivals": "old"}
WAYS: Final[Mapping[str, Mapping[str, Any]]] = {
    "new ones at the end, after each page": {"turnover": {}},
    "old ones at the end, after each page": {"turnover": OLD},
    "old ones at the front, leaving at the end": {"turnover": {**OLD, "leave_from": "end", "arrive_at": "front"}},
    "old ones anywhere, after each page": {"turnover": {**OLD, "leave_from": "anywhere", "arrive_at": "anywhere"}},
    "leaving only": {"turnover": {"arriving": 0}},
    "arriving only, at the front": {"turnover": {"leaving": 0, "arrive_at": "front"}},
    "one leaves and one arrives, once": {"turnover": {**OLD, "every": 7, "times": 1}},
    "the same anywhere, in a list by id": {
        "order": "id",
        "turnover": {**OLD, "every": 7, "times": 1, "leave_from": "anywhere", "arrive_at": "anywhere"},
    },
    "the same by tags": {"select": "tags", "turnover": {**OLD, "every": 7, "times": 1, "by": "tags"}},
    "the same by filters": {"select": "filters", "turnover": {**OLD, "every": 7, "times": 1, "by": "filters"}},
    "none, each page from another order": {"order": "shuffled"},
}


def changes(*, quick: bool) -> Table:
    """1,960 clients, of which some leave and others arrive between the pages, in each way that can be."""
    count, seeds = (300, range(1)) if quick else (1960, range(3))
    names, rows = ("verified", "counted", "sdk"), list[list[Cell]]()
    everything: dict[str, list[Figures]] = {name: [] for name in names}
    for way, behaviour in [*WAYS.items()][: 2 if quick else None]:
        for name in names:
            runs = _judge(name, seeds, count, **behaviour)
            rows.append([way, *_row(name, runs)])
            everything[name] += runs
    rows += [["all", *_row(name, runs)] for name, runs in everything.items()]
    return Table(
        f"{count:,} clients, some leave and others arrive meanwhile",
        ("change", *JUDGED),
        rows,
        [Requirement("verified: silently wrong", _total(everything["verified"], "wrong"), 0)],
        NOTE
        + " A list that never stands still has no complete list: the question is who says so. `counted` cannot see "
        "that one client leaves while another arrives; it is there for lists that stand still.",
    )


def _judge(name: str, seeds: Sequence[int], count: int, *, select: str = "", **behaviour: Any) -> list[Figures]:
    """Runs of one contender, each against a fleet of its own."""
    note(f"{name}: {len(seeds)} runs")
    found = []
    for seed in seeds:
        with service(count, seed=seed, **behaviour) as running:
            found.append(running.run("list_worker", name, "judge", *filter(None, [select])))
    return found


def _row(name: str, runs: Sequence[Figures]) -> list[Cell]:
    counts = [_total(runs, key) for key in ("complete", "incomplete", "error", "wrong", "missed", "twice")]
    return [name, len(runs), *counts, median(figures["requests"] for figures in runs)]


def _total(runs: Sequence[Figures], key: str) -> float:
    return sum(figures[key] for figures in runs)


LIMIT: Final = 600
SECONDS: Final = 60.0
"""The service's own window (docs/service.md)."""


def windows(*, quick: bool) -> Table:
    """Lists longer than the account's window of 600 requests in 60 s, of one process and of five."""
    many, few, limit, seconds = (3000, 900, 25, 4.0) if quick else (70_000, 20_000, LIMIT, SECONDS)
    rows, requirements = list[list[Cell]](), list[Requirement]()
    for kind in ("sliding", "fixed"):
        cases = [("one process, counted", "counted", 1, many, 1.15, 0.02)]
        cases += [("one process, verified", "verified", 1, many, 1.15, 0.02)]
        cases += [("five processes, counted", "counted", 5, few, 1.3, 0.08)]
        for text, name, processes, count, over, share in cases:
            label = f"{kind} window, {text}, {count:,} clients"
            note(label)
            window = {"limit": limit, "seconds": seconds, "kind": kind}
            with service(count, latency=0.02, window=window) as running:
                _wait_for_window(seconds)
                f = running.run_many(processes, "list_worker", name)
            pages = processes * -(-count // 99) * (2 if name == "verified" else 1)
            shortest = (-(-pages // limit) - 1) * seconds
            throttled = f["throttled"] / f["requests"]
            rows.append([label, f["wall"], f["wall"] / shortest, f["requests"], throttled, f["failed"]])
            requirements.append(Requirement(f"{label}: time, of the shortest possible", f["wall"] / shortest, over))
            requirements.append(Requirement(f"{label}: share of requests throttled", throttled, share))
            requirements.append(Requirement(f"{label}: processes that failed", f["failed"], 0))
    return Table(
        f"A window of {limit} requests in {seconds:g} s",
        ("", "wall s", "of the shortest", "requests", "share throttled", "failed"),
        rows,
        requirements,
        "Shortest: the windows that must end before the last request may be sent. Each run starts with a new window.",
    )


def _wait_for_window(seconds: float) -> None:
    """A fixed window starts on the clock: without this the shortest possible time would be another in each run."""
    time.sleep(seconds - time.time() % seconds)
