"""`hbr-clients list`: words in, a list out, and an exit code that tells how it went. Against the emulator."""

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
from pulumi_hbr_clients.emulator import FAKE_CREDENTIALS, Backend, RunningEmulator
from pulumi_hbr_clients.model.errors import InputError
from pulumi_hbr_clients.model.query import Query, parse
from tests.commands import ECS, run

ROOT = Path(__file__).parents[2]
HEAVY = {"pulumi", "httpx._main", "rich.console", "alibabacloud_credentials"}
PASSWORD = "FAKE-PROXY-PASSWORD-0001"  # noqa: S105  the emulator's own


def lines_of(result: Result) -> list[str]:
    """What stderr says of bad input, without the head line."""
    head, *lines = result.stderr.splitlines()
    assert (result.exit_code, head, result.stdout) == (2, "error: bad input, nothing was sent", "")
    return [line.strip() for line in lines]


def test_every_field_is_an_option() -> None:
    """One rule read off the models names them all, for `wait` but for what a gate refuses."""
    made = {option.name for option in options.model_options()}
    assert made == Query.model_fields.keys() - {"include_heartbeats", "allow_incomplete"}
    spelled = {name for option in options.model_options() for name in (*option.opts, *option.secondary_opts)}
    assert {"--client-id", "--status", "--backup-status", "--os-type", "--tag", "--field", "--filter"} < spelled
    assert {"--outdated", "--up-to-date", "--cross-account-role-name", "--page-size"} < spelled
    with pytest.raises(InputError) as caught:
        condition.parse(dict.fromkeys(Query.model_fields, 1))
    refused = {fault.path for fault in caught.value.faults if fault.reason.startswith("must not be given")}
    assert {"page_size", "page_number", "statuses", "include_proxy_passwords"} <= refused
    gate = [option.name for option in options.gate_options()]
    assert set(gate) == (made | ActivationCondition.model_fields.keys()) - refused
    assert len(gate) == len(set(gate))


