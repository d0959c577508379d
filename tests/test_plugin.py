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


class Listener(engine_pb2_grpc.EngineServicer):
    """An engine that keeps what is logged."""

    def __init__(self) -> None:
        self.address, self.logged = "", list[Any]()

    def Log(self, request: Any, _: Any) -> Empty:  # noqa: N802  gRPC names it
        self.logged.append(request)
        return Empty()

    def warnings(self) -> list[tuple[str, str]]:
        """URN and text of each warning."""
        return [(each.urn, each.message) for each in self.logged if each.severity == engine_pb2.WARNING]


@pytest.fixture(scope="module")
def engine() -> Iterator[Listener]:
    server, listener = grpc.server(ThreadPoolExecutor(4)), Listener()
    engine_pb2_grpc.add_EngineServicer_to_server(listener, server)
    listener.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield listener
    server.stop(0).wait()


@pytest.fixture(autouse=True)
def ids(backend: Backend, engine: Listener) -> list[str]:
    """The instances. Every test starts with all of them activated, a service that is well, and nothing logged."""
    found = [row["InstanceId"] for row in backend.rows()]
    backend.next_faults, backend.fault_rate = [], 0.0
    backend.activate(*found)
    backend.clear_log()
    engine.logged.clear()
    return found


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
                configure(stub, **configuration)
                yield stub
            finally:
                process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.fixture(scope="module")
def provider(environment: dict[str, str], engine: Listener) -> Iterator[Any]:
    with started(environment, engine.address) as stub:
        yield stub


def configure(stub: Any, **configuration: Any) -> Any:
    return stub.Configure(provider_pb2.ConfigureRequest(args=bag(**configuration)))


def check_config(stub: Any, **news: Any) -> Any:
    return stub.CheckConfig(provider_pb2.CheckRequest(news=bag(**news)))


def invoke(stub: Any, **arguments: Any) -> Any:
    return stub.Invoke(provider_pb2.InvokeRequest(tok=FUNCTION, args=bag(**arguments)))


def listed(stub: Any, **arguments: Any) -> dict[str, Any]:
    return plain(getattr(invoke(stub, clientType="ECS_CLIENT", **arguments), "return"))


def check(stub: Any, **news: Any) -> Any:
    return stub.Check(provider_pb2.CheckRequest(urn=URN, news=bag(**news))).failures


