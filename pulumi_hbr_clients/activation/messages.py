"""Verdicts in words: one line of progress, the clients that block a gate, and the texts of its errors."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from pulumi_hbr_clients.activation.evaluation import BlockingClient, Verdict

SHOWN: Final = 10
"""Clients named one by one; the others are counted."""


def summary_line(verdict: Verdict, outage: str = "") -> str:
    """`3 of 10 activated; waiting for c-1 (i-1): INSTALLING, …`. `outage`: why there is no answer."""
    parts = [f"{verdict.ready} of {verdict.wanted} activated"] if verdict.wanted else []
    if verdict.note:
        parts.append(verdict.note)
    if verdict.waiting:
        parts.append(f"waiting for {_named(verdict.waiting)}")
    if outage:
        parts.append(f"the service does not answer: {outage}")
    return "; ".join(parts)


def preview_text(verdict: Verdict) -> str:
    """What `up` will wait for, or why it would fail now."""
    verb = "would fail now" if verdict.state == "failed" else "will wait"
    return _text(f"up {verb}: {summary_line(verdict)}", *verdict.failed, *verdict.waiting)


def failure_text(verdict: Verdict) -> str:
    """The clients that no wait can activate."""
    head = f"{len(verdict.failed)} of {verdict.wanted} backup clients will not be activated by waiting:"
    return _text(head, *verdict.failed)


def timeout_text(verdict: Verdict, timeout: float, outage: str = "") -> str:
    """What was missing when the time was over."""
    return _text(f"not activated within {format_duration(timeout)}: {summary_line(verdict, outage)}", *verdict.waiting)


def bypass_text(verdict: Verdict) -> str:
    """What a gate let through because gates are set to `warn`, or that it did not look (`off`)."""
    head = f"gate bypassed (hbr-clients:gates): {summary_line(verdict)}"
    return _text(head, *verdict.failed, *verdict.waiting)


def _text(head: str, *blocking: BlockingClient) -> str:
    return "\n  ".join([head, *client_lines(blocking)])


def client_lines(blocking: Sequence[BlockingClient]) -> Iterator[str]:
    """A line for each client: which, its status, since when, and what to do; after ten the others are counted."""
    for client in blocking[:SHOWN]:
        since = f" since {format_timestamp(client.since)}" if client.since else ""
        yield f"{client.name}: {client.why}{since}. {client.advice[0].upper()}{client.advice[1:]}"
    if len(blocking) > SHOWN:
        rest = Counter(client.status or "missing" for client in blocking[SHOWN:])
        counts = ", ".join(f"{count} {status}" for status, count in sorted(rest.items()))
        yield f"and {len(blocking) - SHOWN} more: {counts}"


def format_timestamp(seconds: float) -> str:
    """UNIX seconds as UTC, to the second."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (OverflowError, ValueError, OSError):  # a service may send any number
        return f"{seconds} (UNIX time)"


def format_duration(seconds: float) -> str:
    """`14m03s`."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _named(blocking: tuple[BlockingClient, ...]) -> str:
    few = 3
    names = [f"{b.name}: {b.why if b.status == 'ACTIVATED' else b.status or 'missing'}" for b in blocking[:few]]
    more = [f"and {len(blocking) - few} more"] if len(blocking) > few else []
    return ", ".join(names + more)
