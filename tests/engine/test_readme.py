"""The program in README runs as it stands, and prints what README says."""

import re
from pathlib import Path
from typing import Any

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.mark.engine
def test_the_first_program(engine: Any) -> None:
    """In a preview already, with the emulator's fleet."""
    program = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)[0]
    assert len([line for line in program.splitlines() if line]) <= 10
    said = engine.stack().preview(lambda: exec(compile(program, "README.md", "exec"), {}))  # noqa: S102  it is our own
    (printed,) = re.findall(r"```\n(Outputs:.*?)```", README, flags=re.DOTALL)
    assert _words(printed) in _words(said)


def _words(text: str) -> str:
    return re.sub(r"\s+\+?\s*", " ", text).strip()
