"""The provider plugin as one executable that needs no Python, packed as the Pulumi engine installs it.

    the wheel, its dependencies at the lock's versions  →  an environment  →  PyInstaller  →  an archive in dist/

For this kind of machine only: PyInstaller does not cross-compile, and the executable needs a C library at least as new
as this machine's. It is not built again while what it is made of stays the same. The last line is the archive's path.
"""

import platform
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Final

from pulumi_hbr_clients import __version__
from tools.cache import LOCK, ROOT, environment, locked, run, say

EXECUTABLE: Final = "pulumi-resource-hbr-clients"
ENTRY: Final = "from pulumi_hbr_clients.plugin import main\n\nmain()\n"
_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def archive(wheel: Path | None = None) -> Path:
    """The archive of this wheel, or of the sources as they are."""
    target = ROOT / "dist" / f"{EXECUTABLE}-v{__version__}-{kind()}.tar.gz"
    stamp = target.with_suffix(".sources")
    digest = _digest(wheel)
    target.parent.mkdir(exist_ok=True)
    with locked(target.with_suffix(".lock")):
        if not target.exists() or not stamp.exists() or stamp.read_text() != digest:
            with tempfile.TemporaryDirectory() as scratch:
                folder, base = _freeze(Path(scratch), wheel or ROOT), str(target).removesuffix(".tar.gz")
                shutil.make_archive(base, "gztar", folder, EXECUTABLE, owner="root", group="root")
            stamp.write_text(digest)
    return target


def kind() -> str:
    """This kind of machine as Go names it: linux-amd64."""
    return f"{platform.system().lower()}-{_MACHINES.get(platform.machine(), platform.machine())}"


def _freeze(scratch: Path, source: Path) -> Path:
    """The folder of the executable, made in an environment with only the package, what it needs, and PyInstaller."""
    say("building the self-contained plugin, about a minute")
    python = environment(scratch / "env", source, "pyinstaller")
    entry = scratch / "entry.py"
    entry.write_text(ENTRY)
    options = ["--onefile", "--strip", "--collect-data", "pulumi_hbr_clients", "--name", EXECUTABLE]
    places = [f"--{place}path={scratch / place}" for place in ("dist", "work", "spec")]
    run([python, "-m", "PyInstaller", "--log-level=ERROR", *options, *places, entry], "no executable")
    return scratch / "dist"


def _digest(wheel: Path | None) -> str:
    """What the archive is made of."""
    package = sorted(path for path in (ROOT / "pulumi_hbr_clients").rglob("*") if path.suffix != ".pyc")
    sources = [path for path in ([wheel] if wheel else package) if path.is_file()]
    return sha256(b"".join(path.read_bytes() for path in (*sources, LOCK, Path(__file__)))).hexdigest()


if __name__ == "__main__":
    print(archive())
