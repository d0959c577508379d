"""What follows from the repository's owner: `owner` under [tool.hbr-clients] in pyproject.toml, empty at first.

    models, owner  →  plugin/schema.json, and the import path of the Go SDK in programs and pages

Run after a change of either; a test fails if that was forgotten. While the owner is empty, the schema names neither a
repository nor a place to download the plugin from, and the Go SDK has a name that is no address.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Final

from pulumi_hbr_clients.model.names import PACKAGE
from pulumi_hbr_clients.plugin import schema

ROOT: Final = Path(__file__).resolve().parents[1]
SCHEMA: Final = Path("pulumi_hbr_clients", "plugin", "schema.json")
REPOSITORY: Final = "pulumi-hbr-clients"
_GO_SDK: Final = re.compile(rf"(github\.com/[\w.-]+/)?{REPOSITORY}/sdk/go")
_HAVE_IMPORTS: Final = (
    "docs/*.md",
    "examples/go/go.mod",
    "examples/go/*.go",
    "pulumi_hbr_clients/plugin/examples/*.go",
    "tests/engine/sdks/*.go",
)


def main() -> None:
    """Write what follows."""
    write(ROOT, owner(ROOT))


def owner(root: Path) -> str:
    """The account that has the repository, or nothing."""
    found: str = tomllib.loads((root / "pyproject.toml").read_text())["tool"][PACKAGE]["owner"]
    return found


def write(root: Path, account: str) -> None:
    """Write the schema, and the import path in every file that has one."""
    (root / SCHEMA).write_text(text(account))
    for path in (path for pattern in _HAVE_IMPORTS for path in root.glob(pattern)):
        path.write_text(_GO_SDK.sub(go_sdk(account), path.read_text()))


def text(account: str) -> str:
    """The schema as canonical JSON, with what a registry wants to know of a repository."""
    found = schema.schema()
    if account:
        found |= {
            "homepage": address(account),
            "repository": address(account),
            "publisher": account,
            "pluginDownloadURL": f"github://api.github.com/{account}/{REPOSITORY}",
            "logoUrl": f"https://raw.githubusercontent.com/{account}/{REPOSITORY}/main/docs/logo.png",
        }
    written = json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False)
    return _GO_SDK.sub(go_sdk(account), written) + "\n"


def address(account: str) -> str:
    """The repository's address."""
    return f"https://github.com/{account}/{REPOSITORY}"


def go_sdk(account: str) -> str:
    """The module of Go's SDK: an address, or a name that only a `replace` line can explain."""
    return f"github.com/{account}/{REPOSITORY}/sdk/go" if account else f"{REPOSITORY}/sdk/go"


if __name__ == "__main__":
    main()
