"""Pulumi's options, one by one: honoured, or refused with what to use instead."""

import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.resource_hooks import ResourceHookBinding

from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.model.outputs import STATE_OUTPUTS
from pulumi_hbr_clients.resources.inputs import REFUSED, Kind, check_options

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
KINDS: tuple[Kind, Kind, Kind] = ("BackupClients", "ActivationGate", "get_backup_clients_output")


ALL: dict[str, Any] = {
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
    "transforms": [lambda _: None],
    "transformations": [lambda _: None],
    "protect": True,
    "retain_on_delete": True,
    "delete_before_replace": True,
    "aliases": [pulumi.Alias(name="old")],
}


def refused(kind: Any, opts: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        check_options(kind, opts, {}, STATE_OUTPUTS)
    return [str(issue) for issue in caught.value.faults]


@pytest.mark.parametrize(
    ("kind", "of"),
    [
        ("BackupClients", pulumi.ResourceOptions),
        ("ActivationGate", pulumi.ResourceOptions),
        ("get_backup_clients_output", pulumi.InvokeOutputOptions),
        ("get_backup_clients_output", pulumi.InvokeOptions),
    ],
)
def test_options_without_an_effect(kind: Any, of: Any) -> None:
    """Each is refused by its name and says what to use instead, all in one error; the others pass, and so do none."""
    options = {name: value for name, value in ALL.items() if hasattr(of(), name)}  # some are newer than this Pulumi
    without_effect = options.keys() & REFUSED[kind].keys()
    issues = refused(kind, of(**options))
    assert sorted(issues) == sorted(f"opts.{name}: {REFUSED[kind][name]}" for name in without_effect)
    for others in (of(**{name: options[name] for name in options.keys() - without_effect}), of(), None):
        check_options(kind, others, {}, STATE_OUTPUTS)


class Nothing(pulumi.runtime.Mocks):
    """Resources that exist and do nothing."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise AssertionError(args.token)


def program() -> None:
    """A program with providers and parents, in a process of its own: what is refused, and what is warned of."""
    logging.basicConfig(stream=sys.stdout)
    pulumi.runtime.set_mocks(Nothing())
    own, other = (pulumi.ProviderResource(package, package, {}) for package in ("hbr-clients", "alicloud"))

    def component(name: str, **options: Any) -> pulumi.ComponentResource:
        return pulumi.ComponentResource("t:t:T", name, None, pulumi.ResourceOptions(**options))

    parent, of_alicloud = component("parent", providers=[own]), component("alicloud", providers=[other])
    given: list[tuple[dict[str, Any], str]] = [
        ({"provider": own}, "opts.provider: "),
        ({"provider": other}, "opts.provider: "),
        ({"parent": parent}, "opts.parent: has a provider of hbr-clients"),
        ({"parent": component("child", parent=parent)}, "opts.parent: has a provider of hbr-clients"),
        ({"providers": {"hbr-clients": own}}, "opts.providers: "),
    ]
    for kind in KINDS:
        for options, says in given[:4] if kind == KINDS[2] else given:  # a look-up takes no `providers`
            make: Any = pulumi.InvokeOutputOptions if kind == KINDS[2] else pulumi.ResourceOptions
            (issue,) = refused(kind, make(**options))
            assert issue.startswith(says), (kind, issue)
            assert issue.endswith("region, profile and assume_role"), (kind, issue)
    for arguments in ({"region": "cn-hangzhou"}, {"profile": "prod"}, {"client_type": "ECS_CLIENT"}):
        print(arguments)  # noqa: T201  read by the test
        check_options(KINDS[0], pulumi.ResourceOptions(parent=of_alicloud), arguments)


def test_providers() -> None:
    """A provider that was given, or that a parent hands down, would not choose the region: it is refused.

    One of alicloud on a parent is not used: a warning says so, unless the program says what it means.
    """
    command = [sys.executable, "-c", "from tests.resources.test_options import program; program()"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    warned = [number for number, line in enumerate(lines) if "the parent has a provider of alicloud" in line]
    assert warned == [lines.index("{'client_type': 'ECS_CLIENT'}") + 1]


def test_secret_outputs() -> None:
    """Outputs in state, in either spelling; a name that would make nothing a secret is refused."""
    names = ["clients", "countsByStatus", "counts_by_status", "proxyPasswords"]
    check_options("BackupClients", pulumi.ResourceOptions(additional_secret_outputs=names), {}, STATE_OUTPUTS)
    for name in ("ids", "client", "byInstanceId"):
        (issue,) = refused("BackupClients", pulumi.ResourceOptions(additional_secret_outputs=[*names, name]))
        assert issue.startswith("opts.additional_secret_outputs: must be of clients, complete, counts_by_status")
        assert repr(name) in issue


def test_the_table_is_the_code() -> None:
    """docs/settings.md names each option of Pulumi, and refuses what the code refuses."""
    rows = dict(
        re.findall(r"^\| (`[\w`, ]+`) \| (.*) \|$", PAGE.partition("## Pulumi's options")[2], flags=re.MULTILINE)
    )
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
