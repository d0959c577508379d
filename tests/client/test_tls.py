"""TLS on a real socket: nothing is sent to what is not certain to be the service, or to where a response points."""

import contextlib
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from pulumi_hbr_clients.model.errors import HbrError, InputError, TransportError
from tests.client.servers import Request, Response, certified, serving
from tests.queries import listed

SHORT = {"timeout": 1.0}
"""Seconds in which a refusal is tried again: what is refused here stays refused."""
PAGE = json.dumps({"Success": True, "Code": "200", "TotalCount": 1, "Clients": [{"ClientId": "c-1"}]}).encode()


def service(_: Request) -> Response:
    return 200, {"Content-Type": "application/json"}, PAGE


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


def outdated(authority: trustme.CA) -> ssl.SSLContext:
    """A server of before 2018 that speaks TLS 1.1 and nothing newer."""
    context = certified(authority, "localhost")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def test_a_certificate_that_nobody_vouches_for_is_refused(authority: trustme.CA) -> None:
    """The error says why and what to do, at once, and not one request is sent, be it signed or not."""
    reason = r"CERTIFICATE_VERIFY_FAILED.*authority is named by .* SSL_CERT_FILE$"
    tls = certified(authority, "localhost")
    with serving(service, tls) as server, pytest.raises(TransportError, match=reason) as error:
        listed(f"https://localhost:{server.server_port}", SHORT)
    assert type(error.value) is TransportError
    assert (server.callers, server.paths) == (1, [])


@pytest.mark.usefixtures("known")
def test_an_authority_that_ssl_cert_file_names_is_believed(authority: trustme.CA) -> None:
    """A company's own authority needs no other setting: the same server then gives the list."""
    with serving(service, certified(authority, "localhost")) as server:
        found = listed(f"https://localhost:{server.server_port}", SHORT)
    assert (found.ids, found.complete, len(server.paths)) == (("c-1",), True, 1)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda authority: certified(authority, "hbr.example.com"), "Hostname mismatch"),
        (
            lambda authority: certified(authority, "localhost", not_after=datetime.now(UTC) - timedelta(days=1)),
            "certificate has expired",
        ),
        (outdated, "(?i)protocol.version|unsupported.protocol"),
    ],
    ids=["another's", "expired", "TLS 1.1"],
)
def test_a_known_authority_is_not_enough(
    authority: trustme.CA, make: Callable[[trustme.CA], ssl.SSLContext], why: str
) -> None:
    """The certificate must be this host's and in date, and the protocol TLS 1.2 or newer; else nothing is sent."""
    with serving(service, make(authority)) as server, pytest.raises(TransportError, match=why):
        listed(f"https://localhost:{server.server_port}", SHORT)
    assert server.callers >= 1
    assert server.paths == []


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
def test_by_way_of_a_proxy(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy gets the service's name, which no DNS here knows; certificate and request are the service's own."""
    name = "hbr.nowhere.invalid"
    with serving(service, certified(authority, name)) as server, Tunnel(server.server_port) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_address[1]}")
        assert listed(f"https://{name}").total_count == 1
        proxy.shutdown()
    assert proxy.asked == [f"CONNECT {name}:443 HTTP/1.1\r\n".encode()]
    assert server.paths[0].startswith("/?ClientType=ECS_CLIENT&")


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed(status: int) -> None:
    """A signed request goes to the address that was asked for, and to no other that a response names."""
    with serving(service) as other:
        location = {"Location": f"http://127.0.0.1:{other.server_port}/"}
        with serving(lambda _: (status, location, b"")) as server, pytest.raises(HbrError):
            listed(f"http://localhost:{server.server_port}", SHORT)
    assert server.paths
    assert other.callers == 0


@pytest.mark.usefixtures("authority")
@pytest.mark.parametrize(
    ("variable", "content", "expected"),
    [
        ("SSL_CERT_FILE", None, "must be a readable file of certificates (PEM): No such file or directory"),
        ("SSL_CERT_FILE", "", "must be a readable file of certificates (PEM): "),
        ("SSL_CERT_FILE", "no certificate", "must be a readable file of certificates (PEM): "),
        ("SSL_CERT_DIR", None, "must be a folder of certificates"),
    ],
)
def test_authorities_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, content: str | None, expected: str
) -> None:
    """The variable and its file are named in one line, before anything is sent."""
    path = tmp_path / "authorities"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(variable, str(path))
    with pytest.raises(InputError) as refused:
        listed("https://127.0.0.1:9")
    assert str(refused.value).startswith(f"{variable}: {expected}")
    assert str(refused.value).endswith(f"(given: {path})")