@pytest.mark.usefixtures("emulator")
def test_a_variable_of_the_environment_is_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with one is reported under its own name, not as an option that does not exist."""
    monkeypatch.setenv("HTTPS_PROXY", "ftp://proxy.example")
    (line,) = lines_of(run("list", *ECS, "--endpoint", "https://hbr.example.com"))
    assert line.startswith("HTTPS_PROXY: must be http://")


def test_a_new_field_is_a_new_option() -> None:
    """A filter added to the model can be typed without an edit of the command line."""

    class Wider(Query):
        disk_types: tuple[str, ...] | None = Field(None, description="Keep these disks.")
        max_age: Annotated[int | None, "seconds"] = Field(None, description="In seconds.")

    *_, disks, age = options.model_options(Wider)
    assert (disks.opts, disks.multiple, disks.metavar, disks.help) == (
        ["--disk-type"],
        True,
        "TYPE",
        "Keep these disks.  [repeatable]",
    )
    command = click.Command("list", params=[disks, age], callback=lambda **values: options.arguments(values, Wider))
    typed = ["--disk-type", "ssd", "--disk-type", "hdd", "--max-age", "5"]
    assert command.main(typed, standalone_mode=False) == {"disk_types": ("ssd", "hdd"), "max_age": 5}


@pytest.mark.parametrize("role", ["acs:ram::1:role/r", '{"roleArn": "acs:ram::1:role/r", "externalId": "x"}'])
def test_a_role_is_an_arn_or_an_object(role: str) -> None:
    """The keys are those of Pulumi config; a time is read as `wait` reads it."""
    query = parse(options.arguments({"client_type": "ECS_CLIENT", "assume_role": role, "timeout": "1m30s"}, Query))
    assert query.timeout == 90
    assert query.assume_role is not None
    assert query.assume_role.role_arn == "acs:ram::1:role/r"
    assert query.assume_role.external_id == (None if role.startswith("acs:") else "x")


def test_what_is_typed_is_what_is_asked(backend: Backend, emulator: RunningEmulator) -> None:
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
def test_own_filters_choose() -> None:
    """What the service cannot filter is filtered after it answered."""
    old = json.loads(run("list", *ECS, "--outdated", "--output", "json").stdout)
    new = json.loads(run("list", *ECS, "--up-to-date", "--output", "json").stdout)
    assert (old["totalCount"], new["totalCount"]) == (3, 7)
    some = run("list", *ECS, "--status", "UNKNOWN", "--status", "STOPPED", "--output", "json")
    assert json.loads(some.stdout)["countsByStatus"] == {"STOPPED": 1, "UNKNOWN": 1}


@pytest.mark.usefixtures("emulator")
def test_all_faults_at_once(backend: Backend) -> None:
    """Everything wrong is said in one go, as it was typed, and nothing is sent."""
    typed = "--client-type ecs_client --page-size 100 --page-number x --client-id= --client-id c-1 --tag acs:x"
    typed += " --filter f --cross-account-type CROSS_ACCOUNT --region cn-hangzou --network home --timeout 0"
    typed += " --watch soon --endpoint http://example.com --field nam"
    lines = lines_of(run("list", *typed.split()))
    assert [line.partition(":")[0] for line in lines] == [
        "--client-type",
        "--client-id",
        "--tag key",
        "--filter values",
        "--page-number",
        "--page-size",
        "--field",
        "--timeout",
        "--cross-account-user-id",
        "--cross-account-role-name",
        "--network",
        "--endpoint",
        "--watch",
    ]
    assert backend.requests == 0


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        *((f"--{name}=", "must not be empty or hold white space") for name in ("client-id", "instance-id", "zone-id")),
        ("--page-size 100", "--page-size: must be 1 to 99 (given: 100)"),
        ("--cross-account-user-id x", "--cross-account-type: must be given too"),
        ("--tag =v", "--tag key: must not be empty (given: '')"),
        ("--tag aliyun=v", "--tag key: must not start with aliyun or acs: (given: 'aliyun')"),
        ("--region cn-hangzou --endpoint=", "--endpoint: must"),
        (" ".join(f"--tag {n}" for n in range(21)), "--tag: must be at most 20"),
        ("--assume-role {roleArn", "--assume-role: must be a role's ARN, or a JSON object with roleArn (given"),
        ("--assume-role {}", "--assume-role roleArn: is required"),
        ("--timeout 5x", "--timeout: must be a time: seconds, or text like 90s, 15m or 1h30m"),
        ("--status activated", "did you mean ACTIVATED? (given: 'activated')"),
        ("--watch 0.5", "--watch: must be at least 1 second (given: '0.5')"),
    ],
)
def test_a_fault_is_told_as_it_was_typed(typed: str, said: str) -> None:
    """The option, what is allowed, what was given; never a name from inside the program."""
    found = lines_of(run("list", *ECS, *typed.split()))
    assert [line for line in found if said in line] != []
    assert [line for line in found if "_type" in line or "user_id" in line] == []


def test_no_region() -> None:
    """Without a region and a type, both are named, with every place where a region may stand."""
    missing_type, no_region = lines_of(run("list"))
    assert missing_type == "--client-type: is required; one of ECS_CLIENT, CONTAINER_CLIENT, LOCAL_CLIENT"
    assert no_region.startswith("--region: is not set.")
    assert [name in no_region for name in ("--region", "ALIBABA_CLOUD_REGION_ID", "hbr-clients:region")] == [True] * 3


def test_a_typo_in_the_environment_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that was not typed says where it comes from."""
    monkeypatch.setenv("ALICLOUD_REGION", "cn hangzhou")
    (line,) = lines_of(run("list", *ECS))
    assert line.endswith("(given: 'cn hangzhou' from environment ALICLOUD_REGION)")


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        ("NoPermission", "Allow the RAM action hbr:DescribeBackupClients"),
        ("RoleNotExist", "Check --cross-account-role-name"),
        ("ServiceNotActivated", "Activate Cloud Backup"),
    ],
)
def test_a_refusal_is_one_line_and_advice(backend: Backend, fault: str, advice: str) -> None:
    """What the service said with its request id, what to do about it, exit code 1, no traceback."""
    backend.next_faults += [fault]
    result = run("list", *ECS)
    error, hint = result.stderr.splitlines()
    assert error.startswith(f"error: {fault}: ")
    assert ", request " in error
    assert hint.startswith(f"  {advice}")
    assert (result.exit_code, result.stdout, backend.requests) == (1, "", 1)


