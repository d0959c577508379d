"""`RateLimiter` on a simulated clock, against a service that counts requests in windows or refills a bucket."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from pulumi_hbr_clients.emulator.behaviour import Behaviour, Limiter
from pulumi_hbr_clients.emulator.responses import ApiError
from pulumi_hbr_clients.protocol.rate_limiter import MOST, PROBE_DELAY, START, WINDOW, RateLimiter, State

Accepts = Callable[[float], bool]
"""Whether the service takes a request at this time."""
SERVICE_TIME = 0.0007
"""Seconds of the service's work for a request: it answers one after the other."""
CLIENT_TIME = 0.0015
"""Seconds of a process's work for a page; two processes at a time have a core."""
FIRST_WINDOW = 5.0
"""Seconds since the first fixed window opened."""
KINDS = ("fixed", "sliding")


def service(**limits: Any) -> Accepts:
    """The emulator's limits: a `rate`, or a `window`."""
    behaviour, limiter = Behaviour(**limits), Limiter()

    def accepts(now: float) -> bool:
        try:
            limiter.take(behaviour, now + FIRST_WINDOW)
        except ApiError:
            return False
        return True

    return accepts


@dataclass
class Process:
    """A program that reads pages."""

    pages: int
    limiter: RateLimiter
    in_flight: int = 0
    wakes_at: float = -1.0
    busy_until: float = 0.0


@dataclass
class Run:
    """What it took until every process had all of its pages."""

    seconds: float
    sent: int
    throttled: int

    @property
    def throttled_share(self) -> float:
        return self.throttled / self.sent


class Simulation:
    """Processes that share one service; time jumps from event to event."""

    def __init__(self, accepts: Accepts, *, processes: int, pages: int, latency: float) -> None:
        self.accepts, self.latency = accepts, latency
        self.processes = [Process(pages, RateLimiter()) for _ in range(processes)]
        self.events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self.numbers, self.busy_until, self.result = count(), 0.0, Run(0.0, 0, 0)

    def run(self, longest: float = 600.0) -> Run:
        starts = random.Random(1)  # noqa: S311  a simulation
        for process in self.processes:
            self.at(starts.uniform(0, 0.3), self.send, process)
        while self.events:
            now, _, event, arguments = heapq.heappop(self.events)
            assert now < longest
            event(now, *arguments)
        return self.result

    def at(self, time: float, event: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self.events, (time, next(self.numbers), event, arguments))

    def send(self, now: float, process: Process) -> None:
        """As many requests as the limiter allows now."""
        while process.pages and process.in_flight < process.limiter.max_in_flight(now):
            if delay := process.limiter.delay(now):
                if not now < process.wakes_at <= now + delay:
                    process.wakes_at = now + delay
                    self.at(process.wakes_at, self.send, process)
                return
            process.limiter.on_send(now)
            process.pages, process.in_flight = process.pages - 1, process.in_flight + 1
            self.result.sent += 1
            self.busy_until = max(self.busy_until, now + self.latency / 2) + SERVICE_TIME
            self.at(self.busy_until, self.arrive, process, now)

    def arrive(self, now: float, process: Process, sent_at: float) -> None:
        self.at(now + self.latency / 2, self.respond, process, sent_at, self.accepts(now))

    def respond(self, now: float, process: Process, sent_at: float, accepted: bool) -> None:  # noqa: FBT001  an event's argument
        work = CLIENT_TIME * max(1, len(self.processes) / 2) if accepted else 0.0
        process.busy_until = max(process.busy_until, now) + work
        self.at(process.busy_until, self.learn, process, sent_at, accepted)

    def learn(self, now: float, process: Process, sent_at: float, accepted: bool) -> None:  # noqa: FBT001  an event's argument
        process.in_flight -= 1
        if accepted:
            process.limiter.on_success(now, sent_at)
            self.result.seconds = now
        else:
            process.pages, self.result.throttled = process.pages + 1, self.result.throttled + 1
            process.limiter.on_throttled(now, sent_at, None)
        self.send(now, process)


def simulate(accepts: Accepts, *, processes: int = 1, pages: int, latency: float = 0.0) -> Run:
    return Simulation(accepts, processes=processes, pages=pages, latency=latency).run()


@pytest.mark.parametrize("latency", [0.002, 0.02, 0.1])
@pytest.mark.parametrize("rate", [5, 20, 100])
def test_a_rate_is_found(rate: int, latency: float) -> None:
    """Fifty seconds' worth of pages take less than 15 % longer, with at most one response in twenty throttled."""
    run = simulate(service(rate=rate), pages=50 * rate + MOST, latency=latency)
    assert run.seconds <= (49 + MOST / rate) * 1.15
    assert run.throttled - MOST <= run.sent / 20  # what is in flight when the first is throttled cannot be helped


