"""What the service says: a page, regions, or a refusal with its code, as bytes to be sent.

Codes, statuses and the form of errors: the error tables of HBR (2017-09-08) and of the API gateway (docs/service.md).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import uuid4

from pulumi_hbr_clients.emulator.fake_client import encode, other_type

JSON: Final = "application/json;charset=utf-8"
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
ERRORS: Final = {code: status for status, codes in _CODES.items() for code in codes.split()}
"""Code → HTTP status."""
_DENIED: Final = {
    "AuthPrincipalDisplayName": "emulated-user",
    "AuthPrincipalOwnerId": "100000000000000",
    "AuthPrincipalType": "SubUser",
    "NoPermissionType": "ImplicitDeny",
    "PolicyType": "AccountLevelIdentityBasedPolicy",
}
Headers = tuple[tuple[str, str], ...]


def new_request_id() -> str:
    """An id in the service's form."""
    return str(uuid4()).upper()


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response to be sent, and what shall go wrong on its way."""

    status: int
    body: bytes
    code: str = ""
    content_type: str = JSON
    headers: Headers = ()
    delay: float = 0.0
    drop: Literal["before", "within", "after"] | None = None
    request_id: str = field(default_factory=new_request_id)


class ApiError(Exception):
    """A refusal: a code of `ERRORS`, and what it says and sends beside the usual."""

    def __init__(self, code: str, message: str | None = None, *, headers: Headers = ()) -> None:
        self.code, self.message, self.headers = code, message, headers
        super().__init__(code)


def refusal(error: ApiError, *, host: str, action: str = "DescribeBackupClients") -> ApiResponse:
    """The response to a refused request."""
    message = error.message or f"The request was refused: {error.code}."
    document: dict[str, Any] = {"HostId": host, "Recommend": f"https://next.api.aliyun.com/troubleshoot?q={error.code}"}
    if error.code in {"NoPermission", "Forbidden.RAM"}:
        document["AccessDeniedDetail"] = {"AuthAction": f"hbr:{action}", **_DENIED}
    return saying(ERRORS[error.code], error.code, message, headers=error.headers, **document)


def saying(status: int, code: str, message: str, *, headers: Headers = (), **document: Any) -> ApiResponse:
    """A response of any status that says this code and message. With status 200, a refusal inside a good response."""
    request_id = new_request_id()
    success = {"Success": False} if status == OK else {}
    body = {"RequestId": request_id, **success, "Code": code, "Message": message, **document}
    return ApiResponse(status, encode(body).encode(), code, headers=headers, request_id=request_id)


def page(clients: Iterable[bytes], *, number: int, size: int, total: int, variants: frozenset[str]) -> ApiResponse:
    """One page of the list, in the document's form or a variant of it."""
    rows = b"[%b]" % b",".join(clients)
    if "wrapped" in variants:
        rows = b'{"Client":%b}' % rows
    return _success({"PageNumber": number, "PageSize": size, "TotalCount": total}, b'"Clients":%b' % rows, variants)


def regions(names: Iterable[str]) -> ApiResponse:
    """The response of DescribeRegions: a wrapped list, as its page shows it."""
    listed = [{"LocalName": f"Region {name}", "RegionId": name} for name in names]
    return _success({}, b'"Regions":%b' % encode({"Region": listed}).encode(), frozenset())


def _success(document: Mapping[str, Any], last: bytes, variants: frozenset[str]) -> ApiResponse:
    request_id = new_request_id()
    envelope = {"RequestId": request_id, "Success": True, "Code": "200", "Message": "successful", **document}
    if "strings" in variants:
        envelope = {name: other_type(value) for name, value in envelope.items()}
    return ApiResponse(OK, b"%b,%b}" % (encode(envelope)[:-1].encode(), last), "200", request_id=request_id)
