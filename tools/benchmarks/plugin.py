"""Questions about the provider plugin: start, memory, a large answer, and many gates in one process."""

from typing import Final

from tools.benchmarks.measure import Fleet, Measure, Scale, fleet, in_turn, lists
from tools.benchmarks.table import Must, Table

GATES: Final = 200


def plugin(scale: Scale) -> Table:
    """The provider process, spoken to as the engine speaks."""
    count = max(scale.sizes)
    with fleet(count) as service:
        found = in_turn(scale.repeats, {"plugin": _spoken(service, scale), "query": lists(service, "ours")})
    f, query = found["plugin"], found["query"]["query"]
    beyond = f["invoke"] - query
    return Table(
        "The provider plugin",
        ("", "figure"),
        [
            ("start until it answers, s", f["answers"]),
            ("start until its first list of 10 clients, s", f["first"]),
            ("memory then, MB", f["memory"]),
            (f"a list of {count:,} clients, s", f["invoke"]),
            ("of it beyond the query in a script, s", beyond),
            (f"{GATES} gates wait: CPU, share of one core", f["idle"]),
            ("Cancel answered meanwhile, s", f["cancel"]),
            ("until all gates have ended, s", f["ended"]),
        ],
        [
            Must("start until its first list:", f["first"], 0.7, " s"),
            Must("memory then:", f["memory"], 70, " MB"),
            Must(f"{count:,} clients, beyond the query:", beyond, 1, " s"),
            Must("CPU while 200 gates wait, share of one core:", f["idle"], 0.02),
            Must("Cancel answered while 200 gates wait:", f["cancel"], 0.5, " s"),
        ],
    )


def _spoken(service: Fleet, scale: Scale) -> Measure:
    return lambda: service.run("speaking.py", str(min(20.0, scale.idle)))