@pytest.mark.parametrize("words", [("-v", "list", *ECS), ("list", *ECS, "-v"), ("-v", "list", *ECS, "-v")])
def test_verbose_tells_once(backend: Backend, emulator: RunningEmulator, words: tuple[str, ...]) -> None:
    """-v, wherever it stands, tells on stderr what is asked and throttled."""
    backend.next_faults += ["throttle:10"]
    result = run(*words)
    assert result.exit_code == 0
    assert result.stderr.count(": Throttling.User: ") == 1
    assert f"debug: asking {emulator.endpoint} (region cn-hangzhou)" in result.stderr
    assert "debug: " not in run("list", *ECS).stderr


@pytest.mark.usefixtures("emulator")
def test_secrets_stay_inside(backend: Backend) -> None:
    """No output of any command holds a key, and a proxy password only where it was asked for."""
    backend.next_faults += ["SignatureDoesNotMatch"]
    words = [("-v", "list", *ECS, "--output", output) for output in ("table", "json", "csv", "table")]
    results = [run(*each) for each in (*words, ("-v", "doctor"), ("doctor", "--output", "json"))]
    assert [result.exit_code for result in results] == [1, 0, 0, 0, 0, 0]
    text = "".join(result.output for result in results)
    assert [secret for secret in (FAKE_CREDENTIALS.access_key_secret, PASSWORD) if secret in text] == []
    assert FAKE_CREDENTIALS.access_key_id not in "".join(result.output for result in results[4:])
    asked = [run(*each, "--include-proxy-passwords") for each in words[1:]]
    assert [PASSWORD in result.stdout for result in asked] == [True] * 3
    assert json.loads(asked[0].stdout)["proxyPasswords"].popitem()[1] == PASSWORD


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


@pytest.mark.parametrize("command", ["list", "wait", "doctor", "emulator"])
def test_help_says_all(command: str) -> None:
    """Every option stands in the help with a sentence, within 100 columns."""
    result = CliRunner().invoke(hbr_clients, [command, "--help"], terminal_width=100)
    context = click.Context(hbr_clients)
    made = hbr_clients.get_command(context, command)
    for option in made.get_params(context) if made else ():
        assert isinstance(option, click.Option)
        assert option.help
        assert option.opts[-1] in result.output
    assert max(map(len, result.output.splitlines())) <= 100


def test_the_help_tells_the_defaults() -> None:
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
    assert run("--version").output == f"hbr-clients, version {__version__}\n"


EXAMPLES = re.compile(r"^ *(?:\$ )?(hbr-clients .*?)(?:  .*| *[|>#&].*)?$", re.MULTILINE)


def examples() -> Iterator[str]:
    """Every line of a help text, of the README and of docs/ that is a command of ours."""
    for command in ("list", "wait"):
        yield from EXAMPLES.findall(CliRunner().invoke(hbr_clients, [command, "--help"], terminal_width=200).output)
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))):
        yield from EXAMPLES.findall(path.read_text())


@pytest.mark.parametrize("line", sorted(set(examples())))
def test_examples_can_be_typed(line: str) -> None:
    """What help and documents show is read without a complaint: no option of theirs is unknown."""
    _, *words = shlex.split(line)
    context = hbr_clients.make_context("hbr-clients", words)
    name, command, rest = hbr_clients.resolve_command(context, words)
    assert command is not None
    while isinstance(command, click.Group):
        name, command, rest = command.resolve_command(context, rest)
        assert command is not None
    command.make_context(name, rest, parent=context)
