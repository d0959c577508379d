"""TLS on a real socket: who is not certain to be the service is told nothing, and an answer sends us nowhere else."""

import asyncio
import contextlib
import http.client
import http.server
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from pulumi_hbr_clients import emulator, wait_until_activated
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, new_rows
from pulumi_hbr_clients.model.errors import HbrError, InputError, TransportError
from tests.queries import listed

IMPATIENT = {"timeout": 1.0}
"""Seconds in which a refusal is tried again: what is refused here stays refused."""


class Front(http.server.ThreadingHTTPServer):
    """A server before the emulator. It counts who called, and keeps every request that it could read."""

    def __init__(self, answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> None:
        self.callers = 0
        self.requests: list[str] = []
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                front.requests.append(self.path)
                answer(self)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        super().__init__(("127.0.0.1", 0), Handler)

    def verify_request(self, *_: Any) -> bool:
        self.callers += 1
        return True

    def handle_error(self, *_: Any) -> None:
        """A caller who breaks the handshake off is what is wanted here."""


@contextmanager
def listening(front: Front, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    if tls:
        front.socket = tls.wrap_socket(front.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=front.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://localhost:{front.server_port}"
    finally:
        front.shutdown()
        thread.join()
        front.server_close()


def forwarding(endpoint: str) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    """Hand the request to the emulator as it came, and its answer back."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        there = http.client.HTTPConnection(endpoint.removeprefix("http://"))
        there.request("POST", handler.path, body, dict(handler.headers.items()))
        response = there.getresponse()
        text = response.read()
        there.close()
        handler.send_response_only(response.status)
        for name, value in response.getheaders():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(text)

    return answer


def elsewhere(status: int, location: str) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.send_response_only(status)
        handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@pytest.fixture
def backend() -> Backend:
    return Backend(new_rows(5))


@pytest.fixture
def service(backend: Backend) -> Iterator[str]:
    with emulator.serve(backend) as running:
        yield running.endpoint


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that nobody knows, on a machine that names no store of certificates of its own."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    return trustme.CA()


@pytest.fixture
def known(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names the authority."""
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def certified(authority: trustme.CA, name: str = "localhost", **options: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **options).configure_cert(context)
    return context


def outdated(authority: trustme.CA) -> ssl.SSLContext:
    """A server of before 2018 that speaks TLS 1.1 and nothing newer."""
    context = certified(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def test_a_certificate_that_nobody_vouches_for_is_refused(service: str, authority: trustme.CA) -> None:
    """The error says why and what to do, at once, and not one request is sent, be it signed or not."""
    front = Front(forwarding(service))
    with (
        listening(front, certified(authority)) as endpoint,
        pytest.raises(
            TransportError, match=r"CERTIFICATE_VERIFY_FAILED.*authority is named by .* SSL_CERT_FILE$"
        ) as error,
    ):
        listed(endpoint, IMPATIENT)
    assert type(error.value) is TransportError
    assert front.callers == 1
    assert front.requests == []


def test_no_gate_waits_for_a_certificate(service: str, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting mends no certificate: the wait ends with the first look, not with its timeout."""
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", FAKE_CREDENTIALS.access_key_id)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", FAKE_CREDENTIALS.access_key_secret)
    with listening(Front(forwarding(service)), certified(authority)) as endpoint:
        waiting = wait_until_activated(client_type="ECS_CLIENT", region="cn-hangzhou", endpoint=endpoint, timeout=100)
        with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
            asyncio.run(waiting)


@pytest.mark.usefixtures("known")
def test_an_authority_that_ssl_cert_file_names_is_believed(service: str, authority: trustme.CA) -> None:
    """A company's own authority needs no other setting: the same server then gives the whole list."""
    front = Front(forwarding(service))
    with listening(front, certified(authority)) as endpoint:
        found = listed(endpoint, IMPATIENT)
    assert (found.total_count, found.complete) == (5, True)
    assert len(front.requests) == 1


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda authority: certified(authority, "hbr.example.com"), "Hostname mismatch"),
        (
            lambda authority: certified(authority, not_after=datetime.now(UTC) - timedelta(days=1)),
            "certificate has expired",
        ),
        (outdated, "(?i)protocol.version|unsupported.protocol"),
    ],
    ids=["another's", "expired", "TLS 1.1"],
)
def test_a_known_authority_is_not_enough(
    service: str, authority: trustme.CA, make: Callable[[trustme.CA], ssl.SSLContext], why: str
) -> None:
    """The certificate must be this host's and in date, and the protocol TLS 1.2 or newer; else nothing is sent."""
    front = Front(forwarding(service))
    with listening(front, make(authority)) as endpoint, pytest.raises(TransportError, match=why):
        listed(endpoint, IMPATIENT)
    assert front.callers >= 1
    assert front.requests == []


class Tunnel(socketserver.ThreadingTCPServer):
    """A proxy that leads every CONNECT to one server, whatever its name."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.asked: list[bytes] = []
        tunnel = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                tunnel.asked.append(self.rfile.readline())
                while self.rfile.readline() != b"\r\n":
                    pass
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with socket.create_connection(("127.0.0.1", port)) as there:
                    threading.Thread(target=copy, args=(there, self.connection), daemon=True).start()
                    copy(self.connection, there)

        super().__init__(("127.0.0.1", 0), Handler)


def copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)


@pytest.mark.usefixtures("known")
def test_by_way_of_a_proxy(service: str, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is told the service's name, which no DNS here knows; certificate and request are the service's own."""
    front = Front(forwarding(service))
    with listening(front, certified(authority, "hbr.nowhere.invalid")), Tunnel(front.server_port) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_address[1]}")
        assert listed("https://hbr.nowhere.invalid").total_count == 5
        proxy.shutdown()
    assert proxy.asked == [b"CONNECT hbr.nowhere.invalid:443 HTTP/1.1\r\n"]
    assert front.requests[0].startswith("/?ClientType=ECS_CLIENT&")


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed(service: str, backend: Backend, status: int) -> None:
    """A signed request goes to the address that was asked for, and to no other that an answer names."""
    front = Front(elsewhere(status, f"{service}/"))
    with listening(front) as endpoint, pytest.raises(HbrError):
        listed(endpoint, IMPATIENT)
    assert front.requests
    assert backend.requests == 0


@pytest.mark.parametrize(
    ("variable", "content", "said"),
    [
        ("SSL_CERT_FILE", None, "must be a readable file of certificates (PEM): No such file or directory"),
        ("SSL_CERT_FILE", "", "must be a readable file of certificates (PEM): "),
        ("SSL_CERT_FILE", "no certificate", "must be a readable file of certificates (PEM): "),
        ("SSL_CERT_DIR", None, "must be a folder of certificates"),
    ],
)
def test_authorities_that_cannot_be_read(  # noqa: PLR0917  pytest passes them by name
    authority: trustme.CA,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
    content: str | None,
    said: str,
) -> None:
    """The variable and its file are named in one line, before anything is sent."""
    del authority  # which has removed both variables
    path = tmp_path / "authorities"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(InputError) as refused:
        listed("https://127.0.0.1:9")
    assert str(refused.value).startswith(f"{variable}: {said}")
    assert str(refused.value).endswith(f"(given: {path})")
