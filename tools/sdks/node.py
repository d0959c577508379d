"""npm's packages for TypeScript programs: installed once for each lock, into the user's cache folder.

package.json pins what the programs name; package-lock.json everything that comes with it, by hash and without naming
where it comes from. To move: change package.json, then `npm install --package-lock-only` in this folder.
"""

import shutil
from pathlib import Path
from typing import Final

from tools.cache import kept, needed, run, say

HERE: Final = Path(__file__).resolve().parent
FILES: Final = (HERE / "package.json", HERE / "package-lock.json", HERE / ".npmrc")
INSTALL_LIMIT: Final = 900.0  # seconds


def packages() -> Path:
    """The `node_modules` of the lock. Raises `ToolError` with what is missing."""
    needed("node", "Node.js 20 or newer")
    return kept("node", FILES, _install) / "node_modules"


def _install(folder: Path) -> None:
    """No script of a package runs."""
    for path in FILES:
        shutil.copy(path, folder)
    npm = needed("npm", "npm, which comes with Node.js")
    command = [npm, "ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund"]
    say("installing npm packages, once per machine")
    run(command, INSTALL_LIMIT, "no npm packages")
