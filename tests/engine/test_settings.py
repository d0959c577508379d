"""Settings, options and transformations on a real engine: the account and region that were meant, or an error."""

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
import pytest

from pulumi_hbr_clients import ActivationGate, BackupClients, emulator, get_backup_clients, get_backup_clients_output
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.protocol.signing import Credentials
from tests.client.samples import profile_file
from tests.client.servers import Sts

pytestmark = pytest.mark.engine
ID, SECRET, REGION = "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_REGION_ID"
ENDPOINT = "ALIBABA_CLOUD_ENDPOINT_HBR"
ECS: dict[str, Any] = {"client_type": "ECS_CLIENT"}


def account(backend: Backend, name: str) -> dict[str, str]:
    """Another account's keys, in the CLI's words."""
    keys = Credentials(f"FAKE-{name}-ID", f"FAKE-{name}-SECRET")
    backend.allow(keys)
    return {"mode": "AK", "access_key_id": keys.access_key_id, "access_key_secret": keys.access_key_secret}


def variables(keys: dict[str, str], region: str) -> dict[str, str]:
    return {ID: keys["access_key_id"], SECRET: keys["access_key_secret"], REGION: region}


def resource() -> None:
    BackupClients("fleet", **ECS)


def by_every_entry_point() -> None:
    """One query by the resource, then both look-ups, in this order."""
    fleet = BackupClients("fleet", **ECS)
    found = get_backup_clients_output(pulumi.InvokeOutputOptions(depends_on=[fleet]), **ECS)
    pulumi.export("resource", fleet.clients.apply(lambda clients: clients[0].region))
    pulumi.export("output", found.apply(lambda found: found.clients[0].region))
    pulumi.export("plain", get_backup_clients(**ECS).clients[0].region)


