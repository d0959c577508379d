"""Questions about gates: how soon dependants start, what a round of looks costs, what waiting costs.

Where many gates go through the engine, its own state writing is in the figures: it grows with the square of them.
"""

import tempfile
from typing import Final

from tools.benchmarks.measure import Figures, Fleet, Measure, Scale, fleet, in_turn, needs_engine, tell
from tools.benchmarks.table import Must, Table

POLL: Final = 15.0
"""Seconds between two looks, at the most."""
LATE: Final = 8.0
"""Seconds after the start when the late clients are activated."""
LATER: Final = 45.0
"""The same where the engine has hundreds of resources to register first."""


def many(scale: Scale) -> Table:
    """One gate over 1,000 instances, and 200 gates on 200: through the function and through the engine."""
    gates, instances = scale.gates
    cases = {
        f"one gate, {instances:,} instances, function": ("function", 1, instances),
        f"one gate, {instances:,} instances, engine": ("engine", 1, instances),
        f"{gates:,} gates, {gates:,} instances, function": ("function", gates, gates),
        f"{gates:,} gates, {gates:,} instances, engine": ("engine", gates, gates),
    }
    needs_engine()
    rows, musts = [], list[Must]()
    with fleet(instances) as service:
        for name, (how, count, size) in cases.items():
            tell(name)
            late = LATER if how == "engine" and count > 10 else LATE  # noqa: PLR2004  few, or hundreds
            f = _gating(service, how, count, size, late)()
            rows.append((name, f["first"], f["after"], f["early"], f["subscribe"], f["most"], f["cpu_waiting"]))
            musts.append(Must(f"{name}: requests a round:", f["most"], -(-size // 99) + 1))
            if count == 1:
                musts.append(Must(f"{name}: dependants start after the last activation:", f["after"], POLL + 2, " s"))
            else:
                early = count - max(1, count // 10)
                musts.append(Must(f"{name}: passed before the last activation:", f["early"], early, at_least=True))
    return Table(
        "Gates: a tenth of the clients is activated late",
        ("", "first s", "last s after activation", "before it", "subscribe", "most requests a look", "CPU s"),
        rows,
        musts,
        "What comes late through the engine with many gates is the engine writing its state, two resources a gate and "
        "one a dependant: prefer one gate over many instances.",
    )


def waiting(scale: Scale) -> Table:
    """What an idle minute at a gate costs, and how soon Ctrl-C ends one."""
    needs_engine()
    with fleet(10) as service:
        found = in_turn(
            1,
            {
                "idle": _gating(service, "idle", 1, 10, scale.idle),
                "interrupt": _gating(service, "interrupt", 1, 10, 4.0),
            },
        )
    minute, ended = found["idle"]["cpu_waiting"] * 60 / scale.idle, found["interrupt"]["ended"]
    return Table(
        "Waiting at a gate",
        ("", "s"),
        [("CPU of an idle minute", minute), ("from Ctrl-C at the engine until up has ended", ended)],
        [
            Must("CPU of an idle minute:", minute, 0.5, " s"),
            Must("from Ctrl-C until up has ended:", ended, 2, " s"),
        ],
    )


def _gating(service: Fleet, how: str, gates: int, instances: int, seconds: float) -> Measure:
    def measure() -> Figures:
        with tempfile.TemporaryDirectory(prefix="hbr-clients-bench-") as folder:
            words = (how, str(gates), str(instances), str(seconds), folder)
            return service.run("gating.py", *words)

    return measure
