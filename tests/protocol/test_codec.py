"""The wire, both ways: every parameter in its place and form, and every kind of trouble told."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.errors import (
    HbrError,
    InvalidResponseError,
    Retry,
    ServiceError,
    ThrottledError,
)
from pulumi_hbr_clients.model.query import Query
from pulumi_hbr_clients.protocol import codec
from pulumi_hbr_clients.protocol.codec import HttpResponse, PageRequest
from pulumi_hbr_clients.protocol.decoder import Decoder, decode_page

DATA = Path(__file__).parents[1] / "data"
GOOD: dict[str, Any] = json.loads((DATA / "answer.json").read_text())
SAMPLES = json.loads((DATA / "wire-samples.json").read_text())["samples"]
# The SDK sends what we never do: empty lists, an empty tag value, a bearer token, the legacy signature.
OTHERS = {"empty_lists", "tag_value_missing_and_empty", "bearer_token", "legacy_v2_hmac_sha1"}
ALIKE = [s for s in SAMPLES if "input" in s and s["name"] not in OTHERS]


def query_of(sample: dict[str, Any]) -> Query:
    """Our arguments for what the SDK was given."""
    given = {("tags" if k == "Tag" else k[0].lower() + k[1:]): v for k, v in sample["input"].items()}
    for name in ("tags", "filters"):
        given[name] = [{k.lower(): v for k, v in row.items()} for row in given.get(name) or []]
    query = queries.parse(given)
    assert query is not None
    return query


def answer(body: Any = GOOD, status: int = 200, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def trouble(body: Any = GOOD, status: int = 200, **headers: str) -> HbrError:
    with pytest.raises(HbrError) as caught:
        decode_page(answer(body, status, **headers))
    return caught.value


@pytest.mark.parametrize("sample", ALIKE, ids=[s["name"] for s in ALIKE])
def test_same_request_as_the_sdk(sample: dict[str, Any]) -> None:
    """Place and form of every parameter are the official SDK's."""
    request = codec.encode_request(query_of(sample), PageRequest(), "hbr.cn-hangzhou.aliyuncs.com")
    sent = sorted(parse_qsl(urlsplit(sample["url"]).query, keep_blank_values=True))
    ours = sorted(request.query)
    if sample["name"] == "filters":  # we sort filters, so their numbers differ
        assert sorted(value for _, value in ours) == sorted(value for _, value in sent)
        sent = ours
    assert ours == sent
    assert request.body.decode() == sample["body"]
    headers = {name.lower(): value for name, value in sample["headers"]}
    assert {name: headers[name] for name in request.headers} == request.headers


@pytest.mark.parametrize("sample", ALIKE, ids=[s["name"] for s in ALIKE])
def test_far_end_reads_the_same_query(sample: dict[str, Any]) -> None:
    """What is encoded decodes to the same arguments."""
    query = query_of(sample)
    assert queries.parse(codec.decode_request(codec.encode_request(query, PageRequest(), "h"))) == query


def test_an_ask_overrides_paging_and_ids() -> None:
    """A page of a part of a long id list; an empty part sends no ids at all."""
    query = queries.parse({"client_type": "ECS_CLIENT", "instance_ids": ["i-1", "i-2", "i-3"]})
    assert query is not None
    part = codec.decode_request(codec.encode_request(query, PageRequest(2, 99, None, ("i-2",)), "h"))
    assert part == {
        "client_type": "ECS_CLIENT",
        "instance_ids": ["i-2"],
        "page_number": "2",
        "page_size": "99",
    }
    assert "instance_ids" not in codec.decode_request(
        codec.encode_request(query, PageRequest(1, 99, ("c-1",), ()), "h")
    )


def test_the_documents_example() -> None:
    """The one published answer becomes a page; its region is the one that was asked."""
    page = Decoder(region="cn-hangzhou").page(answer())
    assert (page.total, page.page_size, len(page.clients)) == (8, 10, 1)
    assert page.clients[0].region == "cn-hangzhou"


@pytest.mark.parametrize(
    "changes",
    [
        {"TotalCount": "8"},
        {"Success": "true", "Code": 200},
        {"Success": None, "Code": None, "Message": None},
        {"Clients": {"Client": GOOD["Clients"]}},
        {"PageSize": None, "PageNumber": "x"},
    ],
    ids=repr,
)
def test_variety(changes: dict[str, Any]) -> None:
    """Numbers as text, nulls, and the wrapped list of the sibling APIs are all understood."""
    page = decode_page(answer({**GOOD, **changes}))
    assert (page.total, [c.client_id for c in page.clients]) == (8, [GOOD["Clients"][0]["ClientId"]])


