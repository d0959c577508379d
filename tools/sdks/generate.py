"""SDKs: this package as TypeScript, Python and Go programs see it, made from schema.json by Pulumi's own generators.

    tools/sdks/generate.py FOLDER

    schema.json, our version  →  main.go, built once per machine  →  FOLDER/nodejs, FOLDER/python, FOLDER/go

They are what `pulumi package add` puts beside a program, as `sdks/hbr-clients`, without the language hosts that it
needs. What stands in those three folders is replaced. The last line printed is FOLDER.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from pulumi_hbr_clients import __version__
from tools import registry
from tools.cache import ToolError, kept, needed, run, say
from tools.engine import MODULES, go_version

SCHEMA: Final = registry.ROOT / registry.SCHEMA
PROGRAM: Final = Path(__file__).with_name("main.go")
LANGUAGES: Final = ("nodejs", "python", "go")
BUILD_LIMIT: Final = 1800.0  # seconds


def main() -> int:
    """Make the SDKs; or say what is missing, and fail."""
    folder = Path(sys.argv[1]).absolute()
    try:
        generate(folder)
    except ToolError as error:
        print(f"sdks: {error}", file=sys.stderr)
        return 1
    print(folder)
    return 0


def generate(folder: Path) -> None:
    """Fill a folder, one SDK in each of `LANGUAGES`. Raises `ToolError` with what went wrong."""
    command: list[str | Path] = [generator(), SCHEMA, __version__, folder]
    for language in LANGUAGES:
        shutil.rmtree(folder / language, ignore_errors=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(done.stderr.strip())


def generator() -> Path:
    """The generators as a program, built if this machine has none of these versions yet."""
    module = MODULES / "engine"
    return kept("sdk-generator", (PROGRAM, module / "go.mod", module / "go.sum"), _build) / "generator"


def _build(folder: Path) -> None:
    """Compile with the flags of the engine's own build, whose compiled packages then serve this one too."""
    command = [needed("go", f"Go {go_version()} or newer"), "build", "-C", str(MODULES / "engine"), "-mod=readonly"]
    command += ["-trimpath", "-v", "-ldflags", "-w -s", "-tags", "osusergo,grpcnotrace"]
    command += ["-o", str(folder / "generator"), str(PROGRAM)]
    say("building the SDK generators, once per machine")
    run(command, BUILD_LIMIT, "no SDK generators", env={"GOWORK": "off"})


if __name__ == "__main__":
    sys.exit(main())
