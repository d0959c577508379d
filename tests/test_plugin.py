"""The provider process over gRPC, as the engine uses it, and every kind of property value."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

import pulumi_hbr_clients
from pulumi_hbr_clients import emulator
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, new_rows
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
from tests.client.servers import Sts

FUNCTION = "hbr-clients:index:getBackupClients"
URN = "urn:pulumi:dev::p::my:index:Parent$hbr-clients:index:ActivationGate::ready"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
SENTINELS = sorted(properties._UNKNOWNS)  # noqa: SLF001  the engine's seven, checked against its source
COMMAND = str(Path(sys.executable).parent / "pulumi-resource-hbr-clients")
BAD_CODES = {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS}


def bag(**values: Any) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct


def plain(struct: Struct) -> dict[str, Any]:
    return properties.read(struct).values


@pytest.fixture(scope="module")
def backend() -> Backend:
    return Backend(new_rows(250, Status="ACTIVATED"))


@pytest.fixture(autouse=True)
def calm(backend: Backend) -> None:
    """Every test starts with a fleet that is activated and a service that is well."""
    backend.next_faults, backend.fault_rate, backend.latency = [], 0.0, 0.0
    backend.activate(*(row["ClientId"] for row in backend.rows()))
    backend.clear_log()


class Listener(engine_pb2_grpc.EngineServicer):
    """An engine that keeps what is logged."""

    def __init__(self) -> None:
        self.logged: list[Any] = []

    def Log(self, request: Any, _: Any) -> Empty:  # noqa: N802  gRPC names it
        self.logged.append(request)
        return Empty()


@pytest.fixture(scope="module")
def engine() -> Iterator[tuple[str, Listener]]:
    server, listener = grpc.server(ThreadPoolExecutor(4)), Listener()
    engine_pb2_grpc.add_EngineServicer_to_server(listener, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", listener
    server.stop(0).wait()


@pytest.fixture(scope="module")
def environment(backend: Backend) -> Iterator[dict[str, str]]:
    with emulator.serve(backend) as running:
        yield {**os.environ, **running.environment}


@contextmanager
def started(environment: dict[str, str], *arguments: str, **configuration: Any) -> Iterator[Any]:
    """A stub of a configured provider process, which ends as the engine ends it."""
    with subprocess.Popen([COMMAND, *arguments], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            try:
                stub.Configure(provider_pb2.ConfigureRequest(args=bag(**configuration)))
                yield stub
            finally:
                process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.fixture(scope="module")
def provider(environment: dict[str, str], engine: tuple[str, Listener]) -> Iterator[Any]:
    with started(environment, engine[0]) as stub:
        yield stub


def invoke(stub: Any, **arguments: Any) -> Any:
    return stub.Invoke(provider_pb2.InvokeRequest(tok=FUNCTION, args=bag(**arguments)))


def listed(stub: Any, **arguments: Any) -> dict[str, Any]:
    return plain(getattr(invoke(stub, clientType="ECS_CLIENT", **arguments), "return"))


def check(stub: Any, **news: Any) -> Any:
    return stub.Check(provider_pb2.CheckRequest(urn=URN, news=bag(**news))).failures


def refused(call: Any, request: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    assert "Traceback" not in caught.value.details()
    assert caught.value.code() not in BAD_CODES
    return caught.value


def create(preview: bool = False, timeout: float = 0, **inputs: Any) -> Any:  # noqa: FBT001, FBT002  as the request names it
    own = {} if timeout else {"timeout": "20s"}
    given = bag(**{"clientType": "ECS_CLIENT", "poll": 0.2, **own, **inputs})
    return provider_pb2.CreateRequest(urn=URN, properties=given, preview=preview, timeout=timeout)


def test_it_introduces_itself(provider: Any) -> None:
    """Version, what it understands, and that previews and secrets are among it."""
    assert provider.GetPluginInfo(Empty()).version == pulumi_hbr_clients.__version__
    assert provider.Handshake(provider_pb2.ProviderHandshakeRequest()).accept_secrets
    answer = provider.Configure(provider_pb2.ConfigureRequest(args=bag()))
    assert (answer.acceptSecrets, answer.supportsPreview, answer.acceptOutputs) == (True, True, False)


def test_the_list(provider: Any, backend: Backend) -> None:
    """The same list as every other entry point returns, under the same names; heartbeats only if they are included."""
    result = listed(provider)
    assert result["ids"] == sorted(row["ClientId"] for row in backend.rows())
    assert (result["totalCount"], result["countsByStatus"], result["complete"]) == (250, {"ACTIVATED": 250}, True)
    assert not {"lastHeartBeatTime", "updatedTime"} & result["clients"][0].keys()
    moving = listed(provider, includeHeartbeats=True)
    assert moving["clients"][0]["lastHeartBeatTime"] > 0
    few = listed(provider, fields=["status"])
    assert set(few["clients"][0]) == {"clientId", "instanceId", "region", "status"}


def test_bad_arguments(provider: Any, backend: Backend) -> None:
    """All faults at once, by property path, of a gate too and where other inputs are unknown; nothing is sent."""
    found = invoke(provider, clientType="ecs", pageSize=100, tags={"": "v"}).failures
    assert {fault.property for fault in found} == {"clientType", "pageSize", "tags[0].key"}
    found = check(provider, clientType="ecs", timeout="soon", pageSize=3, instanceIds=UNKNOWN)
    assert {fault.property for fault in found} == {"clientType", "timeout", "pageSize"}
    assert backend.requests == 0


def test_a_refusal_is_one_clean_line(provider: Any, backend: Backend) -> None:
    """With a code that fits, and what to do."""
    backend.next_faults += ["NoPermission"]
    error = refused(lambda _: invoke(provider, clientType="ECS_CLIENT"), None)
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED
    assert "hbr:DescribeBackupClients" in error.details()


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


def test_secrets_stay_secret(provider: Any, backend: Backend) -> None:
    """Passwords are always marked; with a secret argument everything is."""
    backend.change(backend.rows()[0]["ClientId"], {"Settings": {"ProxyPassword": "FAKE-PASSWORD"}})
    answer = getattr(invoke(provider, clientType="ECS_CLIENT", includeProxyPasswords=True), "return")
    assert properties.read(answer).secret == {"proxyPasswords"}
    hidden = invoke(provider, clientType={**SECRET, "value": "ECS_CLIENT"})
    assert properties.read(getattr(hidden, "return")).secret >= {"clients", "ids", "totalCount"}
    echoed = provider.Create(create(instanceIds={**SECRET, "value": [backend.rows()[0]["InstanceId"]]}))
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
        news = bag(region="cn-hangzou", endpoint="http://example.com", accessKey="FAKE")
        found = stub.CheckConfig(provider_pb2.CheckRequest(news=news)).failures
        assert {fault.property for fault in found} == {"endpoint", ""}
        assert "hbr-clients:secretKey is not set although" in next(f.reason for f in found if not f.property)
        hidden = bag(region={**SECRET, "value": "cn hangzou"})
        (fault,) = stub.CheckConfig(provider_pb2.CheckRequest(news=hidden)).failures
        assert (fault.property, fault.reason) == (
            "",
            "region: must be a region id (given: [secret])",
        )
        good = bag(
            region="cn-shanghai",
            endpoint=environment["ALIBABA_CLOUD_ENDPOINT_HBR"],
            accessKey=FAKE_CREDENTIALS.access_key_id,
            secretKey={**SECRET, "value": FAKE_CREDENTIALS.access_key_secret},
        )
        assert not stub.CheckConfig(provider_pb2.CheckRequest(news=good)).failures
        stub.Configure(provider_pb2.ConfigureRequest(args=good))
        result = listed(stub)
        assert result["clients"][0]["region"] == "cn-shanghai"
        assert stub.DiffConfig(provider_pb2.DiffRequest(olds=good, news=good)).changes == 1


def test_a_caller_for_each_query(environment: dict[str, str], backend: Backend, tmp_path: Path) -> None:
    """`profile` and `assumeRole` of a query or of the provider say who signs; one that is not there is an error."""
    role = {"roleArn": "acs:ram::1234567890123456:role/tenant"}
    keys = [Credentials("FAKE-PROD", "FAKE-PROD-SECRET"), Credentials("FAKE-STS-1", "FAKE-STS-SECRET", "FAKE-STS")]
    for each in keys:
        backend.allow(each)
    profile = {"mode": "AK", "access_key_id": "FAKE-PROD", "access_key_secret": "FAKE-PROD-SECRET"}
    profile_file(tmp_path, prod={**profile, "region_id": "cn-beijing"})
    with Sts().serving(tmp_path / "authority.pem") as sts:
        own = {"HOME": str(tmp_path), "SSL_CERT_FILE": str(tmp_path / "authority.pem")}
        sts_endpoint = {"ALIBABA_CLOUD_STS_ENDPOINT": sts.endpoint}
        with started({**environment, **own, **sts_endpoint}) as stub:
            found = listed(stub, profile="prod")
            assert found["region"] == "cn-beijing"
            invoke(stub, clientType="ECS_CLIENT", assumeRole=role)
            stub.Configure(provider_pb2.ConfigureRequest(args=bag(profile="prod", region="cn-hangzhou")))
            invoke(stub, clientType="ECS_CLIENT")
            gone = provider_pb2.InvokeRequest(tok=FUNCTION, args=bag(clientType="ECS_CLIENT", profile="gone"))
            assert "argument profile: there is no profile gone" in refused(stub.Invoke, gone).details()
    signed = [record.key_id for record in backend.log]
    assert list(dict.fromkeys(signed)) == ["FAKE-PROD", "FAKE-STS-1"]
    assert signed[-1] == "FAKE-PROD"
    assert [sent["RoleArn"] for sent in sts.requests] == [role["roleArn"]]


def test_keys_are_kept_as_secrets(provider: Any) -> None:
    """In clear text they come back marked; what is unknown, or secret already, stays as it is, and so does the rest."""
    secret = {**SECRET, "value": "FAKE-SECRET"}
    news = bag(region="cn-shanghai", accessKey="FAKE-ID", secretKey=secret, securityToken=UNKNOWN)
    kept = provider.CheckConfig(provider_pb2.CheckRequest(news=news)).inputs
    assert kept == bag(
        region="cn-shanghai", accessKey={**SECRET, "value": "FAKE-ID"}, secretKey=secret, securityToken=UNKNOWN
    )
    assert "profile" not in provider.CheckConfig(provider_pb2.CheckRequest(news=bag(region="x"))).inputs


def test_a_gate_waits(provider: Any, backend: Backend, engine: tuple[str, Listener]) -> None:
    """Create returns when the last client is activated; its row says meanwhile who is missing."""
    ids = [row["InstanceId"] for row in backend.rows()[:3]]
    backend.set_status("INSTALLING", ids[0])
    backend.later(1.5, lambda: backend.activate(ids[0]))
    before = time.monotonic()
    answer = provider.Create(create(instanceIds=ids))
    assert time.monotonic() - before >= 1
    assert plain(answer.properties)["countsByStatus"] == {"ACTIVATED": 3}
    assert len(answer.id) == 16
    lines = [request.message for request in engine[1].logged if request.urn == URN and request.ephemeral]
    assert any(f"2 of 3 activated; waiting for {backend.find(ids[0]).row['ClientId']}" in line for line in lines)


def test_unknown_values_are_warned_of(provider: Any, engine: tuple[str, Listener]) -> None:
    """What is perhaps a typing error is a warning on the gate's row, and on a list; of a secret without the value."""
    hidden = {**SECRET, "value": ["INSTAL_FAILED"]}
    engine[1].logged.clear()
    provider.Create(create(tolerate=["INSTAL_FAILED"]))
    provider.Create(create(preview=True, tolerate=hidden))
    invoke(provider, clientType="ECS_CLIENT", statuses=hidden)
    warned = [request for request in engine[1].logged if request.severity == engine_pb2.WARNING]
    assert [(request.urn, request.message) for request in warned] == [
        (
            URN,
            "tolerate: INSTAL_FAILED is not known to this version and is used unchanged; did you mean INSTALL_FAILED?",
        ),
        (URN, "tolerate: [secret] is not known to this version and is used unchanged"),
        ("", "statuses: [secret] is not known to this version and is used unchanged"),
    ]


