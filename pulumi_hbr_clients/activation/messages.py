"""A verdict in words: one live line, one plain line, and the full account of a failure or a timeout."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from pulumi_hbr_clients.activation.condition import BlockingClient, Verdict

SHOWN: Final = 10
"""Clients named one by one; beyond, a count."""


def line(verdict: Verdict, left: float | None = None, outage: str = "") -> str:
    """`3 of 10 activated; waiting for c-1 (i-1): INSTALLING, …; 14m03s left`."""
    parts = [f"{verdict.ready} of {verdict.wanted} activated"] if verdict.wanted else []
    if verdict.note:
        parts.append(verdict.note)
    if verdict.waiting:
        parts.append(f"waiting for {_named(verdict.waiting)}")
    if outage:
        parts.append(f"the service does not answer: {outage}")
    if left is not None:
        parts.append(f"{span(left)} left")
    return "; ".join(parts)


def outlook(verdict: Verdict) -> str:
    """What `up` will wait for, or why it would fail now: for previews."""
    verb = "would fail now" if verdict.state == "failed" else "will wait"
    lines = [f"up {verb}: {line(verdict)}", *account((*verdict.failed, *verdict.waiting))]
    return "\n  ".join(lines)


def account(troubles: Iterable[BlockingClient]) -> Iterator[str]:
    """A line a client: which, its status, since when, and what to do; at most ten, then a count."""
    troubles = list(troubles)
    for trouble in troubles[:SHOWN]:
        since = f" since {moment(trouble.since)}" if trouble.since else ""
        yield f"{trouble.name}: {trouble.why}{since}. {trouble.advice[0].upper()}{trouble.advice[1:]}"
    if len(troubles) > SHOWN:
        rest = Counter(trouble.status or "missing" for trouble in troubles[SHOWN:])
        counts = ", ".join(f"{count} {status}" for status, count in sorted(rest.items()))
        yield f"and {len(troubles) - SHOWN} more: {counts}"


def moment(seconds: float) -> str:
    """UNIX seconds as UTC, to the second."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (OverflowError, ValueError, OSError):  # a service may say anything
        return f"{seconds} (UNIX time)"


def span(seconds: float) -> str:
    """`14m03s`."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _named(troubles: tuple[BlockingClient, ...]) -> str:
    few = 3
    names = [f"{trouble.name}: {_short(trouble)}" for trouble in troubles[:few]]
    more = [f"and {len(troubles) - few} more"] if len(troubles) > few else []
    return ", ".join(names + more)


def _short(trouble: BlockingClient) -> str:
    return trouble.why if trouble.status == "ACTIVATED" else trouble.status or "missing"
