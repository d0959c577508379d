"""Which proxy leads to the service, and what errors show of it. Proxies here are real sockets on loopback."""

from collections.abc import Iterator

import pytest

from pulumi_hbr_clients import emulator
from pulumi_hbr_clients.client.proxy import bypasses, parse_proxy
from pulumi_hbr_clients.emulator import Backend, new_rows
from pulumi_hbr_clients.model.errors import InputError, Retry, TransportError
from tests.client.servers import Server, serving
from tests.queries import ONE_TRY, listed

SERVICE = "https://hbr.cn-hangzhou.aliyuncs.com"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxies but a test's own."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def proxy() -> Iterator[Server]:
    """A proxy that refuses whatever it is asked for."""
    with serving(lambda _: (502, {}, b"")) as server:
        yield server


@pytest.mark.parametrize(
    "value", ["http://127.0.0.1:{}", "localhost:{}", "http://user:FAKE-PROXY-PASSWORD@127.0.0.1:{}"]
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(
    proxy: Server, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The way to the service leads through it, by the service's name, and its refusal is shown without its password."""
    monkeypatch.setenv(name, value.format(proxy.server_port))
    expected = f"^no answer from {SERVICE} .ProxyError: 502 Bad Gateway. by way of the proxy that {name} names$"
    with pytest.raises(TransportError, match=expected):
        listed(SERVICE, ONE_TRY)
    assert proxy.paths == ["hbr.cn-hangzhou.aliyuncs.com:443"]


def test_a_refused_password_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every further try with a wrong password brings the account nearer to its lock; the variable is named."""
    with serving(lambda _: (407, {}, b"")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:FAKE-WRONG@127.0.0.1:{proxy.server_port}")
        with pytest.raises(TransportError, match=r"407 .* by way of the proxy that HTTPS_PROXY names") as caught:
            listed(SERVICE)
    assert (len(proxy.paths), caught.value.retry) == (1, Retry.NEVER)
    assert "FAKE-WRONG" not in str(caught.value)


def test_no_proxy(proxy: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_PROXY leads past it: the address itself is connected to."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    with pytest.raises(TransportError, match="ConnectError"):
        listed(f"https://127.0.0.1:{proxy.server_port}", ONE_TRY)
    assert (proxy.callers, proxy.paths) == (1, [])  # TLS's first bytes, not CONNECT


def test_loopback_needs_no_proxy(proxy: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy has no way to this machine's own loopback."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.server_port}")
    with emulator.serve(Backend(new_rows(3))) as running:
        assert listed(running.endpoint).total_count == 3
    assert proxy.callers == 0


@pytest.mark.parametrize(
    ("no_proxy", "direct", "by_proxy"),
    [
        ("*", ["any.example", "10.0.0.1"], []),
        ("example.com", ["example.com", "a.example.com", "A.B.Example.COM."], ["notexample.com", "example.com.cn"]),
        (".example.com", ["a.example.com"], ["example.com", "notexample.com"]),
        ("*.example.com", ["a.example.com", "a.b.example.com"], ["example.com"]),
        ("*.invalid", ["hbr.invalid"], ["hbr.example"]),
        (" a.example ,, b.example c.example", ["a.example", "b.example", "c.example"], ["d.example"]),
        ("example.com:443", ["example.com", "a.example.com"], []),
        ("example.com:8443", [], ["example.com"]),
        ("10.0.0.1,[::1]:443,2001:db8::1", ["10.0.0.1", "::1", "2001:db8::1"], ["10.0.0.2", "0.0.1"]),
        ("10.0.0.0/8, fd00::/8", ["10.1.2.3", "fd12::1"], ["11.0.0.1", "10.example"]),
        ("10.0.0.0/99,:,/,*example", [], ["10.0.0.1", "example"]),
        ("", [], ["example.com"]),
    ],
)
def test_no_proxy_is_read_as_go_and_curl_read_it(no_proxy: str, direct: list[str], by_proxy: list[str]) -> None:
    """Domains with their subdomains, suffixes, wildcards, ports, addresses, networks; case does not count."""
    assert [host for host in direct + by_proxy if bypasses(no_proxy, host, 443)] == direct


RULE = "HTTPS_PROXY: must be http://host:port or https://host:port, or socks5://host:port"
ENCODE = "; its user or password holds a character that must be percent-encoded there (# as %23, "


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ftp://user:FAKE-PROXY-PASSWORD@proxy.example", f"{RULE} (given: ftp://…)"),
        ("http://user:FAKE-PROXY-PASSWORD@proxy.example:port", f"{RULE}; its host or port cannot be read"),
        ("http://", f"{RULE} (given: http://…)"),
        ("http://user:FAKE#PROXY-PASSWORD@127.0.0.1:3128", RULE + ENCODE),
        ("http://user:FAKE/PROXY-PASSWORD@127.0.0.1:3128", RULE + ENCODE),
        ("http://us?er:FAKE-PROXY-PASSWORD@127.0.0.1:3128", RULE + ENCODE),
        ("http://user:FAKE[PROXY-PASSWORD@127.0.0.1:3128", RULE + ENCODE),
        ("http://user:FAKE PROXY-PASSWORD@127.0.0.1:3128", RULE + ENCODE),
        ("user:FAKE#PROXY-PASSWORD@127.0.0.1:3128", RULE + ENCODE),
        (
            "socks5://user:FAKE-PROXY-PASSWORD@proxy.example",
            "HTTPS_PROXY: must be http:// or https://, or socks5:// with the package httpx[socks] installed",
        ),
    ],
)
def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, value: str, expected: str) -> None:
    """It is named by its variable and kind, with the reason, never by its address: that may hold a password."""
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(InputError) as refused:
        listed(SERVICE)
    assert str(refused.value).startswith(expected)
    assert "PASSWORD" not in str(refused.value)


@pytest.mark.parametrize("password", ["a%23b", "a%2Fb%3F", "p@ss", "100%", "ü"])
def test_passwords_of_a_proxy(password: str) -> None:
    """They are decoded; what can be read without doubt need not be encoded."""
    found = parse_proxy(f"http://user:{password}@proxy.example:3128", "HTTPS_PROXY")
    expected = {"a%23b": "a#b", "a%2Fb%3F": "a/b?"}.get(password, password)
    assert (found.host, found.port, found.auth) == ("proxy.example", 3128, ("user", expected))
    assert password not in repr(found)