def test_a_preview_looks_once(provider: Any, backend: Backend, engine: tuple[str, Listener]) -> None:
    """Known outputs where it would pass; else unknown ones, and what `up` will wait for."""
    ids = [row["InstanceId"] for row in backend.rows()[:2]]
    assert properties.read(provider.Create(create(preview=True, instanceIds=ids)).properties).unknown == set()
    backend.set_status("INSTALLING", ids[0])
    answer = provider.Create(create(preview=True, instanceIds=ids))
    assert properties.read(answer.properties).unknown >= {"clients", "ids", "instanceIds", "bypassed"}
    assert backend.requests == 2
    assert "up will wait: 1 of 2 activated" in engine[1].logged[-1].message


def test_a_custom_timeout(provider: Any, backend: Backend) -> None:
    """It is the gate's timeout where none is given, and ends with DEADLINE_EXCEEDED and what was missing."""
    ids = [backend.rows()[0]["InstanceId"]]
    backend.set_status("INSTALLING", ids[0])
    error = refused(provider.Create, create(timeout=1, instanceIds=ids))
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert "not activated within 1s: 0 of 1 activated" in error.details()


def test_what_makes_a_gate_wait_again(provider: Any, backend: Backend) -> None:
    """Another input or trigger; with recheck a fleet that has fallen behind; otherwise nothing, without a request."""
    ids = [row["InstanceId"] for row in backend.rows()[:2]]
    given: dict[str, Any] = {"clientType": "ECS_CLIENT", "instanceIds": ids, "triggers": [1]}
    state = provider.Create(create(**given)).properties
    requests = backend.requests

    def diff(old: dict[str, Any], news: dict[str, Any]) -> list[str]:
        request = provider_pb2.DiffRequest(urn=URN, id="x", olds=state, old_inputs=bag(**old), news=bag(**news))
        return list(provider.Diff(request).diffs)

    assert diff(given, given) == []
    assert diff(given, {**given, "instanceIds": ids[::-1]}) == []
    assert diff(given, {**given, "timeout": "5m"}) == ["timeout"]
    assert diff(given, {**given, "triggers": [2]}) == ["triggers"]
    backend.set_status("STOPPED", ids[0])
    assert (diff(given, given), backend.requests) == ([], requests)
    rechecked = {**given, "recheck": True}
    assert diff(rechecked, rechecked) == ["countsByStatus"]
    backend.fault_rate, backend.random_faults = 1.0, ("NoPermission",)
    assert diff(rechecked, rechecked) == []


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({}, {"region": "cn-shanghai"}, True),
        ({}, {"region": "cn-hangzhou"}, False),
        ({}, {"accessKey": "FAKE-OTHER-ID", "secretKey": "FAKE-OTHER-SECRET"}, True),
        (
            {"accessKey": "FAKE-1", "secretKey": "FAKE-S1", "securityToken": "FAKE-T1"},
            {"accessKey": "FAKE-2", "secretKey": "FAKE-S2", "securityToken": "FAKE-T2"},
            False,
        ),
    ],
)
def test_other_settings_make_a_gate_wait_again(
    environment: dict[str, str],
    backend: Backend,
    before: dict[str, Any],
    after: dict[str, Any],
    changed: bool,  # noqa: FBT001  a case
) -> None:
    """An update, not a replacement: other clients are meant. Temporary keys that were renewed are the same caller."""
    given: dict[str, Any] = {"clientType": "ECS_CLIENT", "instanceIds": []}
    with started(environment, **before) as stub:
        state = stub.Create(create(**given)).properties
    with started(environment, **after) as stub:
        same = bag(**given)
        answer = stub.Diff(provider_pb2.DiffRequest(urn=URN, id="x", olds=state, old_inputs=same, news=same))
    assert (list(answer.diffs), list(answer.replaces)) == (["settingsDigest"] if changed else [], [])
    assert backend.requests == 0


