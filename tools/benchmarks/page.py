"""The page docs/benchmarks.md: what was measured, kept in benchmarks.json beside it, and the words around it.

    answers of a run → benchmarks.json (those of other questions stay) → benchmarks.md

Words only: figures come from the answers, and what falls short is found in them, never written here.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tools.benchmarks.growth import CONTENDERS
from tools.benchmarks.table import Table, show

PACKAGES: Final = ("pulumi-hbr-clients", "alibabacloud-hbr20170908", "pulumi", "httpx", "pydantic")
FOLDER: Final = Path(__file__).resolve().parents[2] / "docs"
Answers = Mapping[str, Mapping[str, Any]]

_HEAD: Final = """\
# Benchmarks

Written by `make bench`, all on loopback, against the project's own emulated service. The rows of a table were measured
in one run, in turn, each in a fresh process: read ratios, not seconds. `make bench ASK=name` repeats one table.
The contenders:

- **ours**: `HbrClient`, which all doors of this package use.
- **sdk**: a loop over the official SDK (alibabacloud-hbr20170908) with `PageSize` 99, as its documentation shows.
- **peer**: the *algorithm* of Terraform's and Pulumi's alicloud data source, restated here over the official SDK's
  requests: serial pages of 50, a page of fewer ends the list, throttling and 5xx are tried again every three seconds.
  Its wall time and CPU are therefore a Python program's; requests, missed clients and secrets are the algorithm's own.
  Where `terraform` and `terraform-provider-alicloud` are on PATH, they are measured too, as **terraform**; no
  such row means that they were not there.
"""
_PARTS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "Size": (
        "",
        ("growth-0", "growth-20", "growth-100"),
    ),
    "BlockingClient": (
        "A service that throttles, breaks or moves. A list that is wrong without a word is what must never be.",
        ("throttled", "unthrottled", "limited", "faults", "shifting"),
    ),
    "Secrets": ("", ("state",)),
    "Doors": ("", ("imports", "previews", "plugin")),
    "Gates": ("", ("gates", "waiting")),
    "Under fire, and for long": (
        "These two keep their tables here with `--page`: `.venv/bin/python tools/chaos.py --page`.",
        ("chaos", "soak"),
    ),
}
BESIDE: Final = ("chaos", "soak")
"""Answers that are not bench.py's: each is a verb of its own."""
ADVICE: Final[Mapping[str, str]] = {
    "growth-0": "Up to a few hundred clients the difference is what each imports; beyond, it is memory.",
    "growth-100": "The farther the region, the more it matters that all pages are asked for at once.",
    "previews": """\
What follows:

- `BackupClients` suits a fleet of any size: its clients cross the engine as one text. `fields` makes even that small.
- Structured values are the dear part, for the engine works on each of them: clients that are exported, and whatever the
  plugin gives to other languages. Beyond a thousand clients name the `fields` that you need there, or export only what
  the other stack reads, such as ids or addresses.
- `get_backup_clients` is the cheapest door where nothing has to be tracked in state.""",
}
"""What follows from a table, by question."""
REASONS: Final[Mapping[str, str]] = {}
"""Why a figure falls short, by question, where it is known."""


def offer(parser: argparse.ArgumentParser) -> None:
    """Let a command keep what it measured."""
    told = "keep the tables in FOLDER/benchmarks.md (docs)"
    parser.add_argument("--page", type=Path, nargs="?", const=FOLDER, metavar="FOLDER", help=told)


def machine() -> dict[str, Any]:
    """Where and when, with what, and how busy it was."""
    return {
        "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 1),
        "python": sys.version.split()[0],
        "packages": {name: version(name) for name in PACKAGES},
    }


def answer(about: Mapping[str, Any], table: Table) -> dict[str, Any]:
    """A table, and the machine as it was before."""
    return {"machine": about, "table": table.plain()}


def keep(folder: Path, answers: Answers) -> None:
    """Join these answers with those that are there, and write all files anew."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "benchmarks.json"
    kept = {**(json.loads(file.read_text()) if file.exists() else {}), **answers}
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    (folder / "benchmarks.md").write_text("\n".join(text(kept)))


def text(answers: Answers) -> Iterator[str]:
    """The page, line by line or more."""
    yield _HEAD
    yield from _brief(answers)
    yield from _short(answers)
    for part, (words, names) in _PARTS.items():
        yield from (f"## {part}", "", *([words, ""] if words else []))
        for name in names:
            if name in answers:
                yield from _section(name, answers[name])


def _short(answers: Answers) -> Iterator[str]:
    tables = {name: Table.of(answer["table"]) for name, answer in answers.items()}
    short = [(name, must) for name, table in tables.items() for must in table.musts if not must.reached]
    count = sum(len(table.musts) for table in tables.values())
    yield from ("## What falls short", "")
    yield f"Of {count} figures that the project asks of itself, {len(short) or 'none'} {_falls(len(short))} short.\n"
    for name, must in short:
        yield f"- `{name}`: {must}. {REASONS.get(name, 'The reason is not known.')}"
    if short:
        yield ""


BRIEF: Final = (
    ("growth-100", "10,000", "wall s", "10,000 clients, 100 ms an answer: seconds"),
    ("growth-100", "10,000", "requests", "requests of it"),
    ("growth-0", "100,000", "CPU s", "100,000 clients, 0 ms an answer: CPU seconds"),
    ("growth-0", "100,000", "peak MB", "peak memory of it, MB"),
    ("limited", "", "ended with an error", "a limit of 20 requests a second: ended with an error"),
    ("faults", "", "whole", "5 % of requests meet a fault: whole lists"),
    ("faults", "", "ended with an error", "ended with an error"),
    ("shifting", "", "wrong without a word", "clients come and go between pages: lists wrong without a word"),
    ("shifting", "", "missed", "clients missed by them that were there throughout"),
    ("state", "", "passwords in clear text", "exported clients: proxy passwords in clear text in the state"),
)
"""Question, size, column → what to call it: the page in ten lines."""


def _brief(answers: Answers) -> Iterator[str]:
    rows = [
        (said, *_picked(answers[name]["table"], size, column)) for name, size, column, said in BRIEF if name in answers
    ]
    yield from ("## In short", "", Table("", ("", *CONTENDERS), rows).body(), "")


def _picked(table: Mapping[str, Any], size: str, column: str) -> list[float | str]:
    """The contenders' figures in one column. Their number of runs is said where there are several."""
    place, runs = table["header"].index(column), table["header"].index("runs") if "runs" in table["header"] else 0
    found = {row[1] if size else row[0]: row for row in table["rows"] if not size or row[0] == size}
    shown = {
        name: f"{show(row[place])} of {row[runs]}" if runs and column != "missed" else row[place]
        for name, row in found.items()
    }
    return [shown.get(name, "-") for name in CONTENDERS]


def _falls(count: int) -> str:
    return "fall" if count > 1 else "falls"


def _section(name: str, answer: Mapping[str, Any]) -> Iterator[str]:
    about = answer["machine"]
    packages = ", ".join(f"{package} {number}" for package, number in about["packages"].items())
    yield f"#{Table.of(answer['table'])}\n"
    if name in ADVICE:
        yield f"{ADVICE[name]}\n"
    command = f"make {name}" if name in BESIDE else f"make bench ASK={name}"
    yield (
        f"<sub>`{command}` · {about['when']} · {about['system']}, load {about['load']} before · "
        f"Python {about['python']}, {packages}</sub>\n"
    )
