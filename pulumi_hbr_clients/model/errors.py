"""Every exception of the package: catch `HbrError` for all of them, or one class for one cause.

What a retry loop needs to know stands on the error (`retry`, `retry_after`); the loop only reads it.
No text here ever holds a key, a token, a signature or a proxy password.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pulumi_hbr_clients.activation.evaluation import Verdict
    from pulumi_hbr_clients.model.outputs import ClientList

SUGGESTION_PREFIX: Final = "; did you mean "
"""Starts the suggestion at the end of a reason: what follows repeats the given value, so it is cut for secrets."""
REDACTED: Final = "[secret]"
"""Shown instead of a secret value, as the engine does."""


class Retry(StrEnum):
    """What may be done after an error. A query only reads, so repeating it is always safe."""

    NEVER = "never"
    BACK_OFF = "back off"
    ONE_MORE = "once, after a delay"
    SLOW_DOWN = "slow down"
    NEW_NONCE = "once, with a new nonce"
    SET_CLOCK = "once, after correcting the clock"
    NEW_KEYS = "once, after refreshing the credentials"


ONCE: Final = frozenset({Retry.ONE_MORE, Retry.NEW_NONCE, Retry.SET_CLOCK, Retry.NEW_KEYS})


class HbrError(Exception):
    """The root of the tree."""

    retry: Retry = Retry.NEVER
    retry_after: float | None = None
    """Seconds to wait, where the service named a time."""
    server_time: float | None = None
    """The service's clock in its answer, in UNIX seconds."""


@dataclass(frozen=True, slots=True)
class ValidationIssue:
    """One thing wrong with an argument: its path (`tags[2].key`), what was given, what is allowed."""

    path: str
    reason: str
    given: str = ""

    def __str__(self) -> str:
        """One line, the argument first."""
        return f"{self.path}: {self.detail}"

    @property
    def detail(self) -> str:
        """The reason and what was given, without the argument."""
        return f"{self.reason} (given: {self.given})" if self.given else self.reason

    @property
    def argument(self) -> str:
        """`tags[2].key` → `tags`."""
        return re.split(r"[.\[]", self.path)[0]

    def redacted(self) -> "ValidationIssue":
        """The same of a value that is secret: the rule, without the value and without what it resembles."""
        return ValidationIssue(self.path, self.reason.partition(SUGGESTION_PREFIX)[0], REDACTED if self.given else "")


class InputError(HbrError):
    """Bad input: every fault at once. Nothing was sent."""

    def __init__(self, *faults: ValidationIssue) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))

    def without(self, secret: Collection[str]) -> "InputError":
        """The same error with the values of these arguments redacted."""
        return InputError(*(fault.redacted() if fault.argument in secret else fault for fault in self.faults))


class CredentialsError(HbrError):
    """No usable credentials, or the source of them failed."""


class ServiceError(HbrError):
    """The service refused. Has its code and message, and what to do about the usual refusals."""

    def __init__(self, code: str, message: str, *, http_status: int, request_id: str | None = None) -> None:
        self.code, self.message = code, message
        self.http_status, self.request_id = http_status, request_id
        # the first part that occurs in the code wins, so the longer names stand first
        self.advice = next((text for part, text in _ADVICE.items() if part in code), None)
        self.retry = retry_for(code, http_status, message)
        text = f"{code}: {message} (HTTP {http_status}" + (f", request {request_id})" if request_id else ")")
        super().__init__(f"{text}. {self.advice}" if self.advice else text)


class ThrottledError(ServiceError):
    """The service asked for fewer requests."""


class TransportError(HbrError):
    """No response: the connection was refused, reset or cut off, or timed out."""

    retry = Retry.BACK_OFF


class DeadlineError(TransportError):
    """The time for the whole query ran out. Its cause is the last error seen."""

    retry = Retry.NEVER


class InvalidResponseError(HbrError):
    """A response that this API does not give: not JSON, or of the wrong shape."""

    retry = Retry.BACK_OFF


class IncompleteListError(HbrError):
    """The list could not be completed: passes over its pages kept returning different clients.

    `found` is the incomplete `ClientList`. `allow_incomplete=True` returns it instead of raising.
    """

    def __init__(self, text: str, found: "ClientList") -> None:
        super().__init__(text)
        self.found = found


