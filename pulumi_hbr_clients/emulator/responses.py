"""What the service sends: a page, regions, a refusal with its code, or anything that can go wrong instead (`FAULTS`).

Codes, statuses and the form of errors: the error tables of HBR (2017-09-08) and of the API gateway (docs/service.md).

A fault has a name: `throttle`, `drop`, `half_json`, ... or a code of the service's tables. Some take a number:
`throttle:700` puts it into x-acs-retry-after (milliseconds), `slow:0.5` delays the response by that many seconds. Any
other refusal is written as status, code and message: `400 9990040003 Throttling.Resource: flow control`; with status
200 it comes inside a good response.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any, Final, Literal, TypeVar
from uuid import uuid4

from pulumi_hbr_clients.emulator.fake_client import encode

OK: Final = 200
_CODES: Final = {
    400: "AccountNotEnableRdTrustedService BadRequest IllegalTimestamp IncompleteSignature InvalidParameter"
    " InvalidSecurityToken.Expired InvalidSecurityToken.Malformed InvalidSecurityToken.MismatchWithAccessKey"
    " InvalidTimeStamp.Expired MissingClientType MissingSecurityToken SignatureNonceUsed Throttling Throttling.Api"
    " Throttling.User",
    403: "AssumeRoleFail BackupAccountNotInSpecifiedRd Forbidden.RAM InDebt InDebtOverdue InvalidAccessKeyId.Inactive"
    " NoPermission RiskControlProhibited ServiceNotActivated SignatureDoesNotMatch",
    404: "InvalidAccessKeyId.NotFound InvalidAction.NotFound NoSuchVersion RoleNotExist",
    500: "InternalError",
    503: "ServiceUnavailable SystemBusy",
}
_STATUSES: Final = {code: status for status, codes in _CODES.items() for code in codes.split()}
Headers = tuple[tuple[str, str], ...]


def _new_request_id() -> str:
    return str(uuid4()).upper()


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response to be sent, and whether it is late or its connection dropped."""

    status: int
    body: bytes
    code: str = ""
    content_type: str = "application/json;charset=utf-8"
    headers: Headers = ()
    delay: float = 0.0
    drop: Literal["before", "within", "after"] | None = None
    request_id: str = field(default_factory=_new_request_id)


class ApiError(Exception):
    """A refusal. Message and status are the usual ones of the code, if they are not given."""

    def __init__(
        self, code: str, message: str | None = None, *, status: int | None = None, headers: Headers = ()
    ) -> None:
        self.code, self.message = code, message or f"The request was refused: {code}."
        self.status, self.headers = status or _STATUSES[code], headers
        super().__init__(code)


def refusal(error: ApiError, *, host: str) -> ApiResponse:
    """The response to a refused request. With status 200 it comes inside a good response."""
    request_id = _new_request_id()
    document = {
        "RequestId": request_id,
        **({"Success": False} if error.status == OK else {}),
        "HostId": host,
        "Code": error.code,
        "Message": error.message,
        "Recommend": f"https://next.api.aliyun.com/troubleshoot?q={error.code}",
    }
    body = encode(document)
    return ApiResponse(error.status, body, error.code, headers=error.headers, request_id=request_id)


def page(clients: Iterable[bytes], *, number: int, size: int, total: int) -> ApiResponse:
    """One page of the list."""
    return _success(b'"Clients":[%b]' % b",".join(clients), PageNumber=number, PageSize=size, TotalCount=total)


def regions(names: Iterable[str]) -> ApiResponse:
    """The response of DescribeRegions: a wrapped list, as its page shows it."""
    listed = [{"LocalName": f"Region {name}", "RegionId": name} for name in names]
    return _success(b'"Regions":%b' % encode({"Region": listed}))


def _success(last: bytes, **document: Any) -> ApiResponse:
    request_id = _new_request_id()
    envelope = {"RequestId": request_id, "Success": True, "Code": "200", "Message": "successful", **document}
    return ApiResponse(OK, b"%b,%b}" % (encode(envelope)[:-1], last), "200", request_id=request_id)


@dataclass(frozen=True, slots=True)
class FaultContext:
    """What a fault works with: the service's own response (made when called), host, time, and the fault's number."""

    answer: Callable[[], ApiResponse]
    host: str
    time: float
    number: float | None = None


Fault = Callable[[FaultContext], ApiResponse]


def _code(code: str, message: str | None = None, status: int | None = None) -> Fault:
    return lambda context: refusal(ApiError(code, message, status=status), host=context.host)


def _throttle(retry_headers: Callable[[FaultContext, float], Headers]) -> Fault:
    def throttle(context: FaultContext) -> ApiResponse:
        headers = () if context.number is None else retry_headers(context, context.number)
        return refusal(ApiError("Throttling.User", headers=headers), host=context.host)

    return throttle


