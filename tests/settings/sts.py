"""STS on loopback, with TLS and a certificate authority of its own, and any other source that answers HTTP."""

import http.server
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import trustme


@dataclass
class Sts:
    """What was asked, and how it answers."""

    endpoint: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)
    life: float = 3600.0
    """Seconds until what it gives ends."""
    delay: float = 0.0
    refusals: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """Status and body of the next responses."""

    def answer(self, query: str) -> tuple[int, dict[str, Any]]:
        time.sleep(self.delay)
        self.requests.append(dict(parse_qsl(query)))
        if self.refusals:
            return self.refusals.pop(0)
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.life))
        number = len(self.requests)
        keys = {"AccessKeyId": f"FAKE-STS-{number}", "AccessKeySecret": "FAKE-STS-SECRET", "SecurityToken": "FAKE-STS"}
        return 200, {"Code": "Success", **keys, "Expiration": ends, "Credentials": {**keys, "Expiration": ends}}


@contextmanager
def serving(authority: Path | None) -> Iterator[Sts]:
    """Serve until this ends: with TLS if there is a file for the authority's certificate, else a credentials URI."""
    sts = Sts()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = sts.answer(urlsplit(self.path).query)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sts.endpoint = f"127.0.0.1:{server.server_port}"
    if authority:
        ca = trustme.CA()
        ca.cert_pem.write_to_path(str(authority))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield sts
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
