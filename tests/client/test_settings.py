"""Region, endpoint, network and credentials are resolved together: the first place that sets a part wins."""

from pathlib import Path
from typing import Any

import pytest

from pulumi_hbr_clients.model.errors import CredentialsError, InputError
from tests.client.samples import CALLER, KEYS, LIBRARY, REGION, profile_file, resolved


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("region", "ALIBABA_CLOUD_REGION_ID", "cn-beijing"),
        ("region", "ALIBABA_CLOUD_REGION", "cn-beijing"),
        ("region", "ALICLOUD_REGION", "cn-beijing"),
        ("endpoint", "ALIBABA_CLOUD_ENDPOINT_HBR", "https://hbr.example.com"),
        ("endpoint", "HBR_ENDPOINT", "https://hbr.example.com"),
    ],
)
def test_variables(part: str, name: str, value: str) -> None:
    """Each variable that other tools read is read; white space around it means nothing."""
    variables = {"ALICLOUD_REGION": REGION, name: f" {value}\n", **CALLER}
    found = getattr(resolved(**variables), part)
    assert (found.value, found.source) == (value, f"environment {name}")


@pytest.mark.parametrize("form", ['[{"ecs": "e.example.com", "hbr": "h.example.com"}]', [{"hbr": "h.example.com"}]])
def test_the_endpoints_of_the_provider(form: Any) -> None:
    """alicloud:endpoints, in the forms that its provider takes."""
    found = resolved({"region": REGION}, {"alicloud:endpoints": form}, **CALLER)
    assert found.endpoint.value == "https://h.example.com"


@pytest.mark.parametrize("region", [5, ["cn-hangzhou"], {"id": 1}, None, True])
def test_a_region_id_of_another_type(home: Path, region: object) -> None:
    """Somebody else's file may hold anything: what is no text names no region."""
    profile_file(home, a={"region_id": region, **KEYS})
    with pytest.raises(InputError, match="region: is not set"):
        resolved()


def test_no_region_says_all_places(home: Path) -> None:
    """The error is the documentation of where to set it, and says why the profile has none."""
    (home / ".aliyun").mkdir()
    (home / ".aliyun" / "config.json").write_text("{")
    with pytest.raises(InputError) as caught:
        resolved(**CALLER)
    for place in ("--region", "hbr-clients:region", "alicloud:region", "ALIBABA_CLOUD_REGION_ID", "it is not JSON"):
        assert place in str(caught.value)


def test_all_issues_at_once_with_their_sources() -> None:
    """Region, endpoint and network are judged together, and each says where it came from."""
    with pytest.raises(InputError) as caught:
        resolved(None, {"alicloud:endpoints": [{"hbr": "http://far.example.com"}], "hbr-clients:network": "lan"})
    found = {fault.path: str(fault) for fault in caught.value.faults}
    assert found.keys() == {"region", "endpoint", "network"}
    assert "(given: 'lan' from Pulumi config hbr-clients:network)" in found["network"]
    assert "from Pulumi config alicloud:endpoints hbr" in found["endpoint"]


@pytest.mark.parametrize("region", ["cn-changsha", "ap-south-1", "us-central-1", "cn-hangzou", "sa-brazil-1"])
def test_an_unknown_region_is_used(region: str) -> None:
    """Regions are added faster than releases; one that looks like a misspelling gets a warning, no more."""
    found = resolved({"region": region}, **CALLER)
    assert found.endpoint.value == f"https://hbr.{region}.aliyuncs.com"
    assert bool(found.warnings) == (region != "sa-brazil-1")
    assert not resolved({"region": region}, {"alicloud:skipRegionValidation": "true"}, **CALLER).warnings


def test_one_value_for_all_parts() -> None:
    """Each part has its source; equal settings are one account; no repr shows a secret."""
    one, two = (resolved({"region": REGION}, **CALLER) for _ in range(2))
    assert (one.region.source, one.network.source) == ("argument region", "default")
    assert (one.credentials.source, one.target.account) == ("environment ALIBABA_CLOUD_ACCESS_KEY_ID",) * 2
    assert one.account == two.account
    assert one.account != resolved({"region": REGION}, **{**CALLER, LIBRARY[0]: "FAKE-2"}).account
    assert "FAKE-CALLER" not in repr(one) + repr(one.account)


def test_credentials_problems_come_before_a_missing_region(home: Path) -> None:
    """A profile that does not exist would have named the region: it is the cause, so it is the error."""
    profile_file(home, a=KEYS)
    with pytest.raises(CredentialsError, match=r"argument profile: there is no profile prod in .*; it has a"):
        resolved({"profile": "prod"})
