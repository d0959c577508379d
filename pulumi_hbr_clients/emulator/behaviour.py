"""How the service behaves: speed, limits, faults, how the list changes while it is read.

Each behaviour is an attribute of `Backend` that a test, the admin API and `hbr-clients emulator --behaviour` may set at
any time. A value that makes no sense is a `ValueError` where it is set.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, floor
from typing import Annotated, Any, Final, Literal, get_type_hints

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, PrivateAttr, TypeAdapter
from pydantic import ValidationError as ShapeError

from pulumi_hbr_clients.emulator.responses import MIXED, ApiError, check_faults

Count = Annotated[int, Field(ge=0, strict=True)]
AtLeastOne = Annotated[int, Field(ge=1, strict=True)]
Positive = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
Position = Literal["front", "end", "anywhere"]
RetryHeader = Literal["x-acs-retry-after", "retry-after"]
Order = Literal["arrival", "id", "name", "random", "shuffled"]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class Turnover(_Settings):
    """Clients leave the list and others arrive between its pages; by default the total stays as it was."""

    leaving: Count = 1
    """Clients that leave at each event."""
    arriving: Count = 1
    """Clients that arrive at each event."""
    leave_from: Position = "front"
    arrive_at: Position = "end"
    arrivals: Literal["new", "old"] = "new"
    """CreatedTime of those that arrive: the moment of their arrival, or long ago."""
    by: Literal["presence", "tags", "filters"] = "presence"
    """Clients leave and join the fleet, or stay in it and stop or start to match the query's tags or filters."""
    every: AtLeastOne = 1
    """Pages between two events."""
    times: AtLeastOne | None = None
    """Number of events; None: without end."""
    _pages: int = PrivateAttr(0)

    def is_due(self) -> bool:
        """Count a page; whether an event follows it."""
        self._pages += 1
        event, rest = divmod(self._pages, self.every)
        return rest == 0 and (self.times is None or event <= self.times)


class Window(_Settings):
    """A limit of requests in a period of time, for all who use this account and region."""

    limit: AtLeastOne
    seconds: Positive = 60.0
    kind: Literal["fixed", "sliding"] = "fixed"
    """A fixed window starts anew every `seconds` on the service's clock; a sliding one looks back from each request."""
    retry_header: RetryHeader | None = None
    """The header in which a throttled response names the time to wait. None: it names none."""


class Behaviour:
    """All behaviours, harmless unless set."""

    latency: Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)] = 0.0
    """Seconds until each response."""
    rate: Positive | None = None
    """Requests per second before throttling, after a burst of as many. None: no limit."""
    window: Window | None = None
    """A limit of requests per window of time, in addition to `rate`."""
    # The list itself is kept: `backend.next_faults += [...]` must not bring back what has been taken off it meanwhile.
    next_faults: Annotated[list[str], PlainValidator(check_faults)]
    """Faults of the next requests, in order, one each; `none` lets one pass. See `responses.FAULTS`."""
    fault_rate: Annotated[float, Field(ge=0, le=1, strict=True)] = 0.0
    """Share of requests, 0 to 1, that meet a fault drawn from `random_faults`."""
    random_faults: Annotated[tuple[str, ...], AfterValidator(check_faults)] = MIXED
    """Faults to draw from."""
    denied: frozenset[str] = frozenset()
    """API actions that are refused with NoPermission, such as DescribeRegions."""
    clock_offset: Annotated[float, Field(strict=True, allow_inf_nan=False)] = 0.0
    """Seconds by which the service's clock is ahead of its callers'. The fleet's times do not move with it."""
    date_header: Annotated[bool, Field(strict=True)] = True
    """Whether responses have a Date header."""
    order: Order = "arrival"
    """Order of the list. `random` is stable; `shuffled` cuts each page from another order."""
    turnover: Turnover | None = None
    """How the list changes between its pages."""
    total_drift: Annotated[int, Field(strict=True)] = 0
    """Every second page names a TotalCount that is off by this."""
    page_size_max: AtLeastOne | None = None
    """Largest page the service returns, whatever the request; PageSize says so."""

    def __init__(self, **behaviours: Any) -> None:
        """Set behaviours by name. Raises `ValueError`."""
        self.next_faults = []
        for name, value in behaviours.items():
            self.set(name, value)

    def set(self, name: str, value: Any) -> Any:
        """Set a behaviour by its name; return it as set. Raises `ValueError`, also on an unknown name."""
        if name not in BEHAVIOURS:
            raise ValueError(f"no such behaviour: {name}; one of {', '.join(BEHAVIOURS)}")
        setattr(self, name, value)
        return getattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Validate behaviours, then set. Raises `ValueError`."""
        try:
            value = BEHAVIOURS[name].validate_python(value) if name in BEHAVIOURS else value
        except ShapeError as error:
            issue = error.errors(include_url=False)[0]
            path = ".".join(str(part) for part in (name, *issue["loc"]) if not str(part).startswith("function"))
            reason = issue["msg"].removeprefix("Value error, ")
            raise ValueError(f"{path}: {reason} (given: {issue['input']!r})") from None
        object.__setattr__(self, name, value)


BEHAVIOURS: Final[Mapping[str, TypeAdapter[Any]]] = {
    name: TypeAdapter(hint) for name, hint in get_type_hints(Behaviour, include_extras=True).items()
}


def parse(text: str) -> tuple[str, Any]:
    """The name and the value of `turnover={by: tags}`, whose value is YAML, once validated. Raises `ValueError`."""
    name, _, written = text.partition("=")
    try:
        value = yaml.safe_load(written)
    except yaml.YAMLError as error:
        raise ValueError(f"{name}: not YAML: {' '.join(str(error).split())}") from None
    Behaviour().set(name, value)
    return name, value


@dataclass(slots=True)
class Limiter:
    """How much of the limits has been used."""

    tokens: float = float("inf")
    refilled: float = 0.0
    taken: deque[float] = field(default_factory=deque)
    """When the requests were let in that the current window counts."""

    def take(self, behaviour: Behaviour, now: float) -> None:
        """Count a request, or raise `ApiError`. Throttled requests count for neither limit."""
        window, rate = behaviour.window, behaviour.rate
        if window and (wait := self._wait(window, now)):
            values = {"x-acs-retry-after": f"{ceil(wait * 1000)}", "retry-after": f"{ceil(wait)}"}
            header = window.retry_header
            raise ApiError("Throttling.User", headers=((header, values[header]),) if header else ())
        if rate:  # a bucket of `rate` tokens that refills in a second
            self.tokens = min(max(1.0, rate), self.tokens + (now - self.refilled) * rate)
            self.refilled = now
            if self.tokens < 1:
                raise ApiError("Throttling.User")
            self.tokens -= 1
        if window:
            self.taken.append(now)

    def _wait(self, window: Window, now: float) -> float:
        """Seconds until the window takes another request."""
        period = window.seconds

        def end(moment: float) -> float:
            """When a request let in at this moment counts no longer."""
            return moment + period if window.kind == "sliding" else (floor(moment / period) + 1) * period

        while self.taken and end(self.taken[0]) <= now:
            self.taken.popleft()
        return 0.0 if len(self.taken) < window.limit else end(self.taken[0]) - now
