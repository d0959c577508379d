"""Chaos takes ten seconds in `make test`, and about five minutes with `--hypothesis-profile=chaos` (`make chaos`).

What came out of all runs is printed at the end of the long form.
"""

import pytest
from hypothesis import settings

from tests.chaos.runs import COUNTS

settings.register_profile("chaos", settings.get_profile("here"), print_blob=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the counts of the long form."""
    if settings.get_current_profile_name() == "chaos":
        terminalreporter.section("what came out")
        terminalreporter.write_line("\n".join(f"{count:7,} {what}" for what, count in sorted(COUNTS.items())))