def diff(stub: Any, state: Any, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What makes a gate with this state wait again. It is never replaced."""
    request = provider_pb2.DiffRequest(urn=URN, id="x", olds=state, old_inputs=bag(**old), news=bag(**new))
    answer = stub.Diff(request)
    assert not answer.replaces
    return list(answer.diffs)


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


def test_a_gate_waits(provider: Any, backend: Backend, engine: Listener, ids: list[str]) -> None:
    """Create returns when the last client is activated; its row says meanwhile who is missing."""
    backend.set_status("INSTALLING", ids[0])
    backend.later(1.5, lambda: backend.activate(ids[0]))
    before = time.monotonic()
    answer = provider.Create(create(instanceIds=ids[:3]))
    assert time.monotonic() - before >= 1
    assert plain(answer.properties)["countsByStatus"] == {"ACTIVATED": 3}
    assert len(answer.id) == 16
    lines = [request.message for request in engine.logged if request.urn == URN and request.ephemeral]
    assert any(f"2 of 3 activated; waiting for {backend.find(ids[0]).row['ClientId']}" in line for line in lines)


def test_unknown_values_are_warned_of(provider: Any, engine: Listener) -> None:
    """What is perhaps a typing error is a warning on the gate's row, and on a list; of a secret without the value."""
    hidden = {**SECRET, "value": ["INSTAL_FAILED"]}
    provider.Create(create(tolerate=["INSTAL_FAILED"]))
    provider.Create(create(preview=True, tolerate=hidden))
    invoke(provider, clientType="ECS_CLIENT", statuses=hidden)
    text = "is not known to this version and is used unchanged"
    assert engine.warnings() == [
        (URN, f"tolerate: INSTAL_FAILED {text}; did you mean INSTALL_FAILED?"),
        (URN, f"tolerate: [secret] {text}"),
        ("", f"statuses: [secret] {text}"),
    ]


def test_a_preview_looks_once(provider: Any, backend: Backend, engine: Listener, ids: list[str]) -> None:
    """Known outputs where it would pass; else unknown ones, and what `up` will wait for."""
    request = create(preview=True, instanceIds=ids[:2])
    assert properties.read(provider.Create(request).properties).unknown == set()
    backend.set_status("INSTALLING", ids[0])
    answer = provider.Create(request)
    assert properties.read(answer.properties).unknown >= {"clients", "ids", "instanceIds", "bypassed"}
    assert backend.requests == 2
    assert "up will wait: 1 of 2 activated" in engine.logged[-1].message


def test_a_custom_timeout(provider: Any, backend: Backend, ids: list[str]) -> None:
    """It is the gate's timeout where none is given, and ends with DEADLINE_EXCEEDED and what was missing."""
    backend.set_status("INSTALLING", ids[0])
    error = refused(provider.Create, create(timeout=1, instanceIds=ids[:1]))
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert error.details().startswith("not activated within 1s: 0 of 1 activated")


def test_what_makes_a_gate_wait_again(provider: Any, backend: Backend, engine: Listener, ids: list[str]) -> None:
    """Another input or trigger; with recheck a fleet that has fallen behind; otherwise nothing, without a request."""
    given: dict[str, Any] = {"clientType": "ECS_CLIENT", "instanceIds": ids[:2], "triggers": [1]}
    state = provider.Create(create(**given)).properties
    requests = backend.requests
    assert diff(provider, state, given, given) == []
    assert diff(provider, state, given, {**given, "instanceIds": ids[1::-1]}) == []
    assert diff(provider, state, given, {**given, "timeout": "5m"}) == ["timeout"]
    assert diff(provider, state, given, {**given, "triggers": [2]}) == ["triggers"]
    backend.set_status("STOPPED", ids[0])
    assert (diff(provider, state, given, given), backend.requests) == ([], requests)
    rechecked = {**given, "recheck": True}
    assert diff(provider, state, rechecked, rechecked) == ["countsByStatus"]
    backend.next_faults += ["NoPermission"]
    assert diff(provider, state, rechecked, rechecked) == []
    ((urn, text),) = engine.warnings()
    assert (urn, text.partition(": NoPermission")[0]) == (URN, "not checked again")


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [
        ({}, {"region": "cn-shanghai"}, ["settingsDigest"]),
        ({}, {"region": "cn-hangzhou"}, []),
        ({}, {"accessKey": "FAKE-OTHER-ID", "secretKey": "FAKE-OTHER-SECRET"}, ["settingsDigest"]),
        (
            {"accessKey": "FAKE-1", "secretKey": "FAKE-S1", "securityToken": "FAKE-T1"},
            {"accessKey": "FAKE-2", "secretKey": "FAKE-S2", "securityToken": "FAKE-T2"},
            [],
        ),
    ],
)
def test_other_settings_make_a_gate_wait_again(
    environment: dict[str, str], backend: Backend, before: dict[str, str], after: dict[str, str], reasons: list[str]
) -> None:
    """Other clients are meant. Temporary keys that were renewed are the same caller."""
    given: dict[str, Any] = {"clientType": "ECS_CLIENT", "instanceIds": []}
    with started(environment, **before) as stub:
        state = stub.Create(create(**given)).properties
        configure(stub, **after)
        assert diff(stub, state, given, given) == reasons
    assert backend.requests == 0


