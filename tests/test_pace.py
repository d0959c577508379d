"""The rate that a token bucket bears is found, held and left again: `RateLimiter` on a simulated clock."""

import heapq
import random
from dataclasses import dataclass

import pytest

from pulumi_hbr_clients.client.concurrency import START as CONCURRENCY
from pulumi_hbr_clients.protocol.rate_limiter import UNPROVEN, RateLimiter


@dataclass
class Run:
    seconds: float
    answers: int
    throttled: int


def run(pages: int, *, rate: float, burst: float, latency: float, hint: float | None = None) -> Run:
    """As many requests at once as a client sends, against a token bucket; time jumps from event to event."""
    dice, pace = random.Random(1), RateLimiter()  # noqa: S311  a simulation
    now = last = 0.0
    tokens, waiting, throttled, answers = burst, pages, 0, 0
    flying: list[tuple[float, float]] = []
    while waiting or flying:
        may_send = now + pace.wait(now) if waiting and len(flying) < CONCURRENCY else float("inf")
        if flying and flying[0][0] <= may_send:
            now, sent_at = heapq.heappop(flying)
            tokens, last, answers = min(burst, tokens + (now - last) * rate), now, answers + 1
            if tokens >= 1:
                tokens -= 1
            else:
                throttled, waiting = throttled + 1, waiting + 1
                pace.throttled(now, sent_at, hint)
        else:
            now, waiting = may_send, waiting - 1
            pace.sending(now)
            heapq.heappush(flying, (now + latency * dice.uniform(0.5, 1.5), now))
    return Run(now, answers, throttled)


@pytest.mark.parametrize("latency", [0.002, 0.02, 0.1])
@pytest.mark.parametrize("hint", [None, 1.0])
@pytest.mark.parametrize("rate", [20, 100])
def test_a_limit_is_found(rate: int, latency: float, hint: float | None) -> None:
    """Fifty seconds' worth of pages take less than 15 % longer, and one answer in twenty is throttled at most."""
    done = run(50 * rate, rate=rate, burst=rate, latency=latency, hint=hint)
    assert done.seconds <= 49 * 1.15
    assert done.throttled <= done.answers / 20


def test_no_limit_no_care() -> None:
    """A service that never throttles is never waited for: only latency counts."""
    done = run(1000, rate=1e9, burst=1e9, latency=0.1)
    assert done.throttled == 0
    assert done.seconds <= 1000 / CONCURRENCY * 0.1 * 1.1


def test_a_burst_counts_once() -> None:
    """Sixteen throttled answers to requests from before the halving are one lesson, not sixteen."""
    pace = RateLimiter()
    for _ in range(16):
        pace.sending(0.0)
    for _ in range(16):
        pace.throttled(1.0, 0.0, None)
    assert pace.rate == 8.0  # half of sixteen in the second that passed


def test_the_service_names_a_time() -> None:
    """Nothing is sent before it is over."""
    pace = RateLimiter()
    pace.sending(0.0)
    pace.throttled(1.0, 0.0, 2.5)
    assert pace.wait(1.0) == 2.5
    assert pace.wait(4.0) == 0.0


def test_a_limit_that_is_gone_is_left() -> None:
    """Long after, the rate is far above what it was."""
    pace = RateLimiter()
    for tick in range(20):
        pace.sending(tick / 20)
    pace.throttled(1.0, 0.9, None)
    pace.sending(61.0)
    assert pace.rate is not None
    assert pace.rate > 20 * 20


def test_a_throttled_first_request_proves_little() -> None:
    """One request is no rate: the limit is sought from a usual one, and 100 pages do not take half a minute."""
    pace = RateLimiter()
    pace.sending(0.0)
    pace.throttled(0.1, 0.0, None)
    assert pace.rate == UNPROVEN / 2
