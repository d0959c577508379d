"""Unit tests of programs with Pulumi's mocks, as docs/testing.md shows them."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
ALONE = """
from pulumi_hbr_clients import BackupClients, get_backup_clients_output

alone = BackupClients("alone", client_type=pulumi.Output.from_input("ECS_CLIENT"))


@pulumi.runtime.test
def test_what_follows_from_the_clients():
    def check(values):
        assert values == [2, 2, {"ACTIVATED": 1, "STOPPED": 1}, [], True, ("c-2",)]

    listed = get_backup_clients_output(client_type=alone.clients[0].client_type.apply(lambda _: "ECS_CLIENT"))
    return pulumi.Output.all(
        alone.total_count, alone.service_total_count, alone.counts_by_status, alone.missing_client_ids, alone.complete,
        listed.ids,
    ).apply(check)
"""


def test_the_page(tmp_path: Path) -> None:
    """The page's program and its tests pass without a service, and so do the outputs that a mock leaves out."""
    program, tests, *_ = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "fleet.py").write_text(program)
    (tmp_path / "test_fleet.py").write_text(tests + ALONE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_fleet.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "4 passed" in done.stdout, done.stdout + done.stderr
