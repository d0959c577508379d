"""What a release consists of: notes, checksums, the release on GitHub, the Go SDK's tag. Only the standard library.

    tools/release.py check [TAG]      the version, CHANGELOG.md, and the schema against the last tag's
    tools/release.py sums FOLDER      SHA256SUMS of the files in a folder
    tools/release.py publish TAG      with what the folder dist holds, and SHA256SUMS beside it

.github/workflows/release.yml calls these, and `make release-check` the first.
"""

import hashlib
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


class ReleaseError(Exception):
    """The release is not ready: what is wrong, and where."""


def main() -> int:
    """Do what the arguments say."""
    try:
        match sys.argv[1:]:
            case ["check", *tag]:
                print("\n".join(check(ROOT, *tag)))
            case ["sums", folder]:
                print(sums(Path(folder)), end="")
            case ["publish", tag]:
                publish(ROOT, tag)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except (ReleaseError, subprocess.CalledProcessError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


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
    broken = list(
        breaking(json.loads(_git(root, "show", f"{last[0]}:{SCHEMA}")), json.loads((root / SCHEMA).read_text()))
    )
    if broken and _compatible(last[0].removeprefix("v"), version):
        raise ReleaseError(
            f"programs made for {last[0]} would break: {'; '.join(broken)}. Give it another major version"
        )
    return [f"version {version}, in CHANGELOG.md", f"schema compared with {last[0]}: {len(broken)} breaking changes"]


def notes(root: Path, version: str) -> str:
    """The section of CHANGELOG.md about a version; it must say something."""
    text = (root / "CHANGELOG.md").read_text()
    found = re.findall(rf"^## (?:{version})\b[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not (said := "".join(found).strip()):
        raise ReleaseError(f"CHANGELOG.md says nothing about {version.replace('|', ' or ')}")
    return said + "\n"


def breaking(old: Spec, new: Spec) -> Iterator[str]:
    """What a program made for the old schema would miss or not satisfy in the new one."""
    for kind in ("functions", "resources", "types"):
        for token, spec in old.get(kind, {}).items():
            if token not in new.get(kind, {}):
                yield f"{token} is gone"
            else:
                yield from _breaking_parts(token, spec, new[kind][token])


def _breaking_parts(token: str, old: Spec, new: Spec) -> Iterator[str]:
    for title, path in {
        "argument": ("inputs", "properties"),
        "input": ("inputProperties",),
        "result": ("outputs", "properties"),
        "property": ("properties",),
    }.items():
        before, after = _at(old, path), _at(new, path)
        yield from (f"{token}: {title} {name} is gone" for name in before.keys() - after.keys())
        for name in before.keys() & after.keys():
            types = [
                {key: spec.get(key) for key in ("type", "$ref", "items", "oneOf")}
                for spec in (before[name], after[name])
            ]
            if types[0] != types[1]:
                yield f"{token}: {title} {name} has another type"
    for path in (("inputs", "required"), ("requiredInputs",)):
        yield from (f"{token}: {name} is now required" for name in set(_at(new, path)) - set(_at(old, path)))


def _at(spec: Spec, path: tuple[str, ...]) -> Any:
    for part in path:
        spec = spec.get(part, {})
    return spec


def _compatible(old: str, new: str) -> bool:
    """Whether semantic versioning promises that programs of the old version go on working."""
    before, after = old.split("."), new.split(".")
    return before[0] == after[0] and (before[0] != "0" or before[1] == after[1])


def sums(folder: Path) -> str:
    """Checksums in the form of sha256sum."""
    files = sorted(path for path in folder.iterdir() if path.suffix in {".whl", ".gz", ".tgz"})
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def publish(root: Path, tag: str) -> None:
    """Make the release with all files, and the tag by which Go finds its SDK: of a commit that is on no branch."""
    files = [root / "SHA256SUMS", *(root / "dist" / line.split()[1] for line in sums(root / "dist").splitlines())]
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
    sys.exit(main())
