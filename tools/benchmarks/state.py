"""The question about secrets: what a stack's state holds in clear text."""

import tempfile
from typing import Final

from tools.benchmarks.growth import CONTENDERS, OURS
from tools.benchmarks.measure import Figures, Scale, fleet, needs_engine
from tools.benchmarks.table import Must, Table

FLEET: Final = 50
"""Clients: one page of each contender."""


def state(_: Scale) -> Table:
    """Proxy passwords that an `up` leaves readable in the stack's state."""
    needs_engine()
    found = {name: _state(name) for name in CONTENDERS}
    ours = found[OURS]
    return Table(
        "Secrets in clear text in a stack's state",
        ("clients exported", "clients with a proxy password", "passwords in clear text", "access key secrets"),
        [(name, f["passwords"], f["seen"], f["keys"]) for name, f in found.items()],
        [Must("secrets that ours leaves in clear text:", ours["seen"] + ours["keys"], 0)],
        "Ours has `include_proxy_passwords=True` and exports the passwords too: they are there, encrypted. The SDK's "
        "and the peer's clients are exported as they come.",
    )


def _state(name: str) -> Figures:
    with fleet(FLEET) as service, tempfile.TemporaryDirectory(prefix="hbr-clients-bench-") as folder:
        return service.run("stating.py", name, folder)
