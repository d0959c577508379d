"""Signs requests and hands them to a backend: each is as its arguments say, however wrong."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, Cloud, service
from pulumi_hbr_clients.emulator.responses import ApiResponse
from pulumi_hbr_clients.protocol import codec
from pulumi_hbr_clients.protocol.signing import DATE_FORMAT, Credentials, Request, sign

ECS: Final = {"ClientType": "ECS_CLIENT"}
ALL_ECS: Final = {**ECS, "PageSize": "99"}


@dataclass
class Caller:
    """A user of a backend, or of several accounts and regions."""

    backend: Backend
    cloud: Cloud | None = None
    host: str = "hbr.cn-hangzhou.aliyuncs.com"

    def request(
        self,
        query: Mapping[str, str] = ALL_ECS,
        body: Mapping[str, str] | None = None,
        *,
        credentials: Credentials = FAKE_CREDENTIALS,
        date: float | None = None,
        nonce: str | None = None,
        **headers: str,
    ) -> Request:
        """A signed request, dated by the backend's clock; header names are written with underscores."""
        own = {
            "host": self.host,
            "content-type": codec.FORM,
            "x-acs-action": codec.ACTION,
            "x-acs-version": codec.VERSION,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        request = Request(own, tuple(query.items()), urlencode(body or {}).encode())
        moment = time.gmtime(self.backend.clock() if date is None else date)
        nonce = nonce or secrets.token_hex(16)
        signed = sign(request, credentials, date=time.strftime(DATE_FORMAT, moment), nonce=nonce)
        return replace(request, headers={name.lower(): value for name, value in signed.items()})

    def send(self, request: Request) -> ApiResponse:
        return service.answer((self.cloud or self.backend).route(request), request)

    def call(self, *args: Any, **kwargs: Any) -> ApiResponse:
        return self.send(self.request(*args, **kwargs))

    def document(self, *args: Any, **kwargs: Any) -> Any:
        return json.loads(self.call(*args, **kwargs).body)

    def code(self, *args: Any, **kwargs: Any) -> str:
        return self.call(*args, **kwargs).code

    def names(self, *args: Any, **kwargs: Any) -> list[str]:
        """The host names that are listed, in order."""
        return [row["Hostname"] for row in self.document(*args, **kwargs)["Clients"]]

    def page(self, number: int, size: int = 10, body: Mapping[str, str] | None = None, **query: str) -> Any:
        return self.document({**ECS, "PageSize": str(size), "PageNumber": str(number), **query}, body)
