"""The emulator is what the other tests stand on: here it is held against the document and the official SDK."""

import json
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import httpx
import pytest
from alibabacloud_hbr20170908.client import Client as OfficialClient
from alibabacloud_hbr20170908.models import (
    DescribeBackupClientsRequest,
    DescribeBackupClientsRequestFilters,
    DescribeBackupClientsRequestTag,
)
from alibabacloud_tea_openapi.exceptions import (
    ClientException,
    ServerException,
    ThrottlingException,
)
from alibabacloud_tea_openapi.models import Config
from hypothesis import example, given
from hypothesis import strategies as st

from pulumi_hbr_clients import emulator
from pulumi_hbr_clients.emulator import (
    CLUSTER,
    FAKE_CREDENTIALS,
    FAKE_STS_CREDENTIALS,
    SOURCE_ACCOUNT,
    Backend,
    RunningEmulator,
    new_row,
    new_rows,
    service,
)
from pulumi_hbr_clients.emulator.fake_client import BEAT
from pulumi_hbr_clients.emulator.faults import FAULTS
from pulumi_hbr_clients.emulator.fixtures import ROW_FIELDS
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.protocol import codec as wire
from pulumi_hbr_clients.protocol import signing
from pulumi_hbr_clients.protocol.signing import Credentials

ECS = {"ClientType": "ECS_CLIENT"}
ALL_ECS = {**ECS, "PageSize": "99"}


class Clock:
    """A clock that stands still until it is set. It starts now: the requests are dated by the real one."""

    def __init__(self) -> None:
        self.time = time.time()

    def __call__(self) -> float:
        """The time."""
        return self.time


