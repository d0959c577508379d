"""`make release-check`: builds everything that a release has, into dist, and tries it where nothing else is installed.

    version, CHANGELOG, schema  →  wheel, sdist, SDKs, plugin archive  →  the wheel in a clean environment  →  the demo

The release workflow runs it too. The last lines say what was checked.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from pulumi_hbr_clients import __version__
from tools import plugin_archive, release
from tools.cache import ROOT, ToolError, environment, run, say
from tools.sdks import generate

DIST: Final = ROOT / "dist"


def main() -> None:
    """Everything, or the first thing that is wrong."""
    checked = release.check(ROOT, *sys.argv[1:])
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        say("building the sdist and, from it, the wheel")
        run([sys.executable, "-m", "build", "--no-isolation", "--outdir", DIST, ROOT], "no wheel")
        (wheel,) = DIST.glob("*.whl")
        sdks(Path(scratch))
        archive = plugin_archive.archive(wheel)
        checked.append(f"plugin of {archive.stat().st_size / 1e6:.0f} MB")
        checked += tried(wheel, Path(scratch, "clean"))
    print("\n".join([*checked, *sorted(path.name for path in DIST.iterdir())]))


def sdks(scratch: Path) -> None:
    """Pack npm's package, compiled, and Go's module. There is none for Python: that is the wheel."""
    say("building the SDKs for npm and Go")
    generate.generate(scratch)
    folder, modules = scratch / "nodejs", generate.node_packages()
    (folder / "node_modules").symlink_to(modules)
    package = json.loads((folder / "package.json").read_text())
    del package["scripts"]  # they compile at installation what is compiled here
    (folder / "package.json").write_text(json.dumps(package, indent=2))
    run([modules / ".bin" / "tsc", "--project", folder], "the SDK for TypeScript does not compile")
    shutil.copy(folder / "package.json", folder / "bin")  # where it reads its version
    shutil.copy(ROOT / "LICENSE", folder)
    run(["npm", "pack", folder, "--pack-destination", DIST, "--ignore-scripts"], "no package for npm")
    with tarfile.open(DIST / f"sdk-go-v{__version__}.tar.gz", "w:gz") as packed:
        packed.add(scratch / "go", ".")


def tried(wheel: Path, home: Path) -> list[str]:
    """Install the wheel into an environment of its own, and run the demo there."""
    say("trying the wheel in a clean environment")
    python = environment(home, wheel)
    path = {"PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    for program in ("hbr-clients", plugin_archive.EXECUTABLE):
        answer = subprocess.run([home / "bin" / program, "--version"], capture_output=True, text=True, check=False)
        if __version__ not in answer.stdout:
            raise ToolError(f"{program} of the wheel says {answer.stdout}{answer.stderr}")
    run([python, ROOT / "tools" / "demo.py"], "the demo fails with the wheel", env=path)
    return [f"{wheel.name} installed and its demo run in a clean environment"]


if __name__ == "__main__":
    main()
