"""The provider process over gRPC, as the engine uses it: its configuration, its function, faults and secrets."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2

import pulumi_hbr_clients
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend
from pulumi_hbr_clients.model.errors import (
    CredentialsError,
    DeadlineError,
    GateFailedError,
    HbrError,
    InvalidResponseError,
    ServiceError,
    service_error,
)
from pulumi_hbr_clients.plugin import values as properties
from pulumi_hbr_clients.plugin.provider import code
from pulumi_hbr_clients.plugin.values import UNKNOWN
from pulumi_hbr_clients.protocol.signing import Credentials
from tests.client.samples import profile_file
from tests.plugin.calls import (
    FUNCTION,
    SECRET,
    SENTINELS,
    URN,
    Listener,
    bag,
    check,
    check_config,
    configure,
    create,
    invoke,
    listed,
    refused,
    started,
)


def test_it_introduces_itself(provider: Any) -> None:
    """Version, what it understands, and that previews and secrets are among it."""
    assert provider.GetPluginInfo(Empty()).version == pulumi_hbr_clients.__version__
    assert provider.Handshake(provider_pb2.ProviderHandshakeRequest()).accept_secrets
    answer = configure(provider)
    assert (answer.acceptSecrets, answer.supportsPreview, answer.acceptOutputs) == (True, True, False)


def test_heartbeats(provider: Any) -> None:
    """They change by themselves, so a client has them only if they are included."""
    assert not {"lastHeartBeatTime", "updatedTime"} & listed(provider)["clients"][0].keys()
    assert listed(provider, includeHeartbeats=True)["clients"][0]["lastHeartBeatTime"] > 0


def test_bad_arguments(provider: Any, backend: Backend) -> None:
    """All faults at once, by property path, of a gate too and where other inputs are unknown; nothing is sent."""
    found = invoke(provider, clientType="ecs", pageSize=100, tags={"": "v"}).failures
    assert {fault.property for fault in found} == {"clientType", "pageSize", "tags[0].key"}
    found = check(provider, clientType="ecs", timeout="soon", pageSize=3, instanceIds=UNKNOWN)
    assert {fault.property for fault in found} == {"clientType", "timeout", "pageSize"}
    assert backend.requests == 0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CredentialsError("x"), grpc.StatusCode.UNAUTHENTICATED),
        (DeadlineError("x"), grpc.StatusCode.DEADLINE_EXCEEDED),
        (InvalidResponseError("x"), grpc.StatusCode.FAILED_PRECONDITION),
        (GateFailedError("x"), grpc.StatusCode.FAILED_PRECONDITION),
        (service_error("Throttling", "m", http_status=400), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (ServiceError("NoPermission", "m", http_status=403), grpc.StatusCode.PERMISSION_DENIED),
        (ServiceError("InternalError", "m", http_status=500), grpc.StatusCode.UNAVAILABLE),
        (ServiceError("InvalidParameter", "m", http_status=400), grpc.StatusCode.FAILED_PRECONDITION),
        (HbrError("x"), grpc.StatusCode.FAILED_PRECONDITION),
    ],
)
def test_codes(error: HbrError, expected: grpc.StatusCode) -> None:
    """Never UNKNOWN, INTERNAL or DATA_LOSS, which the engine takes for corruption."""
    assert code(error) is expected


def test_what_is_not_there(provider: Any) -> None:
    """Other functions and resources are refused by name."""
    error = refused(provider.Invoke, provider_pb2.InvokeRequest(tok="hbr-clients:index:getOther", args=bag()))
    assert error.code() == grpc.StatusCode.NOT_FOUND
    other = provider_pb2.CheckRequest(urn=URN.replace("ActivationGate", "Other"), news=bag())
    assert "there is no resource hbr-clients:index:Other" in refused(provider.Check, other).details()
    empty = provider_pb2.ReadRequest(urn=URN, id="x")
    assert refused(provider.Read, empty).code() == grpc.StatusCode.UNIMPLEMENTED


def test_secrets_stay_secret(provider: Any, backend: Backend, ids: list[str]) -> None:
    """Passwords are always marked; with a secret argument everything is."""
    backend.change(ids[0], {"Settings": {"ProxyPassword": "FAKE-PASSWORD"}})
    answer = getattr(invoke(provider, clientType="ECS_CLIENT", includeProxyPasswords=True), "return")
    assert properties.read(answer).secret == {"proxyPasswords"}
    hidden = invoke(provider, clientType={**SECRET, "value": "ECS_CLIENT"})
    assert properties.read(getattr(hidden, "return")).secret >= {"clients", "ids", "totalCount"}
    echoed = provider.Create(create(instanceIds={**SECRET, "value": ids[:1]}))
    assert properties.read(echoed.properties).secret >= {"instanceIds", "clients", "ids"}


@pytest.mark.parametrize("sentinel", SENTINELS)
def test_unknown_inputs(provider: Any, backend: Backend, sentinel: str) -> None:
    """Each of the engine's unknowns is no fault in check, and sends nothing in a preview."""
    assert not check(provider, clientType="ECS_CLIENT", instanceIds=[sentinel], timeout=sentinel)
    answer = provider.Create(create(preview=True, instanceIds=sentinel))
    assert properties.read(answer.properties).unknown >= {"clients", "ids", "countsByStatus", "instanceIds"}
    assert backend.requests == 0


