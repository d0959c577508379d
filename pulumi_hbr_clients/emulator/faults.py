"""What can go wrong, by name: `throttle`, `drop`, `half_json`, … and any code of the service's tables.

A fault is asked in the service's stead and may ask the service itself (to spoil its answer). Some take a number:
`throttle:700` says so in x-acs-retry-after (milliseconds), `slow:0.5` answers that many seconds late. A connection
is dropped before the answer, within it, or after it without a word, when the caller counts on it for its next request.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pulumi_hbr_clients.emulator.fake_client import encode
from pulumi_hbr_clients.emulator.responses import ERRORS, ApiResponse, refuse

_HTML: Final = "text/html; charset=utf-8"
_PAGE: Final = b"<html><head><title>%b</title></head><body><h1>%b</h1></body></html>\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a fault works on: the service's own answers (asked on use), its host, and the fault's number."""

    answer: Callable[[], ApiResponse]
    other: Callable[[], ApiResponse]
    """The page before the one asked for; of the first one the second."""
    host: str
    number: float | None = None


def _says(code: str) -> Callable[[Asked], ApiResponse]:
    return lambda asked: refuse(code, asked.host)


def _throttle(asked: Asked) -> ApiResponse:
    return refuse("Throttling.User", asked.host, retry_after=asked.number)


def _html(status: int, title: bytes) -> Callable[[Asked], ApiResponse]:
    return lambda _: ApiResponse(status, _PAGE % (title, title), content_type=_HTML)


def _xml(asked: Asked) -> ApiResponse:
    error = json.loads(refuse("BadRequest", asked.host).body)
    items = "".join(f"<{name}>{error[name]}</{name}>" for name in ("RequestId", "Code", "Message"))
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error>{items}</Error>".encode()
    return ApiResponse(400, body, "BadRequest", "text/xml;charset=utf-8", request_id=error["RequestId"])


def _half_json(asked: Asked) -> ApiResponse:
    reply = asked.answer()
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _edited(**fields: Any) -> Callable[[Asked], ApiResponse]:
    """The service's page with fields set, or, where `...`, left out."""

    def edit(asked: Asked) -> ApiResponse:
        reply = asked.answer()
        document = {**json.loads(reply.body), **fields} if reply.status == 200 else None  # noqa: PLR2004  a page
        if document is None:
            return reply
        kept = {name: value for name, value in document.items() if value is not ...}
        return replace(reply, body=encode(kept).encode(), code=str(kept.get("Code", "")))

    return edit


FAULTS: Final[Mapping[str, Callable[[Asked], ApiResponse]]] = {
    **{code: _says(code) for code in ERRORS},
    "none": lambda asked: asked.answer(),
    "throttle": _throttle,
    "internal_error": _says("InternalError"),
    "unavailable": _says("ServiceUnavailable"),
    "unavailable_html": _html(503, b"503 Service Temporarily Unavailable"),
    "html": _html(200, b"Welcome to the network"),
    "xml": _xml,
    "empty": lambda _: ApiResponse(200, b""),
    "half_json": _half_json,
    "drop": lambda _: ApiResponse(0, b"", drop="before"),
    "drop_body": lambda asked: replace(asked.answer(), drop="within"),
    "drop_after": lambda asked: replace(asked.answer(), drop="after"),
    "slow": lambda asked: replace(asked.answer(), delay=1.0 if asked.number is None else asked.number),
    "refused": _edited(Success=False, Code="InternalError", Message="The task failed.", Clients=..., TotalCount=...),
    "wrong_clients": _edited(Clients=5),
    "no_total": _edited(TotalCount=...),
    "no_page": _edited(Clients=[]),
    "other_page": lambda asked: asked.other(),
    "nonce_used": _says("SignatureNonceUsed"),
    "clock_skew": _says("InvalidTimeStamp.Expired"),
    "token_expired": _says("InvalidSecurityToken.Expired"),
    "no_permission": _says("NoPermission"),
}

MIXED: Final = (
    "throttle",
    "throttle:50",
    "internal_error",
    "unavailable",
    "unavailable_html",
    "html",
    "empty",
    "half_json",
    "drop",
    "drop_body",
    "drop_after",
    "slow:0.05",
    "wrong_clients",
    "no_total",
    "nonce_used",
)
"""Faults that pass by themselves: what `fault_rate` draws from unless told otherwise."""


def apply(fault: str, answer: Callable[[], ApiResponse], other: Callable[[], ApiResponse], host: str) -> ApiResponse:
    """The answer under a fault."""
    name, number = _parts(fault)
    return FAULTS[name](Asked(answer, other, host, number))


def check(faults: Iterable[str]) -> None:
    """Raise `ValueError` on a fault that is not known."""
    for fault in faults:
        try:
            FAULTS[_parts(fault)[0]]
        except (KeyError, ValueError, AttributeError):
            names = ", ".join(name for name in FAULTS if name not in ERRORS)
            msg = f"no such fault: {fault!r}; one of {names}, or a code such as ServiceNotActivated"
            raise ValueError(msg) from None


def _parts(fault: str) -> tuple[str, float | None]:
    name, _, number = fault.partition(":")
    return name, float(number) if number else None
