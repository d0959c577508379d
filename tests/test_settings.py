"""Where region, endpoint and network come from: the first layer that names one wins, and says so."""

import json
from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients.client.settings import Settings
from pulumi_hbr_clients.model.errors import InputError, ValidationIssue
from pulumi_hbr_clients.protocol.endpoints import REGIONS, Target, address, endpoint_of, region_fault


def settings(
    config: dict[str, Any] | None = None, environment: dict[str, str] | None = None, **arguments: Any
) -> Settings:
    return Settings((config or {}).get, arguments, environment or {"HOME": "/nowhere"})


def refused(made: Settings) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        made.target("me")
    return {fault.path: str(fault) for fault in caught.value.faults}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the Alibaba CLI's config file."""
    (tmp_path / ".aliyun").mkdir()
    profiles = [{"name": "a", "region_id": "cn-beijing"}, {"name": "b", "region_id": "cn-shenzhen"}]
    text = json.dumps({"current": "a", "profiles": profiles})
    (tmp_path / ".aliyun" / "config.json").write_text(text)
    return tmp_path


LAYERS = ["argument", "ours", "alicloud", "environment", "profile"]


@pytest.mark.parametrize("strongest", range(5), ids=LAYERS)
def test_precedence(home: Path, strongest: int) -> None:
    """Argument → hbr-clients:region → alicloud:region → environment → profile."""
    names = ["cn-hangzhou", "cn-shanghai", "cn-qingdao", "cn-chengdu", "cn-beijing"]
    config = {"hbr-clients:region": names[1], "alicloud:region": names[2]}
    environment = {"HOME": str(home), "ALIBABA_CLOUD_REGION_ID": names[3], "ALICLOUD_REGION": "us-west-1"}
    arguments = {"region": names[0]} if strongest == 0 else {}
    if strongest > 1:
        del config["hbr-clients:region"]
    if strongest > 2:
        del config["alicloud:region"]
    if strongest > 3:
        environment = {"HOME": str(home)}
    found = settings(config, environment, **arguments).get("region")
    assert found is not None
    assert found.value == names[strongest]
    source = ["argument", "Pulumi config hbr-clients:region", "Pulumi config alicloud:region"]
    source += ["environment ALIBABA_CLOUD_REGION_ID", f"region_id of profile a in {home}/.aliyun/config.json"]
    assert found.source == source[strongest]


@pytest.mark.parametrize("name", ["ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_REGION", "ALICLOUD_REGION"])
def test_region_variables(name: str) -> None:
    """Each variable that other tools read is read."""
    assert settings(environment={name: "cn-hangzhou"}).target("me").region == "cn-hangzhou"


@pytest.mark.parametrize("name", ["ALIBABA_CLOUD_ENDPOINT_HBR", "HBR_ENDPOINT"])
def test_endpoint_variables(name: str) -> None:
    """The variables of the Terraform and Pulumi providers point us to the same address."""
    made = settings(environment={name: "hbr.example.com"}, region="cn-hangzhou")
    assert made.target("me").endpoint == "https://hbr.example.com"


def test_the_providers_endpoints() -> None:
    """alicloud:endpoints, in the form that its provider takes."""
    made = settings({"alicloud:endpoints": '[{"ecs": "e.example.com", "hbr": "h.example.com"}]'}, region="cn-hangzhou")
    assert made.target("me").endpoint == "https://h.example.com"


def test_a_named_profile(home: Path) -> None:
    """The profile that is named lends its region, not the current one."""
    assert settings(environment={"HOME": str(home)}, profile="b").target("me").region == "cn-shenzhen"
    assert settings(environment={"HOME": str(home), "ALIBABA_CLOUD_PROFILE": "b"}).target("me").region == "cn-shenzhen"
    disabled = {"HOME": str(home), "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"}
    assert settings(environment=disabled).get("region") is None


@pytest.mark.parametrize("text", ["", "[]", '{"profiles": 5}', '{"profiles": [5]}', "{", '{"current": 1}'])
def test_a_broken_profile_file(home: Path, text: str) -> None:
    """Somebody else's broken file is no crash; it just names no region."""
    (home / ".aliyun" / "config.json").write_text(text)
    assert settings(environment={"HOME": str(home)}).get("region") is None


