"""Questions about the query itself: `HbrClient` in a script, beside a loop over the official SDK.

Another contender is one more function in listing.py and one more name here.
"""

from typing import Final

from tools.benchmarks.measure import Figures, Scale, fleet, in_turn, lists, tell
from tools.benchmarks.table import Must, Table

PAGE: Final = 99
OURS: Final = "ours"
SDK: Final = "sdk"
CONTENDERS: Final = (OURS, SDK)


def pages(scale: Scale) -> Table:
    """10,000 clients from a service that takes its time."""
    with fleet(scale.fleet, latency=scale.latency) as service:
        found = in_turn(scale.repeats, {name: lists(service, name) for name in CONTENDERS})
    ours, sdk = found[OURS], found[SDK]
    needed = -(-scale.fleet // PAGE)
    return Table(
        f"{scale.fleet:,} clients, {scale.latency * 1000:.0f} ms an answer",
        ("", "wall s", "of it import s", "CPU s", "requests", "clients", "times faster than sdk", "of sdk's CPU"),
        [
            (name, *_of(f, "wall", "import", "cpu", "requests", "clients"), sdk["wall"] / f["wall"], _cpu(f, sdk))
            for name, f in found.items()
        ],
        [
            Must("times faster than the SDK's loop:", sdk["wall"] / ours["wall"], 8, at_least=True),
            Must(f"requests, where {needed} pages are needed:", ours["requests"], needed + 2),
            Must("CPU, of the SDK's:", _cpu(ours, sdk), 1),
            Must("clients missed:", scale.fleet - ours["clients"], 0),
        ],
        "From the start of the program to its end, imports included.",
    )


def throttled(scale: Scale) -> Table:
    """A thousand pages from a service that lets 20 requests a second pass."""
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
        f"The fastest that such a limit allows is {nominal - 1:g} s. The SDK's loop ends with an error here.",
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
        [(name, f["query"], f["query"] / free, *_of(f, "requests", "clients")) for name, f in found.items()],
        [Must("time, of the same client that never holds back:", found[OURS]["query"] / free, 1.1)],
    )


def large(scale: Scale) -> Table:
    """100,000 clients as fast as they come: CPU and memory."""
    with fleet(scale.large) as service:
        found = in_turn(2 * scale.repeats - 1, {name: lists(service, name) for name in CONTENDERS})
    ours, sdk = found[OURS], found[SDK]
    rows = []
    for name, f in found.items():
        memory = f["memory"] / scale.large, f["memory"] / sdk["memory"], f["peak"] / 1e6
        rows.append((name, f["wall"], f["cpu"], _cpu(f, sdk), *memory, f["clients"]))
    return Table(
        f"{scale.large:,} clients, 0 ms an answer",
        ("", "wall s", "CPU s", "of sdk's CPU", "bytes a client", "of sdk's bytes", "peak MB", "clients"),
        rows,
        [
            Must("clients missed:", scale.large - ours["clients"], 0),
            Must("CPU, of the SDK's:", _cpu(ours, sdk), 1),
            Must("memory of the list, of the SDK's:", ours["memory"] / sdk["memory"], 0.5),
        ],
        "Memory is what the peak grew by after the imports, so each one's way of reading counts too.",
    )


def _of(figures: Figures, *names: str) -> list[float]:
    return [figures[name] for name in names]


def _cpu(one: Figures, other: Figures) -> float:
    return one["cpu"] / other["cpu"]
