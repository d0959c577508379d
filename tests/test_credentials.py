"""Who signs: the settings' own keys, or alibabacloud-credentials, asked in a thread, one at a time."""

import asyncio
import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients.client.credentials import LibraryCredentials, StaticCredentials, credential_source
from pulumi_hbr_clients.client.settings import Settings
from pulumi_hbr_clients.model.errors import CredentialsError
from pulumi_hbr_clients.protocol.signing import Credentials

ENVIRONMENT = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "FAKE-ENV-ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "FAKE-ENV-SECRET"}


def source(config: dict[str, Any] | None = None, environment: dict[str, str] | None = None, **arguments: Any) -> Any:
    return credential_source(Settings((config or {}).get, arguments, environment or {"HOME": "/nowhere"}))


def keys(made: Any) -> Credentials:
    found: Credentials = asyncio.run(made.keys())
    return found


def test_environment() -> None:
    """Keys in the environment need no library, and are named by their variable."""
    made = source(environment={**ENVIRONMENT, "ALIBABA_CLOUD_SECURITY_TOKEN": "FAKE-TOKEN"})
    assert isinstance(made, StaticCredentials)
    assert keys(made) == Credentials("FAKE-ENV-ID", "FAKE-ENV-SECRET", "FAKE-TOKEN")
    assert made.label == "environment ALIBABA_CLOUD_ACCESS_KEY_ID"


@pytest.mark.parametrize("space", ["hbr-clients", "alicloud"])
def test_pulumi_config(space: str) -> None:
    """Pulumi config is stronger than the environment, ours or the Alibaba Cloud provider's."""
    config = {f"{space}:accessKey": "FAKE-ID", f"{space}:secretKey": "FAKE-SECRET", f"{space}:securityToken": "FAKE-T"}
    made = source(config, ENVIRONMENT)
    assert keys(made) == Credentials("FAKE-ID", "FAKE-SECRET", "FAKE-T")
    assert made.label == f"Pulumi config {space}:accessKey"


def test_keys_come_from_one_place() -> None:
    """A key of one layer is never put together with a secret of another."""
    config = {"hbr-clients:accessKey": "FAKE-ID", "alicloud:secretKey": "FAKE-SECRET"}
    with pytest.raises(CredentialsError, match="accessKey and secretKey are not both"):
        source(config, ENVIRONMENT)


def test_a_profile_of_ours_beats_keys_of_the_provider() -> None:
    """The nearer namespace wins, whatever kind of credentials it names."""
    made = source({"hbr-clients:profile": "prod", "alicloud:accessKey": "FAKE-ID", "alicloud:secretKey": "FAKE"})
    assert made.label == "profile prod (Pulumi config hbr-clients:profile)"


def test_nothing_set() -> None:
    """The library's default chain is the last resort."""
    made = source()
    assert isinstance(made, LibraryCredentials)
    assert made.label == "the default chain of alibabacloud-credentials"


def test_same_settings_share_a_source() -> None:
    """So that a role is assumed once per process, not once per query."""
    config = {"hbr-clients:profile": "prod"}
    assert source(config) is source(config)
    assert source(config) is not source({"hbr-clients:profile": "dev"})


def test_labels_and_reprs_hold_no_secret() -> None:
    """What doctor and errors show."""
    role = {"roleArn": "acs:ram::1:role/r", "externalId": "FAKE-EXTERNAL"}
    config = {
        "hbr-clients:accessKey": "FAKE-ID",
        "hbr-clients:secretKey": "FAKE-SECRET",
        "hbr-clients:assumeRole": role,
    }
    made = source(config)
    assert "then the role of Pulumi config hbr-clients:assumeRole" in made.label
    assert "FAKE-SECRET" not in repr(made) + made.label
    with pytest.raises(CredentialsError, match="must be an object with roleArn"):
        source({**config, "hbr-clients:assumeRole": "role"})


