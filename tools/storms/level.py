"""The judge of a soak: whether what a process holds stays level. Takes samples, measures nothing.

Level is: the median of the last quarter is above that of the second quarter by no more than a small bound. The first
quarter is warm-up. Medians, because a sample may meet a list half-way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from tools.benchmarks.table import Must, Table

KIB: Final = 1024
LEAST: Final = 8
"""Samples, for quarters to mean something."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process held at a moment. Memory in bytes."""

    memory: int
    resident: int
    connections: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a sample, and by how much it may grow."""

    read: Callable[[Sample], float]
    allowed: float
    unit: str = ""


MEASURES: Final[Mapping[str, Measure]] = {
    # What Python holds, to the byte. The emulator's nonces are in it, 0.2 KiB a request: it must remember them.
    "memory": Measure(lambda sample: sample.memory / KIB, 512, " KiB"),
    # What the process holds of the machine, Rust and TLS included; in pieces as large as allocators like them.
    "resident": Measure(lambda sample: sample.resident / KIB, 4096, " KiB"),
    "connections": Measure(lambda sample: sample.connections, 2),
    "tasks": Measure(lambda sample: sample.tasks, 2),
}


def evaluate(title: str, samples: Sequence[Sample], musts: Sequence[Must] = (), note: str = "") -> Table:
    """Medians of the second and the last quarter, and what lies between them."""
    if len(samples) < LEAST:
        msg = f"{len(samples)} samples are too few to judge: at least {LEAST}"
        raise ValueError(msg)
    rows: list[list[str | float]] = []
    level = list[Must]()
    for name, measure in MEASURES.items():
        values = [measure.read(sample) for sample in samples]
        quarter = len(values) // 4
        second, last = median(values[quarter : 2 * quarter]), median(values[-quarter:])
        rows.append([f"{name}{measure.unit}", second, last, last - second, max(values)])
        level.append(Must(f"{name} grew by:", last - second, measure.allowed, measure.unit))
    return Table(title, ("", "second quarter", "last quarter", "growth", "most"), rows, [*level, *musts], note)
