"""SDKs: this package as TypeScript and Go programs see it, made from schema.json by Pulumi's own generators.

    tools/sdks/generate.py FOLDER

    schema.json, our version  →  main.go, built once per machine  →  FOLDER/nodejs, FOLDER/go

They are what `pulumi package add` puts beside a program, as `sdks/hbr-clients`, without the language hosts that it
needs. What is in those two folders is replaced. The last line printed is FOLDER.

npm's packages for TypeScript are installed here too: package.json pins what the programs name; package-lock.json
everything that comes with it, by hash and without naming where it comes from. To move: change package.json, then
`npm install --package-lock-only` in this folder.
"""

import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Final

from pulumi_hbr_clients import __version__
from tools import engine, generated
from tools.cache import kept, needed, run, say

HERE: Final = Path(__file__).resolve().parent
PROGRAM: Final = HERE / "main.go"
NPM_FILES: Final = (HERE / "package.json", HERE / "package-lock.json", HERE / ".npmrc")
LANGUAGES: Final = ("nodejs", "go")


def generate(folder: Path) -> None:
    """Fill a folder, one SDK in each of `LANGUAGES`. Raises `ToolError` with what went wrong."""
    module = engine.MODULES / "engine"
    # Compiled as the engine is, whose compiled packages then serve both.
    make = partial(engine.go_build, module="engine", package=str(PROGRAM))
    generator = kept("sdk-generator", (PROGRAM, module / "go.mod", module / "go.sum"), make) / "bin" / "main"
    for language in LANGUAGES:
        shutil.rmtree(folder / language, ignore_errors=True)
    run([generator, generated.SCHEMA, __version__, folder], "no SDKs")


def node_packages() -> Path:
    """The `node_modules` of the lock, installed once per machine. Raises `ToolError` with what is missing."""
    needed("node", "Node.js 20 or newer")
    return kept("node", NPM_FILES, _install) / "node_modules"


def _install(folder: Path) -> None:
    """No script of a package runs."""
    say("installing npm packages, once per machine")
    for path in NPM_FILES:
        shutil.copy(path, folder)
    npm = needed("npm", "npm, which comes with Node.js")
    run([npm, "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"], "no npm packages")


if __name__ == "__main__":
    generate(target := Path(sys.argv[1]).absolute())
    print(target)
