"""Draws the README's picture: what `make demo` prints on a terminal, as an SVG.

make demo, in colour  →  the steps named below  →  docs/demo.svg
"""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURE: Final = ROOT / "docs" / "demo.svg"
STEPS: Final = ("The next preview", "A gate:")  # what the picture shows: the product in two commands
WIDTH: Final = 118


def main() -> None:
    """Run the demo and draw its chosen steps."""
    command = [sys.executable, str(ROOT / "tools" / "demo.py")]
    environment = {**os.environ, "FORCE_COLOR": "1"}
    done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
    PICTURE.write_text(drawn(chosen(done.stdout)))
    print(PICTURE)


def chosen(text: str) -> str:
    """The steps of the story that the picture shows."""
    steps = text.split("\n\n")
    return "\n\n".join(step.strip("\n") for step in steps if any(words in step for words in STEPS)) + "\n"


def drawn(text: str) -> str:
    """A terminal with this text. The same text gives the same picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(Text.from_ansi(text), soft_wrap=False)
    return console.export_svg(title="pulumi-hbr-clients", unique_id="demo")


if __name__ == "__main__":
    main()
