"""Questions about the doors: what an import costs, and what each door adds to a preview on the real engine.

A preview of N clients holds four things: the engine and an empty program, the door itself (its imports, the provider
process), the query, and what N clients cost on their way through. Each is a preview of its own here, or a run of
`HbrClient` in a fresh process against the same service; the differences are the answer.
"""

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Final, TypeVar

from tools.benchmarks.measure import Figures, Fleet, Measure, Scale, fleet, in_turn, lists, needs_engine, run
from tools.benchmarks.table import Must, Table

Cell = TypeVar("Cell")

HEAVY: Final = ("alibabacloud_credentials",)
"""What loads on use only: the credentials library, and the emulator's two."""
ALONE: Final = "import pulumi"
STATEMENTS: Final = (
    ALONE,
    "import pulumi_hbr_clients",
    "from pulumi_hbr_clients import BackupClients",
    "from pulumi_hbr_clients import get_backup_clients",
    "from pulumi_hbr_clients import HbrClient",
)
CLI: Final = "from pulumi_hbr_clients.cli import main; main()"
_TIMED: Final = """
import json, sys, time
{before}
start = time.perf_counter()
{statement}
seconds = time.perf_counter() - start
print(json.dumps({{"seconds": seconds, "heavy": sum(name in sys.modules for name in {heavy})}}))
"""


def imports(scale: Scale) -> Table:
    """What `import` costs, over `import pulumi` and alone."""
    contenders: dict[str, Measure] = {}
    for statement in STATEMENTS:
        contenders[statement] = _imports(statement)
        contenders[f"{statement}, after {ALONE}"] = _imports(statement, ALONE)
    contenders |= {"python": lambda: run("-c", ""), "hbr-clients --help": lambda: run("-c", CLI, "--help")}
    found = in_turn(2 * scale.repeats - 1, contenders)
    over = {statement: found[f"{statement}, after {ALONE}"] for statement in STATEMENTS[1:]}
    rows: list[tuple[str | float, ...]] = [(ALONE, found[ALONE]["seconds"], "-", "-")]
    rows += [(name, found[name]["seconds"], f["seconds"], f["heavy"]) for name, f in over.items()]
    cli = found["hbr-clients --help"]["wall"] - found["python"]["wall"]
    rows.append(("hbr-clients --help, over an empty python", cli, "-", "-"))
    musts = [
        Must(f"{STATEMENTS[1]}, over {ALONE}:", over[STATEMENTS[1]]["seconds"], 0.15, " s"),
        Must(f"{STATEMENTS[2]}, over {ALONE}:", over[STATEMENTS[2]]["seconds"], 0.15, " s"),
        Must("credentials or emulator modules loaded by any import:", max(f["heavy"] for f in over.values()), 0),
    ]
    return Table("Imports", ("", "alone s", f"over {ALONE} s", "heavy modules loaded"), rows, musts)


def _imports(statement: str, before: str = "") -> Measure:
    code = _TIMED.format(before=before, statement=statement, heavy=HEAVY)
    return lambda: run("-c", code)


DOORS: Final = {
    "function": "get_backup_clients",
    "resource": "BackupClients",
    "fields": "BackupClients, three fields",
    "export": "BackupClients, clients exported",
    "export_fields": "the same, three fields",
    "plugin": "plugin's function",
    "plugin_fields": "the same, three fields",
}


def previews(scale: Scale) -> Table:
    """What each door adds to a preview, beyond the query, at several sizes."""
    needs_engine()
    found = _measured(scale)
    empty = found["empty", 0]["preview"]
    query = {size: found["query", size]["query"] for size in (0, *scale.sizes)}

    def beyond(door: str, size: int) -> float:
        return found[door, size]["preview"] - empty - query[size]

    def adds(door: str, size: int) -> float:
        return beyond(door, size) - beyond(door, 0)

    rows = [_row("an empty program", empty, *["-"] * (2 * len(scale.sizes)))]
    rows.append(_row("the query", query[0], *_pairs((query[n], query[n] - query[0]) for n in scale.sizes)))
    for door in scale.doors:
        seen = ((found[door, n]["preview"], adds(door, n)) for n in scale.sizes)
        rows.append(_row(DOORS[door], beyond(door, 0), *_pairs(seen)))
    return Table(
        "Doors: a preview on the engine, 0 ms an answer",
        ("", "itself s", *_pairs((f"{n:,} clients: s", "they add s") for n in scale.sizes)),
        rows,
        [
            Must(f"BackupClients: {size:,} clients add", adds("resource", size), limit, " s")
            for size, limit in ((1000, 0.2), (10_000, 1.5))
            if size in scale.sizes
        ],
        "Itself: the preview of a fleet without clients, less the empty program's and the query's. They add: what the "
        "clients cost beyond that and beyond their query. Differences of a few hundredths are noise.",
    )


def _row(name: str, *cells: str | float) -> list[str | float]:
    return [name, *(cell if isinstance(cell, str) else round(cell, 2) for cell in cells)]


def _pairs(pairs: Iterable[tuple[Cell, Cell]]) -> list[Cell]:
    return [cell for pair in pairs for cell in pair]


def _measured(scale: Scale) -> dict[tuple[str, int], Figures]:
    """All previews and queries, the services of all sizes running, so that everything takes turns."""
    contenders: dict[tuple[str, int], Measure] = {}
    with ExitStack() as services:
        for size in (0, *scale.sizes):
            service = services.enter_context(fleet(size))
            contenders["query", size] = lists(service, "ours")
            doors = scale.doors if size else ("empty", *scale.doors)
            contenders |= {(door, size): _preview(service, door) for door in doors}
        return in_turn(scale.repeats, contenders)


def _preview(service: Fleet, door: str) -> Measure:
    def measure() -> Figures:
        with tempfile.TemporaryDirectory(prefix="hbr-clients-bench-") as folder:
            return service.run("preview.py", door, folder)

    return measure