def test_a_secret_input_is_not_repeated(provider: Any) -> None:
    """A fault of a secret value names its property in the reason, where the engine does not print the value."""
    hidden = {**SECRET, "value": "FAKE-SECRET"}
    found = [*check(provider, clientType=hidden), *invoke(provider, clientType=hidden).failures]
    assert [fault.property for fault in found] == ["", ""]
    assert all(fault.reason.startswith("clientType: must be one of ECS_CLIENT") for fault in found)
    assert all(fault.reason.endswith("(given: [secret])") for fault in found)
    assert "FAKE-SECRET" not in str(found)


def test_configuration(environment: dict[str, str]) -> None:
    """What cannot work is refused by property; regions and keys of the configuration are used."""
    with started({"PATH": os.environ["PATH"], "HOME": "/nowhere"}) as stub:
        found = check_config(stub, region="cn-hangzou", endpoint="http://example.com", accessKey="FAKE").failures
        assert {fault.property for fault in found} == {"endpoint", ""}
        assert "hbr-clients:secretKey is not set although" in next(f.reason for f in found if not f.property)
        (fault,) = check_config(stub, region={**SECRET, "value": "cn hangzou"}).failures
        assert (fault.property, fault.reason) == ("", "region: must be a region id (given: [secret])")
        good = {
            "region": "cn-shanghai",
            "endpoint": environment["ALIBABA_CLOUD_ENDPOINT_HBR"],
            "accessKey": FAKE_CREDENTIALS.access_key_id,
            "secretKey": {**SECRET, "value": FAKE_CREDENTIALS.access_key_secret},
        }
        assert not check_config(stub, **good).failures
        configure(stub, **good)
        assert listed(stub)["clients"][0]["region"] == "cn-shanghai"
        assert stub.DiffConfig(provider_pb2.DiffRequest(olds=bag(**good), news=bag(**good))).changes == 1


def test_a_profile_for_each_query(environment: dict[str, str], backend: Backend, tmp_path: Path) -> None:
    """`profile` of a query or of the provider says who signs; one that is not there is an error."""
    backend.allow(Credentials("FAKE-PROD", "FAKE-PROD-SECRET"))
    keys = {"mode": "AK", "access_key_id": "FAKE-PROD", "access_key_secret": "FAKE-PROD-SECRET"}
    profile_file(tmp_path, prod={**keys, "region_id": "cn-beijing"})
    with started({**environment, "HOME": str(tmp_path)}) as stub:
        assert listed(stub, profile="prod")["region"] == "cn-beijing"
        configure(stub, profile="prod", region="cn-shanghai")
        assert listed(stub)["region"] == "cn-shanghai"
        gone = provider_pb2.InvokeRequest(tok=FUNCTION, args=bag(clientType="ECS_CLIENT", profile="gone"))
        error = refused(stub.Invoke, gone)
    assert (error.code(), "there is no profile gone" in error.details()) == (grpc.StatusCode.UNAUTHENTICATED, True)
    assert {record.key_id for record in backend.log} == {"FAKE-PROD"}


def test_keys_are_kept_as_secrets(provider: Any) -> None:
    """In clear text they come back marked; what is unknown, or secret already, stays as it is, and so does the rest."""
    secret = {**SECRET, "value": "FAKE-SECRET"}
    given = {"region": "cn-shanghai", "accessKey": "FAKE-ID", "secretKey": secret, "securityToken": UNKNOWN}
    kept = check_config(provider, **given).inputs
    assert kept == bag(**given | {"accessKey": {**SECRET, "value": "FAKE-ID"}})


def test_attach(environment: dict[str, str], backend: Backend, engine: Listener, ids: list[str]) -> None:
    """A provider that runs already, under a debugger, learns where the engine is."""
    backend.set_status("INSTALLING", ids[0])
    with started(environment) as stub:
        stub.Attach(plugin_pb2.PluginAttach(address=engine.address))
        stub.Create(create(preview=True))
    assert "will wait" in engine.logged[0].message


def test_it_does_without_the_sdk(environment: dict[str, str]) -> None:
    """The provider process loads the engine's messages and nothing else of Pulumi."""
    code = "import sys; from pulumi_hbr_clients.plugin import provider; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    loaded = set(shown.stdout.split())
    assert "pulumi.runtime.proto.provider_pb2" in loaded
    assert not loaded & {"pulumi.automation", "pulumi.resource", "pydantic", "httpx"}
