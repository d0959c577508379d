"""Pack the provider plugin for `pulumi plugin install resource hbr-clients <version> --file <archive>`.

The archive holds a script at its root, as the engine wants it, and beside it the package with everything it needs, at
the versions of the lock. Some of that is compiled, so it serves machines of this kind and this Python's version; it
uses their own `python3` (or PULUMI_PYTHON_CMD). The last line printed is the archive's path.
"""

import platform
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from pulumi_hbr_clients import __version__
from pulumi_hbr_clients.cli.plugin_command import EXECUTABLE

ROOT: Final = Path(__file__).parent.parent
SCRIPT: Final = """#!/bin/sh
# The provider plugin, with its own copies of what it needs.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
PYTHONPATH="$here/lib" exec "${PULUMI_PYTHON_CMD:-python3}" -m pulumi_hbr_clients.plugin "$@"
"""
_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def main() -> None:
    """Fill a folder, pack it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        fill(folder)
        print(pack(folder))


def fill(folder: Path) -> None:
    """The script and the libraries."""
    script = folder / EXECUTABLE
    script.write_text(SCRIPT)
    script.chmod(0o755)
    uv = str(Path(sys.executable).parent / "uv")
    command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", f"{folder}/lib"]
    subprocess.run([*command, "--constraint", f"{ROOT}/requirements-dev.lock", str(ROOT)], check=True)


def pack(folder: Path) -> Path:
    """The archive, named as the engine names it."""
    machine = _MACHINES.get(platform.machine(), platform.machine())
    target = ROOT / "dist" / f"{EXECUTABLE}-v{__version__}-{platform.system().lower()}-{machine}.tar.gz"
    target.parent.mkdir(exist_ok=True)
    with tarfile.open(target, "w:gz", compresslevel=6) as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name, filter=_without_caches)
    return target


def _without_caches(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return None if "__pycache__" in entry.name else entry


if __name__ == "__main__":
    main()
