"""How a wait stands, on stderr while it lasts: looks come in, and somebody sees what is missing and the time left.

    terminal   a bar, who keeps the gate shut, the time left, redrawn every second and gone in the end
    pipe       a line at first, when something else is waited for, and at least every 30 s

What draws on a terminal (rich) is imported only where one is: it costs 0.1 s.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import click

from pulumi_hbr_clients.activation import messages as telling
from pulumi_hbr_clients.activation.condition import Verdict
from pulumi_hbr_clients.activation.waiter import BEAT, LINE_EVERY, Progress
from pulumi_hbr_clients.cli.messages import is_terminal
from pulumi_hbr_clients.cli.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from pulumi_hbr_clients.cli.tables import Line

_BAR: Final = 30
_NOT_LOOKED: Final = Verdict("waiting", 0, 0, note="no answer yet")

Face = Callable[[Progress], None]
"""What shows how it stands."""


class WaitProgress:
    """How one wait stands."""

    def __init__(self, timeout: float) -> None:
        """Nothing is seen yet. `timeout` in seconds, from now on."""
        self._timeout = timeout
        self._seen = Progress(_NOT_LOOKED, timeout)
        self._show: Face = lambda _: None

    @property
    def waited(self) -> float:
        """Seconds until now."""
        return self._timeout - self.now().left

    def now(self) -> Progress:
        """What was seen last, with the time that is left by now."""
        return self._seen.by_now()

    def take(self, progress: Progress) -> None:
        """Another look."""
        self._seen = progress
        self._show(progress)

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Show every look, and the time that passes between two."""
        with _face() as self._show:
            beat = asyncio.create_task(self._beat())
            try:
                yield
            finally:
                beat.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            self._show(self.now())


@contextmanager
def _face() -> Iterator[Face]:
    if not is_terminal(sys.stderr):
        yield _Lines()
        return
    from rich.live import Live  # noqa: PLC0415  only a terminal needs it

    from pulumi_hbr_clients.cli.terminal import console_on  # noqa: PLC0415  only a terminal needs it

    with Live(console=console_on(sys.stderr), auto_refresh=False, transient=True) as live:
        yield lambda progress: live.update(_picture(progress), refresh=True)


@dataclass(slots=True)
class _Lines:
    """Lines for a log: none that says the same as the one before, unless that was a while ago."""

    _said: Any = None
    _at: float = field(default=0.0)

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._said == _matter(progress) and now - self._at < LINE_EVERY:
            return
        self._said, self._at = _matter(progress), now
        click.echo(printable(str(progress)), err=True)


def _matter(progress: Progress) -> Any:
    """What is waited for, without ages, heartbeats and request ids, which move by themselves."""
    verdict = progress.verdict
    names = [(trouble.name, trouble.status) for trouble in verdict.waiting]
    return verdict.ready, verdict.wanted, names, verdict.note, bool(progress.outage)


def _picture(progress: Progress) -> "RenderableType":
    """The bar, a line for each that keeps the gate shut, at most ten, and what the service does not do."""
    from rich.console import Group  # noqa: PLC0415  only a terminal needs it
    from rich.progress_bar import ProgressBar  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    verdict = progress.verdict
    head = Table.grid(padding=(0, 1))
    bar = [ProgressBar(verdict.wanted, verdict.ready, width=_BAR)] if verdict.wanted else []
    head.add_row(*bar, telling.line(replace(verdict, waiting=()), progress.left))
    return Group(head, *map(_one_line, _below(progress)))


def _below(progress: Progress) -> "Iterator[Line]":
    from pulumi_hbr_clients.cli.tables import style_of  # noqa: PLC0415  it needs rich

    waiting = progress.verdict.waiting
    for trouble, line in zip(waiting, telling.account(waiting), strict=False):
        yield [("  ", ""), (line, style_of(trouble.status or ""))]
    if progress.outage:
        yield [(f"the service does not answer: {progress.outage}", "red")]


def _one_line(line: "Line") -> "Text":
    from pulumi_hbr_clients.cli.terminal import styled  # noqa: PLC0415  only a terminal needs it

    text = styled([(printable(words), style) for words, style in line])
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