@pytest.mark.parametrize("clients", [None, [], {}, {"Client": None}], ids=repr)
def test_no_clients(clients: Any) -> None:
    """An empty list in any of its spellings."""
    assert decode_page(answer({**GOOD, "TotalCount": 0, "Clients": clients})).clients == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>hello</html>", "answered HTTP 200, but not as Describe"),
        (b"", "answered HTTP 200, but not as Describe"),
        (json.dumps(GOOD).encode()[:200], "answered HTTP 200, but not as Describe"),
        ({**GOOD, "Clients": 5}, "Clients"),
        ({**GOOD, "Clients": [5]}, "Clients"),
        ({**GOOD, "TotalCount": None}, "TotalCount is None"),
        ({**GOOD, "TotalCount": -1}, "TotalCount is -1"),
        ({**GOOD, "TotalCount": 10**12}, "expected 0 to 1,000,000"),
        ([1], "answered HTTP 200, but not as Describe"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_wrong_shape(body: Any, says: str) -> None:
    """A 200 that is no answer is an error of its own, worth another try."""
    error = trouble(body)
    assert isinstance(error, InvalidResponseError)
    assert says in str(error)
    assert error.retry is Retry.BACK_OFF


@pytest.mark.parametrize(
    ("body", "status", "code", "retry"),
    [
        ({**GOOD, "Success": False, "Code": "NoPermission"}, 200, "NoPermission", Retry.NEVER),
        ({**GOOD, "Success": False}, 200, "200", Retry.NEVER),
        ({**GOOD, "Code": "InternalError"}, 200, "InternalError", Retry.BACK_OFF),
        ({"Code": "InternalError", "Message": "m"}, 500, "InternalError", Retry.BACK_OFF),
        ({"Code": "ServiceUnavailable", "Message": "m"}, 503, "ServiceUnavailable", Retry.BACK_OFF),
        (b"<html>down</html>", 503, "HTTP 503", Retry.BACK_OFF),
        (b"", 502, "HTTP 502", Retry.BACK_OFF),
        ({"Code": "Throttling.User", "Message": "m"}, 400, "Throttling.User", Retry.SLOW_DOWN),
        ({"Code": "Rejected.Throttling", "Message": "m"}, 400, "Rejected.Throttling", Retry.SLOW_DOWN),
        (b"busy", 429, "HTTP 429", Retry.SLOW_DOWN),
        ({"Code": "SignatureNonceUsed"}, 400, "SignatureNonceUsed", Retry.NEW_NONCE),
        ({"Code": "InvalidTimeStamp.Expired"}, 400, "InvalidTimeStamp.Expired", Retry.SET_CLOCK),
        ({"Code": "InvalidSecurityToken.Expired"}, 403, "InvalidSecurityToken.Expired", Retry.NEW_KEYS),
        ({"code": "Forbidden.RAM", "message": "m"}, 403, "Forbidden.RAM", Retry.NEVER),
        ({"Code": "InvalidParameter"}, 400, "InvalidParameter", Retry.NEVER),
        (b"<Error><Code>Throttling</Code><Message>m</Message></Error>", 400, "Throttling", Retry.SLOW_DOWN),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_trouble(body: Any, status: int, code: str, retry: Retry) -> None:
    """HTTP, Success, Code or shape: each is trouble, with its code and what may be done."""
    error = trouble(body, status)
    assert isinstance(error, ServiceError)
    assert (error.code, error.http_status, error.retry) == (code, status, retry)
    assert isinstance(error, ThrottledError) is (retry is Retry.SLOW_DOWN)


def test_an_error_says_what_to_do() -> None:
    """Code, message, status, request id, and the RAM action that is missing."""
    body = {"Code": "NoPermission", "Message": "You are not allowed.", "RequestId": "R-1"}
    text = str(trouble(body, 403))
    assert text.startswith("NoPermission: You are not allowed. (HTTP 403, request R-1). Allow the RAM action")
    assert "hbr:DescribeBackupClients" in text


def test_the_request_id_may_be_a_header() -> None:
    """An answer without JSON still names its request."""
    assert "request R-2" in str(trouble(b"<html>", 503, x_acs_request_id="R-2"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_acs_retry_after": "1500"}, 1.5),
        ({"x_acs_retry_after": "soon"}, None),
        ({"x_acs_retry_after": "inf"}, 60.0),
        ({"x_acs_retry_after": "nan"}, 0.0),
        ({"retry_after": "86400"}, 60.0),
        ({"retry_after": "3"}, 3.0),
        ({"retry_after": "Fri, 01 Nov 2024 00:00:09 GMT", "date": "Fri, 01 Nov 2024 00:00:02 GMT"}, 7.0),
        ({"retry_after": "Fri, 01 Nov 2024 00:00:09 GMT"}, None),
        ({"retry_after": "tomorrow", "date": "now"}, None),
        ({}, None),
    ],
    ids=repr,
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds in the service's own header, seconds or a date in HTTP's."""
    assert trouble({"Code": "Throttling"}, 400, **headers).retry_after == seconds


def test_texts_are_redacted() -> None:
    """Refusals that quote the signed request do not carry its secrets on."""
    with pytest.raises(ServiceError) as caught:
        Decoder(redact=lambda text: text.replace("FAKE-TOKEN", "***")).page(
            answer({"Code": "SignatureDoesNotMatch", "Message": "server: token FAKE-TOKEN"}, 403)
        )
    assert "FAKE-TOKEN" not in str(caught.value) + repr(caught.value.__dict__)


def test_passwords_only_when_asked() -> None:
    """A map from client id to password, masked in its repr."""
    body = {**GOOD, "Clients": [GOOD["Clients"][0], {"ClientId": "c-2", "Settings": None}, {"ClientId": "c-3"}]}
    assert decode_page(answer(body)).passwords == {}
    found = Decoder().page(answer(body), passwords=True).passwords
    assert {key: text.get_secret_value() for key, text in found.items()} == {
        GOOD["Clients"][0]["ClientId"]: GOOD["Clients"][0]["Settings"]["ProxyPassword"]
    }
    assert "******" not in repr(found).replace("**********", "")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=9,
)
BODIES = (
    st.binary(max_size=60)
    | VALUES.map(lambda v: json.dumps(v).encode())
    | st.dictionaries(st.sampled_from(sorted(GOOD)), VALUES).map(lambda v: json.dumps({**GOOD, **v}).encode())
)


@given(BODIES, st.sampled_from([200, 204, 302, 400, 403, 404, 429, 500, 503]), st.booleans())
def test_hostile_answers(body: bytes, status: int, passwords: bool) -> None:  # noqa: FBT001  Hypothesis passes it
    """Whatever comes, the outcome is a page or one of our own errors."""
    try:
        page = Decoder().page(HttpResponse(status, {}, body), passwords=passwords)
    except HbrError as error:
        assert str(error)
    else:
        assert page.total >= 0
