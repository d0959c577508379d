"""Files that follow from the models and the repository's owner: schema.json, tables, Go's import path."""

import json
from typing import Any

from tools import generated
from tools.cache import ROOT

ADDRESSES = ("homepage", "repository", "pluginDownloadURL", "logoUrl")


def schema_of(owner: str) -> Any:
    return json.loads(generated.generated(owner)[generated.SCHEMA])


def test_nothing_is_left_to_write() -> None:
    """`make schema` was run after the last change of the models or of the owner."""
    files = generated.generated(generated.OWNER)
    assert [path.name for path, text in files.items() if path.read_text() != text] == []


def test_every_table_is_shown() -> None:
    """Each is part of a page: no argument, output, field or error is missing from the documentation."""
    pages = "".join(path.read_text() for path in ROOT.glob("docs/*.md"))
    assert [name for name in generated.TABLES if f"<!-- table: {name} -->" not in pages] == []


def test_without_an_owner() -> None:
    """No address at all, and a Go module that only a `replace` line can explain."""
    found = schema_of("")
    assert found.keys().isdisjoint(ADDRESSES)
    assert found["language"]["go"]["importBasePath"] == "pulumi-hbr-clients/sdk/go/hbrclients"
    assert "github.com" not in json.dumps(found).replace("github.com/pulumi/pulumi/sdk", "")


def test_with_an_owner() -> None:
    """Every address names it; programs and pages import Go's SDK from there, until there is another owner."""
    found = schema_of("acme-cloud")
    assert found["repository"] == found["homepage"] == "https://github.com/acme-cloud/pulumi-hbr-clients"
    assert found["pluginDownloadURL"] == "github://api.github.com/acme-cloud/pulumi-hbr-clients"
    assert found["logoUrl"].startswith("https://raw.githubusercontent.com/acme-cloud/pulumi-hbr-clients/")
    assert found["publisher"] == "acme-cloud"
    path = "github.com/acme-cloud/pulumi-hbr-clients/sdk/go"
    assert found["language"]["go"]["importBasePath"] == f"{path}/hbrclients"
    files = generated.generated("acme-cloud")
    for name in ("examples/go/main.go", "docs/_index.md", "tools/schema_texts/list.go"):
        assert f'hbr "{path}/hbrclients"' in files[ROOT / name]
    assert f"replace {path} => ./sdks/hbr-clients" in files[ROOT / "examples" / "go" / "go.mod"]
    program = files[ROOT / "examples" / "go" / "main.go"]
    for other in ("other", ""):  # nothing of the former owner stays
        assert generated.with_go_sdk(program, other) == generated.generated(other)[ROOT / "examples" / "go" / "main.go"]
