"""The peer itself, where a machine has it: `terraform` and `terraform-provider-alicloud`, both on PATH.

    terraform.py

Plans a configuration with the alicloud data source against the service in the environment, and says what the plan
holds. It is compiled and serial, so its CPU is no algorithm's; requests, clients and secrets are.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

PROGRAMS: Final = ("terraform", "terraform-provider-alicloud")
_CONFIGURATION: Final = """
terraform {{ required_providers {{ alicloud = {{ source = "aliyun/alicloud" }} }} }}
provider "alicloud" {{
  region                 = "{region}"
  protocol               = "HTTP"
  skip_region_validation = true
  endpoints {{ hbr = "{host}" }}
}}
data "alicloud_hbr_ecs_backup_clients" "fleet" {{}}
output "clients" {{ value = data.alicloud_hbr_ecs_backup_clients.fleet.clients }}
"""
_OVERRIDES: Final = """
provider_installation {{ dev_overrides {{ "aliyun/alicloud" = "{folder}" }} }}
"""


def found() -> bool:
    """Whether it can be measured."""
    return all(map(shutil.which, PROGRAMS))


def planned(folder: Path) -> list[dict[str, Any]]:
    """The clients of a plan."""
    provider = Path(shutil.which(PROGRAMS[1]) or "").parent
    region, host = os.environ["ALIBABA_CLOUD_REGION_ID"], os.environ["ALIBABA_CLOUD_ENDPOINT_HBR"]
    (folder / "main.tf").write_text(_CONFIGURATION.format(region=region, host=host.removeprefix("http://")))
    (folder / "rc").write_text(_OVERRIDES.format(folder=provider))
    environment = {**os.environ, "TF_CLI_CONFIG_FILE": str(folder / "rc"), "CHECKPOINT_DISABLE": "1"}
    run = [*PROGRAMS[:1], f"-chdir={folder}"]
    subprocess.run([*run, "plan", "-out=plan", "-no-color"], check=True, env=environment, stdout=sys.stderr)
    shown = subprocess.run([*run, "show", "-json", "plan"], check=True, env=environment, capture_output=True, text=True)
    clients: list[dict[str, Any]] = json.loads(shown.stdout)["planned_values"]["outputs"]["clients"]["value"]
    return clients


def main() -> None:
    """Plan, say."""
    with tempfile.TemporaryDirectory(prefix="hbr-clients-bench-") as folder:
        ids = [client["id"] for client in planned(Path(folder))]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(json.dumps({"clients": len(set(ids)), "twice": len(ids) - len(set(ids)), "peak": peak}))


if __name__ == "__main__":
    main()