class Caller:
    """Signs with the core and sends with httpx: each request is what the arguments say, however wrong."""

    def __init__(self, running: RunningEmulator) -> None:
        self.running = running
        self.http = httpx.Client(base_url=running.endpoint, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def request(
        self,
        query: Mapping[str, str] = ALL_ECS,
        body: Mapping[str, str] | None = None,
        *,
        keys: Credentials = FAKE_CREDENTIALS,
        date: float | None = None,
        nonce: str | None = None,
        **headers: str,
    ) -> httpx.Request:
        """A signed request; header names are written with underscores."""
        own = {
            "host": self.http.base_url.netloc.decode(),
            "content-type": service.FORM,
            "x-acs-action": wire.ACTION,
            "x-acs-version": wire.VERSION,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        content = urlencode(body or {}).encode()
        moment = datetime.fromtimestamp(time.time() if date is None else date, UTC)
        signed = signing.sign(
            signing.Request(own, tuple(query.items()), content),
            keys,
            date=moment.strftime(signing.DATE_FORMAT),
            nonce=nonce or secrets.token_hex(16),
        )
        return self.http.build_request("POST", "/", params=query, content=content, headers=signed)

    def ask(self, *args: Any, **kwargs: Any) -> httpx.Response:
        """Send one."""
        return self.http.send(self.request(*args, **kwargs))

    def code(self, *args: Any, **kwargs: Any) -> tuple[int, str]:
        """HTTP status and code of the answer."""
        answer = self.ask(*args, **kwargs)
        return answer.status_code, answer.json()["Code"]

    def names(self, *args: Any, **kwargs: Any) -> list[str]:
        """The host names that are listed, in order."""
        return [row["Hostname"] for row in self.ask(*args, **kwargs).json()["Clients"]]


@pytest.fixture
def clock() -> Clock:
    """The backend's clock."""
    return Clock()


@pytest.fixture
def backend(clock: Clock) -> Backend:
    """The sample fleet, at a standstill."""
    return emulator.sample(clock=clock)


@pytest.fixture
def caller(backend: Backend) -> Iterator[Caller]:
    """Somebody who may ask."""
    with emulator.serve(backend) as running, Caller(running) as caller:
        yield caller


def official(running: RunningEmulator, keys: Credentials = FAKE_CREDENTIALS) -> OfficialClient:
    """The official SDK, as its own documentation sets it up."""
    return OfficialClient(
        Config(
            access_key_id=keys.access_key_id,
            access_key_secret=keys.access_key_secret,
            security_token=keys.security_token,
            endpoint=running.endpoint.removeprefix("http://"),
            protocol="HTTP",
        )
    )


def official_list(client: OfficialClient, **arguments: Any) -> list[Any]:
    """Every page that TotalCount promises."""
    clients: list[Any] = []
    total, page = 1, 1
    while len(clients) < total:
        request = DescribeBackupClientsRequest(page_number=page, page_size=99, **arguments)
        body = client.describe_backup_clients(request).body
        total, page = body.total_count, page + 1
        clients += body.clients
    return clients


# The official SDK, unchanged

# It dates its requests with a call that Python deprecated in 3.12.
official_sdk = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@official_sdk
def test_official_sdk_lists_the_fleet(backend: Backend, caller: Caller) -> None:
    """The official SDK reads every page, and every field of every client is what the backend holds."""
    backend.add(*new_rows(250))
    backend.log.clear()
    rows = [row for row in backend.rows() if row["ClientType"] == "ECS_CLIENT"]
    rows = [row for row in rows if row["Hostname"] != "cross-1"]

    listed = official_list(official(caller.running), client_type="ECS_CLIENT")

    assert rows == [client.to_map() for client in listed]
    assert [record.page for record in backend.log] == [1, 2, 3]
    settings = next(client.settings for client in listed if client.hostname == "db-1")
    assert (
        settings.proxy_port,
        settings.max_worker,
        settings.use_https,
        settings.alert_on_partial_complete,
    ) == (3128, "0", "false", False)


@official_sdk
def test_official_sdk_filters(caller: Caller) -> None:
    """Each filter, placed by the official SDK where it places it, selects what the document says."""
    client = official(caller.running)
    tag = DescribeBackupClientsRequestTag(key="env", value="prod")
    item = DescribeBackupClientsRequestFilters(key="instanceName", values=["web-1", "web-2"])
    web_3 = new_row("sample/web-3")
    cases: list[tuple[list[str], dict[str, Any]]] = [
        (["web-1", "web-2", "web-3", "db-1", "db-2"], {"tag": [tag]}),
        (["web-1", "web-2"], {"filters": [item]}),
        (["web-3"], {"client_ids": [web_3["ClientId"]]}),
        (["web-3"], {"instance_ids": [web_3["InstanceId"]]}),
        (["node-1", "node-2"], {"client_type": "CONTAINER_CLIENT", "cluster_id": CLUSTER}),
    ]
    for expected, arguments in cases:
        listed = official_list(client, **{"client_type": "ECS_CLIENT", **arguments})
        assert expected == [found.hostname for found in listed]


@official_sdk
def test_official_sdk_with_temporary_credentials(backend: Backend, caller: Caller) -> None:
    """The official SDK lists with an STS token."""
    client = official(caller.running, FAKE_STS_CREDENTIALS)
    assert len(official_list(client, client_type="ECS_CLIENT")) == 12
    assert FAKE_STS_CREDENTIALS.access_key_id == backend.log[-1].key_id


@official_sdk
@pytest.mark.parametrize(
    ("expected", "fault", "arguments"),
    [
        ((ClientException, "MissingClientType"), "none", {}),
        ((ClientException, "InvalidParameter"), "none", {"client_type": "ecs_client"}),
        ((ClientException, "InvalidParameter"), "none", {"client_type": "ECS_CLIENT", "page_size": 100}),
        ((ClientException, "Throttling.User"), "throttle", {"client_type": "ECS_CLIENT"}),
        ((ThrottlingException, "Throttling.User"), "throttle:700", {"client_type": "ECS_CLIENT"}),
        ((ClientException, "NoPermission"), "no_permission", {"client_type": "ECS_CLIENT"}),
        ((ServerException, "InternalError"), "internal_error", {"client_type": "ECS_CLIENT"}),
        ((ServerException, "ServiceUnavailable"), "unavailable", {"client_type": "ECS_CLIENT"}),
    ],
)
def test_official_sdk_errors(
    backend: Backend,
    caller: Caller,
    expected: tuple[type[Exception], str],
    fault: str,
    arguments: dict[str, Any],
) -> None:
    """The official SDK turns refusals into its own exceptions, code and all."""
    backend.next_faults += [fault]
    with pytest.raises(Exception, match=expected[1]) as raised:
        official(caller.running).describe_backup_clients(DescribeBackupClientsRequest(**arguments))
    error: Any = raised.value
    assert expected == (type(error), error.code)
    if fault == "throttle:700":
        assert error.retry_after == 700


# Who may pass


def test_envelope(caller: Caller) -> None:
    """An answer has the document's envelope, in its types, and the defaults of page 1 and 10 clients."""
    answer = caller.ask(ECS)
    envelope = answer.json()
    clients, request_id = envelope.pop("Clients"), envelope.pop("RequestId")
    expected = {"Success": True, "Code": "200", "Message": "successful"}
    assert {**expected, "PageNumber": 1, "PageSize": 10, "TotalCount": 12} == envelope
    assert len(clients) == 10
    assert request_id == answer.headers["x-acs-request-id"]


def test_error_body(caller: Caller) -> None:
    """A refusal has the gateway's body."""
    body = caller.ask({}).json()
    assert {"RequestId", "HostId", "Code", "Message", "Recommend"} == set(body)
    assert caller.http.base_url.netloc.decode() == body["HostId"]


def test_wrong_secret(caller: Caller) -> None:
    """A wrong secret is refused, and the answer echoes the canonical request, a token included."""
    wrong = Credentials(FAKE_STS_CREDENTIALS.access_key_id, "FAKE-WRONG", FAKE_STS_CREDENTIALS.security_token)
    answer = caller.ask(keys=wrong)
    assert (answer.status_code, answer.json()["Code"]) == (403, "SignatureDoesNotMatch")
    assert f"x-acs-security-token:{FAKE_STS_CREDENTIALS.security_token}" in answer.json()["Message"]


@pytest.mark.parametrize("changed", ["query", "body", "header"])
def test_tampering(caller: Caller, changed: str) -> None:
    """A request that was changed after signing is refused, wherever it was changed."""
    request = caller.request(body={"ClientIds": '["c-1"]'})
    if changed == "query":
        request.url = request.url.copy_set_param("PageSize", "10")
    elif changed == "body":
        request = caller.http.build_request(
            "POST", request.url, content=b"ClientIds=%5B%22c-2%22%5D", headers=request.headers
        )
    else:
        request.headers["x-acs-unsigned"] = "1"
    assert caller.http.send(request).json()["Code"] == "SignatureDoesNotMatch"


def test_unknown_key(caller: Caller) -> None:
    """A key that nobody made is not found."""
    assert caller.code(keys=Credentials("FAKE-NOBODY", "FAKE")) == (404, "InvalidAccessKeyId.NotFound")


def test_replay(caller: Caller, clock: Clock) -> None:
    """A request is let in once, for as long as its date would be good; its nonce is forgotten then."""
    request = caller.request(nonce="the-same")
    assert caller.http.send(request).status_code == 200
    assert caller.http.send(request).json()["Code"] == "SignatureNonceUsed"
    assert caller.code(nonce="the-same")[1] == "SignatureNonceUsed"
    clock.time += 16 * 60
    assert caller.http.send(request).json()["Code"] == "InvalidTimeStamp.Expired"
    assert caller.code(date=clock.time) == (200, "200")
    assert caller.code(nonce="the-same", date=clock.time) == (200, "200")


@pytest.mark.parametrize(
    ("expected", "off"),
    [("200", -890), ("200", 890), ("InvalidTimeStamp.Expired", -910), ("InvalidTimeStamp.Expired", 910)],
)
def test_date(caller: Caller, expected: str, off: int) -> None:
    """A date may be 15 minutes off, either way."""
    assert expected == caller.code(date=time.time() + off)[1]


def test_clock_skew(backend: Backend, caller: Caller) -> None:
    """The answer's Date is the service's clock: who signs by it is let in."""
    backend.clock_offset = 3600.0
    refused = caller.ask()
    assert refused.json()["Code"] == "InvalidTimeStamp.Expired"
    date = parsedate_to_datetime(refused.headers["date"]).timestamp()
    assert caller.code(date=date)[1] == "200"


def test_security_tokens(backend: Backend, caller: Caller) -> None:
    """Temporary credentials need their own token, and only until it ends."""
    key, secret = FAKE_STS_CREDENTIALS.access_key_id, FAKE_STS_CREDENTIALS.access_key_secret
    mismatch = "InvalidSecurityToken.MismatchWithAccessKey"
    assert caller.code(keys=FAKE_STS_CREDENTIALS)[1] == "200"
    assert caller.code(keys=Credentials(key, secret))[1] == "MissingSecurityToken"
    assert mismatch == caller.code(keys=Credentials(key, secret, "FAKE-OTHER-TOKEN"))[1]
    backend.expire(key)
    assert caller.code(keys=FAKE_STS_CREDENTIALS)[1] == "InvalidSecurityToken.Expired"
    backend.allow(renewed := Credentials(key, secret, "FAKE-RENEWED-TOKEN"), seconds=60)
    assert caller.code(keys=renewed)[1] == "200"


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
        ("IllegalTimestamp", "x-acs-date", None),
        ("IllegalTimestamp", "x-acs-date", "yesterday"),
    ],
)
def test_headers(caller: Caller, expected: str, header: str, value: str | None) -> None:
    """Each header that the gateway needs is missed, and each wrong one is refused."""
    request = caller.request()
    del request.headers[header]
    if value:
        request.headers[header] = value
    assert expected == caller.http.send(request).json()["Code"]


