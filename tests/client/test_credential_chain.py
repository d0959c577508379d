"""A credential source is taken whole, or it is an error that names it and nothing further down is tried."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients.client.credential_specs import CredentialSpec
from pulumi_hbr_clients.model.errors import CredentialsError
from pulumi_hbr_clients.protocol.signing import Credentials
from tests.client.samples import CALLER, KEYS, LIBRARY, NEWER, OIDC, PROVIDER, REGION, profile_file, resolved

CONFIG = ("accessKey", "secretKey", "securityToken")
ELSEWHERE = "~/elsewhere/.aliyun/config.json"
PROFILES = ("ALIBABA_CLOUD_PROFILE", "ALICLOUD_PROFILE", "ALIBABACLOUD_PROFILE")
ROLE = "acs:ram::1234567890123456:role/reader"


def spec(config: dict[str, Any] | None = None, arguments: Any = None, /, **variables: str) -> CredentialSpec:
    return resolved({"region": REGION, **(arguments or {})}, config, **variables).credentials


def refused(config: dict[str, Any] | None = None, arguments: Any = None, /, **variables: str) -> str:
    with pytest.raises(CredentialsError) as caught:
        spec(config, arguments, **variables)
    return str(caught.value)


@pytest.fixture
def other(home: Path) -> None:
    """A home with another account's profile, which must never sign in place of what was meant."""
    profile_file(home, default={**KEYS, "region_id": "cn-other"}, prod=KEYS)


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize("names", [LIBRARY, PROVIDER, NEWER])
def test_keys_in_the_environment(names: tuple[str, str, str]) -> None:
    """Each naming is read, of alibabacloud-credentials and of the Alibaba Cloud provider; white space is dropped."""
    found = spec(**dict(zip(names, (" FAKE-ID\r\n", "FAKE-SECRET\n", "FAKE-TOKEN "), strict=True)))
    assert found.keys == Credentials("FAKE-ID", "FAKE-SECRET", "FAKE-TOKEN")
    assert found.source == f"environment {names[0]}"


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize("space", ["hbr-clients", "alicloud"])
def test_keys_in_pulumi_config(space: str) -> None:
    """Config is stronger than the environment."""
    found = spec({f"{space}:{key}": f"FAKE-{key}" for key in CONFIG}, **dict.fromkeys(LIBRARY, "FAKE-ENV"))
    assert found.keys == Credentials("FAKE-accessKey", "FAKE-secretKey", "FAKE-securityToken")
    assert found.source == f"Pulumi config {space}:accessKey"


