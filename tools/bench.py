"""Bench: what a query costs beside its peers, whether a list is whole when the service makes trouble, what doors add.

    tools/bench.py [--quick] [--page] [QUESTION ...]

Loopback only. Ratios are made within one run, from medians; whatever else the machine does is in the figures: see the
load before them. It reports and does not judge: what falls short is said, and the exit code is 0. `--page` keeps what
was measured in docs/benchmarks.json and draws docs/benchmarks.md and its plot from there: with some of the
questions, the answers of the others stay.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Final

from tools.benchmarks import doors, gates, growth, page, plugin, state, trouble
from tools.benchmarks.measure import FULL, QUICK, Scale, tell
from tools.benchmarks.table import Table

QUESTIONS: Final[Mapping[str, Callable[[Scale], Table]]] = {
    "growth-0": growth.at_once,
    "growth-20": growth.near,
    "growth-100": growth.far,
    "throttled": trouble.throttled,
    "unthrottled": trouble.unthrottled,
    "limited": trouble.limited,
    "faults": trouble.faults,
    "shifting": trouble.shifting,
    "state": state.state,
    "imports": doors.imports,
    "previews": doors.previews,
    "plugin": plugin.plugin,
    "gates": gates.many,
    "waiting": gates.waiting,
}


def main() -> None:
    """Ask the questions, print the tables."""
    asked = arguments()
    if asked.quick:
        print("Quick: this shows that the bench runs. Its figures and verdicts mean nothing.", end="\n\n", flush=True)
    tables = []
    for name in asked.questions or QUESTIONS:
        about = page.machine()
        tell(f"{name}: {(QUESTIONS[name].__doc__ or '').strip()}")
        tables.append(QUESTIONS[name](QUICK if asked.quick else FULL))
        print(tables[-1], end="\n\n", flush=True)
        if asked.page:
            page.keep(asked.page, {name: page.answer(about, tables[-1])})
    print(verdict(tables))


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=f"some of: {', '.join(QUESTIONS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs, not how fast")
    page.offer(parser)
    asked = parser.parse_args()
    if unknown := set(asked.questions) - set(QUESTIONS):
        parser.error(f"no such question: {', '.join(sorted(unknown))}; some of {', '.join(QUESTIONS)}")
    return asked


def verdict(tables: list[Table]) -> str:
    """The last line."""
    musts = [must for table in tables for must in table.musts]
    short = sum(not must.reached for must in musts)
    return f"{len(musts) - short} of {len(musts)} musts reached, {short} fall short."


if __name__ == "__main__":
    main()