# What may be asked


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
        (["node-1", "node-2"], {"ClientType": "CONTAINER_CLIENT", "ClusterId": CLUSTER}, {}),
        ([], {"ClientType": "CONTAINER_CLIENT", "ClusterId": "cl-other"}, {}),
        (
            ["cross-1"],
            {
                "CrossAccountType": "CROSS_ACCOUNT",
                "CrossAccountUserId": SOURCE_ACCOUNT[0],
                "CrossAccountRoleName": SOURCE_ACCOUNT[1],
            },
            {},
        ),
    ],
)
def test_filters(caller: Caller, expected: list[str], query: dict[str, str], body: dict[str, str]) -> None:
    """Each filter selects, in the fleet's order; tags and filters have to match all of them."""
    assert expected == caller.names({**ALL_ECS, **query}, body)


def test_query_parameters_in_the_body(caller: Caller) -> None:
    """What the document puts into the query may come in the form body, as Terraform sends it."""
    asked = {**ALL_ECS, "Filters.1.Key": "InstanceName", "Filters.1.Values.1": "web-1"}
    assert caller.names({}, asked) == ["web-1"]


def test_empty_id_lists_select_everything(caller: Caller) -> None:
    """An id list that is sent empty is no filter: this is the trap a client must not walk into."""
    body = {"ClientIds": "[]", "InstanceIds": "[]"}
    assert len(caller.names(ALL_ECS, body)) == 12


def test_unknown_role(caller: Caller) -> None:
    """A role that does not let this account in cannot be assumed."""
    triple = {
        "CrossAccountType": "CROSS_ACCOUNT",
        "CrossAccountUserId": SOURCE_ACCOUNT[0],
        "CrossAccountRoleName": "other",
    }
    assert caller.code({**ECS, **triple}) == (403, "AssumeRoleFail")


TAGS_21 = {f"Tag.{n}.Key": f"k{n}" for n in range(1, 22)}


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ({"ClientType": "ecs_client"}, {}),
        ({"ClientType": "ECS"}, {}),
        ({"PageNumber": "0"}, {}),
        ({"PageNumber": "one"}, {}),
        ({"PageSize": "0"}, {}),
        ({"PageSize": "100"}, {}),
        ({}, TAGS_21),
        ({}, {"Tag.1.Key": ""}),
        ({}, {"Tag.1.Key": "aliyun-x"}),
        ({}, {"Tag.1.Key": "acs:x"}),
        ({}, {"Tag.1.Key": "k", "Tag.1.Value": "http://x"}),
        ({}, {"Tag.1.Key": "k", "Tag.1.Value": ""}),
        ({}, {"ClientIds": "c-1"}),
        ({}, {"ClientIds": "5"}),
        ({}, {"InstanceIds": '[""]'}),
        ({"CrossAccountType": "CROSS_ACCOUNT"}, {}),
        ({"CrossAccountUserId": "12"}, {}),
        ({"CrossAccountType": "OTHER"}, {}),
        ({"Filters.1.Key": "Colour", "Filters.1.Values.1": "red"}, {}),
        ({"Filters.1.Key": "InstanceId"}, {}),
    ],
)
def test_limits(caller: Caller, query: dict[str, str], body: dict[str, str]) -> None:
    """What is outside the document's limits is a parameter that is not valid."""
    assert caller.code({**ECS, **query}, body) == (400, "InvalidParameter")


