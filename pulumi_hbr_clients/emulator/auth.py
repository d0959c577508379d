"""Who may pass: rate, action and version, key, token, date, signature, nonce, in this order.

The service's half of `protocol.signing`. Raises `ApiError` with the service's code. A request is let in once:
nonces are remembered for as long as a replay's date would still be good.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pulumi_hbr_clients.emulator.backend import Account, Backend
from pulumi_hbr_clients.emulator.responses import ApiError
from pulumi_hbr_clients.protocol.codec import ACTION, VERSION
from pulumi_hbr_clients.protocol.signing import (
    DATE_FORMAT,
    Authorization,
    Request,
    body_hash,
    canonical_request,
    parse_authorization,
    string_to_sign,
    verify,
)

WINDOW: Final = 15 * 60
"""Seconds a request's date may be off (V3 request structure and signature)."""
_REQUIRED: Final = ("host", "x-acs-signature-nonce", "x-acs-content-sha256")


@dataclass(slots=True)
class Gateway:
    """The state of one door: what it has let in."""

    backend: Backend
    nonces: dict[str, float] = field(default_factory=dict)
    tokens: float = float("inf")
    refilled: float = 0.0

    def admit(self, request: Request) -> None:
        """Let the request in, or raise `ApiError`."""
        self._take_token()
        _check_action(request.headers)
        authorization = _authorization(request.headers)
        account = self._account(authorization, request.headers)
        expires = self._date(request.headers.get("x-acs-date", "")) + WINDOW
        _check_signature(request, authorization, account)
        self._use_nonce(request.headers["x-acs-signature-nonce"], expires)

    def _take_token(self) -> None:
        """A bucket of `rate` tokens that refills in a second."""
        rate, now = self.backend.rate, self.backend.clock()
        if rate is None:
            self.tokens = float("inf")
            return
        burst = max(1.0, rate)
        self.tokens = min(burst, self.tokens + (now - self.refilled) * rate)
        self.refilled = now
        if self.tokens < 1:
            raise ApiError("Throttling.User")
        self.tokens -= 1

    def _account(self, authorization: Authorization, headers: Mapping[str, str]) -> Account:
        account = self.backend.accounts.get(authorization.access_key_id)
        if account is None:
            raise ApiError("InvalidAccessKeyId.NotFound")
        token = headers.get("x-acs-security-token")
        if account.keys.security_token and not token:
            raise ApiError("MissingSecurityToken")
        if token != account.keys.security_token:
            raise ApiError("InvalidSecurityToken.MismatchWithAccessKey")
        if account.expires is not None and account.expires <= self.backend.service_time():
            raise ApiError("InvalidSecurityToken.Expired")
        return account

    def _date(self, text: str) -> float:
        try:
            date = datetime.strptime(text, DATE_FORMAT).replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise ApiError("IllegalTimestamp") from None
        if abs(date - self.backend.service_time()) > WINDOW:
            raise ApiError("InvalidTimeStamp.Expired")
        return date

    def _use_nonce(self, nonce: str, expires: float) -> None:
        if nonce in self.nonces:
            raise ApiError("SignatureNonceUsed")
        self.nonces[nonce] = expires
        now = self.backend.service_time()
        while self.nonces and self.nonces[oldest := next(iter(self.nonces))] < now:
            del self.nonces[oldest]


def _check_action(headers: Mapping[str, str]) -> None:
    if headers.get("x-acs-action") != ACTION:
        raise ApiError("InvalidAction.NotFound")
    if headers.get("x-acs-version") != VERSION:
        raise ApiError("NoSuchVersion")


def _authorization(headers: Mapping[str, str]) -> Authorization:
    if missing := [name for name in _REQUIRED if not headers.get(name)]:
        raise ApiError("IncompleteSignature", f"These headers are missing: {', '.join(missing)}.")
    authorization = parse_authorization(headers.get("authorization", ""))
    if authorization is None:
        raise ApiError("IncompleteSignature")
    return authorization


def _check_signature(request: Request, authorization: Authorization, account: Account) -> None:
    if request.headers["x-acs-content-sha256"] != body_hash(request.body):
        raise ApiError("SignatureDoesNotMatch", "x-acs-content-sha256 is not the hash of the body.")
    if not verify(request, authorization, account.keys.access_key_secret):
        raise ApiError("SignatureDoesNotMatch", _calculation(request, authorization))


def _calculation(request: Request, authorization: Authorization) -> str:
    """The service echoes what it signed, a security token included: clients must not print this."""
    names = [name for name in authorization.signed_headers if name in request.headers]
    canonical = canonical_request(request, names)
    return (
        "Specified signature is not matched with our calculation. "
        f"server string to sign is: {string_to_sign(canonical)} "
        f"server canonical request is: {canonical}"
    )
