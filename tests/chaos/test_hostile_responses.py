"""Whatever bytes a server sends: a list or one of our own errors comes out, in time, and says nothing of the key."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pulumi_hbr_clients import HbrClient
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, new_row
from pulumi_hbr_clients.model.errors import HbrError
from pulumi_hbr_clients.model.outputs import ClientList

NAMES = ("Success", "Code", "Message", "RequestId", "TotalCount", "PageSize", "PageNumber", "Clients", "Client")
HEADERS = (
    "Date: Mon, 01 Jan 0001 00:00:00 -0000",
    "Date: Fri, 99 Zzz 99999 99:99:99 +9999",
    "Date: \xff\xfe",
    "Retry-After: 99999999999999999999",
    "Retry-After: \xb2",
    "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",
    "x-acs-retry-after: nan",
    "x-acs-retry-after: -inf",
    "x-acs-retry-after: 1e400",
    "Content-Encoding: gzip",
    "Content-Encoding: br, deflate, \x01",
    "Content-Type: text/html; charset=utf-99",
    "Content-Length: 7",
    "Content-Length: -1",
    "Transfer-Encoding: chunked",
    "Location: http://[::1",
    "x" * 70_000,
    "no colon",
    ": empty",
)
_ODD = (99, 201, 204, 301, 302, 304, 400, 401, 403, 404, 407, 429, 500, 503, 599, 999)
STATUS_LINES = ("200 OK", "200", "", "x ?", *(f"{status} ?" for status in _ODD))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
ROWS = st.builds(
    lambda changes: {**new_row("hostile"), **changes},
    st.dictionaries(st.sampled_from(list(new_row("x"))), ANYTHING, max_size=6),
)
LISTS = st.lists(ROWS, max_size=4)
ENVELOPES = st.builds(
    lambda base, changes: {**base, **changes},
    LISTS.map(lambda found: {"Success": True, "Code": "200", "TotalCount": len(found), "Clients": found}),
    st.dictionaries(st.sampled_from(NAMES), ANYTHING | LISTS.map(lambda found: {"Client": found}), max_size=4),
)
BODIES = st.one_of(
    ENVELOPES.map(lambda value: json.dumps(value).encode()),
    ANYTHING.map(lambda value: json.dumps(value).encode()),
    ENVELOPES.map(lambda value: json.dumps(value).encode("utf-16")),
    st.tuples(ENVELOPES, st.integers(0, 400)).map(lambda pair: json.dumps(pair[0]).encode()[: pair[1]]),
    st.binary(max_size=200),
    st.just(b"[" * 100_000),
    st.just(b'{"TotalCount": 1, "Clients": [{"ClientId": "c-1", "CreatedTime": %b}]}' % (b"1" * 5000)),
    st.just(b'{"TotalCount": 1000000, "Clients": []}'),
    st.just(b"<Error><Code>Throttling</Code><Message>\xff</Message></Error>"),
)
HEADS = st.tuples(st.sampled_from(STATUS_LINES), st.lists(st.sampled_from(HEADERS), max_size=3))
GOOD: tuple[str, list[str]] = ("200 OK", [])


def response(head: tuple[str, list[str]], body: bytes, *, honest: bool = True) -> bytes:
    length = [f"Content-Length: {len(body)}"] if honest else []
    lines = [f"HTTP/1.1 {head[0]}", *head[1], *length, "Connection: close"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


RESPONSES = st.one_of(
    BODIES.map(lambda body: response(GOOD, body)),
    st.builds(response, HEADS, BODIES, honest=st.booleans()),
    st.binary(max_size=300),
)


async def outcome(sent: bytes, **arguments: Any) -> ClientList | HbrError:
    """What comes out when a server sends this, whatever the request."""
    sending = set[Any]()

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sending.add(asyncio.current_task())
        with suppress(OSError):
            await reader.read(1)
            writer.write(sent)
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_server(send, "127.0.0.1", 0) as server:
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = HbrClient(region="cn-hangzhou", endpoint=endpoint, credentials=FAKE_CREDENTIALS, timeout=0.1)
        async with client:
            try:
                found: ClientList | HbrError = await client.list_backup_clients(client_type="ECS_CLIENT", **arguments)
            except HbrError as error:
                found = error
        await asyncio.gather(*sending)
    return found


@settings(max_examples=30)
@given(sent=RESPONSES, passwords=st.booleans())
@example(sent=response(GOOD, b'{"TotalCount": 1, "Clients": [{"ClientId": "c-1", "Settings": true}]}'), passwords=True)
@example(sent=response(GOOD, b'{"totalCount": 1, "clients": [{"ClientId": "c-1"}]}'), passwords=True)
def test_hostile_responses(sent: bytes, *, passwords: bool) -> None:
    """A list or one of our own errors comes out of any bytes, and neither holds the secret."""
    found = asyncio.run(outcome(sent, include_proxy_passwords=passwords))
    assert isinstance(found, ClientList | HbrError)
    assert FAKE_CREDENTIALS.access_key_secret not in f"{found!r} {found}"
