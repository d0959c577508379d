"""Soak: gates and watchers for ten minutes under an accelerated clock, and whether what they hold stays level.

    tools/soak.py [--minutes M] [--factor F] [--json FILE] [--leak THING ...]

Everything is in this one process: gates that open, give up and are left, watchers that stay and that come and go, and
the emulated service with its own faults and outages. What is looked at, and what level means: `storms/level.py`.
Ends with 1 if something is not level. `--leak` makes it so, to see that it is found.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tools.benchmarks import page
from tools.storms.hurry import hurry

MINUTES: Final = 10.0
FACTOR: Final = 20.0
OPENED: Final = 1.0
"""Gates a minute, at least, of the fifteen that start: a soak without work would be level too."""


def main() -> int:
    """Soak, and print the table."""
    asked, started = arguments(), time.monotonic()
    wall = time.monotonic
    hurry(asked.factor)
    from tools.benchmarks.table import Must  # noqa: PLC0415  after the clock
    from tools.storms.level import evaluate  # noqa: PLC0415  the same
    from tools.storms.soaking import soak  # noqa: PLC0415  the same

    about = page.machine()
    made, before, after = soak(asked.minutes, asked.leak)
    musts = [
        Must("gates opened:", made.done["gates opened"], asked.minutes * OPENED, at_least=True),
        Must("connections left at the end:", after.connections - before.connections, 0),
        Must("tasks left at the end:", after.tasks - before.tasks, 0),
    ]
    title = f"{asked.minutes:g} minutes at {asked.factor:g} times the speed, in {wall() - started:.0f} s"
    note = "Done: " + ", ".join(f"{count} {what}" for what, count in sorted(made.done.items())) + "."
    table = evaluate(title, made.samples, musts, note)
    print(table)
    if asked.json:
        samples = [asdict(sample) for sample in made.samples]
        asked.json.write_text(json.dumps({**table.plain(), "done": made.done, "samples": samples}, indent=2) + "\n")
    if asked.page:
        page.keep(asked.page, {"soak": page.answer(about, table)})
    return 0 if all(must.reached for must in table.musts) else 1


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=MINUTES, metavar="M", help=f"on its clock ({MINUTES:g})")
    parser.add_argument("--factor", type=float, default=FACTOR, metavar="F", help=f"faster by so much ({FACTOR:g})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table and all samples there too")
    leaks = ("memory", "connections", "tasks")
    parser.add_argument("--leak", nargs="+", choices=leaks, default=(), help="leak these on purpose")
    page.offer(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