class GateError(HbrError):
    """A gate did not pass. `verdict` is the last poll's, if there was one."""

    def __init__(self, text: str, verdict: "Verdict | None" = None) -> None:
        super().__init__(text)
        self.verdict = verdict


class GateFailedError(GateError):
    """Clients are in a status that they will not leave by themselves."""


class GateTimeoutError(GateError):
    """The timeout passed before every client was activated."""


def retry_for(code: str, http_status: int, message: str = "") -> Retry:
    """Return what a refusal allows.

    The service says "slow down" and "not now" in the code or in the message, in many spellings: Throttling.User,
    throttling.user, Rejected.Throttling, 9990040003 with the message "Throttling.Resource …", SystemBusy,
    ServiceUnavailable, or code 500 inside a response with HTTP status 200. A code that refuses the request itself is
    final, whatever its message says, and so is 407: every try with a wrong proxy password brings an account nearer to
    its lock. Sources: docs/service.md.
    """
    if code in _ONCE_CODES:
        return _ONCE_CODES[code]
    if http_status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return Retry.NEVER
    texts = code if _FINAL.match(code) else f"{code} {message}"
    if _THROTTLED.search(texts) or "429" in {code, str(http_status)}:
        return Retry.SLOW_DOWN
    is_not_now = http_status >= HTTPStatus.INTERNAL_SERVER_ERROR or http_status == HTTPStatus.REQUEST_TIMEOUT
    if is_not_now or _NOT_NOW.search(texts):
        return Retry.BACK_OFF
    return Retry.NEVER


def service_error(code: str, message: str, **facts: Any) -> ServiceError:
    """Give the error of the right class for a refusal."""
    error = ServiceError(code, message, **facts)
    return ThrottledError(code, message, **facts) if error.retry is Retry.SLOW_DOWN else error


_THROTTLED: Final = re.compile(r"throttl|flow.?control|too.?many.?requests", re.IGNORECASE)
_NOT_NOW: Final = re.compile(
    r"busy\b|unavailable|internal.?(server.?)?error|server.?error|time(d.?)?.?out|try again later"
    r"|^(code: )?(5\d\d|408)\b",
    re.IGNORECASE,
)
_FINAL: Final = re.compile(r"Forbidden|NoPermission|Invalid|Missing|Illegal|Incomplete|Signature", re.IGNORECASE)
_ONCE_CODES: Final = {
    "SignatureNonceUsed": Retry.NEW_NONCE,
    "InvalidTimeStamp.Expired": Retry.SET_CLOCK,
    "InvalidSecurityToken.Expired": Retry.NEW_KEYS,
}

_PERMISSION: Final = (
    "Allow the RAM action hbr:DescribeBackupClients (resource *) for this user or role; "
    "`hbr-clients doctor` shows who signs"
)
_ADVICE: Final = {
    "AssumeRoleFail": "Check cross_account_role_name and that its trust policy lets this account in",
    "RoleNotExist": "Check cross_account_role_name: no role of that name in the source account",
    "ServiceNotActivated": "Activate Cloud Backup for this account first (OpenHbrService)",
    "InDebt": "The account is overdue: settle the bill",
    "NoPermission": _PERMISSION,
    "Forbidden": _PERMISSION,
    "InvalidAccessKeyId": "The access key is unknown or inactive; `hbr-clients doctor` shows its source",
    "SignatureDoesNotMatch": "The secret does not belong to this access key",
    "IncompleteSignature": "The secret does not belong to this access key",
    "InvalidSecurityToken": "The security token does not belong to this key or has expired: renew it",
    "MissingSecurityToken": "These are temporary credentials: set the security token too",
    "InvalidTimeStamp": "This machine's clock is more than 15 minutes off: set it",
    "Throttling": "Other callers share this account's limit; ask for fewer, larger queries",
    "NoSuchVersion": "The endpoint is not one of Cloud Backup (HBR): check `endpoint`",
    "InvalidAction": "The endpoint is not one of Cloud Backup (HBR): check `endpoint`",
}
