"""What people read of the function, the gate and the provider in the schema: the texts and programs in examples/.

The same programs stand in docs/ and examples/, and tests compare them. What an argument is, its model says.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

LANGUAGES: Final[Mapping[str, str]] = {
    "typescript": "ts",
    "python": "py",
    "go": "go",
    "yaml": "yaml",
    "csharp": "cs",
    "java": "java",
}
"""Languages as Pulumi's documentation calls them in a fence, and the suffix of their files."""


def _read(name: str) -> str:
    return files(__package__).joinpath("examples", name).read_text()


def _programs(name: str) -> Mapping[str, str]:
    return {language: _read(f"{name}.{suffix}") for language, suffix in LANGUAGES.items()}


LISTING: Final = _programs("list")
"""The clients of production: the same function in each language."""
GATE: Final = _programs("gate")
"""New instances, and what waits for their clients."""
LISTING_TEXT: Final = _read("list.md")
GATE_TEXT: Final = _read("gate.md")
PROVIDER_TEXT: Final = _read("provider.md").rstrip()


def described(text: str, title: str, programs: Mapping[str, str]) -> str:
    """A description whose example each SDK's documentation shows in its own language."""
    fences = "\n".join(f"```{language}\n{program}```" for language, program in programs.items())
    example = f"{{{{% example %}}}}\n### {title}\n\n{fences}\n{{{{% /example %}}}}"
    return f"{text}\n{{{{% examples %}}}}\n## Example Usage\n\n{example}\n{{{{% /examples %}}}}\n"
