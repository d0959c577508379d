"""Options of the command line: one for each field of the models, bad input in one report, help, and start-up."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import click
import pytest
from click.testing import CliRunner, Result
from pydantic import Field

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.activation import condition
from pulumi_hbr_clients.activation.condition import ActivationCondition
from pulumi_hbr_clients.activation.messages import format_duration
from pulumi_hbr_clients.cli import doctor, hbr_clients, options
from pulumi_hbr_clients.client.client import TIMEOUT
from pulumi_hbr_clients.emulator import Backend, RunningEmulator
from pulumi_hbr_clients.model.configuration import KEY_VARIABLES
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.model.query import Query, parse
from tests.commands import ECS, run

ROOT = Path(__file__).parents[2]
HEAVY = {"pulumi", "httpx._main", "rich.console", "alibabacloud_credentials"}
EXAMPLES = re.compile(r"^ *(?:\$ )?(hbr-clients .*?)(?:  .*| *[|>#&].*)?$", re.MULTILINE)


def issues_of(result: Result) -> list[str]:
    """The lines about bad input, without the head line."""
    head, *lines = result.stderr.splitlines()
    assert (result.exit_code, head, result.stdout) == (2, "error: bad input, nothing was sent", "")
    return [line.strip() for line in lines]


def test_every_field_is_an_option() -> None:
    """`list` takes every field of a query, `wait` every field of a condition and those that a gate does not refuse."""
    made = {option.name for option in options.model_options()}
    assert made == Query.model_fields.keys() - {"include_heartbeats", "allow_incomplete"}
    spelled = {name for option in options.model_options() for name in (*option.opts, *option.secondary_opts)}
    assert {"--client-id", "--status", "--outdated", "--up-to-date", "--cross-account-role-name"} < spelled
    with pytest.raises(InputError) as caught:
        condition.parse(dict.fromkeys(Query.model_fields, 1))
    refused = {fault.path for fault in caught.value.faults if fault.reason.startswith("must not be given")}
    gate = [option.name for option in options.gate_options()]
    assert sorted(gate) == sorted((made | ActivationCondition.model_fields.keys()) - refused)


def test_a_new_field_is_a_new_option() -> None:
    """A filter added to the model can be typed without an edit of the command line."""

    class Wider(Query):
        disk_types: tuple[str, ...] | None = Field(None, description="Keep these disks.")
        max_age: Annotated[int | None, "seconds"] = Field(None, description="In seconds.")

    *_, disks, age = options.model_options(Wider)
    assert (disks.opts, disks.metavar, disks.help) == (["--disk-type"], "TYPE", "Keep these disks.  [repeatable]")
    command = click.Command("list", params=[disks, age], callback=lambda **values: options.arguments(values, Wider))
    typed = ["--disk-type", "ssd", "--disk-type", "hdd", "--max-age", "5"]
    assert command.main(typed, standalone_mode=False) == {"disk_types": ("ssd", "hdd"), "max_age": 5}


@pytest.mark.parametrize("role", ["acs:ram::1:role/r", '{"roleArn": "acs:ram::1:role/r", "externalId": "x"}'])
def test_a_role_is_an_arn_or_an_object(role: str) -> None:
    """The keys are those of Pulumi config."""
    query = parse(options.arguments({"client_type": "ECS_CLIENT", "assume_role": role}, Query))
    assert query.assume_role
    assert query.assume_role.role_arn == "acs:ram::1:role/r"
    assert query.assume_role.external_id == (None if role.startswith("acs:") else "x")


def test_the_service_gets_every_option(backend: Backend, emulator: RunningEmulator) -> None:
    """Every option that the service knows arrives there, in its place and form."""
    typed = "--cluster-id cl-1 --client-id c-2 --client-id c-1 --instance-id i-1 --tag a=b=c --tag k --filter f=x,y"
    typed += " --cross-account-type CROSS_ACCOUNT --cross-account-user-id 12 --cross-account-role-name r"
    typed += " --page-number 2 --page-size 7"
    own = "--status ACTIVATED --zone-id z --os-type linux --outdated --backup-status PROTECTED --consistency verified"
    assert run("list", *ECS, *typed.split(), *own.split(), "--endpoint", emulator.endpoint).exit_code == 1
    assert dict(backend.log[-1].arguments) == {
        "client_type": "ECS_CLIENT",
        "cluster_id": "cl-1",
        "client_ids": ["c-1", "c-2"],
        "instance_ids": ["i-1"],
        "tags": [{"key": "a", "value": "b=c"}, {"key": "k"}],
        "filters": [{"key": "f", "values": ["x", "y"]}],
        "cross_account_type": "CROSS_ACCOUNT",
        "cross_account_user_id": "12",
        "cross_account_role_name": "r",
        "page_number": "2",
        "page_size": "7",
    }


@pytest.mark.usefixtures("emulator")
def test_our_own_filters() -> None:
    """What the service cannot filter is filtered after it answered."""
    old, new, some = (
        json.loads(run("list", *ECS, *words.split(), "--output", "json").stdout)
        for words in ("--outdated", "--up-to-date", "--status UNKNOWN --status STOPPED")
    )
    assert (old["totalCount"], new["totalCount"], some["countsByStatus"]) == (3, 7, {"STOPPED": 1, "UNKNOWN": 1})


BAD_LIST = """list --client-type ecs_client --page-size 100 --page-number x --client-id= --client-id c-1 --tag acs:x
    --filter f --cross-account-type CROSS_ACCOUNT --region cn-hangzou --network home --timeout 0 --watch soon
    --endpoint http://example.com --field nam"""
