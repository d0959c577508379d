"""How many requests the service takes: a rate per second, and a window of time. For one account and region."""

from collections import deque
from dataclasses import dataclass, field
from math import ceil, floor

from pulumi_hbr_clients.emulator.behaviour import Behaviour, Window
from pulumi_hbr_clients.emulator.responses import ApiError


@dataclass(slots=True)
class Limiter:
    """What has been used of a budget."""

    tokens: float = float("inf")
    refilled: float = 0.0
    taken: deque[float] = field(default_factory=deque)
    """When the requests were let in that the current window counts."""

    def take(self, behaviour: Behaviour, now: float) -> None:
        """Count a request, or raise `ApiError`. Throttled requests count for neither limit."""
        if behaviour.window and (wait := self._wait(behaviour.window, now)):
            values = {"x-acs-retry-after": f"{ceil(wait * 1000)}", "retry-after": f"{ceil(wait)}"}
            header = behaviour.window.retry_header
            raise ApiError("Throttling.User", headers=((header, values[header]),) if header else ())
        self._take_token(behaviour, now)
        if behaviour.window:
            self.taken.append(now)

    def _wait(self, window: Window, now: float) -> float:
        """Seconds until the window takes another request."""
        start = now - window.seconds if window.kind == "sliding" else floor(now / window.seconds) * window.seconds
        while self.taken and (self.taken[0] < start or (window.kind == "sliding" and self.taken[0] == start)):
            self.taken.popleft()
        if len(self.taken) < window.limit:
            return 0.0
        return (self.taken[0] if window.kind == "sliding" else start) + window.seconds - now

    def _take_token(self, behaviour: Behaviour, now: float) -> None:
        """A bucket of `rate` tokens that refills in a second."""
        if behaviour.rate is None:
            self.tokens = float("inf")
            return
        self.tokens = min(max(1.0, behaviour.rate), self.tokens + (now - self.refilled) * behaviour.rate)
        self.refilled = now
        if self.tokens < 1:
            after = behaviour.rate_retry_after
            raise ApiError("Throttling.User", headers=() if after is None else (("x-acs-retry-after", f"{after:.0f}"),))
        self.tokens -= 1
