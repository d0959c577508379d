"""Chaos takes ten seconds in `make test`, and five minutes with `--hypothesis-profile=chaos` (`make chaos`).

What came out of all runs is printed at the end of the long form.
"""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.chaos.runs import COUNTS

settings.register_profile("chaos", settings.get_profile("here"), print_blob=True)


@pytest.fixture(scope="session", autouse=True)
def counts(pytestconfig: pytest.Config) -> Iterator[None]:
    """Print them where somebody looks."""
    yield
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    if reporter and pytestconfig.getoption("--hypothesis-profile") == "chaos":
        reporter.write_line("")
        reporter.write_line("; ".join(f"{what}: {count:,}" for what, count in sorted(COUNTS.items())))