def test_client_type_is_required(caller: Caller) -> None:
    """A query for no type of client lacks a parameter."""
    assert caller.code({}) == (400, "MissingClientType")


def test_body_must_be_a_form(caller: Caller) -> None:
    """A body of another kind is refused: its filters would not be seen, and the whole fleet answered."""
    answer = caller.ask(ECS, {"ClientIds": '["c-1"]'}, content_type="application/json")
    assert answer.json()["Code"] == "InvalidParameter"


PATHS = st.from_regex(r"(Tag|Filters)\.[0-9]{1,2}\.(Key|Value|Values)(\.[0-9])?", fullmatch=True)
NAMES = st.sampled_from([item.name for item in wire.parameters().values()]) | PATHS | st.text()
PAIRS = st.dictionaries(NAMES, st.text() | st.sampled_from(["ECS_CLIENT", "5", "[]", '["c-1"]', "{}", "null"]))


@given(query=PAIRS, body=PAIRS)
@example(query=ECS, body={"Tag.1.Key": "a", "Tag.1.Key.1": "b"})
@example(query=ECS, body={"ClientIds": "[" * 100_000})
def test_any_request_gets_an_answer(query: dict[str, str], body: dict[str, str]) -> None:
    """Whatever is asked, the service answers: a page, or what is wrong with the parameters."""
    own = {"host": "h", "content-type": service.FORM, "x-acs-action": wire.ACTION, "x-acs-version": wire.VERSION}
    request = signing.Request(own, tuple({**ECS, **query}.items()), urlencode(body).encode())
    date = datetime.now(UTC).strftime(signing.DATE_FORMAT)
    headers = signing.sign(request, FAKE_CREDENTIALS, date=date, nonce=secrets.token_hex())
    lower = {name.lower(): value for name, value in headers.items()}
    answer = service.Service(Backend()).answer(replace(request, headers=lower))
    assert answer.code in {"200", "MissingClientType", "InvalidParameter", "AssumeRoleFail"}


# Faults and limits of the service


def _body(check: Callable[[httpx.Response], bool]) -> Callable[[Caller], bool]:
    return lambda caller: check(caller.ask())


def _refused(status: int, code: str) -> Callable[[Caller], bool]:
    return lambda caller: (status, code) == caller.code()


def _raises(kind: type[Exception], text: str) -> Callable[[Caller], bool]:
    def check(caller: Caller) -> bool:
        with pytest.raises(kind, match=text):
            caller.ask()
        return True

    return check


def _ends(answer: httpx.Response) -> bool:
    """Whether the connection ends after an answer that did not say so. httpx may have seen the end already."""
    connection: socket.socket = answer.extensions["network_stream"].get_extra_info("socket")
    if "connection" in answer.headers or connection.fileno() == -1:
        return "connection" not in answer.headers
    connection.settimeout(5)
    return connection.recv(1, socket.MSG_PEEK) == b""


def _is_html(status: int) -> Callable[[Caller], bool]:
    return _body(lambda a: a.status_code == status and a.text.startswith("<html>"))


FAULTS_AS_SEEN: dict[str, Callable[[Caller], bool]] = {
    "throttle": _body(lambda a: a.json()["Code"] == "Throttling.User" and "x-acs-retry-after" not in a.headers),
    "throttle:700": _body(lambda a: a.headers["x-acs-retry-after"] == "700" and a.status_code == 400),
    "internal_error": _refused(500, "InternalError"),
    "unavailable": _refused(503, "ServiceUnavailable"),
    "unavailable_html": _is_html(503),
    "html": _is_html(200),
    "xml": _body(lambda a: a.headers["content-type"] == "text/xml;charset=utf-8"),
    "empty": _body(lambda a: a.status_code == 200 and a.content == b""),
    "half_json": _body(lambda a: a.status_code == 200 and not a.text.endswith("}")),
    "drop": _raises(httpx.RemoteProtocolError, "without sending a response"),
    "drop_body": _raises(httpx.RemoteProtocolError, "without sending complete message body"),
    "drop_after": _body(lambda a: a.json()["Code"] == "200" and _ends(a)),
    "slow:0.2": _body(lambda a: a.elapsed.total_seconds() >= 0.2 and a.json()["Success"]),
    "refused": _body(lambda a: a.status_code == 200 and a.json()["Success"] is False),
    "wrong_clients": _body(lambda a: a.json()["Clients"] == 5),
    "no_total": _body(lambda a: "TotalCount" not in a.json() and len(a.json()["Clients"]) == 12),
    "no_page": _body(lambda a: a.json()["TotalCount"] == 12 and a.json()["Clients"] == []),
    "other_page": _body(lambda a: a.json()["PageNumber"] == 1 and a.json()["Clients"] == []),
    "nonce_used": _refused(400, "SignatureNonceUsed"),
    "clock_skew": _refused(400, "InvalidTimeStamp.Expired"),
    "token_expired": _refused(400, "InvalidSecurityToken.Expired"),
    "no_permission": _body(lambda a: "AuthAction" in a.json()["AccessDeniedDetail"]),
    "ServiceNotActivated": _refused(403, "ServiceNotActivated"),
    "none": _refused(200, "200"),
}


