"""Package metadata that depends on the repository's owner (`owner` in pyproject.toml): addresses, and links of README.

A package index shows README without the repository around it: links become absolute, or plain text without an owner.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class OwnerMetadata(MetadataHookInterface):
    """Called by hatchling when it builds the package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add `readme`, and `urls` where there is an owner."""
        root = Path(self.root)
        owner = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hbr-clients"]["owner"]
        repository = f"https://github.com/{owner}/pulumi-hbr-clients" if owner else ""
        text = long_description((root / "README.md").read_text(), repository)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
        if repository:
            pages = {"Homepage": "", "Source": "", "Changelog": "/blob/main/CHANGELOG.md", "Issues": "/issues"}
            metadata["urls"] = {name: repository + path for name, path in pages.items()}


def long_description(text: str, repository: str) -> str:
    """README with absolute links and pictures; without a repository, with neither."""

    def link(match: re.Match[str]) -> str:
        picture, label, target = match.groups()
        if not repository:
            return "" if picture else label
        return f"{picture}[{label}]({repository}/{'raw' if picture else 'blob'}/main/{target})"

    return re.sub(r"(!?)\[([^\]]*)\]\((?!https?:)([^)]+)\)", link, text)
