"""Settings as tests give them: arguments, Pulumi config, variables, and profile files in a home of their own."""

import json
from pathlib import Path
from typing import Any, Final

from pulumi_hbr_clients.client.settings import ResolvedSettings, Settings

REGION: Final = "cn-hangzhou"
KEYS: Final = {"mode": "AK", "access_key_id": "FAKE-PROFILE-ID", "access_key_secret": "FAKE-PROFILE-SECRET"}
NOWHERE: Final = Path("/nowhere")


def profile_file(home: Path, *, current: str | None = None, encoding: str = "utf-8", **profiles: Any) -> Path:
    """The Alibaba CLI's file in this home; the first profile is the current one unless another is named."""
    file = home / ".aliyun" / "config.json"
    file.parent.mkdir(exist_ok=True)
    rows = [{"name": name, **fields} for name, fields in profiles.items()]
    text = json.dumps({"current": current or next(iter(profiles)), "profiles": rows}, ensure_ascii=False)
    file.write_text(text, encoding=encoding)
    return file


def resolved(
    arguments: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    home: Path = NOWHERE,
    /,
    **variables: str,
) -> ResolvedSettings:
    """What these settings resolve to. No metadata service unless a test wants one."""
    environment = {"HOME": str(home), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", **variables}
    return Settings((config or {}).get, arguments or {}, environment).resolve()