OFF = ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "ALIBABA_CLOUD_IGNORE_PROFILE")


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(
    ("config", "variables", "named"),
    [
        *(
            ({}, {**dict.fromkeys(names, "FAKE-"), names[missing]: empty}, f"{names[missing]} is not set although")
            for names in (LIBRARY, PROVIDER, NEWER)
            for missing in (0, 1)
            for empty in ("", " ")
        ),
        *(({}, {**dict.fromkeys(OIDC, "FAKE-"), name: ""}, f"{name} is not set although") for name in OIDC),
        ({}, {LIBRARY[0]: "FAKE-ID", PROVIDER[1]: "FAKE-SECRET"}, f"{LIBRARY[1]} is not set although"),
        ({"hbr-clients:accessKey": "FAKE-1", "alicloud:secretKey": "FAKE-2"}, CALLER, ":secretKey is not set although"),
        ({"hbr-clients:profile": "gone"}, CALLER, "Pulumi config hbr-clients:profile: there is no profile gone"),
        ({"alicloud:profile": "gone"}, {}, "Pulumi config alicloud:profile: there is no profile gone"),
        ({"alicloud:accessKey": "FAKE-ID", "alicloud:profile": "prod"}, {}, "access key and profile are both set"),
        ({"hbr-clients:ecsRoleName": "r", "hbr-clients:profile": "prod"}, {}, "profile and ecsRoleName are both set"),
        ({"alicloud:assumeRole": "{}", "alicloud:profile": "prod"}, {}, "alicloud:assumeRole.roleArn: is required"),
        ({"alicloud:assumeRole": '{"roleArn": ""}'}, {}, "alicloud:assumeRole.roleArn: is required"),
        ({"alicloud:assumeRole": "role"}, {}, "alicloud:assumeRole must be an object with roleArn"),
        ({"hbr-clients:assumeRole": {"roleArn": ROLE, "sessionExpiration": 60}}, {}, "must be 900 to 43200"),
        ({"alicloud:assumeRoleWithOidc": {"roleArn": ROLE}}, {}, "alicloud:assumeRoleWithOidc.oidcTokenFile"),
        ({"alicloud:assumeRoleWithOidc": {"oidcToken": "FAKE-JWT"}}, {}, "oidcToken is not read here"),
        ({"alicloud:sharedCredentialsFile": "/nowhere/f"}, {}, "File: the current profile in /nowhere/f"),
        *(({}, {name: "gone"}, f"environment {name}: there is no profile gone") for name in PROFILES),
        *(({}, {name: "TRUE"}, f"switched off by {name}") for name in OFF),
        *(({"hbr-clients:profile": "prod"}, {name: "true"}, f"cannot be read: switched off by {name}") for name in OFF),
    ],
)
def test_what_is_named_and_not_whole(config: dict[str, Any], variables: dict[str, str], named: str) -> None:
    """Half a source, or one that is not there, is an error by its name, whatever other places and the home hold."""
    text = refused(config, **variables)
    assert named in text
    assert "FAKE-" not in text


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(
    ("config", "variables"),
    [
        ({"alicloud:profile": "prod", "alicloud:sharedCredentialsFile": ELSEWHERE}, {}),
        ({"hbr-clients:profile": "prod", "hbr-clients:sharedCredentialsFile": ELSEWHERE}, {}),
        ({}, {"ALICLOUD_PROFILE": "prod", "ALICLOUD_SHARED_CREDENTIALS_FILE": ELSEWHERE}),
        ({}, {"ALIBABA_CLOUD_PROFILE": "prod", "ALIBABA_CLOUD_CREDENTIALS_FILE": ELSEWHERE}),
    ],
)
def test_a_profile_in_a_file_of_its_own(home: Path, config: dict[str, str], variables: dict[str, str]) -> None:
    """The file that is named is where the profile is read, not the profile of that name in the usual file."""
    profile_file(home / "elsewhere", prod={**KEYS, "access_key_id": "FAKE-MEANT", "region_id": "cn-meant"})
    found = resolved(None, config, **variables)
    assert found.credentials.keys == Credentials("FAKE-MEANT", "FAKE-PROFILE-SECRET")
    assert found.region.value == "cn-meant"


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(
    ("place", "mode"),
    [
        ("Pulumi config alicloud:ecsRoleName", "EcsRamRole"),
        ("Pulumi config alicloud:credentialsUri", "CredentialsURI"),
        ("environment ALICLOUD_ECS_ROLE_NAME", "EcsRamRole"),
        ("environment ALICLOUD_CREDENTIALS_URI", "CredentialsURI"),
        ("environment ALIBABA_CLOUD_CREDENTIALS_URI", "CredentialsURI"),
        ("environment ALIBABA_CLOUD_OIDC_TOKEN_FILE", "OIDC"),
    ],
)
def test_sources_that_are_fetched(place: str, mode: str) -> None:
    """They come before the current profile, wherever they are named."""
    name, variables = place.rsplit(maxsplit=1)[-1], dict.fromkeys(OIDC, "FAKE") if mode == "OIDC" else {}
    given = {name: "http://127.0.0.1:1"}
    found = spec(given) if "config" in place else spec(**variables | given)
    assert (found.mode, found.source) == (mode, place)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"mode": "AK", "access_key_id": "FAKE-ID"}, "access_key_secret is not set although access_key_id is"),
        ({"mode": "StsToken", **{k: v for k, v in KEYS.items() if k != "mode"}}, "sts_token is not set"),
        ({"mode": "RamRoleArn", "access_key_id": "FAKE-ID", "access_key_secret": "FAKE"}, "ram_role_arn is not set"),
        ({"mode": "RamRoleArn", "ram_role_arn": ROLE}, "access_key_id and access_key_secret is not set"),
        ({"mode": "ChainableRamRoleArn", "ram_role_arn": ROLE, "source_profile": "p"}, "leads back to itself (p → p)"),
        ({"mode": "ChainableRamRoleArn", "ram_role_arn": ROLE, "source_profile": "gone"}, "no profile gone"),
        ({"mode": "External"}, "process_command is not set"),
        ({"mode": "OIDC", "ram_role_arn": ROLE}, "oidc_token_file and oidc_provider_arn is not set"),
        ({"mode": "Anonymous"}, "its mode 'Anonymous' cannot sign these requests"),
        ({"mode": 5}, "its mode 5 cannot sign these requests"),
        ({"mode": "AK", "access_key_id": {"a": 1}, "access_key_secret": "FAKE"}, "must be text, not dict"),
        ({"mode": "AK", "access_key_id": "FAKE-ÄÖ", "access_key_secret": "FAKE"}, "an HTTP header cannot hold"),
    ],
)
def test_profiles_that_are_not_whole(fields: dict[str, Any], problem: str, home: Path) -> None:
    """A profile that was named and cannot sign is named, with what it lacks."""
    profile_file(home, p=fields, other=KEYS)
    text = refused({"hbr-clients:profile": "p"})
    assert problem in text
    assert f"profile p in {home}" in text or "profile gone" in text
    assert "FAKE-" not in text


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize("bad", ["FAKE\nID", "FAKE\x00", "FAKE\x7f", "фейк"])
@pytest.mark.parametrize("place", range(3))
def test_characters_no_header_can_hold(bad: str, place: int) -> None:
    """The setting is named, its value is not shown, and nothing is sent."""
    values = ["FAKE-ID", "FAKE-SECRET", "FAKE-TOKEN"]
    values[place] = bad
    variables = dict(zip(LIBRARY, values, strict=True))
    assert refused(**variables).startswith(f"{LIBRARY[place]} holds a line break")
    config = {f"hbr-clients:{key}": value for key, value in zip(CONFIG, values, strict=True)}
    assert refused(config).startswith(f"Pulumi config hbr-clients:{CONFIG[place]} holds a line break")
    given = refused(None, {"credentials": Credentials(*values)})
    assert "of argument credentials holds a line break" in given
    assert bad not in given


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_with_other_text_in_any_locale(home: Path, encoding: str) -> None:
    """UTF-8 with or without a byte order mark, as PowerShell writes it, whatever the locale."""
    profile_file(home, encoding=encoding, 生产={**KEYS, "region_id": REGION}, 其他=KEYS)
    program = (
        "from pulumi_hbr_clients.client.settings import Settings\n"
        "found = Settings(arguments={'profile': '\\u751f\\u4ea7'}).resolve()\n"
        "print(found.region.value, found.credentials.keys.access_key_id)"
    )
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "zh_CN.GBK", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == f"{REGION} FAKE-PROFILE-ID\n", done.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "it is not JSON (line 1)"),
        ('{"current": "生产"}'.encode("gbk"), "it is not UTF-8"),
        ('{"profiles": []}'.encode("utf-16"), "it is not UTF-8"),
        (b"[]", "it has no list of profiles"),
        (b'{"profiles": 5}', "it has no list of profiles"),
        (b'{"profiles": [5]}', "it has no list of profiles"),
        (b'{"current": "gone", "profiles": []}', "the current profile: there is no profile gone"),
        (None, "cannot be read: Is a directory"),
    ],
)
def test_a_file_that_cannot_be_read(home: Path, content: bytes | None, reason: str) -> None:
    """It is named with the reason, also where nobody named a profile: it is not passed over."""
    file = home / ".aliyun" / "config.json"
    file.parent.mkdir()
    file.mkdir() if content is None else file.write_bytes(content)
    for config in ({}, {"hbr-clients:profile": "gone"}):
        text = refused(config)
        assert str(file) in text
        assert reason.removeprefix("the current profile: ") in text


