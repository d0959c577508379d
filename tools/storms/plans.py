"""What a seed decides: fleet, weather, who signs, the lists that are read, and the gates that wait meanwhile.

A number → a plan. Nothing is run here, and nothing is judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from pulumi_hbr_clients import emulator
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, FAKE_STS_CREDENTIALS
from pulumi_hbr_clients.emulator.fixtures import SETTINGS
from pulumi_hbr_clients.protocol.signing import Credentials
from tools.storms.groups import Event, Gate, Groups
from tools.storms.weather import LIFE, WEATHERS, draw

UNKNOWN: Final = "x-unknown-"


@dataclass(frozen=True)
class Scale:
    """What a seed decides within. `faults` is a share of requests; None: the seed's choice."""

    clients: int = 1000
    faults: float | None = None
    gates: float = 0.5
    """The share of runs that have gates."""

    def __str__(self) -> str:
        """What differs from the usual, as options of the command."""
        usual = Scale()
        given = {name: value for name, value in vars(self).items() if value != getattr(usual, name)}
        return "".join(f" --{name} {value:g}" for name, value in given.items())


@dataclass(frozen=True)
class Plan:
    """One run."""

    seed: int
    scale: Scale
    weathers: tuple[str, ...]
    rows: list[dict[str, Any]]
    conditions: Mapping[str, Any]
    keys: Credentials
    token_life: float | None
    """Seconds after which the keys' token expires and is renewed. None: it never does."""
    lists: tuple[Mapping[str, Any], ...]
    gates: tuple[Gate, ...]
    events: tuple[Event, ...]

    @property
    def replay(self) -> str:
        """The command that does it again."""
        return f".venv/bin/python tools/chaos.py --seed {self.seed} --runs 1{self.scale}"

    @property
    def still(self) -> bool:
        """Whether no client leaves meanwhile."""
        return "shift" not in self.conditions


def plan(seed: int, scale: Scale) -> Plan:
    """The run of a seed, with a third of the clients up to all of them."""
    random = Random(seed)  # noqa: S311  repeatable, not secret
    names = tuple(random.sample(sorted(WEATHERS), random.randint(1, 3)))
    conditions = draw(random, names)
    token_life = conditions.pop(LIFE, None)
    if scale.faults is not None:
        conditions["fault_rate"] = scale.faults
    with_gates = random.random() < scale.gates
    rows = _fleet(random, seed, scale.clients)
    # Who has arrived is told by the service's own clock: where that is not its fleet's, only `verified` promises much.
    consistency = "verified" if "shift" in conditions and "clock_offset" in conditions else None
    groups = Groups(random, rows, consistency)
    if with_gates:
        groups.draw(random.randint(1, 3))
    keys = random.choice([FAKE_CREDENTIALS, FAKE_STS_CREDENTIALS])
    lists = tuple(_question(random, rows, consistency) for _ in range(random.choice([1, 1, 2])))
    gates, events = tuple(groups.gates), tuple(groups.events)
    return Plan(seed, scale, names, rows, conditions, keys, token_life, lists, gates, events)


def _fleet(random: Random, seed: int, clients: int) -> list[dict[str, Any]]:
    rows = list(emulator.new_rows(random.randint(clients // 3, clients), seed=seed))
    for number in range(3):
        secret = {"ProxyPassword": f"FAKE-PROXY-PASSWORD-{seed}-{number}"}
        rows[random.randrange(len(rows))]["Settings"] = {**SETTINGS, **secret}
    return rows


def _question(random: Random, rows: list[dict[str, Any]], consistency: str | None) -> dict[str, Any]:
    """What a list asks for: everything, or ids, some of which nobody knows."""
    question: dict[str, Any] = {
        "client_type": "ECS_CLIENT",
        "consistency": consistency or random.choice(["counted", "verified"]),
        "include_proxy_passwords": random.choice([True, False]),
    }
    kind = random.choice([None, None, ("client_ids", "ClientId"), ("instance_ids", "InstanceId")])
    if kind:
        known = [row[kind[1]] for row in random.sample(rows, random.randint(1, min(250, len(rows))))]
        question[kind[0]] = [*known, *(f"{UNKNOWN}{number}" for number in range(random.randint(0, 3)))]
    return question