def test_no_region_says_all_places() -> None:
    """The error is the documentation of where to set it."""
    text = refused(settings())["region"]
    for place in ("--region", "hbr-clients:region", "alicloud:region", "ALIBABA_CLOUD_REGION_ID", "config.json"):
        assert place in text


def test_all_faults_at_once_with_their_sources() -> None:
    """Region, endpoint and network are judged together, and each says where it came from."""
    made = settings({"alicloud:endpoints": [{"hbr": "http://far.example.com"}], "hbr-clients:network": "lan"})
    found = refused(made)
    assert found.keys() == {"region", "endpoint", "network"}
    assert "(given: 'lan' from Pulumi config hbr-clients:network)" in found["network"]
    assert "from Pulumi config alicloud:endpoint" in found["endpoint"]


@pytest.mark.parametrize(
    ("region", "near"),
    [
        ("cn-hangzou", "cn-hangzhou"),
        ("cn-shangai", "cn-shanghai"),
        ("CN-HANGZHOU", "cn-hangzhou"),
        ("us-wast-1", "us-west-1"),
    ],
)
def test_a_typo(region: str, near: str) -> None:
    """A region that looks like a known one is a typo, and the known one is named."""
    fault = region_fault(region)
    assert fault is not None
    assert f"did you mean {near}?" in fault.reason


@pytest.mark.parametrize("region", [*REGIONS, "cn-beijing-gov-1", "ap-southeast-99", "sa-brazil-1", "eu-west-2"])
def test_regions_that_pass(region: str) -> None:
    """Known ones, and new ones that are nobody's typo: regions are added faster than releases."""
    assert region_fault(region) is None


def test_a_new_region_that_looks_like_a_typo_has_a_way() -> None:
    """With an endpoint given, the region is only a name."""
    made = settings(region="cn-hangzhow", endpoint="hbr.cn-hangzhow.aliyuncs.com")
    assert made.target("me") == Target("me", "cn-hangzhow", "https://hbr.cn-hangzhow.aliyuncs.com")


@pytest.mark.parametrize(
    ("region", "network", "expected"),
    [
        ("cn-hangzhou", "public", "https://hbr.cn-hangzhou.aliyuncs.com"),
        ("cn-hangzhou", "vpc", "https://hbr-vpc.cn-hangzhou.aliyuncs.com"),
        ("cn-beijing-gov-1", "vpc", "https://hbr.aliyuncs.com"),
    ],
)
def test_endpoints_follow_the_sdk(region: str, network: str, expected: str) -> None:
    """The official SDK's rule and its exceptions."""
    assert endpoint_of(region, network) == expected
    assert settings({"hbr-clients:network": network}, region=region).target("me").endpoint == expected


def test_endpoints_equal_the_sdks_own() -> None:
    """Every region that the official SDK maps is mapped the same."""
    from alibabacloud_hbr20170908.client import Client  # noqa: PLC0415  0.9 s
    from alibabacloud_tea_openapi.models import Config  # noqa: PLC0415

    for region in (*REGIONS, "cn-wuhan", "cn-edge-1", "rus-west-1-pop", "cn-beijing-gov-1"):
        sdk = Client(Config(access_key_id="FAKE", access_key_secret="FAKE", region_id=region))  # noqa: S106
        assert f"https://{sdk._endpoint}" == endpoint_of(region)  # noqa: SLF001  it tells nobody else


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("hbr.example.com", "https://hbr.example.com"),
        ("https://hbr.example.com/", "https://hbr.example.com"),
        ("https://hbr.example.com:8443", "https://hbr.example.com:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_addresses(given: str, expected: str) -> None:
    """A host name is https; http is for this machine only."""
    assert address(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "http://hbr.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "ftp://hbr.example.com",
        "https://",
        "https://h/path",
        "https://h?x=1",
        "https://h:99999",
        "https://FAKE-USER:FAKE-PASSWORD@h",
        "https://[::1",
    ],
)
def test_addresses_that_are_refused(given: str) -> None:
    """Not https, not an address, or one with a secret in it, which is not repeated."""
    fault = address(given)
    assert isinstance(fault, ValidationIssue)
    assert fault.path == "endpoint"
    assert "FAKE-PASSWORD" not in str(fault)


def test_values_stay_out_of_repr() -> None:
    """A setting may be a secret."""
    found = settings({"hbr-clients:secretKey": "FAKE-SECRET"}).get("secretKey")
    assert found is not None
    assert "FAKE-SECRET" not in repr(found)