def test_an_ini_file(home: Path) -> None:
    """The ini file of alibabacloud-credentials, its sections and comments; what it lacks is named."""
    file = home / ".alibabacloud" / "credentials.ini"
    file.parent.mkdir()
    key = "type = access_key\naccess_key_id = FAKE-INI # a comment\naccess_key_secret = FAKE%SECRET\n"
    file.write_text(f"[default]\n{key}[half]\ntype = access_key\naccess_key_id = FAKE-HALF\n[odd]\ntype = odd\n")
    assert spec().keys == Credentials("FAKE-INI", "FAKE%SECRET")
    assert "[half] in" in refused(ALIBABA_CLOUD_PROFILE="half")
    assert "its type 'odd' cannot sign" in refused(ALIBABA_CLOUD_PROFILE="odd")
    assert "there is no file" in refused(ALIBABA_CLOUD_PROFILE="gone")


def test_nothing_anywhere(home: Path) -> None:
    """The error lists every place and why it has none. A profile without credentials is none of them.

    `aliyun configure set --region` makes such a profile.
    """
    profile_file(home, default={"mode": "AK", "access_key_id": "", "access_key_secret": "", "region_id": REGION})
    text = refused()
    assert text.startswith("no credentials are set. Looked at, in this order:")
    assert f"{home}/.aliyun/config.json (the profile holds no credentials)" in text
    places = (*LIBRARY, *PROVIDER, *NEWER, *OIDC, "credentials.ini", "metadata")
    assert [place for place in places if place not in text] == []


def test_the_metadata_service_is_the_last_place() -> None:
    """It is asked where nobody named anything and it is not switched off."""
    found = spec(ALIBABA_CLOUD_ECS_METADATA_DISABLED="false", ALIBABA_CLOUD_ECS_METADATA="r")
    assert (found.mode, found.is_fallback, found.get("ram_role_name")) == ("EcsRamRole", True, "r")


def test_a_role_goes_with_its_own_place_or_a_later_one() -> None:
    """A role of a further place is never assumed with the credentials of a nearer one; the nearest role counts."""
    place = "Pulumi config hbr-clients:accessKey"
    ours = {"hbr-clients:accessKey": "FAKE-ID", "hbr-clients:secretKey": "FAKE-SECRET"}
    own = {"hbr-clients:assumeRole": [{"roleArn": ROLE}]}
    further = {"alicloud:assumeRole": json.dumps({"roleArn": ROLE})}
    argument = {"assume_role": {"role_arn": "acs:ram::1:role/mine"}}
    assert spec({**ours, **further}).label == place
    assert spec({**ours, **own}).label == f"role {ROLE} (Pulumi config hbr-clients:assumeRole), assumed by {place}"
    assert spec({**ours, **own}, argument).label.startswith("role acs:ram::1:role/mine (argument assumeRole)")
    assert spec(further, **CALLER).label.endswith(f"alicloud:assumeRole), assumed by environment {LIBRARY[0]}")