@pytest.mark.parametrize("latency", [0.0, 0.1])
@pytest.mark.parametrize(("pages", "windows"), [(708, 1), (1416, 2)], ids=["counted", "verified"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_window_of_ones_own(kind: str, pages: int, windows: int, latency: float) -> None:
    """70,000 clients in windows of 600 requests: within 1.15 of the shortest time, less than 2 % throttled."""
    shortest = windows * WINDOW - (FIRST_WINDOW if kind == "fixed" else 0.0)
    run = simulate(service(window={"limit": 600, "kind": kind}), pages=pages, latency=latency)
    assert shortest <= run.seconds <= shortest * 1.15
    assert run.throttled_share < 0.02


@pytest.mark.parametrize("latency", [0.0, 0.02, 0.1])
@pytest.mark.parametrize(("processes", "pages"), [(5, 203), (5, 406), (3, 1000)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_window_that_processes_share(kind: str, processes: int, pages: int, latency: float) -> None:
    """20,000 to 100,000 clients each: within 1.15 of the shortest time, less than 8 % throttled."""
    shortest = processes * pages // 600 * WINDOW - (FIRST_WINDOW if kind == "fixed" else 0.0)
    run = simulate(service(window={"limit": 600, "kind": kind}), processes=processes, pages=pages, latency=latency)
    assert run.seconds <= shortest * 1.15
    assert run.throttled_share < 0.08


def test_who_is_left_takes_the_whole_window() -> None:
    """Two processes share a window; when one has finished, the other soon sends more than its share."""
    simulation = Simulation(service(window={"limit": 600, "kind": "sliding"}), processes=2, pages=2000, latency=0.1)
    simulation.processes[1].pages = 200
    run = simulation.run()
    assert run.seconds <= 4 * WINDOW * 1.05
    assert run.throttled_share < 0.08


def test_no_limit_no_waiting() -> None:
    """A service that never throttles is never waited for; only the usual end of a window is passed with care."""
    run = simulate(lambda _: True, pages=3000, latency=0.1)
    assert run.throttled == 0
    assert run.seconds <= 0.1 * (3000 / MOST + 30)


@pytest.mark.parametrize(
    ("rate", "latency", "responses"), [(1000, 0.001, 2 * START), (100, 0.2, 300)], ids=["fast", "queue"]
)
def test_sixteen_in_flight_are_enough(rate: int, latency: float, responses: int) -> None:
    """More are not tried where the service answers at once, and are given up where they only wait in a queue."""
    limiter = RateLimiter()
    for number in range(responses):
        limiter.on_send(number / rate)
        limiter.on_success(number / rate + latency, number / rate)
    assert limiter.max_in_flight(responses / rate) == START


def test_slow_responses_let_more_in_flight() -> None:
    """They are doubled as long as that brings more responses a second."""
    limiter = RateLimiter()
    for moment, requests in enumerate((1, 16, 32, 64)):
        assert limiter.max_in_flight(moment) == max(START, requests)
        for _ in range(requests):
            limiter.on_send(moment)
            limiter.on_success(moment + 0.1, moment)
    assert limiter.max_in_flight(4) == MOST


def test_a_burst_counts_once() -> None:
    """Sixteen throttled responses to requests of one burst are one lesson; then one request probes."""
    limiter = RateLimiter()
    for _ in range(16):
        limiter.on_send(0.0)
    for _ in range(16):
        limiter.on_throttled(1.0, 0.0, None)
    assert (limiter.state, limiter.delay(1.0), limiter.max_in_flight(2.0)) == (State.PROBING, PROBE_DELAY, 1)


def test_the_service_names_a_time() -> None:
    """Nothing is sent before it is over, and no probe is made."""
    limiter = RateLimiter()
    limiter.on_send(0.0)
    limiter.on_throttled(1.0, 0.0, 42.0)
    assert (limiter.state, limiter.delay(1.0)) == (State.WINDOW, 42.0)


def test_a_spent_window_is_waited_for() -> None:
    """Throttled, and the probe too: the wait ends when the first request is as old as the window."""
    limiter = RateLimiter()
    for moment in range(10):
        limiter.on_send(float(moment))
    limiter.on_throttled(10.0, 9.0, None)
    limiter.on_send(11.0)
    limiter.on_throttled(11.5, 11.0, None)
    assert limiter.state is State.WINDOW
    assert limiter.delay(11.5) == pytest.approx(WINDOW - 11.5, abs=0.1)
