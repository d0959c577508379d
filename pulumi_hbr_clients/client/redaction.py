"""Keeps the secrets of a request out of every text: errors of the service, of the transport, and our own."""

import json
from urllib.parse import quote, quote_plus

from pulumi_hbr_clients.protocol.signing import Credentials


def redacted(text: str, credentials: Credentials, authorization: str) -> str:
    """The text without the request's secrets, plain, quoted or escaped. Some refusals quote the signed request."""
    key_id = credentials.access_key_id
    for secret in (credentials.access_key_secret, credentials.security_token, authorization.rpartition("=")[2]):
        for form in _forms(secret or ""):
            text = text.replace(form, "***")
    for form in _forms(key_id):
        text = text.replace(form, f"***{key_id.strip()[-4:]}")
    return text


def _forms(secret: str) -> list[str]:
    """How a secret may stand in a text, longest first."""
    plain = {secret, secret.strip()}
    raw = {each.encode(errors="replace") for each in plain}
    escaped = {escape(each) for each in plain for escape in (repr, ascii, json.dumps)} | {
        repr(each)[1:] for each in raw
    }
    forms = plain | {quote(each) for each in raw} | {quote_plus(each) for each in raw} | {e[1:-1] for e in escaped}
    return sorted(filter(None, forms), key=len, reverse=True)
