"""Questions about Pulumi programs: imports, what entry points add to a preview, secrets in state, the plugin, gates."""

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

from tools.bench.harness import Figures, Measure, Service, in_turn, needs_engine, python_of, run, service
from tools.bench.report import Cell, Requirement, Table

OLD: Final = "e4f408f"
"""The commit of 0.1.0, against which new versions are measured in the same run."""
POLL: Final = 15.0
"""Seconds between two polls of a gate, at most."""

STATEMENTS: Final = (
    "import pulumi_hbr_clients",
    "from pulumi_hbr_clients import BackupClients",
    "from pulumi_hbr_clients import get_backup_clients",
    "from pulumi_hbr_clients import HbrClient",
)
CLI: Final = "import sys; sys.argv[1:] = ['--help']; from pulumi_hbr_clients.cli import main; main()"


def imports(*, quick: bool) -> Table:
    """What an import costs, beside 0.1.0."""
    pythons = {"this": sys.executable} if quick else {"this": sys.executable, "0.1.0": python_of(OLD)}
    codes = {
        "empty": "",
        "pulumi": "import pulumi",
        **{code: f"import pulumi; {code}" for code in STATEMENTS},
        "--help": CLI,
    }
    contenders = {
        (which, name): partial(run, "-c", codes[name], python=pythons[which]) for which in pythons for name in codes
    }
    found = {key: figures["wall"] for key, figures in in_turn(1 if quick else 7, contenders).items()}
    rows: list[list[Cell]] = []
    for name, base in [*((code, "pulumi") for code in STATEMENTS), ("--help", "empty")]:
        label = name if name in STATEMENTS else "hbr-clients --help"
        over = "import pulumi" if base == "pulumi" else "an empty program"
        rows.append([label, over, *(found[which, name] - found[which, base] for which in pythons)])
    requirements = [
        Requirement(f"{code}, beyond import pulumi", found["this", code] - found["this", "pulumi"], 0.15, " s")
        for code in STATEMENTS[:2]
    ]
    return Table("Imports", ("", "beyond", *(f"{which} s" for which in pythons)), rows, requirements)


ENTRY_POINTS: Final = {
    "function": "`get_backup_clients`",
    "resource": "`BackupClients`",
    "resource, 3 fields": "`BackupClients`, 3 `fields`",
    "export": "`BackupClients`, clients exported",
    "export, 3 fields": "the same, 3 `fields`",
    "plugin": "the plugin's function",
    "plugin, 3 fields": "the same, 3 `fields`",
}


def previews(*, quick: bool) -> Table:
    """What each entry point adds to a preview, beyond the query."""
    needs_engine()
    sizes, names = ((50,), ["resource"]) if quick else ((1000, 10_000), [*ENTRY_POINTS])
    found = _previews((0, *sizes), names, 1 if quick else 3)
    empty, query = found["empty", 0], {size: found["query", size] for size in (0, *sizes)}
    beyond = {key: seconds - empty - query[key[1]] for key, seconds in found.items() if key[0] in names}
    rows: list[list[Cell]] = [["an empty program", empty, *["-"] * len(sizes)]]
    rows.append(["the query", query[0], *(query[size] - query[0] for size in sizes)])
    for name in names:
        added = [round(beyond[name, size] - beyond[name, 0], 2) for size in sizes]
        rows.append([ENTRY_POINTS[name], round(beyond[name, 0], 2), *added])
    requirements = [
        Requirement(
            f"BackupClients: {size:,} clients add", beyond["resource", size] - beyond["resource", 0], limit, " s"
        )
        for size, limit in ((1000, 0.2), (10_000, 1.5))
        if size in sizes
    ]
    note_ = (
        "Itself: the preview of an empty fleet, less the empty program and the query. The others: what the clients add "
        "to that, beyond their query. Differences of a few hundredths are noise."
    )
    return Table(
        "Entry points: a preview, 0 ms a response",
        ("", "itself s", *(f"{size:,} clients add s" for size in sizes)),
        rows,
        requirements,
        note_,
    )


def _previews(sizes: Sequence[int], names: Sequence[str], rounds: int) -> dict[tuple[str, int], float]:
    """Seconds of all previews and queries. The services of all sizes run at once, so that everything takes turns."""
    contenders: dict[tuple[str, int], Measure] = {}
    with ExitStack() as services:
        for size in sizes:
            running = services.enter_context(service(size))
            contenders["query", size] = partial(running.run, "list_worker", "verified")
            for name in names if size else ("empty", *names):
                contenders[name, size] = partial(_on_engine, running, "stack_worker", "preview", name)
        found = in_turn(rounds, contenders)
    return {key: figures["query" if key[0] == "query" else "preview"] for key, figures in found.items()}