def test_tenant_and_platform(engine: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workspace's variables name a tenant, the process a platform: none mixes them.

    The resource is the tenant's, read in the provider's process; the look-ups are the platform's, in the program's.
    """
    tenant, platform = account(backend, "TENANT"), account(backend, "PLATFORM")
    engine.environment |= variables(tenant, "cn-beijing")
    for name, value in variables(platform, "cn-shanghai").items():
        monkeypatch.setenv(name, value)
    stack = engine.stack()
    stack.up(by_every_entry_point)
    assert stack.outputs() == {"resource": "cn-beijing", "output": "cn-shanghai", "plain": "cn-shanghai"}
    assert {record.key_id for record in backend.log} == {"FAKE-TENANT-ID", "FAKE-PLATFORM-ID"}


@pytest.mark.parametrize("space", ["hbr_clients", "alicloud"])
def test_config_reaches_every_process(
    engine: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch, space: str
) -> None:
    """With the tenant in Pulumi config, all entry points are the tenant's, whatever the environments say.

    Someone who uses the Alibaba Cloud provider configures nothing more. Keys stay out of the resource's state.
    """
    tenant, platform = account(backend, "TENANT"), account(backend, "PLATFORM")
    engine.environment |= variables(platform, "cn-shanghai")
    for name, value in variables(platform, "cn-shanghai").items():
        monkeypatch.setenv(name, value)
    config = {
        "region": "cn-beijing",
        "accessKey": tenant["access_key_id"],
        "secretKey": tenant["access_key_secret"],
    }
    stack = engine.stack(**{f"{space}__{key}": value for key, value in config.items()})
    stack.up(by_every_entry_point)
    assert set(stack.outputs().values()) == {"cn-beijing"}
    assert {record.key_id for record in backend.log} == {"FAKE-TENANT-ID"}
    assert "FAKE-TENANT-ID" not in str(stack.resource(":BackupClients"))


def test_keys_that_the_program_sets(engine: Any, backend: Backend) -> None:
    """In os.environ they reach the look-up and not the resource; the error says so, and what does reach it."""
    for name in (ID, SECRET):
        del engine.environment[name]

    def program() -> None:
        os.environ[ID], os.environ[SECRET] = FAKE_CREDENTIALS.access_key_id, FAKE_CREDENTIALS.access_key_secret
        assert get_backup_clients(**ECS).total_count
        resource()

    keys = {name: os.environ.pop(name) for name in (ID, SECRET)}
    try:
        text = engine.stack().fails("preview", program)
    finally:
        os.environ.update(keys)
    assert "no credentials are set" in text
    assert "what the program itself puts into os.environ does not reach it" in " ".join(text.split())
    assert "env_vars of the workspace" in " ".join(text.split())
    assert "Traceback" not in text
    assert backend.requests > 0


def test_a_profile_in_a_file_of_its_own(engine: Any, backend: Backend, home: Path) -> None:
    """The profile of sharedCredentialsFile signs, not the one of that name in the home, for every entry point."""
    file = profile_file(home / "elsewhere", prod=account(backend, "MEANT"))
    profile_file(home, prod=account(backend, "OTHER"))
    for name in (ID, SECRET):
        del engine.environment[name]
    stack = engine.stack(alicloud__profile="prod", alicloud__sharedCredentialsFile=str(file))
    stack.up(by_every_entry_point)
    assert {record.key_id for record in backend.log} == {"FAKE-MEANT-ID"}


def test_another_network(engine: Any, backend: Backend, service: ExitStack) -> None:
    """State holds what the program gave: what the environment says is read anew, also by a refresh."""
    stack = engine.stack()
    stack.up(resource)
    assert not {"endpoint", "region"} & stack.resource(":BackupClients")["inputs"].keys()
    service.close()
    with emulator.serve(backend) as elsewhere:
        engine.environment[ENDPOINT] = elsewhere.endpoint
        stack = engine.stack()
        for run in (stack.refresh, partial(stack.up, resource, refresh=True), partial(stack.destroy, refresh=True)):
            backend.clear_log()
            run()
            assert backend.log


def test_a_role_for_one_resource(engine: Any, backend: Backend, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`assume_role` and `profile` stand in state, as names; what STS gave is nowhere."""
    role = "acs:ram::1234567890123456:role/tenant"
    with Sts().serving(home / "authority.pem") as sts:
        backend.allow(Credentials("FAKE-STS-1", "FAKE-STS-SECRET", "FAKE-STS"))
        environment = {"SSL_CERT_FILE": str(home / "authority.pem"), "ALIBABA_CLOUD_STS_ENDPOINT": sts.endpoint}
        engine.environment |= environment
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        profile_file(home, prod=account(backend, "PROFILE"))

        def program() -> None:
            BackupClients("role", assume_role={"role_arn": role}, **ECS)
            BackupClients("profile", profile="prod", region="cn-hangzhou", **ECS)

        stack = engine.stack()
        stack.up(program)
    assert {record.key_id for record in backend.log} == {"FAKE-STS-1", "FAKE-PROFILE-ID"}
    assert [sent["RoleArn"] for sent in sts.requests] == [role]
    found = {
        each["urn"].rpartition("::")[2]: each["inputs"] for each in stack.state() if "BackupClients" in each["type"]
    }
    assert found["role"]["assumeRole"]["roleArn"] == role
    assert found["profile"]["profile"] == "prod"
    assert "FAKE-STS" not in stack.file.read_text()


def test_options_that_are_honoured(engine: Any) -> None:
    """Plain options of an invoke, secret outputs, protection, and a transformation that changes nothing."""

    def program() -> None:
        opts = pulumi.ResourceOptions(
            additional_secret_outputs=["clients"],
            protect=True,
            retain_on_delete=True,
            aliases=[pulumi.Alias(name="y")],
            transformations=[lambda args: pulumi.ResourceTransformationResult(args.props, args.opts)],
        )
        found = BackupClients("fleet", opts, **ECS)
        pulumi.export("count", pulumi.Output.unsecret(found.total_count))
        looked_up = get_backup_clients_output(pulumi.InvokeOptions(), **ECS)  # type: ignore[arg-type]  # as untyped programs do
        pulumi.export("again", looked_up.apply(lambda found: found.total_count))

    stack = engine.stack()
    stack.up(program)
    outputs = stack.resource(":BackupClients")["outputs"]
    assert "ciphertext" in outputs["clients"]
    assert stack.outputs()["count"] == stack.outputs()["again"] > 0
    stack.up(program)
    assert stack.operations() == ["read"]


def tagged(args: Any) -> Any:
    """Adds a tag to whatever has tags, as auto-tagging does."""
    if args.props.get("tags") is None:
        return None
    more = pulumi.Output.from_input(args.props["tags"]).apply(lambda tags: {**(tags or {}), "owner": "me"})
    return pulumi.ResourceTransformationResult({**args.props, "tags": more}, args.opts)


def plainly_tagged(args: Any) -> Any:
    """The same as people write it first."""
    if args.props.get("tags") is None:
        return None
    return pulumi.ResourceTransformationResult({**args.props, "tags": {**args.props["tags"], "owner": "me"}}, args.opts)


@pytest.mark.parametrize(("kind", "scope"), [(tagged, "stack"), (plainly_tagged, "resource")])
def test_a_transformation_cannot_change_the_query(engine: Any, backend: Backend, kind: Any, scope: str) -> None:
    """Auto-tagging would list other clients under the same id: it is an error that says so."""

    def program() -> None:
        if scope == "stack":
            pulumi.runtime.register_stack_transformation(kind)
        opts = pulumi.ResourceOptions(transformations=[kind]) if scope == "resource" else None
        BackupClients("fleet", opts, tags={"env": "prod"}, **ECS)

    text = " ".join(engine.stack().fails("preview", program).split())
    assert "A transformation of the stack or of the resource changed" in text
    assert "Traceback" not in text
    assert backend.requests == 0


async def transformed(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """The same as a transform."""
    tags: Any = args.props.get("tags")
    return pulumi.ResourceTransformResult({**args.props, "tags": {**tags, "owner": "me"}}, args.opts) if tags else None


def test_options_without_an_effect(engine: Any, backend: Backend) -> None:
    """A stack's transforms leave the query alone. A provider, a parent's too, is refused by every entry point."""
    resources: tuple[Any, ...] = (partial(BackupClients, "x"), partial(ActivationGate, "x"))

    def program() -> None:
        pulumi.runtime.register_resource_transform(transformed)
        BackupClients("fleet", tags={"env": "prod"}, **ECS)
        provider = pulumi.ProviderResource("hbr-clients", "shanghai", {"region": "cn-shanghai"})
        parent = pulumi.ComponentResource("t:t:T", "p", None, pulumi.ResourceOptions(providers=[provider]))
        for make in (*resources, get_backup_clients_output):
            kind: Any = pulumi.ResourceOptions if make in resources else pulumi.InvokeOutputOptions
            for opts in (kind(provider=provider), kind(parent=parent)):
                with pytest.raises((pulumi.RunError, InputError), match=r"opts\..*region, profile and assume_role"):
                    make(opts, **ECS)

    engine.stack().up(program)
    assert {str(record.arguments.get("tags")) for record in backend.log} == {"[{'key': 'env', 'value': 'prod'}]"}