def test_a_bypassed_gate(environment: dict[str, str], backend: Backend, engine: Listener, ids: list[str]) -> None:
    """`warn` warns and passes; under `enforce` the gate then waits again. The environment wins over the provider."""
    given: dict[str, Any] = {"clientType": "ECS_CLIENT", "instanceIds": ids[:2]}
    backend.set_status("STOPPED", ids[0])
    with started({**environment, "HBR_CLIENTS_GATES": "warn"}, engine.address, gates="enforce") as stub:
        state = stub.Create(create(**given)).properties
    assert (plain(state)["bypassed"], len(plain(state)["clients"])) == (True, 2)
    ((_, text),) = engine.warnings()
    assert text.startswith("gate bypassed (hbr-clients:gates): 1 of 2 activated")
    with started(environment, gates="enforce") as stub:
        assert diff(stub, state, given, given) == ["bypassed"]
        configure(stub, gates="off")
        assert diff(stub, state, given, given) == []
        assert plain(stub.Create(create(**given)).properties)["bypassed"] is True
        configure(stub, gates="offf")
        (fault,) = check(stub, **given)
        assert "must be enforce, warn or off; did you mean off?" in fault.reason


def test_read_and_delete_send_nothing(provider: Any, backend: Backend) -> None:
    """A refresh leaves the record as it is, and there is nothing to delete."""
    state = bag(countsByStatus={"ACTIVATED": 2})
    answer = provider.Read(provider_pb2.ReadRequest(urn=URN, id="x", properties=state, inputs=bag()))
    assert plain(answer.properties) == {"countsByStatus": {"ACTIVATED": 2}}
    provider.Delete(provider_pb2.DeleteRequest(urn=URN, id="x"))
    assert backend.requests == 0


def test_cancel_ends_200_gates(environment: dict[str, str], backend: Backend, ids: list[str]) -> None:
    """While 200 gates wait, Cancel is answered and all of them end, each with a clean line."""
    backend.set_status("INSTALLING", *ids)
    with started(environment) as stub:
        waits = [stub.Create.future(create(instanceIds=[instance], poll=2)) for instance in ids[:200]]
        time.sleep(3)
        assert not any(wait.done() for wait in waits)
        before = time.monotonic()
        stub.Cancel(Empty())
        errors = [wait.exception(timeout=20) for wait in waits]
        assert time.monotonic() - before < 10  # half a second on a quiet machine
    assert {error.code() for error in errors} == {grpc.StatusCode.FAILED_PRECONDITION}
    assert {error.details() for error in errors} == {"interrupted while waiting; the next update waits again"}
    assert backend.requests <= 4 * (-(-200 // 99) + 1)


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


def nested(leaves: st.SearchStrategy[Any], keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Values, lists and maps of them."""
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
    )


TEXT = st.text(max_size=8)
VALUES = nested(
    st.none() | st.booleans() | st.floats(allow_nan=False) | TEXT | st.sampled_from(SENTINELS),
    TEXT | st.sampled_from([*SECRET, "value"]),
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


WHOLE, FRACTIONS = st.integers(-(2**53), 2**53), st.floats(allow_nan=False).filter(lambda n: not n.is_integer())


@given(
    st.dictionaries(TEXT, nested(st.booleans() | WHOLE | FRACTIONS | st.text(), TEXT), max_size=5),
    st.sets(st.integers(0, 5)),
)
def test_properties_round_trip(values: dict[str, Any], marked: set[int]) -> None:
    """What is written reads back, with its types; names that are secret or unknown are found by name."""
    names = list(values)
    secret = {names[i] for i in marked if i < len(names) and i % 2}
    unknown = {f"unknown-{i}" for i in marked}
    found = properties.read(properties.write(values, secret=secret, unknown=unknown))
    assert found.known() == values
    assert [type(found.values[name]) for name in names] == [type(values[name]) for name in names]
    assert (found.secret, found.unknown) == (secret, unknown)
    assert "FAKE" not in repr(properties.read(bag(name="FAKE")))
