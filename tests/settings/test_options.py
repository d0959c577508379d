"""Pulumi's options, one by one: honoured, or refused with what to use instead."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.resource_hooks import ResourceHookBinding

from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.model.outputs import STATE_OUTPUTS
from pulumi_hbr_clients.resources.options import REFUSED, check_options

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
KINDS = ("BackupClients", "ActivationGate", "get_backup_clients_output")


class Nothing(pulumi.runtime.Mocks):
    """Resources that exist and do nothing; the warnings go to a logger."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(args.token)


@pytest.fixture
def program() -> Iterator[None]:
    """A program that can have parents and providers."""
    pulumi.runtime.set_mocks(Nothing())
    yield
    pulumi.runtime.settings.reset_options()


def provider(package: str) -> pulumi.ProviderResource:
    return pulumi.ProviderResource(package, "explicit", {})


GIVEN: dict[str, Any] = {
    "version": "1.2.3",
    "plugin_download_url": "https://plugins.example.com",
    "id": "i",
    "urn": "urn:pulumi:dev::p::t::n",
    "import_": "i",
    "custom_timeouts": pulumi.CustomTimeouts(create="3s"),
    "ignore_changes": ["clients"],
    "hide_diffs": ["clients"],
    "replace_on_changes": ["clients"],
    "replacement_trigger": 1,
    "hooks": ResourceHookBinding(),
}


def refused(kind: Any, opts: Any, **arguments: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        check_options(kind, opts, arguments, STATE_OUTPUTS)
    return [str(issue) for issue in caught.value.faults]


@pytest.mark.parametrize("option", GIVEN)
@pytest.mark.parametrize("kind", KINDS[:2])
def test_options_without_an_effect(kind: Any, option: str) -> None:
    """Each is refused by its name and says what to use instead, or it passes."""
    if not hasattr(pulumi.ResourceOptions(), option):
        pytest.skip("newer than this Pulumi")
    opts = pulumi.ResourceOptions(**{option: GIVEN[option]})
    if option in REFUSED[kind]:
        assert refused(kind, opts) == [f"opts.{option}: {REFUSED[kind][option]}"]
    else:
        check_options(kind, opts, {}, STATE_OUTPUTS)


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("kind", KINDS)
def test_providers(kind: Any) -> None:
    """A provider that was given, or that a parent hands down, would not choose the region: it is refused."""
    make: Any = pulumi.InvokeOutputOptions if kind == KINDS[2] else pulumi.ResourceOptions
    own, other = provider("hbr-clients"), provider("alicloud")
    for opts in (make(provider=own), make(provider=other)):
        (issue,) = refused(kind, opts)
        assert issue.startswith("opts.provider: ")
        assert all(word in issue for word in ("region", "profile", "assume_role"))
    parent = pulumi.ComponentResource("t:t:T", "parent", None, pulumi.ResourceOptions(providers=[own]))
    child = pulumi.ComponentResource("t:t:T", "child", None, pulumi.ResourceOptions(parent=parent))
    for opts in (make(parent=parent), make(parent=child)):
        (issue,) = refused(kind, opts)
        assert issue.startswith("opts.parent: has a provider of hbr-clients")
    if kind != KINDS[2]:
        assert refused(kind, pulumi.ResourceOptions(providers={"hbr-clients": own}))[0].startswith("opts.providers: ")


@pytest.mark.usefixtures("program")
def test_a_parent_with_a_provider_of_alicloud(caplog: pytest.LogCaptureFixture) -> None:
    """Its region is not used: a warning says so, unless the program says which region or account it means."""
    parent = pulumi.ComponentResource("t:t:T", "p", None, pulumi.ResourceOptions(providers=[provider("alicloud")]))
    check_options("BackupClients", pulumi.ResourceOptions(parent=parent), {"region": "cn-hangzhou"})
    assert not caplog.records
    check_options("BackupClients", pulumi.ResourceOptions(parent=parent), {"client_type": "ECS_CLIENT"})
    assert "the parent has a provider of alicloud" in caplog.text


def test_all_at_once() -> None:
    """Every option that is refused is named, in one error."""
    opts = pulumi.ResourceOptions(version="1", ignore_changes=["clients"], import_="i")
    names = [issue.partition(":")[0] for issue in refused("BackupClients", opts)]
    assert sorted(names) == ["opts.ignore_changes", "opts.import_", "opts.version"]


@pytest.mark.parametrize("name", ["clients", "countsByStatus", "counts_by_status", "proxyPasswords"])
def test_secret_outputs(name: str) -> None:
    """Outputs in state, in either spelling."""
    check_options("BackupClients", pulumi.ResourceOptions(additional_secret_outputs=[name]), {}, STATE_OUTPUTS)


@pytest.mark.parametrize("name", ["ids", "client", "byInstanceId"])
def test_secret_outputs_that_are_none(name: str) -> None:
    """A name that would make nothing a secret is refused."""
    (issue,) = refused("BackupClients", pulumi.ResourceOptions(additional_secret_outputs=[name]))
    assert issue.startswith("opts.additional_secret_outputs: must be of clients, complete, counts_by_status")


@pytest.mark.parametrize(
    "opts",
    [
        None,
        pulumi.ResourceOptions(),
        pulumi.ResourceOptions(protect=True, retain_on_delete=True, delete_before_replace=True),
        pulumi.ResourceOptions(transforms=[lambda _: None], transformations=[lambda _: None]),
        pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")]),
        pulumi.InvokeOptions(),
        pulumi.InvokeOutputOptions(),
    ],
)
def test_options_that_pass(opts: Any) -> None:
    """What holds anyway, what Pulumi does itself, and options without any set."""
    check_options(KINDS[2] if isinstance(opts, pulumi.InvokeOptions) else "BackupClients", opts, {}, STATE_OUTPUTS)


def test_the_table_is_the_code() -> None:
    """docs/settings.md names each option of Pulumi, and refuses what the code refuses."""
    rows = dict(re.findall(r"^\| (`[\w`, ]+`) \| (.*) \|$", PAGE.partition("## Pulumi's options")[2], flags=re.M))
    table = {
        name: [cell.strip() for cell in cells.split("|")]
        for names, cells in rows.items()
        for name in re.findall(r"\w+", names)
    }
    for column, kind in enumerate(KINDS):
        documented = {name for name, cells in table.items() if cells[column].startswith("refused")}
        assert documented == set(REFUSED[kind]), kind
    ours = {"state_migrations", "env_var_mappings"}  # of the engine alone, and of providers alone
    assert set(vars(pulumi.ResourceOptions())) - table.keys() - ours == set()
