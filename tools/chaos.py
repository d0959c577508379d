"""Chaos: seeded runs against an emulated service that does everything wrong, and what came out of each.

    tools/chaos.py [--runs N] [--seed S] [--clients N] [--faults P]

A seed decides the fleet, the question and the weather: up to three kinds of trouble at once, faults besides. Then one
list is read, and judged against the fleet, client by client:

    complete      it says that it is whole, and it is
    incomplete    it says that it may not be whole
    error         one of our own errors came out
    wrong         it says that it is whole and is not, or holds what never was         must not be
    foreign       an exception came out that is not ours                               must not be
    hang          nothing came out in time                                             must not be
    leak          a key, token, signature or password stands in a text that came out   must not be

The same seed draws the same faults in the same order; which request meets which is up to the scheduler.
"""

import argparse
import asyncio
import logging
import re
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from pulumi_hbr_clients import HbrClient, emulator
from pulumi_hbr_clients.core.clients import MOVING_FIELDS, ClientList, from_wire, state_name, to_plain
from pulumi_hbr_clients.core.errors import HbrError
from pulumi_hbr_clients.core.signing import Keys
from pulumi_hbr_clients.emulator import FAKE_KEYS, FAKE_STS_KEYS, World
from pulumi_hbr_clients.emulator.faults import MIXED
from pulumi_hbr_clients.emulator.member import VARIETIES
from pulumi_hbr_clients.emulator.rows import SETTINGS
from tools.benchmarks.table import Table

TIMEOUT: Final = 20.0
"""Seconds that a query may take: its own deadline."""
HANG: Final = 30.0
"""Seconds after which it hangs."""
RUNS: Final = 600
CLIENTS: Final = 1000
UNKNOWN: Final = "x-unknown-"
VERDICTS: Final = ("complete", "incomplete", "error", "wrong", "foreign", "hang", "leak")
BAD: Final = frozenset(VERDICTS[3:])
_SIGNATURE: Final = re.compile(r"Signature=[0-9a-f]{8}")
_NOT_COMPARED: Final = {"settings", "region", *map(state_name, MOVING_FIELDS)}

WEATHERS: Final[Mapping[str, Callable[[Random], dict[str, Any]]]] = {
    "calm": lambda _: {},
    "storm": lambda _: {"fault_rate": 0.25},
    "varied": lambda r: {"variety": frozenset(r.sample(sorted(VARIETIES), r.randint(1, 4)))},
    "shuffled": lambda _: {"shuffle": True},
    "shifting": lambda r: {"shift": r.randint(1, 3)},
    "repeating": lambda r: {"repeats": r.randint(1, 30)},
    "short": lambda r: {"short_by": r.randint(1, 20)},
    "drifting": lambda r: {"total_drift": r.choice([-100, -3, -1, 1, 3, 100])},
    "small pages": lambda r: {"page_size_max": r.randint(20, 98)},
    "limited": lambda r: {"rate": r.uniform(30, 200), "rate_retry_after": r.choice([None, 20, 100])},
    "slow": lambda r: {"latency": r.uniform(0.001, 0.05)},
    "skewed": lambda r: {"clock_offset": r.choice([-86_400.0, -1000.0, 1000.0, 86_400.0])},
    "expiring": lambda _: {"random_faults": (*MIXED, "token_expired", "token_expired")},
    "refusing": lambda r: {
        "random_faults": (*MIXED, *[r.choice(["no_permission", "xml", "InDebt", "SystemBusy"])] * 9)
    },
}


@dataclass(frozen=True)
class Plan:
    """What a seed decides."""

    seed: int
    clients: int
    faults: float | None
    weathers: tuple[str, ...]
    rows: list[dict[str, Any]]
    conditions: dict[str, Any]
    arguments: dict[str, Any]
    keys: Keys

    @property
    def replay(self) -> str:
        """The command that does it again."""
        clients = "" if self.clients == CLIENTS else f" --clients {self.clients}"
        faults = "" if self.faults is None else f" --faults {self.faults:g}"
        return f".venv/bin/python tools/chaos.py --seed {self.seed} --runs 1{clients}{faults}"


@dataclass
class Outcome:
    """What came out of a run."""

    verdict: str = "hang"
    detail: str = ""
    found: ClientList | None = None
    texts: list[str] = field(default_factory=list)
    requests: int = 0