@pytest.mark.parametrize("fault", FAULTS_AS_SEEN)
def test_faults(backend: Backend, caller: Caller, fault: str) -> None:
    """A fault is on the wire what its name says, hits one request, and is in the log."""
    backend.next_faults += [fault]
    assert FAULTS_AS_SEEN[fault](caller)
    assert caller.code()[1] == "200"
    assert [fault, None] == [record.fault for record in backend.log]


def test_every_fault_is_seen() -> None:
    """No fault goes without its test above, but those that only say a code."""
    names = {fault.partition(":")[0] for fault in FAULTS_AS_SEEN}
    assert set() == {name for name in FAULTS if name.islower()} - names


def test_faults_come_in_order(backend: Backend, caller: Caller) -> None:
    """The next faults hit the next requests, one each, in the order given."""
    backend.next_faults += ["throttle", "none", "unavailable"]
    codes = [caller.code()[1] for _ in range(4)]
    assert codes == ["Throttling.User", "200", "ServiceUnavailable", "200"]
    assert [record.status for record in backend.log] == [400, 200, 503, 200]


def test_a_page_in_another_ones_place(plain: Caller) -> None:
    """The second page is given the first one's clients under its own number; the first one the second's."""
    first, second = (page["Clients"] for page in pages(plain, 2))
    plain.running.backend.next_faults += ["other_page", "other_page"]
    given = pages(plain, 2)
    assert [page["Clients"] for page in given] == [second, first]
    assert [(page["PageNumber"], page["TotalCount"]) for page in given] == [(1, 100), (2, 100)]


def test_random_faults_repeat() -> None:
    """The same seed draws the same faults, about as many as the rate says."""
    first, again, other = (Backend(fault_rate=0.05, seed=seed) for seed in (3, 3, 4))
    drawn = [first.take_fault() for _ in range(2000)]
    assert drawn == [again.take_fault() for _ in range(2000)]
    assert drawn != [other.take_fault() for _ in range(2000)]
    assert 60 < len(drawn) - drawn.count(None) < 140


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("next_faults", ["thottle"]),
        ("latency", -1),
        ("rate", 0),
        ("fault_rate", 1.5),
        ("variety", ["colourful"]),
        ("page_size_max", 0),
        ("shuffle", "yes"),
    ],
)
def test_conditions_are_checked(name: str, value: object) -> None:
    """A condition that makes no sense is refused where it is set."""
    with pytest.raises(ValueError, match=r"must be|no such"):
        setattr(Backend(), name, value)


def test_rate(backend: Backend, caller: Caller, clock: Clock) -> None:
    """A bucket of N tokens lets N pass at once, then N a second; the answer may say when to come back."""
    backend.rate, backend.rate_retry_after = 4.0, 250.0
    burst = [caller.code()[1] for _ in range(6)]
    assert burst == ["200"] * 4 + ["Throttling.User"] * 2
    assert caller.ask().headers["x-acs-retry-after"] == "250"
    clock.time += 0.5
    assert [caller.code()[1] for _ in range(3)] == ["200", "200", "Throttling.User"]
    clock.time += 60
    assert [caller.code()[1] for _ in range(6)].count("200") == 4


