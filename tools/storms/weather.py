"""The weather of a run: every kind of trouble the service can make, drawn by a seed. Decides nothing else.

Kinds of trouble are drawn together, with one exception: a total that is too low by just as much as pages leave out
is a lie that nobody can see, so where pages lose clients the total drifts upwards only.
"""

from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, Final

from pulumi_hbr_clients.emulator.fake_client import VARIETIES
from pulumi_hbr_clients.emulator.faults import MIXED

LIFE: Final = "token_life"
"""Seconds that a security token lives: no condition of the backend, but of who signs."""
_PERSISTENT: Final = ("no_permission", "xml", "InDebt", "SystemBusy")

WEATHERS: Final[Mapping[str, Callable[[Random], dict[str, Any]]]] = {
    "calm": lambda _: {},
    "storm": lambda _: {"fault_rate": 0.25},
    "varied": lambda r: {"variety": frozenset(r.sample(sorted(VARIETIES), r.randint(1, 4)))},
    "shuffled": lambda _: {"shuffle": True},
    "shifting": lambda r: {"shift": r.randint(1, 3)},
    "repeating": lambda r: {"repeats": r.randint(1, 30)},
    "duplicating": lambda _: {"random_faults": ("other_page",) * 9},
    "short": lambda r: {"short_by": r.randint(1, 20)},
    "losing": lambda _: {"random_faults": ("no_page",) * 9},
    "drifting": lambda r: {"total_drift": r.choice([-100, -3, -1, 1, 3, 100])},
    "small pages": lambda r: {"page_size_max": r.randint(20, 98)},
    "limited": lambda r: {"rate": r.uniform(30, 200), "rate_retry_after": r.choice([None, 20, 100])},
    "slow": lambda r: {"latency": r.uniform(0.001, 0.05), "random_faults": ("slow:0.3", "slow:1")},
    "cut off": lambda _: {"random_faults": ("drop", "drop_body", "drop_after") * 4},
    "skewed": lambda r: {"clock_offset": r.choice([-86_400.0, -1000.0, 1000.0, 86_400.0])},
    "expiring": lambda r: {"random_faults": ("token_expired",) * 2, LIFE: r.uniform(0.3, 2)},
    "refusing": lambda r: {"random_faults": (r.choice(_PERSISTENT),) * 9},
}


def draw(random: Random, names: Iterable[str]) -> dict[str, Any]:
    """The conditions of these kinds of weather together; `random_faults` are those of all of them, and the mixed."""
    conditions: dict[str, Any] = {"fault_rate": random.uniform(0, 0.1)}
    faults = MIXED
    for name in names:
        drawn = WEATHERS[name](random)
        faults += drawn.pop("random_faults", ())
        conditions |= drawn
    conditions["random_faults"] = faults
    if "total_drift" in conditions and {"short", "losing"} & set(names):
        conditions["total_drift"] = abs(conditions["total_drift"])
    return conditions
