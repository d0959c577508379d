"""Signature version ACS3-HMAC-SHA256, stage by stage, for the client and for the emulator.

    Request → canonical request → string to sign → signature → Authorization

Pure: the date, the nonce and the keys come from outside. Source: Alibaba Cloud, "V3 request structure
and signature"; its published vector and the official SDK's captured requests are in the tests.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final
from urllib.parse import quote

ALGORITHM: Final = "ACS3-HMAC-SHA256"
DATE_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Credentials:
    """One consistent set of credentials. Its repr shows none of the secrets."""

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """A request before or after signing: names and values decoded, the body as sent."""

    headers: Mapping[str, str]
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    method: str = "POST"
    path: str = "/"


@dataclass(frozen=True, slots=True)
class Authorization:
    """The three parts of an Authorization header."""

    access_key_id: str
    signed_headers: tuple[str, ...]
    signature: str

    def __str__(self) -> str:
        """The header's value, spaced exactly as the service parses it."""
        names = ";".join(self.signed_headers)
        return f"{ALGORITHM} Credential={self.access_key_id},SignedHeaders={names},Signature={self.signature}"


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """`a=1&b=x%20y`: sorted by name, RFC 3986 encoded once (space %20, * %2A, ~ bare)."""
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(pairs))


def signed_names(headers: Iterable[str]) -> tuple[str, ...]:
    """The headers a signature covers: host, content-type and every x-acs-*.

    Not user-agent and accept, which the SDK signs too: a proxy that rewrites them would break it.
    """
    names = sorted(name.lower() for name in headers)
    return tuple(n for n in names if n in {"host", "content-type"} or n.startswith("x-acs-"))


def canonical_request(request: Request, names: Iterable[str]) -> str:
    r"""Six parts, a line each: method, path, query, `name:value\n`…, `name;name`, hash of the body."""
    values = {name.lower(): value.strip() for name, value in request.headers.items()}
    names = tuple(names)
    lines = "".join(f"{name}:{values[name]}\n" for name in names)
    return "\n".join(
        (request.method, request.path, canonical_query(request.query), lines, ";".join(names), body_hash(request.body))
    )


def body_hash(body: bytes) -> str:
    """Lower-case hex SHA-256; also the value of x-acs-content-sha256."""
    return sha256(body).hexdigest()


def string_to_sign(canonical: str) -> str:
    """The algorithm's name and the canonical request's hash, on two lines."""
    return f"{ALGORITHM}\n{body_hash(canonical.encode())}"


def signature(secret: str, text: str) -> str:
    """Lower-case hex HMAC-SHA256 of the string to sign under the raw secret."""
    return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()


def sign(request: Request, keys: Credentials, *, date: str, nonce: str) -> dict[str, str]:
    """All headers of the signed request. `date` as `DATE_FORMAT` in UTC, `nonce` never used before."""
    headers = {
        **request.headers,
        "x-acs-date": date,
        "x-acs-signature-nonce": nonce,
        "x-acs-content-sha256": body_hash(request.body),
    }
    if keys.security_token:
        headers["x-acs-accesskey-id"] = keys.access_key_id
        headers["x-acs-security-token"] = keys.security_token
    names = signed_names(headers)
    signed = _signature_of(replace(request, headers=headers), names, keys.access_key_secret)
    return {**headers, "Authorization": str(Authorization(keys.access_key_id, names, signed))}


def parse_authorization(value: str) -> Authorization | None:
    """Read an Authorization header; None if it is not one of this algorithm."""
    algorithm, _, rest = value.partition(" ")
    parts = dict(part.partition("=")[::2] for part in rest.split(","))
    if algorithm != ALGORITHM or set(parts) != {"Credential", "SignedHeaders", "Signature"}:
        return None
    names = tuple(parts["SignedHeaders"].split(";"))
    return Authorization(parts["Credential"], names, parts["Signature"])


def verify(request: Request, authorization: Authorization, secret: str) -> bool:
    """Whether the request was signed with this secret. Headers that must be signed and are not fail."""
    present = {name.lower() for name in request.headers}
    names = authorization.signed_headers
    if not present.issuperset(names) or not set(names).issuperset(signed_names(request.headers)):
        return False
    return hmac.compare_digest(_signature_of(request, names, secret), authorization.signature)


def _signature_of(request: Request, names: Iterable[str], secret: str) -> str:
    return signature(secret, string_to_sign(canonical_request(request, names)))


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")
