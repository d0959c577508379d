"""How many requests to send, and when: no limit is assumed until the service throttles.

The service counts requests in a window: 600 in 60 s for each region, API and account (Alibaba Cloud's quota page of
hbr 2017-09-08), shared by every tool of the account. Other limits are rates. One throttled response does not say which
it met, so the limiter goes through these states:

    FREE       no limit is known. Requests in flight are doubled as long as that brings more responses a second.
               Near 600 requests in a window few are in flight, so that few are refused at its end
    PROBING    throttled: a single request after a pause. If it succeeds, the limit is a rate, otherwise a window
    RATE       half the throttled rate, which grows back along a cubic curve relative to it, as in TCP (RFC 9438) and
               in botocore's adaptive mode: a limit of 5 and one of 500 requests a second are found alike
    WINDOW     nothing is sent until the first request of the spent window is 60 s old. Then as many requests as were
               let in before, each 60 s after one of those: so processes that share a window keep out of each other's
               way. Beyond them one at a time, and slowly more: another process may need its share no longer

Whoever sent more than `CERTAIN` requests in the window before it was throttled needs no probe. A wait that the service
names itself is kept. No clock here: `now` is a monotonic clock's seconds.
"""

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

WINDOW: Final = 60.0
"""Seconds in which the service counts requests."""
USUAL_BUDGET: Final = 600
"""Requests in a window, if nobody else uses the account and its quota was not changed."""
CERTAIN: Final = 300
START: Final = 16
"""Requests in flight at first."""
MOST: Final = 64
"""Requests in flight at most: two passes over 100 pages of 100 ms then take as long as one pass with 16."""
FEW: Final = 8
"""Requests in flight in a window that was spent before. All of them are refused when it is spent again."""
FEWEST: Final = 6
"""Requests in flight where the window is about to be spent."""
_BEYOND: Final = 16
"""So far beyond the usual budget every request succeeded: it is larger."""
_SLOW: Final = 0.05
"""Seconds: more than 16 requests in flight are of use only where no response is faster (16 then make 320 a second)."""
_GAIN: Final = 1.5
"""Twice as many requests in flight must bring so much more responses a second. If not, they only wait in a queue, the
service's or that of a busy machine, and are refused at the end of a window."""
PROBE_DELAY: Final = 1.0
_MARGIN: Final = 0.05
"""Seconds added to the end of a window and the time of the slowest response, in which its request was counted."""

HALF: Final = 0.5
RECOVERY: Final = 10.0
"""Seconds until the throttled rate is reached again."""
PAUSE: Final = 0.25
"""Seconds without requests after a rate was throttled."""
MIN_RATE: Final = 0.5
"""Requests per second. Below it the deadline is the better answer."""
MIN_PEAK: Final = 16.0
"""Requests per second: fewer before the first throttled response say nothing about the limit."""


class State(Enum):
    """What is known about the limit."""

    FREE = "free"
    PROBING = "probing"
    RATE = "rate"
    WINDOW = "window"


