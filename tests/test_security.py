"""SECURITY.md says what the code does, and names tests that are there. What state holds: tests/engine/test_state.py."""

import ast
import json
import logging
import re
from pathlib import Path

import pytest

from pulumi_hbr_clients import emulator
from pulumi_hbr_clients.emulator import FAKE_STS_CREDENTIALS, Backend, new_row
from pulumi_hbr_clients.model import errors
from pulumi_hbr_clients.protocol import codec as wire
from pulumi_hbr_clients.protocol.signing import parse_authorization
from tests.client.servers import Request, Response, serving
from tests.queries import listed

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "SECURITY.md").read_text()
SETTINGS = {"credentials": FAKE_STS_CREDENTIALS, "timeout": 5}
PASSWORD = "FAKE-PROXY-PASSWORD"  # noqa: S105  of a made-up client


def test_an_answer_that_quotes_everything_gives_nothing_away(caplog: pytest.LogCaptureFixture) -> None:
    """Not the secret key, the token or the signature: not in the error, and not in any library's debug log."""
    seen: list[str] = []

    def quote(request: Request) -> Response:
        seen.append(request.headers["authorization"])
        refusal = {"Code": "NoPermission", "Message": str(request.headers), "RequestId": "R"}
        return 403, {}, json.dumps(refusal).encode()

    with serving(quote) as server, caplog.at_level(logging.DEBUG), pytest.raises(errors.ServiceError) as caught:
        listed(f"http://127.0.0.1:{server.server_port}", SETTINGS)
    sent = parse_authorization(seen[0])
    assert sent
    said = f"{caught.value} {caught.value!r} {caught.value.__dict__} {caplog.text}"
    assert "SignedHeaders=" in said
    hidden = [
        sent.signature,
        FAKE_STS_CREDENTIALS.access_key_secret,
        FAKE_STS_CREDENTIALS.security_token,
        sent.access_key_id,
    ]
    assert [secret for secret in hidden if secret and secret in said] == []


def test_no_log_tells_a_password(caplog: pytest.LogCaptureFixture) -> None:
    """Asked for, proxy passwords are in the result, masked, and in no library's debug log."""
    backend = Backend([new_row("one", Settings={"ProxyPassword": PASSWORD})])
    with emulator.serve(backend) as running, caplog.at_level(logging.DEBUG):
        backend.allow(FAKE_STS_CREDENTIALS)
        found = listed(running.endpoint, SETTINGS, include_proxy_passwords=True)
    assert list(found.reveal_passwords().values()) == [PASSWORD]
    assert caplog.text
    assert PASSWORD not in f"{caplog.text} {found!r} {found.proxy_passwords!r} {found.clients!r}"


def test_the_policy_is_the_one_action() -> None:
    """What the page allows is what is sent, and what an error advises."""
    (text,) = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    action = f"hbr:{wire.ACTION}"
    assert json.loads(text) == {
        "Version": "1",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}],
    }
    assert f"the RAM action {action} (resource *)" in (
        errors.service_error("NoPermission", "m", http_status=403).advice or ""
    )


def test_every_test_that_is_named_is_there() -> None:
    """The page leans on tests; none of them was renamed or lost."""
    trees = (ast.parse(path.read_text()) for path in (ROOT / "tests").rglob("test_*.py"))
    there = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) >= 20
    assert named - there == set()
