"""What can go wrong, by name: `throttle`, `drop`, `half_json`, ..., a code of the service's tables, or any refusal.

A fault is asked in the service's stead and may ask the service itself, to spoil its response. Some take a number:
`throttle:700` names it in x-acs-retry-after (milliseconds), `slow:0.5` answers that many seconds late. Any refusal is
written as status, code and message: `400 9990040003 Throttling.Resource: flow control`; with status 200 it comes
inside a good response. A connection is dropped before the response, within it, or after it without notice.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any, Final, TypeVar

from pulumi_hbr_clients.emulator.fake_client import encode
from pulumi_hbr_clients.emulator.responses import ERRORS, OK, ApiError, ApiResponse, Headers, refusal, saying

_HTML: Final = "text/html; charset=utf-8"
_PAGE: Final = b"<html><head><title>%b</title></head><body><h1>%b</h1></body></html>\n"
_LOGIN: Final = "http://login.invalid/portal"
_ANY_REFUSAL: Final = re.compile(r"(?P<status>[2-5]\d\d) (?P<code>\S+)(?: (?P<message>.+))?")
T = TypeVar("T", bound=Iterable[str])


@dataclass(frozen=True, slots=True)
class Request:
    """What a fault works on: the service's own responses (asked on use), its host and time, and the fault's number."""

    answer: Callable[[], ApiResponse]
    other: Callable[[], ApiResponse]
    """The page before the one asked for; of the first one the second."""
    host: str = ""
    time: float = 0.0
    number: float | None = None


Fault = Callable[[Request], ApiResponse]


def _says(code: str) -> Fault:
    return lambda request: refusal(ApiError(code), host=request.host)


def _throttle(headers: Callable[[Request, float], Headers]) -> Fault:
    def throttle(request: Request) -> ApiResponse:
        named = () if request.number is None else headers(request, request.number)
        return refusal(ApiError("Throttling.User", headers=named), host=request.host)

    return throttle


def _html(status: int, title: bytes) -> Fault:
    return lambda _: ApiResponse(status, _PAGE % (title, title), content_type=_HTML)


def _xml(request: Request) -> ApiResponse:
    error = json.loads(_says("BadRequest")(request).body)
    items = "".join(f"<{name}>{error[name]}</{name}>" for name in ("RequestId", "Code", "Message"))
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error>{items}</Error>".encode()
    return ApiResponse(400, body, "BadRequest", "text/xml;charset=utf-8", request_id=error["RequestId"])


def _half_json(request: Request) -> ApiResponse:
    response = request.answer()
    return replace(response, body=response.body[: len(response.body) // 2])


def _edited(**fields: Any) -> Fault:
    """The service's page with fields set, or, where `...`, left out."""

    def edit(request: Request) -> ApiResponse:
        response = request.answer()
        if response.status != OK:
            return response
        document = {**json.loads(response.body), **fields}
        kept = {name: value for name, value in document.items() if value is not ...}
        return replace(response, body=encode(kept).encode(errors="backslashreplace"), code=str(kept.get("Code", "")))

    return edit


FAULTS: Final[Mapping[str, Fault]] = {
    **{code: _says(code) for code in ERRORS},
    "none": lambda request: request.answer(),
    "throttle": _throttle(lambda _, number: (("x-acs-retry-after", f"{number:.0f}"),)),
    "throttle_seconds": _throttle(lambda _, number: (("retry-after", f"{number:.0f}"),)),
    "throttle_date": _throttle(lambda r, number: (("retry-after", formatdate(r.time + number, usegmt=True)),)),
    "internal_error": _says("InternalError"),
    "unavailable": _says("ServiceUnavailable"),
    "unavailable_html": _html(503, b"503 Service Temporarily Unavailable"),
    "html": _html(OK, b"Welcome to the network"),
    "redirect": lambda _: ApiResponse(302, b"", content_type=_HTML, headers=(("location", _LOGIN),)),
    "xml": _xml,
    "empty": lambda _: ApiResponse(OK, b""),
    "half_json": _half_json,
    "drop": lambda _: ApiResponse(0, b"", drop="before"),
    "drop_body": lambda request: replace(request.answer(), drop="within"),
    "drop_after": lambda request: replace(request.answer(), drop="after"),
    "slow": lambda request: replace(request.answer(), delay=1.0 if request.number is None else request.number),
    "refused": _edited(Success=False, Code="InternalError", Message="The task failed.", Clients=..., TotalCount=...),
    "wrong_clients": _edited(Clients=5),
    "no_total": _edited(TotalCount=...),
    "no_page": _edited(Clients=[]),
    "other_page": lambda request: request.other(),
    "nonce_used": _says("SignatureNonceUsed"),
    "clock_skew": _says("InvalidTimeStamp.Expired"),
    "token_expired": _says("InvalidSecurityToken.Expired"),
    "no_permission": _says("NoPermission"),
}
BUSY: Final = (
    "400 9990040003 Throttling.Resource: the resource is under flow control",
    "400 throttling.user Request was denied.",
    "400 SystemBusy The system is busy, try again later.",
    "503 serviceunavailable",
    "200 InternalError The task failed.",
)
"""Refusals that pass by themselves, as other tools' users reported them."""
MIXED: Final = (
    *("throttle", "throttle:50", "throttle_seconds:1", "internal_error", "unavailable", "unavailable_html"),
    *("empty", "half_json", "drop", "drop_body", "drop_after", "slow:0.05", "wrong_clients", "no_total", "nonce_used"),
    *BUSY,
)
"""Faults that pass by themselves: `fault_rate` draws from them by default."""


def apply(fault: str, request: Request) -> ApiResponse:
    """The response under a fault."""
    spoil, number = _read(fault)
    return spoil(replace(request, number=number))


def check(faults: T) -> T:
    """Return the faults as they are; raise `ValueError` on one that is not known."""
    for fault in faults:
        try:
            _read(fault)
        except (KeyError, ValueError, TypeError, AttributeError):
            names = ", ".join(name for name in FAULTS if name not in ERRORS)
            msg = f"no such fault: {fault!r}; one of {names}, a code such as ServiceNotActivated, or '400 Code message'"
            raise ValueError(msg) from None
    return faults


def _read(fault: str) -> tuple[Fault, float | None]:
    if found := _ANY_REFUSAL.fullmatch(fault):
        status, code, message = int(found["status"]), found["code"], found["message"] or "The request failed."
        return lambda request: saying(status, code, message, HostId=request.host), None
    name, _, number = fault.partition(":")
    return FAULTS[name], float(number) if number else None
