"""What the headers of a response say: its type, its date, where it redirects, how long to wait."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

UNTYPED: Final = "no content type"


def content_type(headers: Mapping[str, str]) -> str:
    """Return the type without its parameters, or that there is none."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind if re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind) else UNTYPED


def redirect_target(headers: Mapping[str, str]) -> str | None:
    """Where a response points to, without user, query and fragment: they may hold a session's secrets."""
    try:
        url = urlsplit(headers.get("location", ""))
        shown = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}" if url.netloc else url.path
    except ValueError:
        return None
    return re.sub(r"[^\x21-\x7e]", "?", shown)[:200] or None


RETRY_AFTER_MAX: Final = 60.0
"""Seconds; a longer wait is not believed: all queries of a process keep it, and one broken header would end them."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: `x-acs-retry-after` in milliseconds, else `Retry-After` in seconds or as a date."""
    value = headers.get("retry-after", "")
    try:
        if "x-acs-retry-after" in headers:
            seconds = float(headers["x-acs-retry-after"]) / 1000
        elif value.isdigit():
            seconds = float(value)
        else:  # the response's own date is the clock
            until, now = parse_date(value), parse_date(headers.get("date"))
            if until is None or now is None:
                return None
            seconds = until - now
    except ValueError:
        return None
    return max(0.0, min(seconds, RETRY_AFTER_MAX))


def parse_date(text: str | None) -> float | None:
    """UNIX seconds of an HTTP date. Outside of 1970 to 9999 it is taken for none: no clock is set by it."""
    try:
        seconds = parsedate_to_datetime(text).timestamp() if text else 0.0
    except (ValueError, OverflowError, TypeError):
        return None
    return seconds if seconds > 0 else None