def test_a_bypassed_gate(environment: dict[str, str], backend: Backend, engine: tuple[str, Listener]) -> None:
    """`warn` warns and passes; under `enforce` the gate then waits again. The environment wins over the provider."""
    ids = [row["InstanceId"] for row in backend.rows()[:2]]
    given: dict[str, Any] = {"clientType": "ECS_CLIENT", "instanceIds": ids}
    backend.set_status("STOPPED", ids[0])
    with started({**environment, "HBR_CLIENTS_GATES": "warn"}, engine[0], gates="enforce") as stub:
        state = stub.Create(create(**given)).properties
    assert (plain(state)["bypassed"], len(plain(state)["clients"])) == (True, 2)
    warned = [request.message for request in engine[1].logged if request.severity == engine_pb2.WARNING]
    assert warned[-1].startswith("gate bypassed (hbr-clients:gates): 1 of 2 activated")
    request = provider_pb2.DiffRequest(urn=URN, id="x", olds=state, old_inputs=bag(**given), news=bag(**given))
    with started(environment, gates="enforce") as stub:
        assert list(stub.Diff(request).diffs) == ["bypassed"]
    with started(environment, gates="off") as stub:
        assert list(stub.Diff(request).diffs) == []
        assert plain(stub.Create(create(**given)).properties)["bypassed"] is True
    with started(environment, gates="offf") as stub:
        (fault,) = check(stub, **given)
        assert "must be enforce, warn or off; did you mean off?" in fault.reason


