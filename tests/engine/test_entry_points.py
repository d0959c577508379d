"""One table of queries and one of faults, through every entry point: same results, same messages."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pydantic.alias_generators import to_camel

from pulumi_hbr_clients import BackupClients, HbrError, InputError, get_backup_clients
from pulumi_hbr_clients.emulator import CLUSTER, SOURCE_ACCOUNT, Backend
from pulumi_hbr_clients.model import query as queries
from pulumi_hbr_clients.model.backup_client import VOLATILE_FIELDS, state_name
from tests.engine.programs import plugin_list

pytestmark = pytest.mark.engine
COMMAND = str(Path(sys.executable).parent / "hbr-clients")
ECS = {"client_type": "ECS_CLIENT"}
QUERIES: dict[str, dict[str, Any]] = {
    "all": ECS,
    "containers": {"client_type": "CONTAINER_CLIENT", "cluster_id": CLUSTER},
    "local": {"client_type": "LOCAL_CLIENT"},
    "tags": {**ECS, "tags": {"env": "prod", "team": "web"}},
    "filters": {**ECS, "filters": {"Status": ["ACTIVATED", "UNKNOWN"]}},
    "own": {**ECS, "statuses": ["ACTIVATED"], "os_types": ["linux"], "outdated": False},
    "fields": {**ECS, "fields": ["status", "tags", "settings"]},
    "a_page": {**ECS, "page_number": 2, "page_size": 5},
    "missing": {**ECS, "instance_ids": ["i-nobody", "i-none"], "client_ids": ["c-nobody"]},
    "nothing": {**ECS, "instance_ids": []},
    "another_account": {
        **ECS,
        "cross_account_type": "CROSS_ACCOUNT",
        "cross_account_user_id": SOURCE_ACCOUNT[0],
        "cross_account_role_name": SOURCE_ACCOUNT[1],
    },
    "verified": {**ECS, "consistency": "verified", "region": "cn-shanghai"},
}
FAULTS: dict[str, dict[str, Any]] = {
    "a typo": {"client_type": "ecs_client"},
    "a page too large": {**ECS, "page_size": 100},
    "an empty tag key": {**ECS, "tags": {"": "v"}},
    "half a triple": {**ECS, "cross_account_type": "CROSS_ACCOUNT"},
    "an empty id": {**ECS, "instance_ids": ["i-1", ""]},
    "no region": {**ECS, "region": "cn_hangzhou", "endpoint": None},
    "http far away": {**ECS, "endpoint": "http://example.com"},
    "many at once": {"client_type": "ecs", "page_number": 0, "statuses": ["activated"], "fields": ["statu"]},
}
REFUSALS = ("NoPermission", "InvalidParameter", "ServiceNotActivated")
NAMES = (
    *("clients", "ids", "instance_ids", "total_count", "service_total_count", "counts_by_status"),
    *("missing_client_ids", "missing_instance_ids", "complete", "region"),
)
OUTPUTS = {to_camel(name): name for name in NAMES}
VOLATILE = {state_name(name) for name in VOLATILE_FIELDS}


def still(result: Mapping[str, Any]) -> dict[str, Any]:
    """What every entry point must agree on: a result without heartbeats, whole floats as ints."""
    kept = {key: result[key] for key in OUTPUTS}
    kept["clients"] = [{k: v for k, v in client.items() if k not in VOLATILE} for client in kept["clients"]]
    plain: dict[str, Any] = json.loads(json.dumps(kept), parse_float=lambda text: int(float(text)))
    return plain


def from_function(arguments: dict[str, Any]) -> dict[str, Any]:
    found = get_backup_clients(**arguments)
    return still({key: getattr(found, name) for key, name in OUTPUTS.items()})


def words(arguments: dict[str, Any]) -> list[str]:
    """The arguments as a person types them."""
    singular = {"client_ids": "client-id", "instance_ids": "instance-id", "statuses": "status", "os_types": "os-type"}
    typed = []
    for name, value in arguments.items():
        option = "--" + singular.get(name, name.removesuffix("s") if name in {"tags", "filters", "fields"} else name)
        option = option.replace("_", "-")
        if isinstance(value, bool):
            typed.append(option if value else "--up-to-date")
        elif isinstance(value, Mapping):
            typed += [f"{option}={k}={','.join(v) if isinstance(v, list) else v}" for k, v in value.items()]
        else:
            typed += [
                f"{option}={item}" for item in (value if isinstance(value, list) else [value]) if item is not None
            ]
    return typed


def typed(arguments: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "list", "--output", "json", *words(arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def camel(arguments: dict[str, Any]) -> dict[str, Any]:
    return {to_camel(name): value for name, value in arguments.items() if value is not None}


def test_same_results(engine: Any, backend: Backend) -> None:
    """Dynamic resource, function, plugin and command line answer every query of the table alike."""

    def program() -> None:
        for name, arguments in QUERIES.items():
            fleet = BackupClients(name, **arguments)
            pulumi.export(f"{name}-resource", {key: getattr(fleet, attribute) for key, attribute in OUTPUTS.items()})
            pulumi.export(f"{name}-plugin", plugin_list(**camel(arguments)))

    stack = engine.stack()
    stack.up(program)
    outputs = stack.outputs()
    for name, arguments in QUERIES.items():
        expected = from_function(arguments)
        assert still(outputs[f"{name}-resource"]) == expected, name
        assert still(outputs[f"{name}-plugin"]) == expected, name
        if name != "nothing":  # an empty list cannot be typed
            assert still(json.loads(typed(arguments).stdout)) == expected, name
    assert from_function(QUERIES["all"])["totalCount"] == 12
    assert from_function(QUERIES["another_account"])["totalCount"] == 1
    assert backend.requests > 0


def reasons(arguments: dict[str, Any]) -> set[str]:
    """The function's own account: a reason a fault."""
    with pytest.raises(InputError) as caught:
        get_backup_clients(**arguments)
    return {fault.reason.rstrip(".") for fault in caught.value.faults}