def test_latency(backend: Backend, caller: Caller) -> None:
    """Every answer takes its time, and many take it at once."""
    backend.latency = 0.2
    started = time.perf_counter()
    threads = [threading.Thread(target=caller.ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.2 <= time.perf_counter() - started < 1.0
    assert backend.requests == 8


# How the list moves


def pages(caller: Caller, count: int, size: int = 10) -> list[dict[str, Any]]:
    """Pages, one after the other."""
    asked = ({**ECS, "PageSize": str(size), "PageNumber": str(n)} for n in range(1, count + 1))
    return [caller.ask(query).json() for query in asked]


def ids(answers: list[dict[str, Any]]) -> list[str]:
    """The clients of pages."""
    return [row["ClientId"] for answer in answers for row in answer["Clients"]]


@pytest.fixture
def plain(clock: Clock) -> Iterator[Caller]:
    """A caller of a backend of 100 clients."""
    with emulator.serve(Backend(new_rows(100), clock=clock)) as running, Caller(running) as caller:
        yield caller


def test_pages_are_cut_from_the_fleets_order(plain: Caller) -> None:
    """Pages give every client once, in the order they arrived, and nothing beyond the end."""
    rows = [row["ClientId"] for row in plain.running.backend.rows()]
    assert rows == ids(pages(plain, 10))
    assert rows != sorted(rows)
    beyond = pages(plain, 11)[10]
    assert (beyond["Clients"], beyond["TotalCount"]) == ([], 100)


def test_shift(plain: Caller) -> None:
    """One client leaves and one arrives per page: a naive reader misses clients that stay."""
    backend = plain.running.backend
    before = {row["ClientId"] for row in backend.rows()}
    backend.shift = 1
    seen = ids(pages(plain, 10))
    after = {row["ClientId"] for row in backend.rows()}
    assert len((before & after) - set(seen)) == 9
    assert (len(after), len(after - before)) == (100, 10)


def test_shuffle(plain: Caller) -> None:
    """Every page is cut from another order, so that pages overlap and miss."""
    plain.running.backend.shuffle = True
    first, again = pages(plain, 1)[0], pages(plain, 1)[0]
    assert first["Clients"] != again["Clients"]
    assert len(set(ids(pages(plain, 10)))) < 100


def test_repeats(plain: Caller) -> None:
    """Pages repeat clients of the page before and lose none."""
    plain.running.backend.repeats = 2
    seen = ids(pages(plain, 10))
    assert (len(seen), len(set(seen))) == (118, 100)


def test_totals_disagree(plain: Caller) -> None:
    """Every second page names another total."""
    plain.running.backend.total_drift = -3
    assert [page["TotalCount"] for page in pages(plain, 4)] == [100, 97, 100, 97]


def test_short_pages(plain: Caller) -> None:
    """The service may hold its pages shorter than asked, saying so, or leave clients out, not saying so."""
    backend = plain.running.backend
    backend.page_size_max = 7
    page = pages(plain, 1, 99)[0]
    assert (page["PageSize"], len(page["Clients"]), page["TotalCount"]) == (7, 7, 100)
    backend.page_size_max, backend.short_by = None, 4
    page = pages(plain, 1, 99)[0]
    assert (page["PageSize"], len(page["Clients"]), page["TotalCount"]) == (99, 95, 100)


def test_varieties(backend: Backend, caller: Caller) -> None:
    """The same fleet in other forms: what the document, its example and other SDKs show."""

    def first(*variety: str) -> dict[str, Any]:
        backend.variety = frozenset(variety)
        return dict(caller.ask().json())

    assert [row["Hostname"] for row in first("wrapped")["Clients"]["Client"][:1]] == ["web-1"]
    page = first("strings")
    row = page["Clients"][0]
    assert (page["TotalCount"], page["Success"], page["Code"]) == ("12", "true", 200)
    assert (
        row["Appliance"],
        row["Settings"]["MaxWorker"],
        row["Settings"]["UseHttps"],
    ) == ("false", 0, False)
    assert row["LastHeartBeatTime"].isdecimal()

    def bare(*variety: str) -> dict[str, Any]:
        rows = first(*variety)["Clients"]
        return next(row for row in rows if row["Hostname"] == "legacy-1")

    assert (bare("nulls")["Settings"], bare("nulls")["Tags"]) == (None, None)
    assert bare("empty_strings")["Settings"] == ""
    assert "Tags" not in bare("excluded_fields")
    assert all("Settings" not in row for row in first("no_settings")["Clients"])


# How the backend moves


def test_heartbeats_move_with_the_clock(backend: Backend, clock: Clock) -> None:
    """ACTIVATED clients report once a minute, each at its own second; the others do not."""

    def beats() -> dict[str, int]:
        return {row["Hostname"]: row.get("LastHeartBeatTime", 0) for row in backend.rows()}

    first = beats()
    assert all(clock.time - BEAT < first[name] <= clock.time for name in ("web-1", "node-1"))
    assert len({first[name] % BEAT for name in ("web-1", "web-2", "web-3", "db-1")}) > 1
    clock.time += 2 * BEAT
    moved = {name for name, beat in beats().items() if beat == first[name] + 2 * BEAT}
    still = {"db-2", "desk-2", "batch-1", "batch-2", "cache-1", "queue-1"}
    assert set(first) - still == moved


def test_a_client_that_stops_reporting(backend: Backend, clock: Clock) -> None:
    """A client keeps its last heartbeat when it leaves ACTIVATED, is stopped, or is given one."""
    web = [new_row(f"sample/web-{n}")["ClientId"] for n in (1, 2, 3)]
    last = clock.time
    backend.set_status("UNKNOWN", web[0])
    backend.stop_heartbeats(web[1])
    backend.change(web[2], {"lastHeartBeatTime": 1_700_000_000})
    clock.time += 3600
    beats = {row["ClientId"]: row["LastHeartBeatTime"] for row in backend.rows()}
    assert all(last - BEAT < beats[identity] <= last for identity in web[:2])
    assert beats[web[2]] == 1_700_000_000


def test_installation(backend: Backend, clock: Clock) -> None:
    """An installation goes INSTALLING, REGISTERED, ACTIVATED on the backend's clock, or fails at its end."""
    (good,) = backend.install(["i-new"], seconds=60)
    (bad,) = backend.install([new_row("sample/batch-2")["InstanceId"]], seconds=60, fails=True)

    def states() -> tuple[str, str]:
        backend.tick()
        return backend.find(good).row["Status"], backend.find(bad).row["Status"]

    seen = [states()]
    for seconds in (29, 2, 28, 2):
        clock.time += seconds
        seen.append(states())
    assert [a for a, _ in seen] == ["INSTALLING", "INSTALLING", "REGISTERED", "REGISTERED", "ACTIVATED"]
    assert seen[-1][1] == "INSTALL_FAILED"
    assert backend.find(good).row["InstanceId"] == "i-new"


def test_what_happened_is_on_record(clock: Clock) -> None:
    """Who arrived, changed and left since the backend was made, in which order, each at its own time."""
    backend = Backend(new_rows(2), clock=clock)
    start, client = clock.time, backend.rows()[0]["ClientId"]
    assert list(backend.history) == []
    backend.later(20, lambda: backend.remove(client))
    backend.later(10, lambda: backend.change(client, {"hostname": "new"}))
    clock.time += 30
    backend.tick()
    arrived = backend.arrive("ECS_CLIENT")
    assert [(change.time - start, change.client_id) for change in backend.history] == [
        (10, client),
        (20, client),
        (30, arrived),
    ]
    changed, left, came = (change.fields for change in backend.history)
    assert (changed, left) == ({"Hostname": "new"}, None)
    assert came is not None
    assert came["Status"] == "ACTIVATED"


def test_time_passes_for_the_fleet_alone(backend: Backend, caller: Caller) -> None:
    """`advance` moves the fleet, and requests dated now are still good."""
    backend.install(["i-new"], seconds=60)
    backend.advance(3600)
    body = {"InstanceIds": '["i-new"]'}
    assert caller.ask(ALL_ECS, body).json()["Clients"][0]["Status"] == "ACTIVATED"


def test_clients_come_and_go(clock: Clock) -> None:
    """Clients arrive on a timeline and leave after their stay."""
    backend = Backend(clock=clock)
    backend.churn(every=10, stay=25)
    counts = []
    for _ in range(6):
        clock.time += 10
        counts.append(len(backend.rows()))
    assert counts == [1, 2, 3, 3, 3, 3]


def test_the_lively_sample(clock: Clock) -> None:
    """What the command shows changes while one watches: an installation ends, a client recovers."""
    backend = emulator.sample(clock=clock, lively=True)
    before = Counter(row["Status"] for row in backend.rows())
    clock.time += 46
    after = Counter(row["Status"] for row in backend.rows())
    assert (before["INSTALLING"], before["UNKNOWN"]) == (1, 1)
    assert (after["INSTALLING"], after["UNKNOWN"]) == (0, 0)


def test_changes_show_at_once(backend: Backend, caller: Caller) -> None:
    """What a test changes is in the next answer."""
    web = new_row("sample/web-1")
    caller.names()
    backend.change(web["ClientId"], {"Settings": ..., "Hostname": "renamed"})
    row = caller.ask().json()["Clients"][0]
    assert (row["Hostname"], "Settings" in row) == ("renamed", False)
    backend.remove(web["InstanceId"])
    backend.add({"clientId": "c-new", "hostname": "new"})
    assert [caller.names()[0], caller.names()[-1]] == ["web-2", "new"]


def test_log_tells_what_was_asked(backend: Backend, caller: Caller) -> None:
    """The log states each request: arguments by name, page, who, and what was answered."""
    caller.ask({**ECS, "PageNumber": "2"}, {"Tag.1.Key": "env", "ClientIds": '["c-1"]'})
    record = backend.log[-1]
    expected = {
        "client_type": "ECS_CLIENT",
        "page_number": "2",
        "client_ids": ["c-1"],
        "tags": [{"key": "env"}],
    }
    assert expected == record.arguments
    assert (2, 200, FAKE_CREDENTIALS.access_key_id) == (record.page, record.status, record.key_id)
    assert backend.requests == 1
    backend.clear_log()
    assert (backend.requests, list(backend.log)) == (0, [])


# Over HTTP, from files, as a process


def test_control_surface(backend: Backend, caller: Caller) -> None:
    """A process that cannot reach in changes the backend, its conditions and its clock, and reads the log."""
    http = caller.http
    web = new_row("sample/web-1")["ClientId"]

    def post(command: str, **arguments: Any) -> Any:
        answer = http.post(f"/_emulator/{command}", json=arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    post("set_status", clients=[web], status="STOPPED")
    (new,) = post("install", instances=["i-new"], seconds=30)
    post("advance", seconds=31)
    post("add", clients=[{"clientId": "c-9", "tags": {"a": "b"}}, {"count": 3}])
    post("next_faults", value=["throttle"])
    assert post("variety", value=["wrapped"]) == ["wrapped"]
    assert backend.find(web).row["Status"] == "STOPPED"
    assert backend.find(new).row["Status"] == "ACTIVATED"
    assert caller.code()[1] == "Throttling.User"
    fleet = http.get("/_emulator/fleet").json()
    assert (len(fleet["clients"]), fleet["totalCount"]) == (16 + 1 + 4, 21)
    assert [entry["fault"] for entry in http.get("/_emulator/log").json()["log"]] == ["throttle"]
    assert "install" in http.get("/_emulator").json()["commands"]


@pytest.mark.parametrize(
    ("expected", "command", "content"),
    [
        ("no such command", "explode", b"{}"),
        ("missing a required argument", "install", b'{"machines": []}'),
        ("no client or instance", "remove", b'{"clients": ["c-none"]}'),
        ("no such fault", "next_faults", b'{"value": ["thottle"]}'),
        ("not JSON", "add", b"{"),
        ("must be a JSON object", "add", b"[]"),
        ("no such field", "add", b'{"clients": [{"clientId": "c-1", "stauts": "X"}]}'),
        ("takes", "latency", b"{}"),
    ],
)
def test_control_surface_explains(caller: Caller, expected: str, command: str, content: bytes) -> None:
    """A command that cannot be done says why, and the emulator goes on."""
    answer = caller.http.post(f"/_emulator/{command}", content=content)
    assert answer.status_code == 400
    assert expected in answer.json()["error"]
    assert caller.code()[1] == "200"


@pytest.mark.parametrize("wrap", [False, True])
def test_fleet_file(tmp_path: Path, *, wrap: bool) -> None:
    """A fleet comes from JSON or YAML, in either spelling, as a list or as our own command prints it."""
    items = [
        {"ClientId": "c-1", "Tags": [{"Key": "a", "Value": "b"}], "ClusterId": "cl-1"},
        {"clientId": "c-2", "clientType": "LOCAL_CLIENT", "tags": {"a": "b"}, "beats": False},
        {"clientId": "c-3", "crossAccountUserId": 12, "crossAccountRoleName": "r"},
        {"count": 5, "clientType": "CONTAINER_CLIENT", "seed": 7},
    ]
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps({"clients": items, "totalCount": 8} if wrap else items))
    backend = emulator.open_fleet(path)
    assert len(backend.members) == 8
    assert backend.members[0].row["Tags"] == backend.members[1].row["Tags"]
    assert (
        backend.members[0].cluster_id,
        backend.members[1].beats,
        backend.members[2].owner,
    ) == ("cl-1", False, ("12", "r"))
    assert {"CONTAINER_CLIENT"} == {member.row["ClientType"] for member in backend.members[3:]}


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (["neither JSON nor YAML"], "{unclosed: ["),
        (["must be a list of clients"], "5"),
        (["fleet.yaml[0]: must be a client"], "[1]"),
        (["[0].clientId: is required"], "[{status: X}]"),
        (["[0].stauts: no such field; did you mean Status?"], "[{clientId: c-1, stauts: X}]"),
        (["[0].count: must be a number", "[1].settings.Colour"], "[{count: -1}, {clientId: c, settings: {Colour: 1}}]"),
        (["crossAccountRoleName"], "[{clientId: c-1, crossAccountUserId: 12}]"),
        (["[0].tags: must be a map"], "[{clientId: c-1, tags: [x]}]"),
    ],
)
def test_bad_fleet_file(tmp_path: Path, expected: list[str], text: str) -> None:
    """A bad file is refused with the place of every fault in it."""
    path = tmp_path / "fleet.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        emulator.open_fleet(path)
    assert all(part in str(raised.value) for part in expected)