def test_read_and_delete_send_nothing(provider: Any, backend: Backend) -> None:
    """A refresh leaves the record as it is, and there is nothing to delete."""
    state = bag(countsByStatus={"ACTIVATED": 2})
    answer = provider.Read(provider_pb2.ReadRequest(urn=URN, id="x", properties=state, inputs=bag()))
    assert plain(answer.properties) == {"countsByStatus": {"ACTIVATED": 2}}
    provider.Delete(provider_pb2.DeleteRequest(urn=URN, id="x"))
    assert backend.requests == 0


def test_cancel_ends_200_gates(environment: dict[str, str], backend: Backend) -> None:
    """While 200 gates wait, Cancel is answered and all of them end, each with a clean line."""
    ids = [row["InstanceId"] for row in backend.rows()[:200]]
    backend.set_status("INSTALLING", *ids)
    with started(environment) as stub:
        waits = [stub.Create.future(create(instanceIds=[instance], poll=2)) for instance in ids]
        time.sleep(3)
        assert not any(wait.done() for wait in waits)
        before = time.monotonic()
        stub.Cancel(Empty())
        errors = [wait.exception(timeout=20) for wait in waits]
        assert time.monotonic() - before < 10  # half a second on a quiet machine
    assert {error.code() for error in errors} == {grpc.StatusCode.FAILED_PRECONDITION}
    assert {error.details() for error in errors} == {"interrupted while waiting; the next update waits again"}
    assert backend.requests <= 4 * (-(-200 // 99) + 1)


def test_attach(environment: dict[str, str], engine: tuple[str, Listener], backend: Backend) -> None:
    """A provider that runs already, under a debugger, learns where the engine is."""
    backend.set_status("INSTALLING", backend.rows()[0]["InstanceId"])
    with started(environment) as stub:
        stub.Attach(plugin_pb2.PluginAttach(address=engine[0]))
        stub.Configure(provider_pb2.ConfigureRequest(args=bag()))
        before = len(engine[1].logged)
        stub.Create(create(preview=True))
        assert "will wait" in engine[1].logged[before].message


def test_it_does_without_the_sdk(environment: dict[str, str]) -> None:
    """The provider process loads the engine's messages and nothing else of Pulumi."""
    code = "import sys; from pulumi_hbr_clients.plugin import provider; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    loaded = set(shown.stdout.split())
    assert "pulumi.runtime.proto.provider_pb2" in loaded
    assert not loaded & {"pulumi.automation", "pulumi.resource", "pydantic", "httpx"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8) | st.sampled_from(SENTINELS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from([*SECRET, "value"]), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.sampled_from(["clientType", "instanceIds", "tags", "filters", "timeout", "minClients", "region", "__x"])
BAGS = st.dictionaries(NAMES, VALUES, max_size=4)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(values=BAGS)
def test_malformed_values(provider: Any, values: dict[str, Any]) -> None:
    """Whatever comes over the wire, the answer is an answer or a clean error."""
    given_bag = bag(**values)
    requests = (
        (provider.Check, provider_pb2.CheckRequest(urn=URN, news=given_bag)),
        (provider.CheckConfig, provider_pb2.CheckRequest(urn=URN, news=given_bag)),
        (provider.Create, provider_pb2.CreateRequest(urn=URN, properties=given_bag, preview=True)),
        (provider.Diff, provider_pb2.DiffRequest(urn=URN, olds=bag(), news=given_bag)),
        (provider.Invoke, provider_pb2.InvokeRequest(tok=FUNCTION, args=given_bag)),
    )
    for call, request in requests:
        try:
            call(request)
        except grpc.RpcError as error:
            assert error.code() not in BAD_CODES, (values, error.details())


PLAIN = st.recursive(
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False).filter(lambda n: not n.is_integer())
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=5), PLAIN, max_size=5), st.sets(st.integers(0, 5)))
def test_properties_round_trip(values: dict[str, Any], marked: set[int]) -> None:
    """What is written reads back, with its types; names that are secret or unknown are found by name."""
    names = list(values)
    secret = {names[i] for i in marked if i < len(names) and i % 2}
    unknown = {f"unknown-{i}" for i in marked}
    found = properties.read(properties.write(values, secret=secret, unknown=unknown))
    assert found.known() == values
    assert [type(found.values[name]) for name in names] == [type(values[name]) for name in names]
    assert (found.secret, found.unknown) == (secret, unknown)
    shown = repr(
        properties.read(properties.write({"name": "FAKE-" + "-".join(map(str, values.values()))}, secret=secret))
    )
    assert "FAKE-" not in shown
