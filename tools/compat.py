"""Compatibility, really run: the lowest versions that pyproject.toml claims, and every Python this machine offers.

    tools/compat.py [--json FILE] [--engine] [RUN ...]      a RUN is `lowest`, or a Python as in `3.12`

Each run is an environment of its own in build/compat and the tests in it, one after the other. The lowest run is the
lock, with what a user's installer would choose at worst put in the place of ours; the others are the lock as it is.
Where an engine is at hand, the tests of the doors run on it too: in the lowest run, and with --engine in all.
The tests' own words stand in build/compat/<run>.log. Ends with 1 if a test failed.
"""

import argparse
import json
import sys
from pathlib import Path

from tools.benchmarks.table import Table
from tools.compatibility.environments import Environment, lowest, made
from tools.compatibility.pythons import Python, offered
from tools.compatibility.runs import Outcome, engine, tested


def main() -> int:
    """Run, print a table."""
    asked = arguments()
    outcomes: list[Outcome] = []
    for environment in chosen(asked.runs, offered()):
        tell(f"{environment.name}: making {environment.folder}")
        made(environment)
        on_engine = engine() if asked.engine or environment.lowest else None
        for outcome in tested(environment, on_engine):
            tell(str(outcome))
            outcomes.append(outcome)
    print(table(outcomes))
    if asked.json:
        asked.json.write_text(json.dumps([outcome.plain() for outcome in outcomes], indent=2) + "\n")
    return 0 if outcomes and all(outcome.good for outcome in outcomes) else 1


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="RUN", help="some of: lowest, 3.11, 3.12, …; if left out: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON too")
    parser.add_argument("--engine", action="store_true", help="the tests of the doors on the engine in every run")
    return parser.parse_args()


def chosen(runs: list[str], pythons: list[Python]) -> list[Environment]:
    """The environments to make: the lowest on the oldest Python, the lock on each. Raises `SystemExit`."""
    every = [lowest(pythons[0]), *(Environment(python.name, python) for python in pythons)] if pythons else []
    names = [environment.name for environment in every]
    if unknown := [run for run in runs if run not in names]:
        raise SystemExit(f"no such run here: {', '.join(unknown)}; some of {', '.join(names) or 'none'}")
    return [environment for environment in every if not runs or environment.name in runs]


def table(outcomes: list[Outcome]) -> Table:
    """One row for each run of the tests."""
    header = ("Python", "dependencies", "tests", "passed", "failed", "skipped", "seconds")
    return Table("Compatibility", header, [outcome.row() for outcome in outcomes])


def tell(line: str) -> None:
    """Tell whoever waits."""
    print(f"compat: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
