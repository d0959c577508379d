"""Connections: which way they go, and what is said when there is none. Proxies here are real sockets on loopback."""

import socket
import threading
from collections.abc import Iterator

import pytest

from pulumi_hbr_clients import emulator
from pulumi_hbr_clients.client.session import RetryPolicy
from pulumi_hbr_clients.emulator import Backend, new_rows
from pulumi_hbr_clients.model.errors import InputError, TransportError
from tests.queries import listed

SERVICE = "https://hbr.cn-hangzhou.aliyuncs.com"
ONE_TRY = {"retry_policy": RetryPolicy(attempts=1)}
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxies but a test's own."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Refusing:
    """A proxy that notes where it should connect to, and refuses."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(4096).split(b"\r\n")[0].decode(errors="replace"))
                connection.sendall(b"HTTP/1.1 502 Not today\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def proxy() -> Iterator[Refusing]:
    made = Refusing()
    yield made
    made.socket.close()


@pytest.mark.parametrize("value", ["http://{}", "{}", "http://user:FAKE-PROXY-PASSWORD@{}"])
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(
    proxy: Refusing, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The way to the service leads through it, and its refusal is told without its password."""
    monkeypatch.setenv(name, value.format(proxy.address))
    with pytest.raises(
        TransportError,
        match=f"^no answer from {SERVICE} .ProxyError: 502 Not today. by way of the proxy that {name} names$",
    ):
        listed(SERVICE, ONE_TRY)
    assert proxy.asked == ["CONNECT hbr.cn-hangzhou.aliyuncs.com:443 HTTP/1.1"]


def test_no_proxy(proxy: Refusing, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_PROXY leads past it: the address itself is spoken to."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "localhost")
    with pytest.raises(TransportError, match="ConnectError"):
        listed(f"https://localhost:{proxy.address.partition(':')[2]}", ONE_TRY)
    assert proxy.asked[0].startswith("\x16")  # TLS's first byte, not CONNECT


def test_loopback_needs_no_proxy(proxy: Refusing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy has no way to this machine's own loopback."""
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
    with emulator.serve(Backend(new_rows(3))) as running:
        assert listed(running.endpoint).total_count == 3
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            "ftp://user:FAKE-PROXY-PASSWORD@proxy.example",
            "must be http://host:port or https://host:port, or socks5://host:port (given: ftp://…)",
        ),
        (
            "http://user:FAKE-PROXY-PASSWORD@proxy.example:port",
            (
                "must be http://host:port or https://host:port, or socks5://host:port; "
                "its host or port cannot be read (given: http://…)"
            ),
        ),
        (
            "socks5://user:FAKE-PROXY-PASSWORD@proxy.example",
            "must be http:// or https://, or socks5:// with the package httpcore[socks] installed (given: socks5://…)",
        ),
    ],
)
def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, value: str, said: str) -> None:
    """Is named by its variable and its kind, never by its address: that may hold a password."""
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(InputError) as refused:
        listed(SERVICE, ONE_TRY)
    assert str(refused.value) == f"HTTPS_PROXY: {said}"
