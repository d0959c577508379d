"""The public names, each used with its types, as a user's program may. Checked by mypy, never run.

Whatever has to change here breaks somebody's program: it belongs into the changelog.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, assert_type

import pulumi
from pydantic import SecretStr

from pulumi_hbr_clients import (
    ActivationCondition,
    ActivationGate,
    ActivationResult,
    BackupClient,
    BackupClients,
    ClientList,
    ClientSettings,
    Credentials,
    CredentialsError,
    DeadlineError,
    GateError,
    GateFailedError,
    GateTimeoutError,
    HbrClient,
    HbrError,
    IncompleteListError,
    InputError,
    InvalidResponseError,
    Query,
    ServiceError,
    ThrottledError,
    TransportError,
    clients_from_stack,
    get_backup_clients,
    get_backup_clients_output,
    wait_until_activated,
)
from pulumi_hbr_clients.activation.evaluation import Verdict

Ids = pulumi.Output[list[str]]
Clients = pulumi.Output[list[BackupClient]]
Counts = pulumi.Output[Mapping[str, int]]


def a_program(instance_id: pulumi.Output[str], team: pulumi.Input[str]) -> None:
    """The resources: plain values, Outputs, and lists and maps of either."""
    fleet = BackupClients(
        "fleet",
        pulumi.ResourceOptions(depends_on=[]),
        client_type="ECS_CLIENT",
        client_ids=None,
        instance_ids=["i-1", instance_id],
        tags={"env": "prod", "team": team},
        filters={"Status": ["ACTIVATED"]},
        cross_account_type="CROSS_ACCOUNT",
        cross_account_user_id=1293746723820001,
        cross_account_role_name="reader",
        statuses=pulumi.Output.from_input(["ACTIVATED"]),
        outdated=False,
        fields=["status"],
        include_heartbeats=True,
        include_proxy_passwords=True,
        consistency="verified",
        allow_incomplete=instance_id.apply(bool),
        timeout="5m",
        region="cn-hangzhou",
        endpoint=None,
        profile="prod",
        assume_role={"roleArn": instance_id},
    )
    assert_type(fleet.clients, Clients)
    assert_type(fleet.ids, Ids)
    assert_type(fleet.instance_ids, Ids)
    assert_type(fleet.by_instance_id, pulumi.Output[dict[str, tuple[BackupClient, ...]]])
    assert_type(fleet.total_count, pulumi.Output[int])
    assert_type(fleet.service_total_count, pulumi.Output[int])
    assert_type(fleet.region, pulumi.Output[str])
    assert_type(fleet.profile, pulumi.Output[str | None])
    assert_type(fleet.counts_by_status, Counts)
    assert_type(fleet.missing_client_ids, Ids)
    assert_type(fleet.missing_instance_ids, Ids)
    assert_type(fleet.proxy_passwords, pulumi.Output[Mapping[str, str] | None])
    assert_type(fleet.complete, pulumi.Output[bool])

    gate = ActivationGate(
        "ready",
        client_type="ECS_CLIENT",
        instance_ids=fleet.instance_ids,
        min_clients=1,
        timeout="15m",
        max_heartbeat_age=300,
        min_client_version="2.13.0",
        tolerate=["UPGRADE_FAILED"],
        unknown_grace=instance_id.apply(lambda _: 1.5),
        poll=2,
    )
    assert_type(gate.clients, Clients)
    assert_type(gate.ids, Ids)
    assert_type(gate.instance_ids, Ids)
    assert_type(gate.total_count, pulumi.Output[int])
    assert_type(gate.counts_by_status, Counts)
    assert_type(gate.bypassed, pulumi.Output[bool])
    pulumi.ResourceOptions(depends_on=[fleet, gate])

    later = get_backup_clients_output(
        pulumi.InvokeOutputOptions(depends_on=[gate]), client_type="ECS_CLIENT", client_ids=[instance_id]
    )
    assert_type(later, pulumi.Output[ClientList])
    assert_type(clients_from_stack(pulumi.StackReference("other"), name="clients"), Clients)


def a_list(client_ids: Sequence[str]) -> BackupClient | None:
    """The look-up, and what is in a list."""
    found = get_backup_clients(client_type="ECS_CLIENT", client_ids=client_ids, tags=[{"key": "env"}], page_size=99)
    assert_type(found, ClientList)
    assert_type(found.clients, tuple[BackupClient, ...])
    assert_type(found.total_count, int)
    assert_type(found.complete, bool)
    assert_type(found.request_count, int)
    assert_type(found.request_ids, tuple[str, ...])
    assert_type(found.service_total_count, int)
    assert_type(found.by_instance_id, dict[str, tuple[BackupClient, ...]])
    assert_type(found.region, str | None)
    assert_type((found.page_number, found.page_size), tuple[int | None, int | None])
    assert_type(found.ids, tuple[str, ...])
    assert_type(found.instance_ids, tuple[str, ...])
    assert_type(found.missing_client_ids, tuple[str, ...])
    assert_type(found.missing_instance_ids, tuple[str, ...])
    assert_type(found.counts_by_status, Mapping[str, int])
    assert_type(found.proxy_passwords, Mapping[str, SecretStr])
    return next(iter(found.clients), None)


def a_client(client: BackupClient) -> None:
    """A client: a value object, a mapping, and fields of which any but the tags may be missing in a response."""
    assert_type(BackupClient(client_id="c-1", tags={"env": "prod"}), BackupClient)
    assert_type(replace(client, settings=ClientSettings(proxy_port=3128)), BackupClient)
    assert_type((client["clientId"], dict(client), list(client)), tuple[Any, dict[str, Any], list[str]])
    assert_type(client.to_dict(), dict[str, Any])
    assert_type((client.identity, hash(client)), tuple[str, int])
    assert_type(client.client_id, str | None)
    assert_type(client.instance_id, str | None)
    assert_type(client.status, str | None)
    assert_type(client.region, str | None)
    assert_type(client.last_heart_beat_time, int | None)
    assert_type(client.appliance, bool | None)
    assert_type(client.tags, Mapping[str, str])
    assert_type(client.outdated, bool | None)
    assert_type(client.settings, ClientSettings | None)
    if client.settings:
        assert_type(client.settings.max_worker, int | None)
        assert_type(client.settings.use_https, bool | None)
        assert_type(client.settings.proxy_host, str | None)


async def other_code() -> None:
    """The conversation and the gate, without Pulumi."""
    keys = Credentials("id", "secret", security_token=None)
    made = HbrClient(region="cn-hangzhou", endpoint=None, network="vpc", profile=None, credentials=keys, timeout=60.0)
    async with made as client:
        assert_type(client, HbrClient)
        assert_type(await client.list_backup_clients(client_type="ECS_CLIENT"), ClientList)
        assert_type(await client.list(Query(client_type="ECS_CLIENT")), ClientList)
    deadlines: list[float] = []
    passed = await wait_until_activated(
        client_type="ECS_CLIENT",
        instance_ids=["i-1"],
        timeout="5m",
        on_progress=lambda progress: deadlines.append(progress.deadline),
    )
    assert_type(passed, ActivationResult)
    assert_type(passed.found, ClientList)
    assert_type(passed.waited, float)
    assert_type(passed.bypassed, bool)
    assert_type(ActivationCondition(timeout=60.0, tolerate=("UPGRADE_FAILED",)).timeout, float)
    await asyncio.sleep(passed.waited)


def one_clause_each(error: HbrError) -> str | None:
    """What is caught, from the narrowest to the root, and what each carries."""
    try:
        raise error
    except InputError as bad:
        assert_type([(fault.path, fault.reason, fault.given) for fault in bad.faults], list[tuple[str, str, str]])
    except ThrottledError as busy:
        assert_type(busy.retry_after, float | None)
    except ServiceError as no:
        assert_type((no.code, no.message, no.http_status), tuple[str, str, int])
        assert_type((no.request_id, no.advice), tuple[str | None, str | None])
    except (GateFailedError, GateTimeoutError) as shut:
        gate: GateError = shut
        assert_type(gate.verdict, Verdict | None)
    except DeadlineError as late:
        between: TransportError = late
        return str(between)
    except (InvalidResponseError, IncompleteListError, CredentialsError, TransportError, GateError) as other:
        root: HbrError = other
        return str(root)
    return None


def anything(arguments: Mapping[str, Any]) -> ClientList:
    """Arguments that were read from somewhere."""
    return get_backup_clients(**arguments)