def in_a_process(code: str, home: Path, **environment: str) -> str:
    """The library reads the environment when it is imported, so each case is a process of its own."""
    path = {"PATH": "/usr/bin:/bin", "HOME": str(home), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", **environment}
    done = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


ASK = """
import asyncio
from pulumi_hbr_clients.client.credentials import key_source
from pulumi_hbr_clients.client.settings import Settings
source = key_source(Settings({config}.get))
try:
    print(asyncio.run(source.keys()))
    print(asyncio.run(source.keys()).access_key_secret == "FAKE-SECRET")
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose CLI profiles have keys."""
    (tmp_path / ".aliyun").mkdir()
    key = {"mode": "AK", "access_key_secret": "FAKE-SECRET"}
    profiles = [
        {"name": "a", "access_key_id": "FAKE-A", **key},
        {"name": "b", "access_key_id": "FAKE-B", **key},
        {"name": "odd", "mode": "Anonymous"},
    ]
    text = json.dumps({"current": "a", "profiles": profiles})
    (tmp_path / ".aliyun" / "config.json").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "Keys(access_key_id='FAKE-A')\nTrue\n"),
        ({"hbr-clients:profile": "b"}, "Keys(access_key_id='FAKE-B')\nTrue\n"),
    ],
)
def test_profiles(home: Path, config: dict[str, str], expected: str) -> None:
    """The library reads the CLI's profiles: the current one, or the one that is named."""
    assert in_a_process(ASK.format(config=config), home) == expected


@pytest.mark.parametrize("profile", ["odd", "nobody"])
def test_a_profile_that_gives_nothing(home: Path, profile: str) -> None:
    """One clear error that names the source and the way on."""
    text = in_a_process(ASK.format(config={"hbr-clients:profile": profile}), home)
    assert text.startswith(
        f"CredentialsError no credentials from profile {profile} (Pulumi config hbr-clients:profile)"
    )
    assert "hbr-clients doctor" in text
    assert "Traceback" not in text


def test_no_credentials_anywhere(tmp_path: Path) -> None:
    """The default chain finds nobody."""
    text = in_a_process(ASK.format(config={}), tmp_path)
    assert text.startswith("CredentialsError no credentials from the default chain of alibabacloud-credentials")


@pytest.fixture
def vending_machine() -> Iterator[tuple[str, list[float]]]:
    """A credentials URI that takes half a second, and when it was asked."""
    asked: list[float] = []

    class Vend(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(time.monotonic())
            time.sleep(0.5)
            ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            answer = {"Code": "Success", "AccessKeyId": f"FAKE-{len(asked)}", "AccessKeySecret": "FAKE-SECRET"}
            body = json.dumps({**answer, "SecurityToken": "FAKE-TOKEN", "Expiration": ends}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vend)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


CROWD = """
import asyncio, time
from pulumi_hbr_clients.client.credentials import key_source
from pulumi_hbr_clients.client.settings import Settings

async def main():
    source, stalls = key_source(Settings()), []
    async def watch():
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            stalls.append(time.monotonic() - before)
    watcher = asyncio.create_task(watch())
    found = await asyncio.gather(*(source.keys() for _ in range(5)))
    watcher.cancel()
    print({keys.access_key_id for keys in found}, max(stalls) < 0.3, len(stalls) > 20)
    print((await source.keys(renew=True)).access_key_id)

asyncio.run(main())
"""


def test_a_crowd_fetches_once_and_blocks_nobody(tmp_path: Path, vending_machine: tuple[str, list[float]]) -> None:
    """Five callers on a cold, slow source: one fetch, a live event loop; renewal fetches afresh."""
    uri, asked = vending_machine
    text = in_a_process(CROWD, tmp_path, ALIBABA_CLOUD_CREDENTIALS_URI=uri)
    assert text == "{'FAKE-1'} True True\nFAKE-2\n"
    assert len(asked) == 2
