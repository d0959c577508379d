"""Authentication and parameters: the service compared with the document, request by request."""

import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pulumi_hbr_clients.emulator import (
    FAKE_STS_CREDENTIALS,
    SOURCE_ACCOUNT,
    Backend,
    Cloud,
    InMemoryTransport,
    account_credentials,
    new_row,
    new_rows,
)
from pulumi_hbr_clients.model.errors import TransportError
from pulumi_hbr_clients.protocol import codec
from pulumi_hbr_clients.protocol.codec import HttpResponse
from pulumi_hbr_clients.protocol.signing import Credentials, canonical_query
from tests.emulator.caller import ALL_ECS, ECS, Caller
from tests.virtual_clock import VirtualClock

CROSS = {
    "CrossAccountType": "CROSS_ACCOUNT",
    "CrossAccountUserId": SOURCE_ACCOUNT[0],
    "CrossAccountRoleName": SOURCE_ACCOUNT[1],
}


def test_envelope(caller: Caller) -> None:
    """A page has the document's envelope, in its types, page 1 and 10 clients by default; a refusal the gateway's."""
    envelope = caller.document(ECS)
    clients, _ = envelope.pop("Clients"), envelope.pop("RequestId")
    expected = {"Success": True, "Code": "200", "Message": "successful"}
    assert envelope == {**expected, "PageNumber": 1, "PageSize": 10, "TotalCount": 12}
    assert len(clients) == 10
    refusal = caller.document({})
    assert set(refusal) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert (refusal["HostId"], refusal["Code"]) == (caller.host, "MissingClientType")


def test_wrong_secret(caller: Caller) -> None:
    """A wrong secret is refused, and the response echoes the canonical request, the token included."""
    wrong = Credentials(FAKE_STS_CREDENTIALS.access_key_id, "FAKE-WRONG", FAKE_STS_CREDENTIALS.security_token)
    response = caller.call(credentials=wrong)
    assert (response.status, response.code) == (403, "SignatureDoesNotMatch")
    assert f"x-acs-security-token:{FAKE_STS_CREDENTIALS.security_token}" in json.loads(response.body)["Message"]


def test_tampering(caller: Caller) -> None:
    """A request that was changed after signing is refused, wherever it was changed."""
    request = caller.request(body={"ClientIds": '["c-1"]'})
    changed = [
        replace(request, query=(*request.query, ("PageNumber", "2"))),
        replace(request, body=b"ClientIds=%5B%22c-2%22%5D"),
        replace(request, headers={**request.headers, "x-acs-unsigned": "1"}),
    ]
    assert {caller.send(each).code for each in changed} == {"SignatureDoesNotMatch"}


def test_replay(caller: Caller, clock: VirtualClock) -> None:
    """A request is let in once, for as long as its date would be good; its nonce is forgotten then."""
    request = caller.request(nonce="the-same")
    assert [caller.send(request).code for _ in range(2)] == ["200", "SignatureNonceUsed"]
    assert caller.code(nonce="the-same") == "SignatureNonceUsed"
    clock.advance(16 * 60)
    assert caller.send(request).code == "InvalidTimeStamp.Expired"
    assert [caller.code(), caller.code(nonce="the-same")] == ["200", "200"]


@pytest.mark.parametrize(("expected", "off"), [("200", 890), ("InvalidTimeStamp.Expired", 910)])
def test_date(caller: Caller, clock: VirtualClock, expected: str, off: int) -> None:
    """A date may be 15 minutes off, either way; the service's clock decides."""
    assert {caller.code(date=clock.time() + sign * off) for sign in (-1, 1)} == {expected}
    caller.backend.clock_offset = 3600.0
    assert [caller.code(), caller.code(date=clock.time() + 3600)] == ["InvalidTimeStamp.Expired", "200"]


def test_security_tokens(backend: Backend, caller: Caller) -> None:
    """Temporary credentials need their own token, and only until it ends."""
    key, secret = FAKE_STS_CREDENTIALS.access_key_id, FAKE_STS_CREDENTIALS.access_key_secret
    assert caller.code(credentials=FAKE_STS_CREDENTIALS) == "200"
    assert caller.code(credentials=Credentials(key, secret)) == "MissingSecurityToken"
    other = Credentials(key, secret, "FAKE-OTHER-TOKEN")
    assert caller.code(credentials=other) == "InvalidSecurityToken.MismatchWithAccessKey"
    assert caller.code(credentials=Credentials("FAKE-NOBODY", "FAKE")) == "InvalidAccessKeyId.NotFound"
    backend.expire(key)
    assert caller.code(credentials=FAKE_STS_CREDENTIALS) == "InvalidSecurityToken.Expired"
    backend.allow(renewed := Credentials(key, secret, "FAKE-RENEWED-TOKEN"), seconds=60)
    assert caller.code(credentials=renewed) == "200"


