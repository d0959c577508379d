"""Who may pass: rate, action and version, key, token, date, signature, nonce, in this order.

The service's half of `core.signing`. Raises `Refusal` with the service's code. A request is let in once:
nonces are remembered for as long as a replay's date would still be good.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pulumi_hbr_clients.core.signing import (
    DATE_FORMAT,
    Authorization,
    Request,
    body_hash,
    canonical_request,
    parse_authorization,
    string_to_sign,
    verify,
)
from pulumi_hbr_clients.core.wire import ACTION, VERSION
from pulumi_hbr_clients.emulator.answers import Refusal
from pulumi_hbr_clients.emulator.world import Account, World

WINDOW: Final = 15 * 60
"""Seconds a request's date may be off (V3 request structure and signature)."""
_REQUIRED: Final = ("host", "x-acs-signature-nonce", "x-acs-content-sha256")


@dataclass(slots=True)
class Gateway:
    """The state of one door: what it has let in."""

    world: World
    nonces: dict[str, float] = field(default_factory=dict)
    tokens: float = float("inf")
    refilled: float = 0.0

    def admit(self, request: Request) -> None:
        """Let the request in, or raise `Refusal`."""
        self._take_token()
        _check_action(request.headers)
        authorization = _authorization(request.headers)
        account = self._account(authorization, request.headers)
        expires = self._date(request.headers.get("x-acs-date", "")) + WINDOW
        _check_signature(request, authorization, account)
        self._use_nonce(request.headers["x-acs-signature-nonce"], expires)

    def _take_token(self) -> None:
        """A bucket of `rate` tokens that refills in a second."""
        rate, now = self.world.rate, self.world.clock()
        if rate is None:
            self.tokens = float("inf")
            return
        burst = max(1.0, rate)
        self.tokens = min(burst, self.tokens + (now - self.refilled) * rate)
        self.refilled = now
        if self.tokens < 1:
            raise Refusal("Throttling.User")
        self.tokens -= 1

    def _account(self, authorization: Authorization, headers: Mapping[str, str]) -> Account:
        account = self.world.accounts.get(authorization.access_key_id)
        if account is None:
            raise Refusal("InvalidAccessKeyId.NotFound")
        token = headers.get("x-acs-security-token")
        if account.keys.security_token and not token:
            raise Refusal("MissingSecurityToken")
        if token != account.keys.security_token:
            raise Refusal("InvalidSecurityToken.MismatchWithAccessKey")
        if account.expires is not None and account.expires <= self.world.service_time():
            raise Refusal("InvalidSecurityToken.Expired")
        return account

    def _date(self, text: str) -> float:
        try:
            date = datetime.strptime(text, DATE_FORMAT).replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise Refusal("IllegalTimestamp") from None
        if abs(date - self.world.service_time()) > WINDOW:
            raise Refusal("InvalidTimeStamp.Expired")
        return date

    def _use_nonce(self, nonce: str, expires: float) -> None:
        if nonce in self.nonces:
            raise Refusal("SignatureNonceUsed")
        self.nonces[nonce] = expires
        now = self.world.service_time()
        while self.nonces and self.nonces[oldest := next(iter(self.nonces))] < now:
            del self.nonces[oldest]


def _check_action(headers: Mapping[str, str]) -> None:
    if headers.get("x-acs-action") != ACTION:
        raise Refusal("InvalidAction.NotFound")
    if headers.get("x-acs-version") != VERSION:
        raise Refusal("NoSuchVersion")


def _authorization(headers: Mapping[str, str]) -> Authorization:
    if missing := [name for name in _REQUIRED if not headers.get(name)]:
        raise Refusal("IncompleteSignature", f"These headers are missing: {', '.join(missing)}.")
    authorization = parse_authorization(headers.get("authorization", ""))
    if authorization is None:
        raise Refusal("IncompleteSignature")
    return authorization


def _check_signature(request: Request, authorization: Authorization, account: Account) -> None:
    if request.headers["x-acs-content-sha256"] != body_hash(request.body):
        raise Refusal("SignatureDoesNotMatch", "x-acs-content-sha256 is not the hash of the body.")
    if not verify(request, authorization, account.keys.access_key_secret):
        raise Refusal("SignatureDoesNotMatch", _calculation(request, authorization))


def _calculation(request: Request, authorization: Authorization) -> str:
    """The service echoes what it signed, a security token included: clients must not print this."""
    names = [name for name in authorization.signed_headers if name in request.headers]
    canonical = canonical_request(request, names)
    return (
        "Specified signature is not matched with our calculation. "
        f"server string to sign is: {string_to_sign(canonical)} "
        f"server canonical request is: {canonical}"
    )
