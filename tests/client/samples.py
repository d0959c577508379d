"""Settings as tests give them: arguments, Pulumi config, variables, and profile files in a home of their own."""

import json
import os
from pathlib import Path
from typing import Any, Final

from pulumi_hbr_clients.client.settings import ResolvedSettings, Settings

REGION: Final = "cn-hangzhou"
KEYS: Final = {"mode": "AK", "access_key_id": "FAKE-PROFILE-ID", "access_key_secret": "FAKE-PROFILE-SECRET"}
LIBRARY: Final = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN")
PROVIDER: Final = ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", "ALICLOUD_SECURITY_TOKEN")
NEWER: Final = ("ALIBABACLOUD_ACCESS_KEY_ID", "ALIBABACLOUD_ACCESS_KEY_SECRET", "ALIBABACLOUD_SECURITY_TOKEN")
OIDC: Final = ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_ROLE_ARN")
CALLER: Final = {LIBRARY[0]: "FAKE-CALLER", LIBRARY[1]: "FAKE-CALLER-SECRET"}
"""Keys as the environment has them."""


def profile_file(home: Path, *, current: str | None = None, encoding: str = "utf-8", **profiles: Any) -> Path:
    """The Alibaba CLI's file in this home; the first profile is the current one unless another is named."""
    file = home / ".aliyun" / "config.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"name": name, **fields} for name, fields in profiles.items()]
    text = json.dumps({"current": current or next(iter(profiles)), "profiles": rows}, ensure_ascii=False)
    file.write_text(text, encoding=encoding)
    return file


def resolved(
    arguments: dict[str, Any] | None = None, config: dict[str, Any] | None = None, /, **variables: str
) -> ResolvedSettings:
    """What these settings resolve to, with the test's own home. No metadata service unless a test wants one."""
    environment = {"HOME": os.environ["HOME"], "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", **variables}
    return Settings((config or {}).get, arguments or {}, environment).resolve()
