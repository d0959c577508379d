"""What docs/testing.md shows of the emulator works."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()


def test_the_example_runs() -> None:
    """The emulator's example in Python runs as it stands."""
    (example,) = re.findall(r"```python\n(from pulumi_hbr_clients import HbrClient, emulator\n.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(example, names)  # noqa: S102  the page's own code
    assert {"backend", "client"} <= names.keys()
