"""Where the service is: region and network → endpoint, and endpoint → a checked address.

Rule and exceptions as in the official SDK alibabacloud_hbr20170908 2.7.1 (its endpoint map; a test compares them).
Regions are added faster than releases, so an unknown one is used; one that looks like a misspelling gets a warning.
Sources: docs/service.md.
"""

import difflib
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from pulumi_hbr_clients.model.errors import SUGGESTION_PREFIX, ValidationIssue
from pulumi_hbr_clients.model.validators import nearest

REGIONS: Final = [
    "ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ap-southeast-8", "cn-beijing", "cn-beijing-finance-1", "cn-chengdu",
    "cn-guangzhou", "cn-hangzhou", "cn-hangzhou-finance", "cn-heyuan", "cn-hongkong", "cn-huhehaote",
    "cn-north-2-gov-1", "cn-qingdao", "cn-shanghai", "cn-shanghai-finance-1", "cn-shenzhen", "cn-shenzhen-finance-1",
    "cn-wulanchabu", "cn-zhangjiakou", "cn-zhongwei", "eu-central-1", "eu-west-1", "me-central-1", "me-east-1",
    "na-south-1", "us-east-1", "us-southeast-1", "us-west-1",
]  # fmt: skip
_ON_GLOBAL: Final = [
    "ap-northeast-2-pop", "cn-beijing-finance-pop", "cn-beijing-gov-1", "cn-beijing-nu16-b01", "cn-edge-1",
    "cn-fujian", "cn-haidian-cm12-c01", "cn-hangzhou-bj-b01", "cn-hangzhou-internal-prod-1",
    "cn-hangzhou-internal-test-1", "cn-hangzhou-internal-test-2", "cn-hangzhou-internal-test-3",
    "cn-hangzhou-test-306", "cn-hongkong-finance-pop", "cn-huhehaote-nebula-1", "cn-qingdao-nebula",
    "cn-shanghai-et15-b01", "cn-shanghai-et2-b01", "cn-shanghai-inner", "cn-shanghai-internal-test-1",
    "cn-shenzhen-inner", "cn-shenzhen-st4-d01", "cn-shenzhen-su18-b01", "cn-wuhan", "cn-yushanfang", "cn-zhangbei",
    "cn-zhangbei-na61-b01", "cn-zhangjiakou-na62-a01", "cn-zhengzhou-nebula-1", "eu-west-1-oxs", "rus-west-1-pop",
]  # fmt: skip
NETWORKS: Final = ("public", "vpc")


@dataclass(frozen=True, slots=True)
class Target:
    """One account in one region at one address: where a query is sent."""

    account: str
    """A label of whose credentials sign (a profile, a role, the environment). Never a secret."""
    region: str
    endpoint: str
    """The address, with scheme and without a path."""

    @property
    def host(self) -> str:
        """Host and port, as the Host header has them."""
        return urlsplit(self.endpoint).netloc


def endpoint_of(region: str, network: str = "public") -> str:
    """`cn-hangzhou` → `https://hbr.cn-hangzhou.aliyuncs.com`. The global regions have one address."""
    if region in _ON_GLOBAL:
        return "https://hbr.aliyuncs.com"
    return f"https://hbr{'-vpc' if network == 'vpc' else ''}.{region}.aliyuncs.com"


def region_issue(region: Any) -> ValidationIssue | None:
    """What makes a region id impossible, if anything. A region that this version does not know is possible."""
    if isinstance(region, str) and re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]+)+", region):
        return None
    hint = nearest(str(region).lower(), REGIONS) or ", for example cn-hangzhou"
    return ValidationIssue("region", f"must be a region id{hint}", repr(region))


def region_warning(region: str) -> str | None:
    """A sentence if a region looks like a misspelling of a known one. It may be new: it is used as it is."""
    if region in REGIONS or region in _ON_GLOBAL:
        return None
    near = difflib.get_close_matches(region, REGIONS, 3, 0.8)
    letters = re.sub(r"\d", "", region)  # another number is another region, not a misspelling
    typo = next((name for name in near if re.sub(r"\d", "", name) != letters), None)
    return f"region {region} is not known to this version{SUGGESTION_PREFIX}{typo}?" if typo else None


def parse_endpoint(endpoint: Any) -> str | ValidationIssue:
    """`hbr.cn-hangzhou.aliyuncs.com` or a URL → a URL without a path; http only on loopback."""
    try:
        url = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
        port = f":{url.port}" if url.port else ""
    except (TypeError, ValueError):  # its text may repeat a part of what may be secret
        return _bad("must be an address: a host name or https://host[:port]")
    if url.username or url.password:
        return _bad("must not hold a user or a password")
    if not url.hostname or url.path not in {"", "/"} or url.query or url.fragment:
        return _bad("must be a host name or https://host[:port], without a path", endpoint)
    if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+(%\w+)?", url.hostname):
        return _bad("must be a host name in ASCII; an international one is written xn--…", endpoint)
    if url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname)):
        name = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
        return f"{url.scheme}://{name}{port}"
    return _bad("must be https; http is only for an emulator on this machine (127.0.0.1)", endpoint)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _bad(reason: str, given: str | None = None) -> ValidationIssue:
    return ValidationIssue("endpoint", reason, repr(given) if given else "")