def _on_engine(running: Service, worker: str, *arguments: str, **options: Any) -> Figures:
    with tempfile.TemporaryDirectory(prefix="hbr-clients-bench-") as folder:
        return running.run(worker, *arguments, folder, **options)


FEW: Final = 50
"""Clients on one page of each contender."""


def state(*, quick: bool) -> Table:  # noqa: ARG001  it is quick
    """Proxy passwords that an `up` leaves readable in the stack's state."""
    needs_engine()
    found = {}
    for name in ("verified", "sdk", "peer"):
        with service(FEW) as running:
            found[name] = _on_engine(running, "stack_worker", "secrets", name)
    ours = found["verified"]
    return Table(
        "Secrets in clear text in a stack's state",
        ("", "clients with a proxy password", "passwords in clear text", "access key secrets"),
        [(name, f["passwords"], f["seen"], f["keys"]) for name, f in found.items()],
        [Requirement("secrets that ours leaves in clear text", ours["seen"] + ours["keys"], 0)],
        "Ours has `include_proxy_passwords=True` and exports the passwords too: they are there, encrypted. The clients "
        "of the SDK and the peer are exported as they come.",
    )


def plugin(*, quick: bool) -> Table:
    """The provider process, spoken to as the engine speaks."""
    count = 300 if quick else 10_000
    with service(count) as running:
        contenders = {
            "plugin": partial(running.run, "plugin_worker", "2" if quick else "20"),
            "query": partial(running.run, "list_worker", "verified"),
        }
        found = in_turn(1 if quick else 3, contenders)
    f, beyond = found["plugin"], found["plugin"]["invoke"] - found["query"]["query"]
    return Table(
        "The provider plugin",
        ("", "figure"),
        [
            ("start until it answers, s", f["answers"]),
            ("start until its first list of 10 clients, s", f["first"]),
            ("memory then, MB", f["memory"]),
            (f"a list of {count:,} clients, s", f["invoke"]),
            ("of it beyond the query in a script, s", beyond),
            ("200 gates wait: CPU, share of one core", f["idle"]),
            ("Cancel answered meanwhile, s", f["cancel"]),
            ("from Cancel until all gates have ended, s", f["ended"]),
        ],
        [
            Requirement("start until its first list", f["first"], 0.8, " s"),
            Requirement("memory then", f["memory"], 70, " MB"),
            Requirement(f"{count:,} clients, beyond the query", beyond, 1, " s"),
            Requirement("CPU while 200 gates wait, share of one core", f["idle"], 0.02),
            Requirement("from Cancel until 200 gates have ended", f["ended"], 2, " s"),
        ],
    )


def gates(*, quick: bool) -> Table:
    """One gate over 1,000 instances, and 100 gates with a dependant each beside 0.1.0, on the engine."""
    needs_engine()
    one, many = (20, 4) if quick else (1000, 100)
    pythons = {"": sys.executable} if quick else {"": sys.executable, " (0.1.0)": python_of(OLD)}
    cases = {f"one gate, {one:,} instances": (1, one, sys.executable)}
    cases |= {f"{many:,} gates, {many:,} instances{which}": (many, many, pythons[which]) for which in pythons}
    with service(one) as running:
        measures = {
            name: partial(_on_engine, running, "gate_worker", str(count), str(instances), "10", python=python)
            for name, (count, instances, python) in cases.items()
        }
        found = in_turn(1 if quick else 3, measures)
    single, ours, *old = found.values()
    requirements = [
        Requirement("one gate: dependant starts after the last activation", single["dependants"], POLL + 2, " s"),
        Requirement("one gate: requests a round", single["most"], -(-one // 99)),
        Requirement(f"{many:,} gates: requests a round", ours["most"], -(-many // 99)),
        *(Requirement(f"{many:,} gates: from activation to the end, of 0.1.0", ours["end"] / f["end"], 1) for f in old),
    ]
    header = (
        "",
        "last dependant s",
        "end of up s",
        "started too early",
        "rounds while waiting",
        "most requests a round",
    )
    rows = [(name, f["dependants"], f["end"], f["early"], f["rounds"], f["most"]) for name, f in found.items()]
    return Table(
        "Gates on the engine",
        header,
        rows,
        requirements,
        "Seconds after the last activation. Many gates are slower than one: the engine writes its state for each "
        "resource, and only as many gates wait at a time as `--parallel` allows.",
    )
