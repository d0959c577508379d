"""Chaos: seeded runs against an emulated service that does everything wrong, and what came out of each.

    tools/chaos.py [--runs N] [--seed S] [--minutes M] [--jobs N] [--json FILE]
                   [--clients N] [--faults P] [--gates P]

A seed decides the fleet, the questions and the weather: up to three kinds of trouble at once, faults besides. Then
lists are read and gates wait, all at once, and each is judged against the backend's own record, client by client: see
`storms/lists.py`, `storms/gates.py` and `storms/runs.py` for the verdicts. What must not be is told with the command
that does it again, and ends with 1.

The same seed draws the same faults in the same order; which request meets which is up to the scheduler.
"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.benchmarks import page
from tools.storms.plans import Plan, Scale, plan
from tools.storms.runs import HANG, Finding, Outcome, observe
from tools.storms.tally import Tally, report

RUNS: Final = 1000
MINUTES: Final = 5.0
JOBS: Final = 2 * (os.cpu_count() or 1)
"""Runs at once, a process each: a run mostly waits."""
SILENCE: Final = 2 * HANG
"""Seconds without any outcome, after which all that are under way hang: one may block its whole process."""


@dataclass(frozen=True, slots=True)
class Task:
    """A run to be done by another process, unless it is too late to start it (`time.time`)."""

    seed: int
    scale: Scale
    until: float


def main() -> int:
    """All runs, a report of each that must not be, a table of all."""
    asked, about, started, tally = arguments(), page.machine(), time.monotonic(), Tally()
    for number, (given, outcome) in enumerate(outcomes(asked), 1):
        tally.take(given, outcome)
        if outcome.bad or asked.runs == 1:
            print(report(given, outcome), flush=True)
        if number % 100 == 0:
            print(f"  {number} of {asked.runs} runs, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    seconds, done = time.monotonic() - started, tally.plain()
    left = "" if done["runs"] == asked.runs else f" of {asked.runs}, for the time was over"
    print(table := tally.table(f"{done['runs']} runs{left}, in {seconds:.0f} s"))
    if asked.json:
        head = {"seed": asked.seed, "asked": asked.runs, "seconds": round(seconds, 1), "scale": vars(asked.scale)}
        asked.json.write_text(json.dumps({**head, **done}, indent=2) + "\n")
    if asked.page:
        page.keep(asked.page, {"chaos": page.answer(about, table)})
    return 1 if tally.bad else 0


def outcomes(asked: argparse.Namespace) -> Iterator[tuple[Plan, Outcome]]:
    """Each run as it is done: a single one in this process, where a debugger sees it."""
    if asked.runs == 1:
        given = plan(asked.seed, asked.scale)
        yield given, observe(given)
        return
    until = time.time() + asked.minutes * 60
    tasks = [Task(seed, asked.scale, until) for seed in range(asked.seed, asked.seed + asked.runs)]
    processes = multiprocessing.get_context("spawn")
    with processes.Pool(min(asked.jobs, asked.runs), _ignore_interrupts) as pool:
        for seed, outcome in _heard(pool.imap_unordered(do, tasks), [task.seed for task in tasks], asked.jobs):
            if outcome:
                yield plan(seed, asked.scale), outcome


def do(task: Task) -> tuple[int, Outcome | None]:
    """A run in this process. None: it was too late to start it."""
    return task.seed, None if time.time() > task.until else observe(plan(task.seed, task.scale))


def _heard(said: Any, seeds: list[int], jobs: int) -> Iterator[tuple[int, Outcome | None]]:
    """What the processes say, until all is said or none says anything: then those under way hang."""
    open_ = dict.fromkeys(seeds)
    while open_:
        try:
            seed, outcome = said.next(SILENCE)
        except multiprocessing.TimeoutError:
            yield from ((seed, Outcome((Finding("hang", "its process says nothing"),), 0)) for seed in [*open_][:jobs])
            return
        del open_[seed]
        yield seed, outcome


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of a terminal: the first one ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    usual = Scale()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help=f"how many seeds ({RUNS})")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the first seed (1)")
    parser.add_argument("--minutes", type=float, default=MINUTES, metavar="M", help=f"start none later ({MINUTES:g})")
    parser.add_argument("--jobs", type=int, default=JOBS, metavar="N", help=f"runs at once, a process each ({JOBS})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts there too")
    page.offer(parser)
    parser.add_argument("--clients", type=int, default=usual.clients, metavar="N", help="the largest fleet (1000)")
    parser.add_argument("--faults", type=float, metavar="P", help="share of requests that fail; else up to the seed")
    parser.add_argument("--gates", type=float, default=usual.gates, metavar="P", help="share of runs with gates (0.5)")
    asked = parser.parse_args()
    asked.scale = Scale(asked.clients, asked.faults, asked.gates)
    return asked


if __name__ == "__main__":
    sys.exit(main())
