"""Whether a request may pass: action, version, key, token, limits, date, signature, nonce, permission, in this order.

The service's half of `protocol.signing`. Raises `ApiError` with the service's code. A request is let in once: nonces
are remembered for as long as a replay's date would be accepted.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from pulumi_hbr_clients.emulator.backend import Account, Backend
from pulumi_hbr_clients.emulator.responses import ApiError
from pulumi_hbr_clients.protocol.codec import ACTION, REGIONS_ACTION, VERSION
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

MAX_SKEW: Final = 15 * 60
"""Seconds a request's date may be off (V3 request structure and signature)."""
_REQUIRED: Final = ("host", "x-acs-signature-nonce", "x-acs-content-sha256")


def authenticate(backend: Backend, request: Request) -> str:
    """Return the action that the request may do, or raise `ApiError`."""
    headers = request.headers
    action = headers.get("x-acs-action", "")
    if action not in {ACTION, REGIONS_ACTION}:
        raise ApiError("InvalidAction.NotFound")
    if headers.get("x-acs-version") != VERSION:
        raise ApiError("NoSuchVersion")
    if missing := [name for name in _REQUIRED if not headers.get(name)]:
        raise ApiError("IncompleteSignature", f"These headers are missing: {', '.join(missing)}.")
    authorization = parse_authorization(headers.get("authorization", ""))
    if authorization is None:
        raise ApiError("IncompleteSignature")
    account = _account(backend, authorization, headers)
    backend.limiter.take(backend, backend.clock())
    expires = _date(backend, headers.get("x-acs-date", "")) + MAX_SKEW
    _check_signature(request, authorization, account)
    nonces, nonce = backend.nonces, headers["x-acs-signature-nonce"]
    if nonce in nonces:
        raise ApiError("SignatureNonceUsed")
    nonces[nonce] = expires
    while nonces[oldest := next(iter(nonces))] < backend.service_time():
        del nonces[oldest]
    if action in backend.denied:
        raise ApiError("NoPermission")
    return action


def _account(backend: Backend, authorization: Authorization, headers: Mapping[str, str]) -> Account:
    account = backend.accounts.get(authorization.access_key_id)
    if account is None:
        raise ApiError("InvalidAccessKeyId.NotFound")
    token = headers.get("x-acs-security-token")
    if account.credentials.security_token and not token:
        raise ApiError("MissingSecurityToken")
    if token != account.credentials.security_token:
        raise ApiError("InvalidSecurityToken.MismatchWithAccessKey")
    if account.expires is not None and account.expires <= backend.service_time():
        raise ApiError("InvalidSecurityToken.Expired")
    return account


def _date(backend: Backend, text: str) -> float:
    try:
        date = datetime.strptime(text, DATE_FORMAT).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ApiError("IllegalTimestamp") from None
    if abs(date - backend.service_time()) > MAX_SKEW:
        raise ApiError("InvalidTimeStamp.Expired")
    return date


def _check_signature(request: Request, authorization: Authorization, account: Account) -> None:
    if request.headers["x-acs-content-sha256"] != body_hash(request.body):
        raise ApiError("SignatureDoesNotMatch", "x-acs-content-sha256 is not the hash of the body.")
    if verify(request, authorization, account.credentials.access_key_secret):
        return
    # The service echoes what it signed, a security token included: clients must not print this.
    canonical = canonical_request(request, [n for n in authorization.signed_headers if n in request.headers])
    raise ApiError(
        "SignatureDoesNotMatch",
        "Specified signature is not matched with our calculation. "
        f"server string to sign is: {string_to_sign(canonical)} server canonical request is: {canonical}",
    )