@dataclass(slots=True)
class RateLimiter:
    """The budget of one account in one region."""

    state: State = State.FREE
    budget: int | None = None
    """Requests of this process that the service let in, in the window that was spent last."""
    rate: float | None = None
    _sent: deque[float] = field(default_factory=deque)
    """When the requests of the last `WINDOW` seconds were sent, except those that were throttled."""
    _in_flight: int = START
    _is_settled: bool = False
    """Whether the number of requests in flight is not doubled any more."""
    _round_began: float | None = None
    _round_count: int = 0
    """Responses since then: a round has as many as there are requests in flight."""
    _round_rate: float = 0.0
    """Responses per second in the round before."""
    _next_at: float = 0.0
    _decided_at: float = float("-inf")
    _succeeded_at: float = float("-inf")
    """When the latest request was sent that succeeded."""
    _fastest: float = float("inf")
    _slowest: float = 0.0
    """Seconds of the slowest response since the last window was spent."""
    _margin: float = _MARGIN
    _peak: float = 0.0

    def delay(self, now: float) -> float:
        """Seconds until a request may be sent. Ask again after waiting."""
        wait = self._next_at - now
        if self.budget and self._count(now) >= self.budget and now - self._decided_at < WINDOW / 2:
            wait = max(wait, self._sent[-self.budget] + WINDOW + self._margin - now)
        return max(0.0, wait)

    def max_in_flight(self, now: float) -> int:
        """How many requests may be in flight."""
        if self.state is State.PROBING:
            return 1
        if self.rate is not None:
            return max(2, min(self._in_flight, round(2 * self.rate * min(self._fastest, 1.0))))
        count = self._count(now)
        if self.budget is not None and count >= self.budget:
            return max(1, min(self._in_flight, (count - self.budget) // 2))
        near_the_end = USUAL_BUDGET - FEW <= count < USUAL_BUDGET + _BEYOND
        return min(self._in_flight, FEWEST) if near_the_end else self._in_flight

    def on_send(self, now: float) -> None:
        """A request is sent."""
        self._sent.append(now)
        if self.rate is not None:
            turn = (now - self._decided_at) / RECOVERY - 1
            self.rate = max(MIN_RATE, self._peak * (1 + HALF * turn**3))
            self._next_at = now + 1 / self.rate

    def on_success(self, now: float, sent_at: float) -> None:
        """A request was answered, well or badly, but not throttled."""
        self._succeeded_at = max(self._succeeded_at, sent_at)
        self._fastest = min(self._fastest, now - sent_at)
        self._slowest = max(self._slowest, now - sent_at)
        if self.state is State.PROBING and sent_at > self._decided_at:
            self._slow_down(now, max(MIN_PEAK, self._peak))
        elif self.state is State.FREE and self._fastest > _SLOW and not self._is_settled:
            self._try_more(now)

    def on_throttled(self, now: float, sent_at: float, retry_after: float | None) -> None:
        """A request was throttled. One that was sent before the last decision decides nothing more."""
        if retry_after is not None:
            self._next_at = max(self._next_at, now + retry_after)
        with suppress(ValueError):  # as old as the window
            self._sent.remove(sent_at)
        count = self._count(now)
        if sent_at <= self._decided_at:
            self.budget = count if self.budget is not None else None
        elif self.state is State.RATE and self._succeeded_at > self._decided_at:
            self._slow_down(now, self.rate or MIN_PEAK)
        elif self.state is State.FREE and count < CERTAIN and retry_after is None:
            self.state, self._decided_at = State.PROBING, now
            self._peak = count / max(now - self._began(sent_at), PAUSE)
            self._next_at = now + PROBE_DELAY
        else:
            self.state, self._decided_at, self.rate, self._in_flight = State.WINDOW, now, None, FEW
            self.budget = count if retry_after is None or count >= CERTAIN else None
            self._margin, self._slowest = _MARGIN + self._slowest, 0.0
            if retry_after is None:
                self._next_at = max(self._began(sent_at) + WINDOW + self._margin, now + PROBE_DELAY)

    def _try_more(self, now: float) -> None:
        """After each round double the requests in flight, or go back if the last doubling did not pay."""
        if self._round_began is None:  # a list's first request is alone
            self._round_began = now
            return
        self._round_count += 1
        if self._round_count < self._in_flight:
            return
        rate = self._round_count / max(now - self._round_began, 0.001)
        if rate < _GAIN * self._round_rate:
            self._in_flight, self._is_settled = self._in_flight // 2, True
        else:
            self._in_flight, self._is_settled = min(MOST, 2 * self._in_flight), self._in_flight == MOST
        self._round_began, self._round_count, self._round_rate = now, 0, rate

    def _slow_down(self, now: float, peak: float) -> None:
        self.state, self._decided_at, self._peak = State.RATE, now, peak
        self.rate = max(MIN_RATE, peak * HALF)
        self._next_at = max(self._next_at, now + PAUSE)

    def _began(self, sent_at: float) -> float:
        """When the window began, as far as this process knows: with its first request that was let in."""
        return self._sent[0] if self._sent else sent_at

    def _count(self, now: float) -> int:
        """Requests of the last window, let in or in flight."""
        while self._sent and self._sent[0] <= now - WINDOW:
            self._sent.popleft()
        return len(self._sent)
