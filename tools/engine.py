"""The Pulumi engine and its language hosts: finds them or makes them, and prints the folder to put on PATH.

Takes the first of these that has all of COMMANDS:

1. a `pulumi` on PATH that is new enough, with the hosts next to it or on PATH;
2. the folder in the user's cache, which all clones share;
3. the official download, through the Automation API's installer;
4. a build from the Go modules in tools/go: five minutes on two cores.

Stdout is that one line and nothing else; progress goes to stderr. `python -m tools.engine actionlint` prints the
folder of that linter, which is built the same way.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from tools.cache import ToolError, kept, needed, run, say

MODULES: Final = Path(__file__).resolve().parent / "go"
HOSTS: Final = ("python", "nodejs", "yaml")  # nodejs has Go's too: both of one version of the SDK
OLDEST: Final = "3.200.0"  # as in pyproject.toml
DYNAMIC: Final = "pulumi-resource-pulumi-python"
COMMANDS: Final = (
    "pulumi",
    DYNAMIC,
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-language-nodejs",
    "pulumi-language-go",
    "pulumi-language-yaml",
)
# The official archive holds the same; an engine built from source comes without it.
LAUNCHER: Final = '#!/bin/sh\nexec "${PULUMI_PYTHON_CMD:-python3}" -u -m pulumi.dynamic "$@"\n'
INSTALL: Final = """
import socket, sys, semver
from pulumi.automation import PulumiCommand
socket.setdefaulttimeout(10)
try:
    PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse(sys.argv[2]))
except Exception as error:
    sys.exit(str(error))
"""
VERSION_LIMIT: Final = 20.0  # seconds
DOWNLOAD_LIMIT: Final = 300.0


def main() -> int:
    """Print the folder; or say in one line what is missing, and fail."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)  # as on Ctrl-C: the children end, no scratch folder stays
    try:
        print(actionlint() if sys.argv[1:] == ["actionlint"] else folder())
    except OSError as error:
        raise ToolError(str(error)) from None
    except KeyboardInterrupt:
        say("interrupted, nothing half made is left")
        return 130
    return 0


def folder() -> Path:
    """The folder with the engine and every host. Raises `ToolError` with one line where there is no way to one."""
    modules = [MODULES / name for name in ("engine", *HOSTS)]
    sources = [module / name for module in modules for name in ("go.mod", "go.sum")]
    return on_path() or kept(f"pulumi-{engine_version()}", sources, _make) / "bin"


def actionlint() -> Path:
    """The folder with the linter of workflows."""
    return kept("actionlint", [MODULES / "actionlint" / "go.mod"], lambda home: go_build(home, "actionlint")) / "bin"


def on_path() -> Path | None:
    """The folder of the engine that the user has, if it can do what this project needs."""
    found = shutil.which("pulumi")
    if found is None:
        return None
    version = version_of(Path(found))
    if numbers(version) < numbers(OLDEST):
        say(f"{found} is {version or 'no pulumi that answers'}, {OLDEST} is needed: not used")
        return None
    place = Path(found).absolute().parent
    if lacking := missing(place):
        say(f"{lacking}: not used")
        return None
    return place


def missing(place: Path | None = None) -> str | None:
    """One line that names a command that is in neither this folder nor PATH, and how to get it; None if all are."""
    for name in COMMANDS:
        if not (place and os.access(place / name, os.X_OK)) and not shutil.which(name):
            return f"no {name} in {f'{place} or ' if place else ''}PATH; `make engine` prints a folder that has it"
    return None


def version_of(pulumi: Path) -> str:
    """What `pulumi version` prints, without the v; empty if it does not answer."""
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [pulumi, "version"], capture_output=True, check=True, env=environment, text=True, timeout=VERSION_LIMIT
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip().removeprefix("v")


def numbers(version: str) -> tuple[int, ...]:
    """Turn `3.259.0-alpha.1` into (3, 259, 0), and what is no version into ()."""
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, match.groups())) if match else ()


def engine_version() -> str:
    """What the engine's go.mod requires: the one place that says which engine."""
    return _in_go_mod(r"pulumi/pkg/v3 v(\S+)")


def go_version() -> str:
    """The oldest Go that builds it."""
    return _in_go_mod(r"(?m)^go (\S+)")


def _in_go_mod(pattern: str) -> str:
    return str(re.findall(pattern, (MODULES / "engine" / "go.mod").read_text())[0])


def _make(home: Path) -> None:
    """Download the engine and its hosts or build them; see that all is there and that the engine answers."""
    version = engine_version()
    say(f"downloading Pulumi {version}")
    try:
        run([sys.executable, "-c", INSTALL, home, version], "no download", limit=DOWNLOAD_LIMIT)
    except ToolError as error:
        say(str(error))
        try:
            _build_all(home)
        except ToolError as failed:
            raise ToolError(
                f"no Pulumi {OLDEST} or newer with its language hosts on PATH, none in {home.parents[1]}, {error}, "
                f"{failed}. Install Pulumi, or Go {go_version()} or newer, then run `make engine`."
            ) from None
    for name in COMMANDS:
        if not os.access(home / "bin" / name, os.X_OK):
            raise ToolError(f"what was made has no {name}")
    if (answer := version_of(home / "bin" / "pulumi")) != version:
        raise ToolError(f"what was made says that it is {answer or 'nothing'}, not {version}")


def _build_all(home: Path) -> None:
    """Compile the engine and the hosts, and add the scripts that their releases bring along."""
    for number, name in enumerate(("engine", *HOSTS), start=1):
        say(f"step {number} of {len(HOSTS) + 1}; the engine takes about four minutes, a host less than one")
        go_build(home, name)
    # The script that runs a Python program lies next to the host's source, in the same module.
    command = ["go", "list", "-C", str(MODULES / "python"), "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"]
    found = subprocess.run(command, capture_output=True, check=True, text=True, env={**os.environ, "GOWORK": "off"})
    script = Path(found.stdout.strip(), "python", "cmd", "pulumi-language-python-exec").read_text()
    for name, text in {DYNAMIC: LAUNCHER, "pulumi-language-python-exec": script}.items():
        (home / "bin" / name).write_text(text)
        (home / "bin" / name).chmod(0o755)


def go_build(home: Path, module: str, package: str = "tool") -> None:
    """Compile a package, or all tools, of a module in tools/go into home/bin, as Pulumi's own releases are compiled."""
    go = needed("go", f"Go {go_version()} or newer")
    say(f"building {module} from its Go module")
    scratch = home.parent / "work"  # Go's own: removed with ours when a build is killed
    scratch.mkdir(exist_ok=True)
    stamp = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{engine_version()}"
    command = [
        go,
        "build",
        "-C",
        str(MODULES / module),
        "-v",
        "-mod=readonly",
        "-trimpath",
        "-ldflags",
        f"-w -s {stamp}",
    ]
    command += ["-tags", "osusergo,grpcnotrace", "-o", f"{home / 'bin'}/", package]
    run(command, f"no build of {module}", env={"GOWORK": "off", "GOTMPDIR": str(scratch)})


if __name__ == "__main__":
    sys.exit(main())
