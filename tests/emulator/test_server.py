"""The emulator on sockets: dropped connections, latency, the admin API, several regions, and a clean end."""

import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from pulumi_hbr_clients.emulator import (
    FAKE_CREDENTIALS,
    Backend,
    Cloud,
    RunningEmulator,
    account_credentials,
    new_row,
    new_rows,
    serve,
)
from pulumi_hbr_clients.protocol.signing import Credentials, canonical_query
from tests.emulator.caller import ALL_ECS, Caller


class HttpCaller(httpx.Client):
    """Sends signed requests over HTTP."""

    def __init__(self, running: RunningEmulator, endpoint: str | None = None) -> None:
        super().__init__(base_url=endpoint or running.endpoint, trust_env=False)
        self.caller = Caller(running.backend, host=urlsplit(endpoint or running.endpoint).netloc)

    def call(
        self, query: Mapping[str, str] = ALL_ECS, credentials: Credentials = FAKE_CREDENTIALS, **headers: Any
    ) -> httpx.Response:
        request = self.caller.request(query, credentials=credentials, **headers)
        return self.post(f"/?{canonical_query(request.query)}", content=request.body, headers=dict(request.headers))


@pytest.fixture
def http(emulator: RunningEmulator) -> Iterator[HttpCaller]:
    with HttpCaller(emulator) as http:
        yield http


def test_a_page_over_http(http: HttpCaller) -> None:
    """A response has its headers, and connections serve one request after another."""
    first, second = http.call(), http.call()
    assert (first.status_code, second.json()["TotalCount"]) == (200, 12)
    assert first.headers["x-acs-request-id"] == first.json()["RequestId"]
    streams = [response.extensions["network_stream"].get_extra_info("client_addr") for response in (first, second)]
    assert streams[0] == streams[1]
    assert http.call(connection="close").status_code == 200


def test_dropped_connections(backend: Backend, http: HttpCaller) -> None:
    """A connection ends before the response, within it, or after it without notice, and the next one works."""
    backend.next_faults += ["drop", "drop_body", "drop_after"]
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        http.call()
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        http.call()
    response = http.call()
    assert (response.json()["Code"], "connection" in response.headers) == ("200", False)
    end: socket.socket = response.extensions["network_stream"].get_extra_info("socket")
    if end.fileno() != -1:  # httpx may have seen the end already
        end.settimeout(5)
        assert end.recv(1, socket.MSG_PEEK) == b""
    assert http.call().status_code == 200


@pytest.mark.parametrize("text", [b"GET\r\n\r\n", b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n", b"POST"])
def test_what_is_not_http(emulator: RunningEmulator, text: bytes) -> None:
    """Anything but HTTP ends the connection, and the emulator goes on."""
    port = urlsplit(emulator.endpoint).port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=5) as client:
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    with HttpCaller(emulator) as http:
        assert http.call().status_code == 200


def test_admin_api(backend: Backend, http: HttpCaller) -> None:
    """A process that cannot reach in changes the backend, its behaviour and its clock, and reads the log."""
    web = new_row("sample/web-1")["ClientId"]

    def post(command: str, **arguments: Any) -> Any:
        response = http.post(f"/_emulator/{command}", json=arguments)
        assert response.status_code == 200, response.text
        return response.json()["result"]

    post("set_status", clients=[web], status="STOPPED")
    (new,) = post("install", instances=["i-new"], seconds=30)
    post("advance", seconds=31)
    post("add", clients=[{"clientId": "c-9", "tags": {"a": "b"}}, {"count": 3}])
    post("next_faults", value=["throttle"])
    assert post("denied", value=["DescribeRegions"]) == ["DescribeRegions"]
    assert post("turnover", value={"by": "tags", "times": 1})["leave_from"] == "front"
    assert (backend.find(web).row["Status"], backend.find(new).row["Status"]) == ("STOPPED", "ACTIVATED")
    post("activate", clients=web)
    assert http.call().json()["Code"] == "Throttling.User"
    fleet = http.get("/_emulator/fleet").json()
    assert (len(fleet["clients"]), fleet["totalCount"]) == (16 + 1 + 4, 21)
    assert fleet["clients"][0]["Status"] == "ACTIVATED"
    assert [entry["fault"] for entry in http.get("/_emulator/log").json()["log"]] == ["throttle"]
    post("clear_log")
    assert http.get("/_emulator/log").json() == {"requests": 0, "log": []}
    index = http.get("/_emulator").json()
    assert index["commands"]["install"] == ["instances", "seconds", "fails"]
    assert index["behaviours"]["turnover"]["by"] == "tags"


@pytest.mark.parametrize(
    ("expected", "command", "content"),
    [
        ("no such command", "explode", b"{}"),
        ("missing a required argument", "install", b'{"machines": []}'),
        ("no client or instance", "remove", b'{"clients": ["c-none"]}'),
        ("no such fault", "next_faults", b'{"value": ["thottle"]}'),
        ("not JSON", "add", b"{"),
        ("must be a JSON object", "add", b"[]"),
        ("no such argument", "add", b'{"clients": [{"clientId": "c-1", "stauts": "X"}]}'),
        ("takes", "latency", b"{}"),
    ],
)
def test_admin_api_explains(http: HttpCaller, expected: str, command: str, content: bytes) -> None:
    """A command that cannot be done says why, and the emulator goes on."""
    response = http.post(f"/_emulator/{command}", content=content)
    assert response.status_code == 400
    assert expected in response.json()["error"]
    assert http.call().status_code == 200


def test_accounts_and_regions() -> None:
    """Each region has a port of its own; behind it each account finds its own fleet, and the admin API too."""
    cloud = Cloud({("prod", "cn-hangzhou"): Backend(new_rows(3)), ("dev", "cn-shanghai"): Backend(new_rows(2))})
    totals = {}
    with serve(cloud) as running:
        for region, endpoint in running.endpoints.items():
            with HttpCaller(running, endpoint) as http:
                for account in ("prod", "dev"):
                    response = http.call(credentials=account_credentials(account))
                    totals[account, region] = response.json()["TotalCount"]
                assert http.get("/_emulator/fleet?account=dev&region=cn-shanghai").json()["totalCount"] == 2
                assert http.get("/_emulator/fleet?account=nobody").status_code == 400
    hangzhou, shanghai = "cn-hangzhou", "cn-shanghai"
    assert totals == {("prod", hangzhou): 3, ("dev", hangzhou): 0, ("prod", shanghai): 0, ("dev", shanghai): 2}


def test_nothing_stays_behind() -> None:
    """After `serve` no thread runs and nothing listens, be a connection idle or a response under way."""
    before = set(threading.enumerate())
    with ThreadPoolExecutor() as pool:
        with serve() as running, HttpCaller(running) as http, HttpCaller(running) as other:
            http.call()
            running.backend.latency = 30.0
            late = pool.submit(other.call)
            while running.backend.requests < 2:
                time.sleep(0.001)
        assert isinstance(late.exception(5), httpx.TransportError)
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(running.endpoint).port or 0))


def test_the_example_of_the_docs() -> None:
    """The emulator's example in docs/testing.md runs as it stands."""
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
    (example,) = re.findall(r"```python\n(from pulumi_hbr_clients import HbrClient, emulator\n.*?)```", page, re.DOTALL)
    names: dict[str, object] = {}
    exec(example, names)  # noqa: S102  the page's own code
    assert {"backend", "client"} <= names.keys()
