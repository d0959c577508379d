"""Questions about a service that makes trouble: a limit, faults, pages that shift.

Whether the list is whole, who says so, and at what price.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any, Final

from tools.benchmarks.growth import CONTENDERS, OURS, PAGE, PEER, SDK
from tools.benchmarks.measure import Figures, Scale, fleet, in_turn, lists, tell
from tools.benchmarks.table import Must, Table

VERIFIED: Final = "verified"


def throttled(scale: Scale) -> Table:
    """A thousand pages from a service that lets 20 requests a second pass: ours."""
    count, nominal = scale.pages * PAGE, scale.pages / scale.rate
    rows, musts = [], list[Must]()
    for latency in (0.0, scale.latency):
        with fleet(count, rate=scale.rate, latency=latency) as service:
            tell(f"{OURS}, {latency:g} s an answer: about {nominal:.0f} s")
            f = lists(service, OURS)()
        over, share, name = f["query"] / nominal, f["throttled"] / f["requests"], f"{latency * 1000:.0f} ms an answer"
        rows.append((name, f["query"], over, f["requests"], f["throttled"], share, f["clients"]))
        musts += [
            Must(f"{name}: time, of {nominal:g} s:", over, 1.15),
            Must(f"{name}: share of answers throttled:", share, 0.05),
            Must(f"{name}: clients missed:", count - f["clients"], 0),
        ]
    return Table(
        f"{scale.pages:,} pages, throttled to {scale.rate:g} a second after a burst of {scale.rate:g}",
        ("ours", "query s", f"of {nominal:g} s", "requests", "throttled", "share", "clients"),
        rows,
        musts,
        f"The fastest that such a limit allows is {nominal - 1:g} s.",
    )


def unthrottled(scale: Scale) -> Table:
    """The same pages without a limit: what being careful costs."""
    names = (OURS, "unpaced", SDK)
    with fleet(scale.pages * PAGE, latency=scale.latency / 5) as service:
        found = in_turn(scale.repeats, {name: lists(service, name) for name in names})
    free = found["unpaced"]["query"]
    return Table(
        f"{scale.pages:,} pages, no limit, {scale.latency * 200:.0f} ms an answer",
        ("", "query s", "of unpaced", "requests", "clients"),
        [(name, f["query"], f["query"] / free, f["requests"], f["clients"]) for name, f in found.items()],
        [Must("time, of the same client that never holds back:", found[OURS]["query"] / free, 1.1)],
        "Unpaced is our client with its pace taken out.",
    )


def limited(scale: Scale) -> Table:
    """The same limit for everybody: 100 pages of 99, or 200 of 50."""
    count = scale.fleets[-2]
    found = {name: _judged(name, [0], count, rate=scale.rate) for name in CONTENDERS}
    return _trouble(f"{count:,} clients, throttled to {scale.rate:g} a second", found)


def faults(scale: Scale) -> Table:
    """1,000 clients, 5 % of mixed faults: dropped connections, 5xx, HTML, half a JSON, throttling and more."""
    count = scale.fleets[1]
    found = {name: _judged(name, range(scale.seeds), count, fault_rate=0.05) for name in CONTENDERS}
    return _trouble(f"{count:,} clients, 5 % of requests meet a fault", found)


def shifting(scale: Scale) -> Table:
    """1,960 clients, of which one leaves and one arrives after every page."""
    names = (OURS, VERIFIED, SDK, PEER)
    found = {name: _judged(name, range(scale.repeats), scale.shifting, turnover={}) for name in names}
    table = _trouble(f"{scale.shifting:,} clients, one leaves and one arrives after every page", found)
    missed = max(f["missed"] for f in found[VERIFIED])
    return replace(
        table,
        musts=[*table.musts, Must("verified: clients missed that were there throughout:", missed, 0)],
        note="Verified is ours with `consistency='verified'`. A fleet that never rests has no whole list: the question "
        "is who knows that. Missed and twice: clients, in all runs, that were there all along.",
    )


def _judged(name: str, seeds: Sequence[int], count: int, **conditions: Any) -> Sequence[Figures]:
    tell(f"{name}: {len(seeds)} runs")
    found = list[Figures]()
    for seed in seeds:
        with fleet(count, seed=seed, **conditions) as service:
            found.append(service.run("judging.py", name))
    return found


def _trouble(title: str, found: Mapping[str, Sequence[Figures]]) -> Table:
    rows = [_row(name, runs) for name, runs in found.items()]
    wrong = sum(f["wrong"] for name in (OURS, VERIFIED) for f in found.get(name, []))
    header = ("", "runs", "whole", "said it is not", "ended with an error", "wrong without a word")
    return Table(
        title,
        (*header, "missed", "twice", "requests", "query s"),
        rows,
        [Must("ours: lists that are wrong without a word:", wrong, 0)],
        "Missed and twice: clients, in all runs, of lists that were given; clients that were there all along. Requests "
        "and seconds: the median run.",
    )


def _row(name: str, runs: Sequence[Figures]) -> list[str | float]:
    def total(key: Callable[[Figures], float]) -> float:
        return sum(map(key, runs))

    return [
        name,
        len(runs),
        total(lambda f: f["whole"] - f["wrong"]),
        total(lambda f: 1 - f["whole"] - f["error"]),
        total(lambda f: f["error"]),
        total(lambda f: f["wrong"]),
        total(lambda f: f["missed"]),
        total(lambda f: f["twice"]),
        median(f["requests"] for f in runs),
        median(f["query"] for f in runs),
    ]