def test_same_faults(engine: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entry point gives every reason, names the argument in its own spelling, and sends nothing."""
    monkeypatch.delenv("ALIBABA_CLOUD_ENDPOINT_HBR")
    del engine.environment["ALIBABA_CLOUD_ENDPOINT_HBR"]
    expected = {name: reasons(arguments) for name, arguments in FAULTS.items()}
    found: dict[str, dict[str, str]] = {name: {} for name in FAULTS}

    def program() -> None:
        for name, arguments in FAULTS.items():
            with pytest.raises(pulumi.RunError) as caught:
                BackupClients(name, **arguments)
            found[name]["resource"] = str(caught.value)
            with pytest.raises(Exception, match="invoke") as failed:
                plugin_list(**camel(arguments))
            found[name]["plugin"] = str(failed.value)

    engine.stack().preview(program)
    for name, arguments in FAULTS.items():
        done = typed(arguments)
        assert done.returncode == 2, name
        for reason in expected[name]:
            text = _bare(reason)
            assert text in _bare(found[name]["resource"]), (name, reason)
            assert text in _bare(done.stderr), (name, reason, done.stderr)
        # Pulumi's Python SDK shows only the first failure of an invoke
        assert any(_bare(reason) in _bare(found[name]["plugin"]) for reason in expected[name]), (name, found[name])
    assert backend.requests == 0


def _bare(text: str) -> str:
    """A text without what each entry point spells in its own way: names of arguments, and white space."""
    names = sorted(queries.Query.model_fields, key=len, reverse=True)
    spelled = "|".join(f"--{n.replace('_', '-').removesuffix('s')}s?|{n}|{to_camel(n)}" for n in names)
    return re.sub(rf"\s+|{spelled}", "", text)


@pytest.mark.parametrize("fault", REFUSALS)
def test_same_refusals(engine: Any, backend: Backend, fault: str) -> None:
    """What the service refuses reads the same everywhere: code, message, status, and what to do."""
    backend.fault_rate, backend.random_faults = 1.0, (fault,)
    with pytest.raises(HbrError) as caught:
        get_backup_clients(client_type="ECS_CLIENT")
    expected = _unnumbered(str(caught.value))
    done = typed(ECS)
    assert done.returncode == 1
    assert expected.partition(". ")[0].strip(".") in _unnumbered(done.stderr)
    stack = engine.stack()
    for program in (by_resource, by_plugin):
        text = stack.fails("preview", program)
        assert expected in _unnumbered(text)
        assert "Traceback" not in text or program == by_plugin


def by_resource() -> None:
    BackupClients("x", client_type="ECS_CLIENT")


def by_plugin() -> None:
    plugin_list(**camel(ECS))


def _unnumbered(text: str) -> str:
    return " ".join(re.sub(r"request [0-9A-F-]+", "request …", text).split())