def _html(status: int, title: bytes, *headers: tuple[str, str]) -> Fault:
    body = b"<html><head><title>%b</title></head><body><h1>%b</h1></body></html>\n" % (title, title) if title else b""
    return lambda _: ApiResponse(status, body, content_type="text/html; charset=utf-8", headers=headers)


def _xml(context: FaultContext) -> ApiResponse:
    error = json.loads(_code("BadRequest")(context).body)
    items = "".join(f"<{name}>{error[name]}</{name}>" for name in ("RequestId", "Code", "Message"))
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error>{items}</Error>".encode()
    return ApiResponse(400, body, "BadRequest", "text/xml;charset=utf-8", request_id=error["RequestId"])


def _half_json(context: FaultContext) -> ApiResponse:
    response = context.answer()
    return replace(response, body=response.body[: len(response.body) // 2])


def _edited(**fields: Any) -> Fault:
    """The service's page with fields set, or, where `...`, left out."""

    def edit(context: FaultContext) -> ApiResponse:
        response = context.answer()
        if response.status != OK:
            return response
        document = {**json.loads(response.body), **fields}
        kept = {name: value for name, value in document.items() if value is not ...}
        return replace(response, body=encode(kept), code=str(kept.get("Code", "")))

    return edit


_NAMED: Final[Mapping[str, Fault]] = {
    "none": lambda context: context.answer(),
    "throttle": _throttle(lambda _, number: (("x-acs-retry-after", f"{number:.0f}"),)),
    "throttle_seconds": _throttle(lambda _, number: (("retry-after", f"{number:.0f}"),)),
    "throttle_date": _throttle(lambda c, number: (("retry-after", formatdate(c.time + number, usegmt=True)),)),
    "unavailable_html": _html(503, b"503 Service Temporarily Unavailable"),
    "html": _html(OK, b"Welcome to the network"),
    "redirect": _html(302, b"", ("location", "http://login.invalid/portal")),
    "xml": _xml,
    "empty": lambda _: ApiResponse(OK, b""),
    "half_json": _half_json,
    "drop": lambda _: ApiResponse(0, b"", drop="before"),
    "drop_body": lambda context: replace(context.answer(), drop="within"),
    "drop_after": lambda context: replace(context.answer(), drop="after"),
    "slow": lambda context: replace(context.answer(), delay=1.0 if context.number is None else context.number),
    "refused": _edited(Success=False, Code="InternalError", Message="The task failed.", Clients=..., TotalCount=...),
    "wrong_clients": _edited(Clients=5),
    "no_total": _edited(TotalCount=...),
    "no_page": _edited(Clients=[]),
}
FAULTS: Final[Mapping[str, Fault]] = {**_NAMED, **{code: _code(code) for code in _STATUSES}}
BUSY: Final = (
    "400 9990040003 Throttling.Resource: the resource is under flow control",
    "400 throttling.user Request was denied.",
    "400 SystemBusy The system is busy, try again later.",
    "503 serviceunavailable",
    "200 InternalError The task failed.",
)
"""Refusals that pass by themselves, as other tools' users reported them."""
MIXED: Final = (
    *("throttle", "throttle:50", "throttle_seconds:1", "InternalError", "ServiceUnavailable", "unavailable_html"),
    *("empty", "half_json", "drop", "drop_body", "drop_after", "slow:0.05", "wrong_clients", "no_total"),
    *("SignatureNonceUsed", *BUSY),
)
"""Faults that pass by themselves: `fault_rate` draws from them by default."""
_ANY_REFUSAL: Final = re.compile(r"(?P<status>[2-5]\d\d) (?P<code>\S+)(?: (?P<message>.+))?")
T = TypeVar("T", bound=Iterable[str])


def apply_fault(fault: str, context: FaultContext) -> ApiResponse:
    """The response under a fault."""
    spoil, number = _parse_fault(fault)
    return spoil(replace(context, number=number))


def check_faults(faults: T) -> T:
    """Return the faults as they are; raise `ValueError` on one that is not known."""
    for fault in faults:
        try:
            _parse_fault(fault)
        except (KeyError, ValueError, TypeError, AttributeError):
            names = ", ".join(_NAMED)
            msg = f"no such fault: {fault!r}; one of {names}, a code such as ServiceNotActivated, or '400 Code message'"
            raise ValueError(msg) from None
    return faults


def _parse_fault(fault: str) -> tuple[Fault, float | None]:
    if found := _ANY_REFUSAL.fullmatch(fault):
        return _code(found["code"], found["message"], int(found["status"])), None
    name, _, number = fault.partition(":")
    return FAULTS[name], float(number) if number else None