@pytest.mark.parametrize(
    ("expected", "header", "value"),
    [
        ("InvalidAction.NotFound", "x-acs-action", "DescribeVaults"),
        ("InvalidAction.NotFound", "x-acs-action", None),
        ("NoSuchVersion", "x-acs-version", "2018-12-03"),
        ("IncompleteSignature", "authorization", None),
        ("IncompleteSignature", "authorization", "Basic FAKE"),
        ("IncompleteSignature", "x-acs-signature-nonce", None),
        ("IncompleteSignature", "x-acs-content-sha256", None),
        ("SignatureDoesNotMatch", "x-acs-content-sha256", "0" * 64),
        ("SignatureDoesNotMatch", "x-acs-unsigned", "1"),
        ("IllegalTimestamp", "x-acs-date", None),
        ("IllegalTimestamp", "x-acs-date", "yesterday"),
    ],
)
def test_headers(caller: Caller, expected: str, header: str, value: str | None) -> None:
    """Each header that the gateway needs is missed, and each wrong one is refused."""
    request = caller.request()
    headers = {name: text for name, text in request.headers.items() if name != header}
    assert caller.send(replace(request, headers=headers | ({header: value} if value else {}))).code == expected


@pytest.mark.parametrize(
    ("expected", "query", "body"),
    [
        (["web-1", "web-2", "web-3"], {}, {"Tag.1.Key": "team", "Tag.1.Value": "web"}),
        (["db-1", "db-2"], {}, {"Tag.1.Key": "team", "Tag.1.Value": "data", "Tag.2.Key": "env"}),
        ([], {}, {"Tag.1.Key": "team", "Tag.1.Value": "web", "Tag.2.Key": "note"}),
        (["cache-1"], {}, {"Tag.1.Key": "note", "Tag.1.Value": "café & 中"}),
        (["db-2"], {"Filters.1.Key": "Status", "Filters.1.Values.1": "UNKNOWN"}, {}),
        (
            ["desk-2"],
            {
                "Filters.1.Key": "osType",
                "Filters.1.Values.1": "windows",
                "Filters.2.Key": "BackupStatus",
                "Filters.2.Values.1": "UNPROTECTED",
            },
            {},
        ),
        (["web-2"], {}, {"InstanceIds": json.dumps([new_row("sample/web-2")["InstanceId"], "i-0"])}),
        (["web-2"], {}, {"ClientIds": json.dumps([new_row("sample/web-2")["ClientId"]])}),
        (["nas-1"], {"ClientType": "LOCAL_CLIENT"}, {}),
        ([], {"ClientType": "FUTURE_CLIENT"}, {}),
        ([], {"ClientType": "CONTAINER_CLIENT", "ClusterId": "cl-other"}, {}),
        (["cross-1"], CROSS, {}),
    ],
)
def test_filters(caller: Caller, expected: list[str], query: dict[str, str], body: dict[str, str]) -> None:
    """Each filter selects, in the fleet's order; tags and filters have to match all of them."""
    assert caller.names({**ALL_ECS, **query}, body) == expected


def test_query_parameters_in_the_body(caller: Caller) -> None:
    """What the document puts into the query may come in the form body, as Terraform sends it."""
    arguments = {**ALL_ECS, "Filters.1.Key": "InstanceName", "Filters.1.Values.1": "web-1"}
    assert caller.names({}, arguments) == ["web-1"]


def test_a_body_must_be_a_form_and_a_role_known(caller: Caller) -> None:
    """A body in another form is not read; a role that does not let this account in is refused."""
    assert caller.code(ECS, {"ClientIds": '["c-1"]'}, content_type="application/json") == "InvalidParameter"
    assert caller.code({**ECS, **CROSS, "CrossAccountRoleName": "other"}) == "AssumeRoleFail"


def test_empty_id_lists_select_everything(caller: Caller) -> None:
    """An id list that is sent empty is no filter: this is the trap a client must not walk into."""
    assert len(caller.names(ALL_ECS, {"ClientIds": "[]", "InstanceIds": "[]"})) == 12


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ({"PageNumber": "one"}, {}),
        ({}, {"Tag.1.Key": "k", "Tag.1.Value": ""}),
        ({}, {"ClientIds": "c-1"}),
        ({"Filters.1.Key": "Colour", "Filters.1.Values.1": "red"}, {}),
    ],
)
def test_limits_of_parameters(caller: Caller, query: dict[str, str], body: dict[str, str]) -> None:
    """What is outside the document's limits is a parameter that is not valid."""
    response = caller.call({**ECS, **query}, body)
    assert (response.status, response.code) == (400, "InvalidParameter")