BAD_WAIT = """wait --client-type ecs --tag =v --region cn-hangzou --network home --min-clients x --timeout soon
    --tolerate no --unknown-grace=-1 --poll 0 --max-heartbeat-age never --min-client-version new --output json"""


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        (
            BAD_LIST,
            """--client-type --client-id --tag --filter --page-number --page-size --field --timeout
            --cross-account-user-id --cross-account-role-name --network --endpoint --watch""",
        ),
        (
            BAD_WAIT,
            """--client-type --tag --min-clients --timeout --max-heartbeat-age --min-client-version --tolerate
            --unknown-grace --poll --network""",
        ),
    ],
)
def test_bad_input_is_reported_together(backend: Backend, typed: str, wrong: str) -> None:
    """Every issue as it was typed, in one report; nothing is sent or printed."""
    found = issues_of(run(*typed.split()))
    assert [re.split("[ :]", line)[0] for line in found] == wrong.split()
    assert backend.requests == 0


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("--client-id=", "--client-id: must not be empty or hold white space"),
        ("--page-size 100", "--page-size: must be 1 to 99 (given: 100)"),
        ("--cross-account-user-id x", "--cross-account-type: must be given too"),
        ("--tag =v", "--tag key: must not be empty (given: '')"),
        ("--region cn-hangzou --endpoint=", "--endpoint: must"),
        (
            "--region eu-west-1 --endpoint cn-hangzhou=127.0.0.1,cn-shanghai=127.0.0.1",
            "--endpoint: names no endpoint for eu-west-1, only for cn-hangzhou, cn-shanghai",
        ),
        ("--assume-role {roleArn", "--assume-role: must be a role's ARN, or a JSON object with roleArn (given"),
        ("--assume-role {}", "--assume-role roleArn: is required"),
        ("--timeout 5x", "--timeout: must be a time: seconds, or text like 90s, 15m or 1h30m"),
        ("--status activated", "did you mean ACTIVATED? (given: 'activated')"),
        ("--watch 0.5", "--watch: must be at least 1 second (given: '0.5')"),
    ],
)
def test_an_issue_names_the_option(typed: str, text: str) -> None:
    """The option, what is allowed, what was given; never the name of an argument."""
    found = issues_of(run("list", *ECS, *typed.split()))
    assert [line for line in found if text in line] != []
    assert [line for line in found if "_type" in line or "user_id" in line] == []


def test_what_is_missing_or_wrong_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every place where a region may be set is named; a bad variable of the environment by its own name."""
    missing_type, no_region = issues_of(run("list"))
    assert missing_type == "--client-type: is required; one of ECS_CLIENT, CONTAINER_CLIENT, LOCAL_CLIENT"
    assert no_region.startswith("--region: is not set. Give it as the argument region (--region), as Pulumi config")
    monkeypatch.setenv("ALICLOUD_REGION", "cn hangzhou")
    (line,) = issues_of(run("list", *ECS))
    assert line.endswith("(given: 'cn hangzhou' from environment ALICLOUD_REGION)")
    for name in KEY_VARIABLES[0][:2]:
        monkeypatch.setenv(name, "FAKE")
    monkeypatch.setenv("ALICLOUD_REGION", "cn-hangzhou")
    monkeypatch.setenv("HTTPS_PROXY", "ftp://proxy.example")
    (line,) = issues_of(run("list", *ECS, "--endpoint", "https://hbr.example.com"))
    assert line.startswith("HTTPS_PROXY: must be http://")


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        *((words, {*HEAVY, "asyncio", "httpx", "rich", "pydantic"}) for words in ("--help", "--version")),
        *((words, HEAVY) for words in ("list --help", "wait --help", "doctor --help", "emulator --help")),
        *((words, HEAVY) for words in ("list --page-size 0", "wait --timeout 0", "emulator --port x")),
    ],
)
def test_start_up_is_a_feature(words: str, absent: set[str]) -> None:
    """Help and bad input load nothing heavy; the group's help loads click and nothing else."""
    code = "import sys\nfrom pulumi_hbr_clients.cli import main\ntry: main()\nfinally: print('LOADED', *sys.modules)"
    command = [sys.executable, "-c", code, *words.split()]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert loaded & absent == set()
    assert "pulumi_hbr_clients" in loaded


def test_the_help_states_the_defaults() -> None:
    """Defaults that only a help text names are those of the code; and the version is the package's."""
    text = " ".join(run("list", "--help").output.split())
    assert (
        f"[default: {format_duration(TIMEOUT).removesuffix('00s')}; doctor: {format_duration(doctor.TIMEOUT)}]" in text
    )
    helps = {option.opts[0]: option.help or "" for option in options.gate_options()}
    defaults = {"timeout": "15m", "min-clients": "1", "unknown-grace": "2m", "poll": "2s"}
    assert {name: helps[f"--{name}"].partition("  ")[2] for name in defaults} == {
        name: f"[default: {value}]" for name, value in defaults.items()
    }
    assert all("\\b" not in run(command, "--help").output for command in ("list", "wait", "emulator"))
    assert run("--version").output == f"hbr-clients, version {__version__}\n"


def examples() -> Iterator[str]:
    """Every line of a help text, of the README and of docs/ that is a command of ours."""
    for command in ("list", "wait"):
        yield from EXAMPLES.findall(CliRunner().invoke(hbr_clients, [command, "--help"], terminal_width=200).output)
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))):
        yield from EXAMPLES.findall(path.read_text())


@pytest.mark.parametrize("line", sorted(set(examples())))
def test_examples_can_be_typed(line: str) -> None:
    """The options in the help, the README and the docs exist."""
    _, *words = shlex.split(line)
    context = hbr_clients.make_context("hbr-clients", words)
    name, command, rest = hbr_clients.resolve_command(context, words)
    assert command is not None
    while isinstance(command, click.Group):
        name, command, rest = command.resolve_command(context, rest)
        assert command is not None
    command.make_context(name, rest, parent=context)
