"""Bench: what a query costs beside the official SDK's loop, what a door adds to a preview, and what must be reached.

    tools/bench.py [--quick] [--json FILE] [QUESTION ...]

Loopback only, about ten minutes. Ratios are made within one run, from medians; whatever else the machine does is in
the figures: see the load above them. It reports and does not judge: what falls short is said, and the exit code is 0.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tools.benchmarks import doors, gates, plugin, queries
from tools.benchmarks.measure import FULL, QUICK, Scale, tell
from tools.benchmarks.table import Table

QUESTIONS: Final[Mapping[str, Callable[[Scale], Table]]] = {
    "pages": queries.pages,
    "throttled": queries.throttled,
    "unthrottled": queries.unthrottled,
    "large": queries.large,
    "imports": doors.imports,
    "previews": doors.previews,
    "gates": gates.many,
    "waiting": gates.waiting,
    "plugin": plugin.plugin,
}
PACKAGES: Final = ("pulumi-hbr-clients", "alibabacloud-hbr20170908", "pulumi", "httpx", "pydantic")


def main() -> None:
    """Ask the questions, print the tables."""
    asked = arguments()
    about = machine()
    print(" · ".join(about.values()), end="\n\n", flush=True)
    if asked.quick:
        print("Quick: this shows that the bench runs. Its figures and verdicts mean nothing.", end="\n\n", flush=True)
    tables = {}
    for name in asked.questions or QUESTIONS:
        tell(f"{name}: {(QUESTIONS[name].__doc__ or '').strip()}")
        tables[name] = QUESTIONS[name](QUICK if asked.quick else FULL)
        print(tables[name], end="\n\n", flush=True)
    print(verdict(list(tables.values())))
    if asked.json:
        document = {"machine": about, "tables": {name: table.plain() for name, table in tables.items()}}
        asked.json.write_text(json.dumps(document, indent=2) + "\n")


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=f"some of: {', '.join(QUESTIONS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs, not how fast")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the tables there too")
    asked = parser.parse_args()
    if unknown := set(asked.questions) - set(QUESTIONS):
        parser.error(f"no such question: {', '.join(sorted(unknown))}; some of {', '.join(QUESTIONS)}")
    return asked


def machine() -> dict[str, str]:
    """Where and when, with what, and how busy it was."""
    return {
        "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load": f"load {os.getloadavg()[0]:.1f} before",
        "python": f"Python {sys.version.split()[0]}",
        **{name: f"{name} {version(name)}" for name in PACKAGES},
    }


def verdict(tables: list[Table]) -> str:
    """The last line."""
    musts = [must for table in tables for must in table.musts]
    short = sum(not must.reached for must in musts)
    return f"{len(musts) - short} of {len(musts)} musts reached, {short} fall short."


if __name__ == "__main__":
    main()
