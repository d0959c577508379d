"""What a release consists of: notes, the release on GitHub, the Go SDK's tag. Only the standard library.

    tools/release.py TAG      publishes what the folder dist holds, and SHA256SUMS next to it

.github/workflows/release.yml calls it; `make release-check` calls `check` before everything is built.
"""

import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
SCHEMA: Final = "pulumi_hbr_clients/plugin/schema.json"
Spec = dict[str, Any]


class ReleaseError(SystemExit):
    """The release is not ready: what is wrong, and where. It ends the tool."""


def check(root: Path, tag: str = "") -> list[str]:
    """What was found to be in order. Raises `ReleaseError`. Without a tag, CHANGELOG may still say Unreleased."""
    version = _version(root)
    if tag not in {"", f"v{version}"}:
        raise ReleaseError(f"the tag is {tag}, but pulumi_hbr_clients/_version.py says {version}")
    notes(root, version if tag else f"{version}|Unreleased")
    if tag and not re.search(r'^owner = ".+"', (root / "pyproject.toml").read_text(), re.MULTILINE):
        raise ReleaseError("pyproject.toml names no owner: addresses would be missing. Set it and run `make schema`")
    last = _git(root, "tag", "--list", "v*", "--sort=-v:refname", "--no-contains", "HEAD").split()
    if not last:
        return [f"version {version}, in CHANGELOG.md", "no earlier tag to compare the schema with"]
    before = json.loads(_git(root, "show", f"{last[0]}:{SCHEMA}"))
    broken = list(breaking(before, json.loads((root / SCHEMA).read_text())))
    if broken and _compatible(last[0].removeprefix("v"), version):
        raise ReleaseError(
            f"programs made for {last[0]} would break: {'; '.join(broken)}. Give it another major version"
        )
    return [f"version {version}, in CHANGELOG.md", f"schema compared with {last[0]}: {len(broken)} breaking changes"]


def notes(root: Path, version: str) -> str:
    """The section of CHANGELOG.md about a version; it must say something."""
    section = rf"^## (?:{version})\b[^\n]*\n(.*?)(?=^## |\Z)"
    found = re.findall(section, (root / "CHANGELOG.md").read_text(), re.MULTILINE | re.DOTALL)
    if not (text := "".join(found).strip()):
        raise ReleaseError(f"CHANGELOG.md says nothing about {version.replace('|', ' or ')}")
    return text + "\n"


def breaking(old: Spec, new: Spec) -> Iterator[str]:
    """What a program made for the old schema would miss or not satisfy in the new one."""
    for kind in ("functions", "resources", "types"):
        for token, spec in old.get(kind, {}).items():
            if token not in new.get(kind, {}):
                yield f"{token} is gone"
                continue
            successor = new[kind][token]
            before, after = _properties(spec), _properties(successor)
            yield from (f"{token}: {name} is gone" for name in before.keys() - after.keys())
            for name in before.keys() & after.keys():
                if before[name] != after[name]:
                    yield f"{token}: {name} has another type"
            yield from (f"{token}: {name} is now required" for name in _required(successor) - _required(spec))


def _properties(spec: Spec) -> Spec:
    """All properties of a function, resource or type, with what makes up their types."""
    groups = {
        "argument": spec.get("inputs", {}).get("properties", {}),
        "result": spec.get("outputs", {}).get("properties", {}),
        "input": spec.get("inputProperties", {}),
        "property": spec.get("properties", {}),
    }
    return {
        f"{group} {name}": [property_.get(key) for key in ("type", "$ref", "items", "oneOf")]
        for group, properties in groups.items()
        for name, property_ in properties.items()
    }


def _required(spec: Spec) -> set[str]:
    return {*spec.get("inputs", {}).get("required", ()), *spec.get("requiredInputs", ())}


def _compatible(old: str, new: str) -> bool:
    """Whether semantic versioning promises that programs of the old version go on working."""
    before, after = old.split("."), new.split(".")
    return before[0] == after[0] and (before[0] != "0" or before[1] == after[1])


def publish(root: Path, tag: str) -> None:
    """Make the release with all files, and the tag by which Go finds its SDK: of a commit that is on no branch."""
    files = [root / "SHA256SUMS", *(root / "dist").iterdir()]
    (archive,) = (path for path in files if path.name.startswith("sdk-go-"))
    command = ["gh", "release", "create", tag, "--verify-tag", "--title", tag, "--notes", notes(root, tag[1:])]
    subprocess.run([*command, *files], cwd=root, check=True)
    with tarfile.open(archive) as packed:
        packed.extractall(root / "sdk" / "go", filter="data")
    _git(root, "add", "--force", "sdk/go")
    who = ("-c", "user.name=release", "-c", "user.email=release@localhost")
    _git(root, *who, "commit", "--quiet", "--message", f"Go SDK of {tag}")
    _git(root, "tag", f"sdk/go/{tag}")
    subprocess.run(["gh", "auth", "setup-git"], cwd=root, check=True)
    _git(root, "push", "--quiet", "origin", f"sdk/go/{tag}")


def _version(root: Path) -> str:
    (found,) = re.findall(r'__version__ = "(.+)"', (root / "pulumi_hbr_clients" / "_version.py").read_text())
    return str(found)


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=True, stdout=subprocess.PIPE, text=True)
    return str(done.stdout)


if __name__ == "__main__":
    publish(ROOT, sys.argv[1])
