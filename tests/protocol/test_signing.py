"""Signatures against the published vector and the official SDK's captured requests, stage by stage."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from pulumi_hbr_clients.protocol import signing
from pulumi_hbr_clients.protocol.signing import Credentials, Request

SAMPLES = json.loads((Path(__file__).parents[1] / "data" / "wire-samples.json").read_text())
VECTOR = SAMPLES["official_vector"]
SECRET = SAMPLES["meta"]["access_key_secret"]
SIGNED = [s for s in SAMPLES["samples"] if (s.get("independent_signature") or {}).get("matches_sdk")]
MINIMAL = SAMPLES["derived_minimal_headers"]


def named(samples: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sample", samples, ids=[s["name"] for s in samples])


def captured(sample: dict[str, Any]) -> Request:
    query = parse_qsl(urlsplit(sample["url"]).query, keep_blank_values=True)
    return Request(dict(sample["headers"]), tuple(query), sample["body"].encode(), sample["method"])


def test_published_vector() -> None:
    """The vendor's own example: hash of the canonical request, then the signature."""
    request = Request(VECTOR["headers"], tuple(parse_qsl(VECTOR["canonical_query"])))
    canonical = signing.canonical_request(request, signing.signed_names(request.headers))
    text = signing.string_to_sign(canonical)
    assert signing.body_hash(canonical.encode()) == VECTOR["hashed_canonical_request"]
    assert signing.signature(VECTOR["access_key_secret"], text) == VECTOR["signature"]


@named(SIGNED)
def test_captured_request(sample: dict[str, Any]) -> None:
    """Each stage equals what the official SDK signed, over the headers that it chose."""
    expected = sample["independent_signature"]
    request = captured(sample)
    canonical = signing.canonical_request(request, expected["signed_headers"].split(";"))
    text = signing.string_to_sign(canonical)
    assert signing.canonical_query(request.query) == expected["canonical_query"]
    assert canonical == expected["canonical_request"]
    assert text == expected["string_to_sign"]
    assert signing.signature(SECRET, text) == expected["signature"]


@named(MINIMAL)
def test_our_headers(sample: dict[str, Any]) -> None:
    """What we sign ourselves: host, content-type and x-acs-*."""
    names = signing.signed_names(sample["headers"])
    query = tuple(parse_qsl(sample["canonical_query"], keep_blank_values=True))
    canonical = signing.canonical_request(Request(sample["headers"], query, sample["body"].encode()), names)
    assert ";".join(names) == sample["signed_headers"]
    assert canonical == sample["canonical_request"]
    assert signing.signature(SECRET, signing.string_to_sign(canonical)) == sample["signature"]


def test_sign_then_verify() -> None:
    """What `sign` makes, `verify` accepts, with all that it signed; a token is signed too, and whose it is."""
    keys = Credentials("FAKE-AK", "FAKE-SECRET", "FAKE-TOKEN")
    unsigned = Request({"host": "h", "accept": "a"}, (("A", "b c*~"),), b"x=1")
    headers = signing.sign(unsigned, keys, date="2024-11-06T10:20:30Z", nonce="n")
    authorization = signing.parse_authorization(headers["Authorization"])
    assert authorization is not None
    assert "x-acs-security-token" in authorization.signed_headers
    assert "accept" not in authorization.signed_headers
    signed = Request(headers, unsigned.query, unsigned.body)
    assert signing.verify(signed, authorization, "FAKE-SECRET")
    assert headers["x-acs-accesskey-id"] == "FAKE-AK"
    without = {name: value for name, value in headers.items() if name != "x-acs-security-token"}
    assert not signing.verify(replace(signed, headers=without), authorization, "FAKE-SECRET")


def test_secrets_stay_out_of_repr() -> None:
    """Keys show neither secret nor token."""
    text = repr(Credentials("FAKE-AK", "FAKE-SECRET", "FAKE-TOKEN"))
    assert "FAKE-SECRET" not in text
    assert "FAKE-TOKEN" not in text


@pytest.mark.parametrize("value", ["", "Basic abc", "ACS3-HMAC-SHA256 Credential=a", "ACS3-HMAC-SM3 x=y"])
def test_foreign_authorization(value: str) -> None:
    """Anything else is no authorization of ours, and no crash."""
    assert signing.parse_authorization(value) is None