def plan(seed: int, *, clients: int = CLIENTS, faults: float | None = None) -> Plan:
    """The run of a seed, with a third of `clients` up to all of them. `faults` is a share; None: the seed's choice."""
    random = Random(seed)  # noqa: S311  repeatable, not secret
    names = tuple(random.sample(sorted(WEATHERS), random.randint(1, 3)))
    conditions: dict[str, Any] = {"fault_rate": random.uniform(0, 0.1)}
    for name in names:
        conditions |= WEATHERS[name](random)
    if faults is not None:
        conditions["fault_rate"] = faults
    rows = list(emulator.new_rows(random.randint(clients // 3, clients), seed=seed))
    for number in range(3):
        secret = {"ProxyPassword": f"FAKE-PROXY-PASSWORD-{seed}-{number}"}
        rows[random.randrange(len(rows))]["Settings"] = {**SETTINGS, **secret}
    keys = random.choice([FAKE_KEYS, FAKE_STS_KEYS])
    return Plan(seed, clients, faults, names, rows, conditions, _question(random, rows, conditions), keys)


def _question(random: Random, rows: list[dict[str, Any]], conditions: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked. While pages shift only `verified` promises anything, so nothing else is asked then."""
    consistency = "verified" if "shift" in conditions else random.choice(["counted", "verified"])
    question: dict[str, Any] = {
        "client_type": "ECS_CLIENT",
        "consistency": consistency,
        "include_proxy_passwords": random.choice([True, False]),
    }
    kind = random.choice([None, None, ("client_ids", "ClientId"), ("instance_ids", "InstanceId")])
    if kind:
        known = [row[kind[1]] for row in random.sample(rows, random.randint(1, min(250, len(rows))))]
        question[kind[0]] = [*known, *(f"{UNKNOWN}{number}" for number in range(random.randint(0, 3)))]
    return question


def observe(given: Plan) -> Outcome:
    """Run it, and judge."""
    world = World(given.rows, seed=given.seed, **given.conditions)
    before, outcome = _fleet(world), Outcome()
    with emulator.serve(world) as running, _logs(outcome.texts):
        thread = threading.Thread(target=_list, args=(given, running.endpoint, outcome), daemon=True)
        thread.start()
        thread.join(HANG)
        outcome.requests = world.requests
    if outcome.found is not None:
        after = _fleet(world) if world.shift else before
        faults = list(_faults(given, outcome.found, before, after))
        outcome.verdict = "wrong" if faults else "complete" if outcome.found.complete else "incomplete"
        outcome.detail = "; ".join(faults)
    if leak := next(_leaks(given, outcome.texts), None):
        outcome.verdict, outcome.detail = "leak", leak
    return outcome


def _list(given: Plan, endpoint: str, outcome: Outcome) -> None:
    """In a thread of its own: one that blocks its event loop is seen too."""

    async def listed() -> ClientList:
        async with HbrClient(region="cn-hangzhou", endpoint=endpoint, keys=given.keys, timeout=TIMEOUT) as client:
            return await client.list_backup_clients(**given.arguments)

    try:
        found = asyncio.run(listed())
    except Exception as error:  # noqa: BLE001  whatever comes out is what is looked at
        outcome.texts += [str(error), repr(error), *traceback.format_exception(error)]
        outcome.verdict = "error" if isinstance(error, HbrError) else "foreign"
        outcome.detail = f"{type(error).__name__}: {error}"
    else:
        outcome.texts += [str(found), repr(found), str(to_plain(found.clients))]
        outcome.found = found


def _fleet(world: World) -> dict[str, dict[str, Any]]:
    """The fleet as a list should show it, by id. `strings` and the like must make no difference."""
    return {row["clientId"]: row for row in _compared(from_wire(world.rows()))}


def _compared(clients: Any) -> list[dict[str, Any]]:
    rows = to_plain(clients)
    return [{name: value for name, value in row.items() if name not in _NOT_COMPARED} for row in rows]


def _faults(given: Plan, found: ClientList, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a list. While pages shift, only clients that stayed throughout can be judged."""
    ids, listed = list(found.ids), {row["clientId"]: row for row in _compared(found.clients)}
    asked = given.arguments.get("client_ids") or given.arguments.get("instance_ids")
    name = "clientId" if "client_ids" in given.arguments else "instanceId"
    stayed = {i: row for i, row in before.items() if i in after and (not asked or row[name] in asked)}
    still = "shift" not in given.conditions
    if ids != sorted(set(ids)):
        yield "ids are not sorted, or not unique"
    if changed := [i for i in listed.keys() & stayed.keys() if listed[i] != stayed[i]]:
        yield f"{len(changed)} are not as the service has them, such as {changed[0]}"
    if still and (excess := listed.keys() - stayed.keys()):
        yield f"{len(excess)} were not asked for or never there, such as {min(excess)}"
    if found.complete and (lacking := stayed.keys() - listed.keys()):
        yield f"says complete and lacks {len(lacking)} of {len(stayed)}, such as {min(lacking)}"
    if found.complete and still:
        yield from _beside(given, found, stayed)


def _beside(given: Plan, found: ClientList, expected: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong beside the clients of a whole list."""
    asked = (*given.arguments.get("client_ids", ()), *given.arguments.get("instance_ids", ()))
    missing = [*found.missing_client_ids, *found.missing_instance_ids]
    if missing != sorted(i for i in asked if i.startswith(UNKNOWN)):
        yield f"names {len(missing)} missing ids, not those that are"
    if given.arguments["include_proxy_passwords"] and "no_settings" not in given.conditions.get("variety", ()):
        secrets = {row["ClientId"]: row["Settings"]["ProxyPassword"] for row in given.rows}
        expected_passwords = {i: text for i, text in secrets.items() if text and i in expected}
        if expected_passwords != {i: text.get_secret_value() for i, text in found.proxy_passwords.items()}:
            yield "the proxy passwords are not those of the fleet"


def _leaks(given: Plan, texts: list[str]) -> Iterator[str]:
    """Secrets in what came out, searched for by value."""
    passwords = {row["Settings"]["ProxyPassword"] for row in given.rows}
    secrets = {given.keys.access_key_secret, given.keys.security_token or "", *passwords} - {""}
    for text in texts:
        if _SIGNATURE.search(text) or any(secret in text for secret in secrets):
            yield f"a secret stands in: {text[:200]}"


@contextmanager
def _logs(texts: list[str]) -> Iterator[None]:
    """Everything that is logged at any level, but for the service's own."""
    handler, root = logging.Handler(), logging.getLogger()
    handler.emit = lambda record: texts.append(record.getMessage())  # type: ignore[method-assign]
    handler.addFilter(lambda record: not record.name.startswith("uvicorn"))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def main() -> int:
    """All runs, a line for each that must not be, a table of the others."""
    asked = arguments()
    started, counts, failed = time.monotonic(), Counter[tuple[str, str]](), 0
    for number, seed in enumerate(range(asked.seed, asked.seed + asked.runs), 1):
        given = plan(seed, clients=asked.clients, faults=asked.faults)
        outcome = observe(given)
        counts.update((name, outcome.verdict) for name in (*given.weathers, "all runs"))
        if outcome.verdict in BAD or asked.runs == 1:
            failed += outcome.verdict in BAD
            print(report(given, outcome), flush=True)
        if number % 100 == 0:
            print(f"  {number} of {asked.runs} runs, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    print(table(counts, time.monotonic() - started))
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help=f"how many seeds ({RUNS})")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the first seed (1)")
    parser.add_argument("--clients", type=int, default=CLIENTS, metavar="N", help=f"the largest fleet ({CLIENTS})")
    parser.add_argument("--faults", type=float, metavar="P", help="share of requests that fail; else up to the seed")
    return parser.parse_args()


def report(given: Plan, outcome: Outcome) -> str:
    """One run, and how to see it again."""
    total = "" if outcome.found is None else f", {outcome.found.total_count} listed"
    asked = {name: len(value) if isinstance(value, list) else value for name, value in given.arguments.items()}
    return (
        f"seed {given.seed}: {outcome.verdict}: {outcome.detail or '-'}\n"
        f"  {', '.join(given.weathers)}; {len(given.rows)} clients{total}, {outcome.requests} requests\n"
        f"  asked {asked} under {given.conditions}\n  again: {given.replay}"
    )


def table(counts: Mapping[tuple[str, str], int], seconds: float) -> str:
    """Verdicts by weather. A run stands in the row of each of its weathers."""
    rows: list[list[str | float]] = [
        [name, *(counts[name, verdict] for verdict in VERDICTS)] for name in (*WEATHERS, "all runs")
    ]
    runs = sum(counts["all runs", verdict] for verdict in VERDICTS)
    return str(Table(f"{runs} runs in {seconds:.0f} s", ("", *VERDICTS), rows))


if __name__ == "__main__":
    sys.exit(main())