def test_no_fleet_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(InputError, match="cannot be read"):
        emulator.open_fleet(tmp_path / "none.yaml")


def test_made_up_fleets_are_repeatable() -> None:
    """The same seed makes the same fleet, every client another, whatever the length."""
    long, short = list(new_rows(1000, seed=1)), list(new_rows(10, seed=1))
    assert short == long[:10]
    assert 1000 == len({row["ClientId"] for row in long}) == len({row["InstanceId"] for row in long})
    assert list(new_rows(10, seed=2)) != short
    assert set(ROW_FIELDS) == {name for row in long for name in row}


def test_nothing_stays_behind() -> None:
    """After `serve` no thread runs and nothing listens, be a connection idle or an answer under way."""
    before = set(threading.enumerate())
    with emulator.serve() as running, Caller(running) as caller:
        caller.ask()
        running.backend.latency = 30.0
        errors: list[Exception] = []

        def late() -> None:
            with Caller(running) as other:
                try:
                    other.ask()
                except httpx.TransportError as error:
                    errors.append(error)

        waiting = threading.Thread(target=late)
        waiting.start()
        while running.backend.requests < 2:
            time.sleep(0.001)
    waiting.join(5)
    assert len(errors) == 1
    assert before == set(threading.enumerate())
    port = int(running.endpoint.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_two_worlds_at_once() -> None:
    """Emulators in one process do not know of each other."""
    with emulator.serve(Backend()) as empty, emulator.serve() as full, Caller(empty) as one, Caller(full) as two:
        assert (len(one.names()), len(two.names())) == (0, 12)


def test_environment_is_all_a_program_needs(caller: Caller) -> None:
    """The variables name the endpoint, the region and the fake keys, and keep off the metadata service."""
    environment = caller.running.environment
    assert caller.running.endpoint == environment["ALIBABA_CLOUD_ENDPOINT_HBR"]
    assert FAKE_CREDENTIALS.access_key_secret == environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
    assert (
        environment["ALIBABA_CLOUD_REGION_ID"],
        environment["ALIBABA_CLOUD_ECS_METADATA_DISABLED"],
    ) == ("cn-hangzhou", "true")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.com", ""])  # noqa: S104  it is refused
def test_loopback_only(host: str) -> None:
    """The emulator binds nothing but loopback."""
    with pytest.raises(InputError, match="must be loopback"):
        emulator.run(host=host)


def test_port_in_use(caller: Caller) -> None:
    """A port that is taken is bad input, said in words."""
    port = int(caller.running.endpoint.rpartition(":")[2])
    with pytest.raises(InputError, match="port: cannot be listened on"):
        emulator.run(port=port)


RUN = """
from pulumi_hbr_clients import emulator
try:
    emulator.run(on_ready=lambda running: print(running.endpoint, flush=True))
except KeyboardInterrupt:
    raise SystemExit(130)
"""


@pytest.mark.parametrize(("expected", "sent"), [(130, signal.SIGINT), (-signal.SIGTERM, signal.SIGTERM)])
def test_run_until_interrupted(expected: int, sent: signal.Signals) -> None:
    """`run` serves until it is told to stop, closes everything, and says nothing on the way."""
    command = [sys.executable, "-W", "error", "-c", RUN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        endpoint = process.stdout.readline().strip()
        with Caller(RunningEmulator(Backend(), endpoint)) as caller:
            assert len(caller.names()) == 12
            process.send_signal(sent)
            assert process.communicate(timeout=10) == ("", "")
    assert expected == process.returncode
