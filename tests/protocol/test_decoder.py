"""Responses: every form of a page is read, and every kind of trouble is an error that says what may be done."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hbr_clients.model.errors import HbrError, InvalidResponseError, Retry, ServiceError, ThrottledError
from pulumi_hbr_clients.protocol.codec import HttpResponse
from pulumi_hbr_clients.protocol.decoder import Decoder

GOOD: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "answer.json").read_text())
ID = GOOD["Clients"][0]["ClientId"]


def answer(body: Any = GOOD, status: int = 200, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def trouble(body: Any = GOOD, status: int = 200, **headers: str) -> HbrError:
    with pytest.raises(HbrError) as caught:
        Decoder().page(answer(body, status, **headers))
    return caught.value


def test_the_documents_example() -> None:
    """The one published answer becomes a page; its region is that of the query."""
    page = Decoder(region="cn-hangzhou").page(answer())
    assert (page.total, page.page_size, len(page.clients)) == (8, 10, 1)
    assert page.clients[0].region == "cn-hangzhou"


@pytest.mark.parametrize(
    ("changes", "total", "ids"),
    [
        ({"TotalCount": "8"}, 8, [ID]),
        ({"Success": "true", "Code": 200}, 8, [ID]),
        ({"Success": None, "Code": None, "Message": None}, 8, [ID]),
        ({"Clients": {"Client": GOOD["Clients"]}}, 8, [ID]),
        ({"PageSize": None, "PageNumber": "x"}, 8, [ID]),
        ({"TotalCount": 0, "Clients": None}, 0, []),
        ({"TotalCount": 0, "Clients": []}, 0, []),
        ({"TotalCount": 0, "Clients": {}}, 0, []),
        ({"TotalCount": 0, "Clients": {"Client": None}}, 0, []),
    ],
    ids=repr,
)
def test_variety(changes: dict[str, Any], total: int, ids: list[str]) -> None:
    """Numbers as text, nulls, the wrapped list of the sibling APIs, and every form of an empty one are understood."""
    page = Decoder().page(answer({**GOOD, **changes}))
    assert (page.total, [c.client_id for c in page.clients]) == (total, ids)


@pytest.mark.parametrize(
    ("body", "status", "code", "retry"),
    [
        ({**GOOD, "Success": False, "Code": "NoPermission"}, 200, "NoPermission", Retry.NEVER),
        ({**GOOD, "Success": False}, 200, "200", Retry.NEVER),
        ({**GOOD, "Code": "InternalError"}, 200, "InternalError", Retry.BACK_OFF),
        (b"<html>down</html>", 503, "HTTP 503", Retry.BACK_OFF),
        (b"", 502, "HTTP 502", Retry.BACK_OFF),
        (b"busy", 429, "HTTP 429", Retry.SLOW_DOWN),
        ({"Code": "InvalidTimeStamp.Expired"}, 400, "InvalidTimeStamp.Expired", Retry.SET_CLOCK),
        ({"code": "Forbidden.RAM", "message": "m"}, 403, "Forbidden.RAM", Retry.NEVER),
        (b"<Error><Code>Throttling</Code><Message>m</Message></Error>", 400, "Throttling", Retry.SLOW_DOWN),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_trouble(body: Any, status: int, code: str, retry: Retry) -> None:
    """HTTP, Success, Code or shape: each is trouble, with its code and what may be done (all: test_retry.py)."""
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


def test_passwords_only_when_asked() -> None:
    """A map from client id to password, masked in its repr."""
    body = {**GOOD, "Clients": [GOOD["Clients"][0], {"ClientId": "c-2", "Settings": None}, {"ClientId": "c-3"}]}
    assert Decoder().page(answer(body)).passwords == {}
    found = Decoder().page(answer(body), passwords=True).passwords
    assert {key: text.get_secret_value() for key, text in found.items()} == {
        ID: GOOD["Clients"][0]["Settings"]["ProxyPassword"]
    }
    assert "******" not in repr(found).replace("**********", "")


def rows(*numbers: int, **more: Any) -> list[dict[str, Any]]:
    return [{"ClientId": f"c-{n}", "InstanceId": f"i-{n}", "Hostname": f"host {n}", **more} for n in numbers]


@pytest.mark.parametrize("wrap", [lambda found: found, lambda found: {"Client": found}], ids=["plain", "wrapped"])
def test_known_clients_bring_their_ids_only(wrap: Any) -> None:
    """A later pass reads ids; records, and passwords, are made for clients that are new."""
    known = {"c-1", "c-2", "i-9"}
    page = Decoder().page(answer({**GOOD, "Clients": wrap([*rows(1, 2), {"InstanceId": "i-9"}])}), known=known)
    assert (page.clients, page.ids, page.total) == ([], ["c-1", "c-2", "i-9"], 8)
    more = wrap([*rows(1, 3, Settings={"ProxyPassword": "FAKE"}), {"Hostname": "only"}])
    page = Decoder().page(answer({**GOOD, "Clients": more}), known=known, passwords=True)
    assert [client.hostname for client in page.clients] == ["host 3", "only"]
    assert page.ids[:2] == ["c-1", "c-3"]
    assert "c-3" in page.passwords


def test_no_records_are_built_of_known_clients() -> None:
    """A page of them takes less than half the memory, and a fraction of the time."""
    full = [{**GOOD["Clients"][0], "ClientId": f"c-{n}"} for n in range(99)]
    response, peaks = answer({**GOOD, "Clients": full}), []
    for known in (set[str](), {f"c-{n}" for n in range(99)}):
        Decoder().page(response, known=known)
        tracemalloc.start()
        assert len(Decoder().page(response, known=known).ids) == 99
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] / 2


@pytest.mark.parametrize(
    "name",
    [b"\\ud83d", b"a\\udc00b", b"\\ud83d\\ud83d", b"\xff\xfe", b"\xc3", b"tab\there", b"\x00", b"\xb0\xa1gbk"],
    ids=ascii,
)
@pytest.mark.parametrize("known", [set(), {ID}], ids=["records", "ids"])
def test_a_character_that_is_none(name: bytes, known: Any) -> None:
    """It is replaced or kept, wherever it stands; the client and all others are read."""
    body = json.dumps({**GOOD, "Clients": [{**GOOD["Clients"][0], "Hostname": "HOST"}, *rows(7)]}).encode()
    page = Decoder().page(answer(body.replace(b"HOST", name)), known=known, passwords=True)
    assert page.ids == [ID, "c-7"]
    assert all(str(client.hostname).encode() for client in page.clients)


JSON = "application/json"


@pytest.mark.parametrize(
    ("status", "kind", "body", "retry", "says"),
    [
        (200, "text/html; charset=utf-8", b"<html>Log in</html>", Retry.ONE_MORE, "HTTP 200 with text/html, not JSON"),
        (204, "text/plain", b"hello", Retry.ONE_MORE, "HTTP 204 with text/plain, not JSON"),
        (200, JSON, b"<html>Log in</html>", Retry.ONE_MORE, "HTTP 200 with application/json, not JSON"),
        (301, "", b"", Retry.ONE_MORE, "HTTP 301 with no content type, not JSON"),
        (302, JSON, GOOD, Retry.ONE_MORE, "HTTP 302"),
        (200, "text/html", b"", Retry.BACK_OFF, "HTTP 200, but not as Describe"),
        (200, "", b"", Retry.BACK_OFF, "HTTP 200, but not as Describe"),
        (200, JSON, b'{"Clients": [', Retry.BACK_OFF, "HTTP 200, but not as Describe"),
        (200, JSON, [1], Retry.BACK_OFF, "HTTP 200, but not as Describe"),
        (200, JSON, {**GOOD, "Clients": 5}, Retry.BACK_OFF, "Clients"),
        (200, JSON, {**GOOD, "Clients": [5]}, Retry.BACK_OFF, "Clients"),
        (200, JSON, {**GOOD, "TotalCount": None}, Retry.BACK_OFF, "TotalCount is None"),
        (200, JSON, {**GOOD, "TotalCount": -1}, Retry.BACK_OFF, "TotalCount is -1"),
        (200, JSON, {**GOOD, "TotalCount": 10**12}, Retry.BACK_OFF, "expected 0 to 1,000,000"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_page(status: int, kind: str, body: Any, retry: Retry, says: str) -> None:
    """Redirects and pages for people are named by host, status and type, and worth one more try; a wrong shape more."""
    with pytest.raises(InvalidResponseError) as caught:
        Decoder("hbr.example").page(answer(body, status, content_type=kind, x_acs_request_id="R-3"))
    assert str(caught.value).startswith("hbr.example answered HTTP ")
    assert says in str(caught.value)
    assert "request R-3" in str(caught.value)
    assert caught.value.retry is retry


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://login.example/portal?session=FAKE#FAKE", "https://login.example/portal"),
        ("https://user:FAKE@login.example:8443/", "https://login.example:8443/"),
        ("/relative?FAKE", "/relative"),
        ("http://host/a\x1b[31m\u202eb", "http://host/a?[31m?b"),
        ("http://[FAKE", None),
        ("", None),
    ],
)
def test_where_a_redirect_leads(location: str, shown: str | None) -> None:
    """Without user, query and fragment, in characters that every terminal can show."""
    text = str(trouble(b"", 302, location=location))
    assert "FAKE" not in text
    assert (f"redirects to {shown} (" in text) if shown else ("redirects" not in text)


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


@given(BODIES, st.sampled_from([200, 204, 302, 400, 403, 404, 429, 500, 503]), st.booleans(), st.booleans())
def test_hostile_answers(body: bytes, status: int, passwords: bool, later: bool) -> None:  # noqa: FBT001  Hypothesis passes them
    """Whatever comes, the outcome is a page or one of our own errors."""
    try:
        page = Decoder().page(HttpResponse(status, {}, body), passwords=passwords, known={ID} if later else set())
    except HbrError as error:
        assert str(error)
    else:
        assert page.total >= 0
