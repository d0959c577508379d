"""What the service says: a page, or a refusal with its code, as bytes to be sent.

Codes and statuses: reference/hbr-api.md, sections 1.3, 2.1 and 2.2 (HBR's own table and the gateway's).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import uuid4

from pulumi_hbr_clients.emulator.fake_client import encode, other_type

JSON: Final = "application/json;charset=utf-8"

ERRORS: Final[Mapping[str, tuple[int, str]]] = {
    "AccountNotEnableRdTrustedService": (400, "The trusted service is not enabled."),
    "AssumeRoleFail": (403, "The role of the source account cannot be assumed."),
    "BadRequest": (400, "The request is not valid."),
    "BackupAccountNotInSpecifiedRd": (403, "The account is not in the resource directory."),
    "Forbidden.RAM": (403, "The user is not authorized to operate on the specified resource."),
    "IllegalTimestamp": (400, "The date is missing, or it is not of the form yyyy-MM-ddTHH:mm:ssZ."),
    "InDebt": (403, "The account has an overdue payment."),
    "InDebtOverdue": (403, "The account has an overdue payment, and the service is suspended."),
    "IncompleteSignature": (400, "The request signature does not conform to the standards."),
    "InternalError": (500, "The request failed because of an unknown error."),
    "InvalidAccessKeyId.Inactive": (403, "The access key is disabled."),
    "InvalidAccessKeyId.NotFound": (404, "Specified access key is not found."),
    "InvalidAction.NotFound": (404, "Specified api is not found, please check your url and method."),
    "InvalidParameter": (400, "A parameter is not valid."),
    "InvalidSecurityToken.Expired": (400, "Specified SecurityToken is expired."),
    "InvalidSecurityToken.Malformed": (400, "Specified SecurityToken is malformed."),
    "InvalidSecurityToken.MismatchWithAccessKey": (
        400,
        "Specified SecurityToken does not belong to the access key.",
    ),
    "InvalidTimeStamp.Expired": (400, "Specified time stamp or date value is expired."),
    "MissingClientType": (400, "ClientType is mandatory for this action."),
    "MissingSecurityToken": (400, "SecurityToken is mandatory for this access key."),
    "NoPermission": (403, "You are not authorized to do this action."),
    "NoSuchVersion": (404, "Specified version does not exist."),
    "RiskControlProhibited": (403, "The account is under risk control."),
    "RoleNotExist": (404, "The role does not exist."),
    "ServiceNotActivated": (403, "The service is not activated."),
    "ServiceUnavailable": (503, "The request failed because the server is not available for now."),
    "SignatureDoesNotMatch": (403, "Specified signature is not matched with our calculation."),
    "SignatureNonceUsed": (400, "The request signature nonce has been used."),
    "SystemBusy": (503, "The system is busy."),
    "Throttling": (400, "Request was denied due to request throttling."),
    "Throttling.Api": (400, "Request was denied due to api flow control."),
    "Throttling.User": (400, "Request was denied due to user flow control."),
}


def new_request_id() -> str:
    """An id in the service's form."""
    return str(uuid4()).upper()


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An answer to be sent, and what shall go wrong on its way."""

    status: int
    body: bytes
    code: str = ""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    drop: Literal["before", "within", "after"] | None = None
    request_id: str = field(default_factory=new_request_id)


class ApiError(Exception):
    """The service says no."""

    def __init__(self, code: str, message: str | None = None) -> None:
        self.code, self.message = code, message
        super().__init__(code)


def refuse(code: str, host: str, message: str | None = None, *, retry_after: float | None = None) -> ApiResponse:
    """The answer to a refused request. `retry_after` is in milliseconds, as its header."""
    status, usual = ERRORS[code]
    request_id = new_request_id()
    body = {
        "RequestId": request_id,
        "HostId": host,
        "Code": code,
        "Message": message or usual,
        "Recommend": f"https://next.api.aliyun.com/troubleshoot?q={code}&product=hbr",
        **({"AccessDeniedDetail": _DENIED} if code in {"NoPermission", "Forbidden.RAM"} else {}),
    }
    headers = () if retry_after is None else (("x-acs-retry-after", f"{retry_after:.0f}"),)
    return ApiResponse(status, encode(body).encode(), code, headers=headers, request_id=request_id)


_DENIED: Final = {
    "AuthAction": "hbr:DescribeBackupClients",
    "AuthPrincipalDisplayName": "emulated-user",
    "AuthPrincipalOwnerId": "100000000000000",
    "AuthPrincipalType": "SubUser",
    "NoPermissionType": "ImplicitDeny",
    "PolicyType": "AccountLevelIdentityBasedPolicy",
}


def page_reply(clients: Iterable[bytes], *, number: int, size: int, total: int, variety: frozenset[str]) -> ApiResponse:
    """One page of the list, in the document's form or a variety of it."""
    request_id = new_request_id()
    envelope: dict[str, Any] = {
        "RequestId": request_id,
        "Success": True,
        "Code": "200",
        "Message": "successful",
        "PageNumber": number,
        "PageSize": size,
        "TotalCount": total,
    }
    if "strings" in variety:
        envelope = {name: other_type(value) for name, value in envelope.items()}
    rows = b"[%b]" % b",".join(clients)
    if "wrapped" in variety:
        rows = b'{"Client":%b}' % rows
    body = b'%b,"Clients":%b}' % (encode(envelope)[:-1].encode(), rows)
    return ApiResponse(200, body, "200", request_id=request_id)
