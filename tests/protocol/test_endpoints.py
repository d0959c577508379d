"""Region and network → the endpoint of the official SDK; an endpoint → a checked address."""

from typing import Any

import pytest

from pulumi_hbr_clients.model.errors import ValidationIssue
from pulumi_hbr_clients.protocol.endpoints import REGIONS, endpoint_of, parse_endpoint, region_issue, region_warning


@pytest.mark.parametrize("region", ["", "CN-HANGZHOU", "cn hangzhou", "cn-hangzhou.evil.example.com", "cn", 5, "cn-å"])
def test_regions_that_cannot_be(region: Any) -> None:
    """What no region id looks like is refused: it would become a part of a host name."""
    assert region_issue(region) is not None


@pytest.mark.parametrize("region", [*REGIONS, "cn-beijing-gov-1", "ap-southeast-99", "eu-west-2"])
def test_regions_without_a_warning(region: str) -> None:
    """Known ones, and new ones that look like no misspelling: another number is another region."""
    assert region_issue(region) is None
    assert region_warning(region) is None


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


def test_endpoints_equal_the_sdks_own() -> None:
    """Every region that the official SDK maps is mapped the same."""
    from alibabacloud_hbr20170908.client import Client  # noqa: PLC0415  0.9 s
    from alibabacloud_tea_openapi.models import Config  # noqa: PLC0415  the same

    for region in (*REGIONS, "cn-wuhan", "cn-edge-1", "rus-west-1-pop", "cn-beijing-gov-1"):
        sdk = Client(Config(access_key_id="FAKE", access_key_secret="FAKE", region_id=region))  # noqa: S106  fake
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
    assert parse_endpoint(given) == expected


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
        "https://bücher.example.com",
        "hbr.example.com\r\nx: y",
        "a b.example.com",
        5,
        None,
    ],
)
def test_addresses_that_are_refused(given: Any) -> None:
    """Not https, not an address, or one with a secret in it, which is not repeated."""
    issue = parse_endpoint(given)
    assert isinstance(issue, ValidationIssue)
    assert issue.path == "endpoint"
    assert "FAKE-PASSWORD" not in str(issue)
