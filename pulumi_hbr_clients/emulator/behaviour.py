"""What the next requests shall meet: speed, limits, faults, and how the list moves between its pages.

Each is an attribute that may be set at any time, by a test or over HTTP. A value that makes no sense is a
`ValueError` where it is set.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi_hbr_clients.emulator.fake_client import VARIETIES
from pulumi_hbr_clients.emulator.faults import MIXED, check


@dataclass(kw_only=True, eq=False)
class Behaviour:
    """The conditions, all of them calm unless set."""

    latency: float = 0.0
    """Seconds until every answer."""
    rate: float | None = None
    """Requests per second, after a burst of as many; beyond it they are throttled. None: no limit."""
    rate_retry_after: float | None = None
    """Milliseconds that an answer throttled by `rate` names in x-acs-retry-after. None: it names none."""
    next_faults: list[str] = field(default_factory=list)
    """The faults of the next requests, in order, one each; `none` lets one pass."""
    fault_rate: float = 0.0
    """The share of requests, 0 to 1, that meet a fault drawn from `random_faults`."""
    random_faults: tuple[str, ...] = MIXED
    """What is drawn from."""
    clock_offset: float = 0.0
    """Seconds by which the service's clock is ahead of its callers'. The fleet's times do not move with it."""
    shift: int = 0
    """After every page, so many clients leave at the front and as many arrive at the end."""
    shuffle: bool = False
    """Every page is cut from a new order."""
    repeats: int = 0
    """Every page but the first starts with so many clients of the page before."""
    total_drift: int = 0
    """Every second page says a TotalCount that is off by this."""
    page_size_max: int | None = None
    """The largest page the service gives, whatever was asked; it says so in PageSize."""
    short_by: int = 0
    """So many clients are left out at the end of every page."""
    variety: frozenset[str] = frozenset()
    """Other forms that answers take: see `VARIETIES`."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Check, then set."""
        object.__setattr__(self, name, _CHECKS[name](value) if name in _CHECKS else value)


def _at_least(low: float, kind: type = float, *, unless: tuple[Any, ...] = ()) -> Callable[[Any], Any]:
    def number(value: Any) -> Any:
        if value in unless:
            return value
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= low:
            msg = f"must be a number of at least {low}, not {value!r}"
            raise ValueError(msg)
        return kind(value)

    return number


def _share(value: Any) -> float:
    if not 0 <= _at_least(0)(value) <= 1:
        msg = f"must be 0 to 1, not {value!r}"
        raise ValueError(msg)
    return float(value)


def _positive(value: Any) -> float | None:
    if value is not None and not _at_least(0)(value) > 0:
        msg = f"must be more than 0, not {value!r}"
        raise ValueError(msg)
    return value if value is None else float(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        msg = f"must be true or false, not {value!r}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all of them
    return value


def _faults(value: Iterable[str]) -> list[str]:
    """A list stays the very list: `backend.next_faults += […]` must not lose what is being taken off it."""
    faults = value if isinstance(value, list) else list(value)
    check(faults)
    return faults


def _names(value: Iterable[str]) -> frozenset[str]:
    names = frozenset([value] if isinstance(value, str) else value)
    if unknown := names - VARIETIES:
        msg = f"no such variety: {', '.join(sorted(unknown))}; one of {', '.join(sorted(VARIETIES))}"
        raise ValueError(msg)
    return names


_ANY: Final = float("-inf")
_CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "latency": _at_least(0),
    "rate": _positive,
    "rate_retry_after": _at_least(0, unless=(None,)),
    "next_faults": _faults,
    "fault_rate": _share,
    "random_faults": lambda value: tuple(_faults(value)),
    "clock_offset": _at_least(_ANY),
    "shift": _at_least(0, int),
    "shuffle": _truth,
    "repeats": _at_least(0, int),
    "total_drift": _at_least(_ANY, int),
    "page_size_max": _at_least(1, int, unless=(None,)),
    "short_by": _at_least(0, int),
    "variety": _names,
}
CONDITIONS: Final = tuple(_CHECKS)
