"""`hbr-clients emulator`: a service on loopback, and the commands that it prints for another shell."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import IO

from tests.commands import program, run


def usage(stream: IO[str] | None) -> list[str]:
    lines: list[str] = []
    while stream and not (lines and lines[-1].endswith("/_emulator")):
        lines.append(stream.readline().strip())
        assert len(lines) < 30
    return lines


def test_what_it_prints_works(tmp_path: Path) -> None:
    """Pasted into a shell, its lines list its fleet in all regions and show its behaviours; Ctrl-C ends it quietly."""
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text("accounts: {prod: {cn-hangzhou: [{count: 150}], cn-shanghai: [{clientId: c-mine}]}}")
    options = ["--fleet", str(fleet), "--seed", "3", "--rate", "500/s", "--latency", "0.01", "--faults", "0%"]
    with program("emulator", *options, "--behaviour", "window={limit: 600}", "--behaviour", "order=id") as process:
        lines = usage(process.stdout)
        exports = "\n".join(line for line in lines if line.startswith("export "))
        script = f"{exports}\n{sys.executable} -m pulumi_hbr_clients.cli list --client-type ECS_CLIENT --all-regions"
        shell = subprocess.run(["/bin/sh", "-c", script], check=False, capture_output=True, text=True)
        with urllib.request.urlopen(lines[-1].rpartition(" ")[2]) as response:  # noqa: S310  loopback
            behaviours = json.load(response)["behaviours"]
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=20)
    assert lines[0].startswith("Cloud Backup is emulated at http://127.0.0.1:")
    assert lines[0].endswith(" with 151 clients. Press Ctrl-C to stop.")
    assert "hbr-clients list --client-type ECS_CLIENT --watch" in lines
    assert any(line.startswith("cn-shanghai is at http://127.0.0.1:") for line in lines)
    assert (shell.returncode, shell.stderr) == (0, "note: regions: 2 from hbr:DescribeRegions\n")
    assert shell.stdout.splitlines()[-1].startswith("151 clients in 2 targets: ")
    assert [behaviours[name] for name in ("rate", "latency", "fault_rate", "order")] == [500, 0.01, 0, "id"]
    assert behaviours["window"]["limit"] == 600
    assert (process.returncode, out, errors) == (130, "", "")


def test_bad_input_is_reported_together() -> None:
    """Every bad option in one report, with what is allowed; behaviours first."""
    numbers = "--port 70000 --latency -1 --rate 0 --faults 101% --seed x"
    behaviours = "--behaviour order=sorted --behaviour x=1 --behaviour rate={"
    result = run("emulator", *numbers.split(), *behaviours.split())
    assert (result.exit_code, result.stdout) == (2, "")
    head, order, unknown, rate, *lines = result.stderr.splitlines()
    assert head == "error: bad input"
    assert order.startswith("  --behaviour: order: Input should be 'arrival', 'id', 'name', 'random' or 'shuffled'")
    assert unknown.startswith("  --behaviour: no such behaviour: x; one of latency, rate,")
    assert rate.startswith("  --behaviour: rate: not YAML")
    assert lines == [
        "  --port: must be a port, 1 to 65535, or 0 for a free one (given: '70000')",
        "  --latency: must be seconds, 0 to 3600 (given: '-1')",
        "  --rate: must be requests per second, such as 20/s (given: '0')",
        "  --faults: must be a share, as 0.05 or 5% (given: '101%')",
        "  --seed: must be a whole number (given: 'x')",
    ]


def test_a_bad_fleet(tmp_path: Path) -> None:
    """A file that is missing or wrong is reported with the path inside it."""
    fleet = tmp_path / "fleet.json"
    assert run("emulator", "--fleet", str(fleet)).stderr.splitlines()[1].startswith("  --fleet: cannot be read: ")
    fleet.write_text('[{"clientId": "c-1", "statsu": 1}, {"count": -1}]')
    result = run("emulator", "--fleet", str(fleet))
    assert result.exit_code == 2
    assert [line.strip().partition(": ")[0] for line in result.stderr.splitlines()[1:]] == [
        "--fleet fleet.json[0].statsu",
        "--fleet fleet.json[1].count",
    ]


def test_a_port_in_use() -> None:
    """A port that is taken is reported in one line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        result = run("emulator", "--port", port)
    assert result.exit_code == 2
    assert f"  --port: cannot be listened on: {os.strerror(98)} (given: {port})" in result.stderr.splitlines()
