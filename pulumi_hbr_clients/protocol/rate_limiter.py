"""How fast to ask: no limit until the service throttles, then the rate that it bears.

After a throttled answer the rate is halved, and it grows back along a cubic curve, as TCP's does (RFC 9438): quickly
towards where it was throttled, slowly around there, then quickly again. The curve is relative to that rate, so a
limit of 5 and one of 500 a second are found alike. One throttled burst counts once. Pure: `now` is a monotonic
clock's seconds, given by the caller, who also does the waiting.
"""

from dataclasses import dataclass
from typing import Final

HALF: Final = 0.5
RETURN: Final = 10.0
"""Seconds from a halving until the old rate is reached again."""
FLOOR: Final = 0.5
"""Requests per second: below this the deadline is the better answer."""
FIRST_PAUSE: Final = 0.25
"""Seconds of silence after a throttled answer that names no time itself."""

SHORTEST: Final = 0.25
"""Seconds: a rate seen over less is a burst, not a rate."""
UNPROVEN: Final = 16.0
"""Requests per second: that fewer were sent before the first throttled answer says nothing of the limit. Without it
one throttled first request holds 100 pages back for 23 s, with it for 8; a lower limit is found by further halvings."""


@dataclass(slots=True)
class RateLimiter:
    """The rate, and when the next request may go."""

    rate: float | None = None
    peak: float = 0.0
    since: float = 0.0
    next_at: float = 0.0
    started: float | None = None
    sent: int = 0

    def wait(self, now: float) -> float:
        """Seconds until a request may be sent. Ask again after waiting: a pause may have come."""
        return max(0.0, self.next_at - now)

    def sending(self, now: float) -> None:
        """A request is sent."""
        self.started = now if self.started is None else self.started
        self.sent += 1
        if self.rate is not None:
            self.rate = self._grown(now)
            self.next_at = now + 1 / self.rate

    def throttled(self, now: float, sent_at: float, retry_after: float | None) -> None:
        """The service asked for less. Answers to requests from before the last halving count once."""
        self.next_at = max(self.next_at, now + (FIRST_PAUSE if retry_after is None else retry_after))
        if self.rate is not None and sent_at < self.since:
            return
        self.peak = self.rate or self._seen(now)
        self.rate = max(FLOOR, self.peak * HALF)
        self.since = now

    def _seen(self, now: float) -> float:
        """The rate so far, while nothing held it back."""
        started = now if self.started is None else self.started
        return max(UNPROVEN, self.sent / max(now - started, SHORTEST))

    def _grown(self, now: float) -> float:
        turn = (now - self.since) / RETURN - 1
        return max(FLOOR, self.peak * (1 + HALF * turn**3))