PATHS = st.from_regex(r"(Tag|Filters)\.[0-9]{1,2}\.(Key|Value|Values)(\.[0-9])?", fullmatch=True)
NAMES = st.sampled_from([item.name for item in codec.PARAMETERS.values()]) | PATHS | st.text()
PAIRS = st.dictionaries(NAMES, st.text() | st.sampled_from(["ECS_CLIENT", "5", "[]", '["c-1"]', "{}", "null"]))


@given(query=PAIRS, body=PAIRS)
@example(query=ECS, body={"Tag.1.Key": "a", "Tag.1.Key.1": "b"})
@example(query=ECS, body={"ClientIds": "[" * 100_000})
def test_any_request_gets_a_response(query: dict[str, str], body: dict[str, str]) -> None:
    """Every request gets a response: a page, or what is wrong with the parameters."""
    urlencode(body)
    code = Caller(Backend()).code({**ECS, **query}, body)
    assert code in {"200", "MissingClientType", "InvalidParameter", "AssumeRoleFail"}


def test_regions(backend: Backend, caller: Caller) -> None:
    """DescribeRegions names the regions in a wrapped list; it may be denied while the list of clients is not."""
    backend.regions = ("cn-hangzhou", "cn-shanghai")
    document = caller.document({}, x_acs_action="DescribeRegions")
    assert [region["RegionId"] for region in document["Regions"]["Region"]] == ["cn-hangzhou", "cn-shanghai"]
    assert document["Regions"]["Region"][0].keys() == {"LocalName", "RegionId"}
    assert backend.log[-1].action == "DescribeRegions"
    backend.denied = frozenset({"DescribeRegions"})
    assert (caller.code({}, x_acs_action="DescribeRegions"), caller.code()) == ("NoPermission", "200")


def test_accounts_and_regions(clock: VirtualClock) -> None:
    """Each account has its own fleet in each region, known by key and host name, and its own limits."""
    sizes = {("prod", "cn-hangzhou"): 3, ("prod", "cn-shanghai"): 2, ("dev", "cn-hangzhou"): 1}
    backends = {pair: Backend(new_rows(count), clock=clock.time) for pair, count in sizes.items()}
    cloud = Cloud(backends)
    backends["prod", "cn-hangzhou"].rate = 1.0

    def seen(account: str, region: str) -> tuple[str, int]:
        caller = Caller(backends["prod", "cn-hangzhou"], cloud, f"hbr.{region}.aliyuncs.com")
        document = caller.document(credentials=account_credentials(account))
        return document["Code"], document.get("TotalCount", 0)

    assert {pair: seen(*pair) for pair in sizes} == {pair: ("200", count) for pair, count in sizes.items()}
    assert seen("prod", "cn-hangzhou")[0] == "Throttling.User"
    assert (seen("prod", "cn-shanghai"), seen("dev", "cn-hangzhou")) == (("200", 2), ("200", 1))
    assert (seen("dev", "eu-west-1"), seen("nobody", "cn-hangzhou")[0]) == (("200", 0), "InvalidAccessKeyId.NotFound")
    caller = Caller(backends["dev", "cn-hangzhou"], cloud)
    credentials = account_credentials("prod")
    regions = caller.document({}, x_acs_action="DescribeRegions", credentials=credentials)["Code"]
    assert regions == "Throttling.User"
    clock.advance(1)
    regions = caller.document({}, x_acs_action="DescribeRegions", credentials=credentials)["Regions"]["Region"]
    assert [region["RegionId"] for region in regions] == ["cn-hangzhou", "cn-shanghai"]


async def post(transport: InMemoryTransport, caller: Caller) -> HttpResponse:
    request = caller.request()
    return await transport.post(canonical_query(request.query), request.body, request.headers)


@pytest.mark.parametrize(
    ("faults", "seconds"), [(["drop"], 0), (["drop_body"], 0), (["slow:60"], 10), (["none", "drop_after", "none"], 0)]
)
def test_no_response_in_memory(caller: Caller, clock: VirtualClock, faults: list[str], seconds: float) -> None:
    """A dropped connection, one that was closed since, or a response that takes too long is a `TransportError`."""
    caller.backend.next_faults += faults
    transport = InMemoryTransport(caller.backend, sleep=clock.sleep)
    for _ in faults[1:]:
        assert clock.run(post(transport, caller)).status == 200
    with pytest.raises(TransportError):
        clock.run(post(transport, caller))
    assert clock.monotonic() == pytest.approx(seconds)
    assert clock.run(post(transport, caller)).status == 200
