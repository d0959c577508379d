"""Questions about Pulumi programs: imports, what entry points add to a preview, secrets in state, the plugin, gates."""

import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from typing import Final

from tools.bench.harness import Figures, Measure, Service, in_turn, python_of, run, service
from tools.bench.report import Table
from tools.cache import needed

OLD: Final = "e4f408f"
"""The commit of 0.1.0, which is measured in the same run."""
STATEMENTS: Final = (
    "import pulumi_hbr_clients",
    "from pulumi_hbr_clients import BackupClients",
    "from pulumi_hbr_clients import get_backup_clients",
    "from pulumi_hbr_clients import HbrClient",
)
CLI: Final = "import sys; sys.argv[1:] = ['--help']; from pulumi_hbr_clients.cli import main; main()"


def imports(*, quick: bool) -> Table:
    """What an import costs, here and in 0.1.0."""
    pythons = {"this": sys.executable} if quick else {"this": python_of("HEAD"), "0.1.0": python_of(OLD)}
    codes = {"empty": "", "import pulumi": "import pulumi", "hbr-clients --help": CLI}
    codes |= {statement: f"import pulumi; {statement}" for statement in STATEMENTS}
    measures = {
        (which, name): partial(run, "-c", codes[name], python=pythons[which]) for which in pythons for name in codes
    }
    found = {key: figures["cpu"] for key, figures in in_turn(1 if quick else 7, measures).items()}
    table = Table("Imports", ["", "beyond", *(f"{which}: CPU s" for which in pythons)])
    for name, base in [*((code, "import pulumi") for code in STATEMENTS), ("hbr-clients --help", "empty")]:
        table.row(name, base, *(found[which, name] - found[which, base] for which in pythons))
    for name in STATEMENTS[:2]:
        table.require(f"{name}, beyond import pulumi", found["this", name] - found["this", "import pulumi"], 0.15, " s")
    return table


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
    sizes, names = ([0, 50], ["resource"]) if quick else ([0, 1000, 10_000], [*ENTRY_POINTS])
    measures: dict[tuple[str, int], Measure] = {}
    with ExitStack() as services:  # all at once, so that everything takes turns
        for size in sizes:
            running = services.enter_context(service(size))
            measures["query", size] = partial(running.run, "list_worker", "list", "verified")
            for name in names if size else ("empty", *names):
                measures[name, size] = partial(_on_engine, running, "preview", name)
        found = {key: f.get("preview", f.get("query", 0.0)) for key, f in in_turn(1 if quick else 3, measures).items()}
    itself = {name: found[name, 0] - found["empty", 0] - found["query", 0] for name in names}
    table = Table(
        "Entry points: a preview, 0 ms a response", ["", "itself s", *(f"{n:,} clients add s" for n in sizes[1:])]
    )
    table.row("an empty program", found["empty", 0], *["-"] * len(sizes[1:]))
    table.row("the query", found["query", 0], *(found["query", size] - found["query", 0] for size in sizes[1:]))
    for name in names:
        beyond = [found[name, n] - found["empty", 0] - found["query", n] - itself[name] for n in sizes[1:]]
        table.row(ENTRY_POINTS[name], *(round(figure, 2) for figure in (itself[name], *beyond)))
        if name == "resource" and not quick:
            table.require("BackupClients: 1,000 clients add", beyond[0], 0.2, " s")
            table.require("BackupClients: 10,000 clients add", beyond[1], 1.5, " s")
    table.note = (
        "Itself: the preview of an empty fleet, less the empty program and the query. The others: what the clients add "
        "to that, beyond their query. Differences of a few hundredths are noise."
    )
    return table


def _on_engine(running: Service, task: str, *arguments: str, python: str = sys.executable) -> Figures:
    needed("pulumi", "Pulumi (`make bench` brings its own)")
    with tempfile.TemporaryDirectory(prefix="hbr-clients-bench-") as folder:
        return running.run("stack_worker", task, *arguments, folder, python=python)


def state(*, quick: bool) -> Table:  # noqa: ARG001  it is quick
    """Proxy passwords that an `up` leaves readable in the stack's state."""
    header = ["", "clients with a proxy password", "passwords in clear text", "access key secrets"]
    table = Table("Secrets in clear text in a stack's state", header)
    table.note = (
        "`verified` has `include_proxy_passwords=True` and exports the passwords too: they are there, encrypted."
    )
    for name in ("verified", "sdk"):
        with service(50) as running:
            f = _on_engine(running, "secrets", name)
        table.row(name, f["passwords"], f["seen"], f["keys"])
        if name == "verified":
            table.require("secrets that ours leaves in clear text", f["seen"] + f["keys"], 0)
    return table


def plugin(*, quick: bool) -> Table:
    """The provider process, called as the engine calls it."""
    count = 300 if quick else 10_000
    with service(count) as running:
        tasks = (("plugin",), ("list", "verified"))
        measures = {task: partial(running.run, "list_worker", *task) for task in tasks}
        f, query = in_turn(1 if quick else 3, measures).values()
    beyond = f["invoke"] - query["query"]
    table = Table("The provider plugin", ["", "figure"])
    table.row("start until it answers, s", f["answers"])
    table.row("start until its first list of 10 clients, s", f["first"])
    table.row(f"a list of {count:,} clients, s", f["invoke"])
    table.row("of it beyond the query in a script, s", beyond)
    table.row("peak memory, MB", f["plugin_peak"] / 1e6)
    table.require("start until its first list", f["first"], 0.8, " s")
    table.require(f"{count:,} clients, beyond the query", beyond, 1, " s")
    return table


def gates(*, quick: bool) -> Table:
    """One gate over 1,000 instances, and 100 gates with a dependant each, here and in 0.1.0, on the engine."""
    one, many = (20, 4) if quick else (1000, 100)
    cases = {f"one gate, {one:,} instances": (1, one, sys.executable)}
    cases[f"{many:,} gates, {many:,} instances"] = (many, many, sys.executable)
    if not quick:
        cases[f"{many:,} gates of 0.1.0"] = (many, many, python_of(OLD))
    with service(one) as running:
        measures = {
            name: partial(_on_engine, running, "gates", str(count), str(instances), python=python)
            for name, (count, instances, python) in cases.items()
        }
        found = in_turn(1 if quick else 3, measures)
    header = [
        "",
        "last dependant s",
        "end of up s",
        "started too early",
        "rounds while waiting",
        "most requests a round",
    ]
    table = Table("Gates on the engine", header)
    for name, f in found.items():
        table.row(name, f["dependants"], f["end"], f["early"], f["rounds"], f["most"])
    single, ours, *old = found.values()
    table.require("one gate: dependant starts after the last activation", single["dependants"], 15 + 2, " s")
    table.require("one gate: requests a round", single["most"], -(-one // 99))
    table.require(f"{many:,} gates: requests a round", ours["most"], -(-many // 99))
    for f in old:
        table.require(f"{many:,} gates: from activation to the end, of 0.1.0", ours["end"] / f["end"], 1)
    table.note = (
        "Seconds after the last activation. Many gates are slower than one: the engine writes its state for each "
        "resource, and only as many gates wait at a time as `--parallel` allows."
    )
    return table
