"""Which proxy leads to a host: HTTPS_PROXY, ALL_PROXY and NO_PROXY, read as Go's and curl's programs read them.

Where the environment names no proxy, the system's own settings count (macOS, Windows). No text here shows an address
of a proxy: it may hold a password.
"""

import os
import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.protocol.endpoints import is_loopback

_SCHEMES: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_ENCODE: Final = (
    "its user or password holds a character that must be percent-encoded there (# as %23, / as %2F, ? as %3F, @ as %40)"
)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy's address, who logs in there, and the variable that names it."""

    scheme: str
    host: str
    port: int
    variable: str
    auth: tuple[str, str] | None = field(default=None, repr=False)


def proxy_for(host: str, port: int) -> Proxy | None:
    """Return the proxy for https requests to a host; None if they go there directly. Raises `InputError`."""
    proxies = getproxies_environment()
    if not proxies:
        proxies = {} if proxy_bypass(host) else getproxies()
    if is_loopback(host) or bypasses(proxies.get("no", ""), host, port):
        return None
    kind = next((kind for kind in ("https", "all") if proxies.get(kind)), None)
    if kind is None:
        return None
    names = (f"{kind}_proxy", f"{kind.upper()}_PROXY")
    variable = next((name for name in names if os.environ.get(name)), f"the system's {kind} proxy")
    return parse_proxy(proxies[kind], variable)


def parse_proxy(address: str, variable: str) -> Proxy:
    """`http://user:password@host:port` or `host:port` → Proxy. Raises `InputError` that names the variable only."""
    text = address if "://" in address else f"http://{address}"
    kind = text.partition("://")[0]
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        host = re.fullmatch(r"(\[[^\]]*\]|[^:/?#]*)(:\d+)?/?", text.rpartition("@")[2])
        why = _ENCODE if "@" in text and host else "its host or port cannot be read"
        raise _unusable(variable, kind, why) from None
    if "@" in url.path + url.query + url.fragment or re.search(r"\s", url.netloc):
        raise _unusable(variable, kind, _ENCODE)
    if url.scheme not in _SCHEMES or not url.hostname or not url.hostname.isascii():
        raise _unusable(variable, kind)
    auth = None if url.username is None else (unquote(url.username), unquote(url.password or ""))
    return Proxy(url.scheme, url.hostname, port or _SCHEMES[url.scheme], variable, auth)


def _unusable(variable: str, kind: str, why: str = "") -> InputError:
    reason = "must be http://host:port or https://host:port, or socks5://host:port"
    return InputError(ValidationIssue(variable, f"{reason}; {why}" if why else reason, f"{kind}://…"))


def bypasses(no_proxy: str, host: str, port: int) -> bool:
    """Whether NO_PROXY sends this host directly.

    Its entries, separated by commas or white space: `*`; a domain, which covers its subdomains (`example.com`);
    subdomains alone (`.example.com`, `*.example.com`); an address (`10.0.0.1`, `[::1]`); a network (`10.0.0.0/8`);
    each of them with a port, if wanted (`example.com:8443`).
    """
    host = host.lower().rstrip(".").strip("[]")
    return any(_covers(entry.lower(), host, port) for entry in re.split(r"[,\s]+", no_proxy) if entry)


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    with_port = re.fullmatch(r"(\[[^\]]+\]|[^:]*):(\d+)", entry)  # an IPv6 address has colons of its own
    if with_port and with_port[2] != str(port):
        return False
    name = (with_port[1] if with_port else entry).strip("[]")
    address, network = _network(host), _network(name)
    if address is not None or network is not None:
        return address is not None and network is not None and address.network_address in network
    name = name.removeprefix("*" if name.startswith("*.") else "").rstrip(".")
    return bool(name) and (host.endswith(name) if name.startswith(".") else f".{host}".endswith(f".{name}"))


def _network(text: str) -> IPv4Network | IPv6Network | None:
    """A network, or the one address as a network."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
