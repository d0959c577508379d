"""The official SDK, unchanged, against the emulator on a socket: a foreign implementation agrees with ours."""

import time
from typing import Any

import pytest
from alibabacloud_hbr20170908.client import Client
from alibabacloud_hbr20170908.models import (
    DescribeBackupClientsRequest,
    DescribeBackupClientsRequestFilters,
    DescribeBackupClientsRequestTag,
)
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException, ThrottlingException
from alibabacloud_tea_openapi.models import Config

from pulumi_hbr_clients.emulator import (
    CLUSTER,
    FAKE_CREDENTIALS,
    FAKE_STS_CREDENTIALS,
    Backend,
    RunningEmulator,
    new_row,
    new_rows,
    sample,
)
from pulumi_hbr_clients.protocol.signing import Credentials

# It dates its requests with a call that Python deprecated in 3.12.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@pytest.fixture
def backend() -> Backend:
    """The sample, on a clock that stands still: heartbeats move with it."""
    now = time.time()
    return sample(clock=lambda: now)


def sdk(emulator: RunningEmulator, credentials: Credentials = FAKE_CREDENTIALS) -> Client:
    """A client as the SDK's own documentation sets it up."""
    return Client(
        Config(
            access_key_id=credentials.access_key_id,
            access_key_secret=credentials.access_key_secret,
            security_token=credentials.security_token,
            endpoint=emulator.endpoint.removeprefix("http://"),
            protocol="HTTP",
        )
    )


def listed(client: Client, **arguments: Any) -> list[Any]:
    """Every page that TotalCount promises."""
    clients: list[Any] = []
    total, page = 1, 1
    while len(clients) < total:
        request = DescribeBackupClientsRequest(page_number=page, page_size=99, **arguments)
        body = client.describe_backup_clients(request).body
        total, page = body.total_count, page + 1
        clients += body.clients
    return clients


def test_lists_the_fleet(backend: Backend, emulator: RunningEmulator) -> None:
    """The SDK reads every page, and every field of every client is what the backend holds."""
    backend.add(*new_rows(250))
    rows = [row for row in backend.rows() if row["ClientType"] == "ECS_CLIENT" and row["Hostname"] != "cross-1"]
    found = listed(sdk(emulator), client_type="ECS_CLIENT")
    assert [client.to_map() for client in found] == rows
    assert [record.arguments["page_number"] for record in backend.log] == ["1", "2", "3"]
    settings = next(client.settings for client in found if client.hostname == "db-1")
    assert (settings.proxy_port, settings.max_worker, settings.use_https) == (3128, "0", "false")
    assert settings.alert_on_partial_complete is False


def test_filters(emulator: RunningEmulator) -> None:
    """Each filter, placed by the SDK where it places it, selects what the document says."""
    client, web_3 = sdk(emulator), new_row("sample/web-3")
    tag = DescribeBackupClientsRequestTag(key="env", value="prod")
    item = DescribeBackupClientsRequestFilters(key="instanceName", values=["web-1", "web-2"])
    cases: list[tuple[list[str], dict[str, Any]]] = [
        (["web-1", "web-2", "web-3", "db-1", "db-2"], {"tag": [tag]}),
        (["web-1", "web-2"], {"filters": [item]}),
        (["web-3"], {"client_ids": [web_3["ClientId"]], "instance_ids": [web_3["InstanceId"]]}),
        (["node-1", "node-2"], {"client_type": "CONTAINER_CLIENT", "cluster_id": CLUSTER}),
    ]
    for expected, arguments in cases:
        found = listed(client, **{"client_type": "ECS_CLIENT", **arguments})
        assert [client.hostname for client in found] == expected


def test_temporary_credentials(backend: Backend, emulator: RunningEmulator) -> None:
    """The SDK lists with an STS token."""
    assert len(listed(sdk(emulator, FAKE_STS_CREDENTIALS), client_type="ECS_CLIENT")) == 12
    assert backend.log[-1].key_id == FAKE_STS_CREDENTIALS.access_key_id


@pytest.mark.parametrize(
    ("expected", "fault", "arguments"),
    [
        ((ClientException, "MissingClientType"), "none", {}),
        ((ClientException, "InvalidParameter"), "none", {"client_type": "ECS_CLIENT", "page_size": 100}),
        ((ClientException, "Throttling.User"), "throttle", {"client_type": "ECS_CLIENT"}),
        ((ThrottlingException, "Throttling.User"), "throttle:700", {"client_type": "ECS_CLIENT"}),
        ((ServerException, "InternalError"), "InternalError", {"client_type": "ECS_CLIENT"}),
    ],
)
def test_errors(
    backend: Backend,
    emulator: RunningEmulator,
    expected: tuple[type[Exception], str],
    fault: str,
    arguments: dict[str, Any],
) -> None:
    """The SDK turns refusals into its own exceptions, code and retry header and all."""
    backend.next_faults += [fault]
    with pytest.raises(Exception, match=expected[1]) as raised:
        sdk(emulator).describe_backup_clients(DescribeBackupClientsRequest(**arguments))
    error: Any = raised.value
    assert (type(error), error.code) == expected
    if fault == "throttle:700":
        assert error.retry_after == 700
