"""HTTP on loopback, with or without TLS: stands in for the service, a proxy, STS or a credentials URI."""

import http.server
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import trustme

Request = http.server.BaseHTTPRequestHandler
Response = tuple[int, Mapping[str, str], bytes]


class Server(http.server.ThreadingHTTPServer):
    """Counts who called, and keeps the paths of the requests that it could read."""

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self.callers, self.paths = 0, list[str]()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.paths.append(self.path)
                status, headers, body = answer(self)
                self.send_response_only(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_CONNECT = do_POST  # noqa: N815  the names that http.server looks for

            def log_message(self, *_: object) -> None:
                """Quiet."""

        super().__init__(("127.0.0.1", 0), Handler)

    def verify_request(self, *_: Any) -> bool:
        self.callers += 1
        return True

    def handle_error(self, *_: Any) -> None:
        """A caller who breaks the handshake off is what some tests want."""


@contextmanager
def serving(answer: Callable[[Request], Response], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve until this ends."""
    server = Server(answer)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certified(authority: trustme.CA, name: str, **options: Any) -> ssl.SSLContext:
    """The TLS of a server whose certificate this authority issued."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **options).configure_cert(context)
    return context


@dataclass
class Sts:
    """Gives temporary credentials, as STS or as a credentials URI; keeps what it was asked."""

    endpoint: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)
    delay: float = 0.0
    refusals: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """Status and body of the next responses."""

    def answer(self, query: str) -> tuple[int, dict[str, Any]]:
        time.sleep(self.delay)
        self.requests.append(dict(parse_qsl(query)))
        if self.refusals:
            return self.refusals.pop(0)
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        number = len(self.requests)
        keys = {"AccessKeyId": f"FAKE-STS-{number}", "AccessKeySecret": "FAKE-STS-SECRET", "SecurityToken": "FAKE-STS"}
        return 200, {"Code": "Success", **keys, "Expiration": ends, "Credentials": {**keys, "Expiration": ends}}

    @contextmanager
    def serving(self, authority: Path | None = None) -> Iterator[Self]:
        """Serve until this ends: with TLS, if there is a file for the certificate of a throw-away authority."""
        tls = None
        if authority:
            issuer = trustme.CA()
            issuer.cert_pem.write_to_path(str(authority))
            tls = certified(issuer, "127.0.0.1")

        def answer(request: Request) -> Response:
            status, body = self.answer(urlsplit(request.path).query)
            return status, {}, json.dumps(body).encode()

        with serving(answer, tls) as server:
            self.endpoint = f"127.0.0.1:{server.server_port}"
            yield self
