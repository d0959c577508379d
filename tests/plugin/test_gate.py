"""The plugin's gate over gRPC: it waits, says for whom, waits again when it must, and ends when it is told to."""

import time
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2

from pulumi_hbr_clients.emulator import Backend
from pulumi_hbr_clients.plugin import values as properties
from tests.cli.terminals import wait_for
from tests.plugin.calls import (
    SECRET,
    URN,
    Listener,
    bag,
    check,
    configure,
    create,
    diff,
    invoke,
    plain,
    refused,
    started,
)


def test_a_gate_waits(provider: Any, backend: Backend, engine: Listener, ids: list[str]) -> None:
    """Create returns when the last client is activated; its row says meanwhile who is missing."""
    backend.set_status("INSTALLING", ids[0])
    waiting = provider.Create.future(create(instanceIds=ids[:3]))
    line = f"2 of 3 activated; waiting for {backend.find(ids[0]).row['ClientId']}"
    wait_for(lambda: any(line in each.message for each in engine.logged if each.urn == URN and each.ephemeral))
    assert not waiting.done()
    backend.activate(ids[0])
    answer = waiting.result(timeout=20)
    assert plain(answer.properties)["countsByStatus"] == {"ACTIVATED": 3}
    assert len(answer.id) == 16


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
