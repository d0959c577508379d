"""Questions about lists: what they cost, and whether they are right while the service breaks, moves or throttles."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any, Final

from tools.bench.harness import Figures, in_turn, service
from tools.bench.list_worker import CONTENDERS
from tools.bench.report import Table
from tools.cache import say


def far(*, quick: bool) -> Table:
    """Lists of 100 to 100,000 clients, 100 ms a response: the farther the region, the more parallel requests matter."""
    sizes = (100, 300) if quick else (100, 1000, 10_000, 100_000)
    table, found = _lists("Lists, 100 ms a response", sizes, 0.1, quick=quick)
    for size, name, times in ((10_000, "verified", 9), (10_000, "counted", 11), (100_000, "verified", 20)):
        if size in found:
            faster = found[size]["sdk"]["wall"] / found[size][name]["wall"]
            table.require(f"{size:,} clients: {name}: times faster than the SDK's loop", faster, times, at_least=True)
    verified, sdk = found[max(found)]["verified"], found[max(found)]["sdk"]
    table.require(f"{max(found):,} clients: CPU of verified, of the SDK's loop", verified["cpu"] / sdk["cpu"], 1)
    table.require(f"{max(found):,} clients: memory of verified, of the SDK's", verified["memory"] / sdk["memory"], 0.5)
    return table


def near(*, quick: bool) -> Table:
    """Lists of 1,000 to 100,000 clients, 0 ms a response: what is left of the time is work."""
    return _lists("Lists, 0 ms a response", (100,) if quick else (1000, 10_000, 100_000), 0.0, quick=quick)[0]


def _lists(
    title: str, sizes: Sequence[int], latency: float, *, quick: bool
) -> tuple[Table, Mapping[int, Mapping[str, Figures]]]:
    table = Table(title, ["clients", "", "wall s", "of verified", "CPU s", "requests", "peak MB", "peak of verified"])
    table.note = "Peak: the most memory that the process ever had. Requirements compare what the list itself added."
    found, wrong, extra = {}, 0.0, 0.0
    for size in sizes:
        takes_minutes = size * latency > 1000  # noqa: PLR2004  the SDK's loop sends 10 requests a second
        with service(size, latency=latency) as running:
            measures = {name: partial(running.run, "list_worker", "list", name) for name in CONTENDERS}
            found[size] = in_turn(1 if quick or takes_minutes else 3, measures)
        verified = found[size]["verified"]
        for name, f in found[size].items():
            shares = f["wall"] / verified["wall"], f["peak"] / verified["peak"]
            table.row(f"{size:,}", name, f["wall"], shares[0], f["cpu"], f["requests"], f["peak"] / 1e6, shares[1])
            if name != "sdk":
                wrong += size - f["clients"] + f["twice"]
                extra = max(extra, f["requests"] - -(-size // 99) * (2 if name == "verified" else 1))
    table.require("clients missed or listed twice", wrong, 0)
    table.require("requests beyond the pages", extra, 2)
    return table, found


def targets(*, quick: bool) -> Table:
    """12 regions of 2,000 clients, 100 ms a response: one command, and a serial loop over the SDK."""
    regions, count = (3, 100) if quick else (12, 2000)
    table = Table(
        f"{regions} regions of {count:,} clients, 100 ms a response", ["", "wall s", "CPU s", "requests", "missed"]
    )
    with service(count, latency=0.1, regions=regions) as running:
        measures = {name: partial(running.run, "list_worker", "regions", name) for name in CONTENDERS}
        found = in_turn(1 if quick else 3, measures)
    for name, f in found.items():
        table.row(name, f["wall"], f["cpu"], f["requests"], regions * count - f["clients"])
    faster = found["sdk"]["wall"] / found["verified"]["wall"]
    table.require("verified: times faster than the SDK's loop", faster, 15, at_least=True)
    table.note = "Ours: one `hbr-clients list` with all regions. sdk: one region after another."
    return table


JUDGED: Final = ["", "runs", "complete", "incomplete", "errors", "silently wrong", "missed", "twice", "requests"]
NOTE: Final = "Missed and twice: clients, in all runs, that were there all along. Requests: the median run."


def faults(*, quick: bool) -> Table:
    """1,000 clients, 5 % of requests meet a fault: dropped connections, 5xx, HTML, half a JSON, throttling and more."""
    table = Table("1,000 clients, 5 % of requests meet a fault", JUDGED, note=NOTE)
    for name in CONTENDERS:
        table.row(*_judged(name, _runs(name, range(2 if quick else 20), 1000, fault_rate=0.05)))
    table.require("verified: silently wrong", float(table.rows[0][5]), 0)
    table.require("verified: errors", float(table.rows[0][4]), 0)
    return table


OLD: Final = {"arrivals": "old"}
ANYWHERE: Final = {"leave_from": "anywhere", "arrive_at": "anywhere"}
ONCE: Final = {**OLD, "every": 7, "times": 1}
WAYS: Final[Mapping[str, Mapping[str, Any]]] = {
    "old ones at the end, after each page": {"turnover": OLD},
    "new ones at the end, after each page": {"turnover": {}},
    "old ones at the front, leaving at the end": {"turnover": {**OLD, "leave_from": "end", "arrive_at": "front"}},
    "old ones anywhere, after each page": {"turnover": {**OLD, **ANYWHERE}},
    "leaving only": {"turnover": {"arriving": 0}},
    "arriving only, at the front": {"turnover": {"leaving": 0, "arrive_at": "front"}},
    "one leaves and one arrives, once": {"turnover": ONCE},
    "the same anywhere, in a list by id": {"order": "id", "turnover": {**ONCE, **ANYWHERE}},
    "the same by tags": {"select": "tags", "turnover": {**ONCE, "by": "tags"}},
    "the same by filters": {"select": "filters", "turnover": {**ONCE, "by": "filters"}},
    "none, each page from another order": {"order": "shuffled"},
}


def changes(*, quick: bool) -> Table:
    """1,960 clients, of which some leave and others arrive between the pages, in each way that the emulator knows."""
    count, seeds, ways = (300, range(1), [*WAYS][:1]) if quick else (1960, range(3), [*WAYS])
    table = Table(f"{count:,} clients, some leave and others arrive meanwhile", ["change", *JUDGED])
    everything: dict[str, list[Figures]] = {name: [] for name in CONTENDERS}
    for way in ways:
        for name in CONTENDERS:
            runs = _runs(name, seeds, count, **WAYS[way])
            table.row(way, *_judged(name, runs))
            everything[name] += runs
    for name, runs in everything.items():
        table.row("all", *_judged(name, runs))
    table.require("verified: silently wrong", sum(f["wrong"] for f in everything["verified"]), 0)
    table.note = (
        f"{NOTE} A fleet that changes after every page has no complete list, and only `verified` always says so. "
        "`counted` cannot see that one client leaves while another arrives: it is meant for fleets that stand still."
    )
    return table


def _runs(name: str, seeds: Sequence[int], count: int, *, select: str = "", **behaviour: Any) -> list[Figures]:
    """One contender, each time against a fleet of its own."""
    say(f"{name}: {len(seeds)} runs")
    found = []
    for seed in seeds:
        with service(count, seed=seed, **behaviour) as running:
            found.append(running.run("list_worker", "judge", name, *filter(None, [select])))
    return found


def _judged(name: str, runs: Sequence[Figures]) -> tuple[str | float, ...]:
    counts = [sum(f[key] for f in runs) for key in ("complete", "incomplete", "error", "wrong", "missed", "twice")]
    return (name, len(runs), *counts, median(f["requests"] for f in runs))


def windows(*, quick: bool) -> Table:
    """Lists longer than the account's window of 600 requests in 60 s (docs/service.md), of one process and of five."""
    seconds = 60.0  # as the client knows it: a shorter window would not be quicker
    many, limit = (3000, 25) if quick else (70_000, 600)
    table = Table(
        f"A window of {limit} requests in {seconds:g} s",
        ["", "wall s", "of the shortest", "requests", "share throttled", "failed"],
        note="Shortest: the windows that must end before the last request may be sent. Runs start with a new window.",
    )
    cases = [("counted", 1, many, 1.15, 0.02), ("verified", 1, many, 1.15, 0.02), ("counted", 5, 20_000, 1.3, 0.08)]
    for kind in ("sliding",) if quick else ("sliding", "fixed"):
        for name, processes, count, over, share in cases[: 1 if quick else 3]:
            label = f"{kind} window, {processes} x {count:,} clients, {name}"
            say(label)
            with service(count, latency=0.02, window={"limit": limit, "seconds": seconds, "kind": kind}) as running:
                time.sleep(seconds - time.time() % seconds)  # a fixed window starts on the clock
                f = running.run_many(processes, "list_worker", "list", name)
            requests = processes * -(-count // 99) * (2 if name == "verified" else 1)
            times = f["wall"] / ((-(-requests // limit) - 1) * seconds)
            table.row(label, f["wall"], times, f["requests"], f["throttled"] / f["requests"], f["failed"])
            table.require(f"{label}: time, of the shortest possible", times, over)
            table.require(f"{label}: share of requests throttled", f["throttled"] / f["requests"], share)
            table.require(f"{label}: processes that failed", f["failed"], 0)
    return table
