"""Benchmarks: what a list costs, here and with the official SDK, whether it is complete, what programs and gates cost.

Loopback only; ratios are made within one run, from medians. It reports and does not judge: a requirement that is not
met is shown, and the exit code is 0. `--keep` puts the tables into docs/benchmarks.json and makes docs/benchmarks.md
from it. Without `--quick` all questions take about half an hour.
"""

import compileall
from collections.abc import Callable, Mapping
from typing import Final

import click

from tools.bench import lists, programs, report
from tools.cache import ROOT, say

QUESTIONS: Final[Mapping[str, Callable[..., report.Table]]] = {
    "lists-100ms": lists.far,
    "lists-0ms": lists.near,
    "faults": lists.faults,
    "changes": lists.changes,
    "windows": lists.windows,
    "targets": lists.targets,
    "state": programs.state,
    "imports": programs.imports,
    "previews": programs.previews,
    "plugin": programs.plugin,
    "gates": programs.gates,
}


@click.command(help=__doc__, epilog=f"Questions: {', '.join(QUESTIONS)}.")
@click.argument("questions", nargs=-1, metavar="[QUESTION ...]", type=click.Choice([*QUESTIONS]))
@click.option("--quick", is_flag=True, help="Small sizes: shows that it runs; the figures mean nothing.")
@click.option("--keep", is_flag=True, help="Write docs/benchmarks.json and docs/benchmarks.md.")
def main(*, questions: tuple[str, ...], quick: bool, keep: bool) -> None:
    """Answer the questions, print their tables."""
    compileall.compile_dir(str(ROOT / "pulumi_hbr_clients"), quiet=1)  # as an installer does it
    for name in questions or QUESTIONS:
        measured = report.machine(name)
        say(f"{name}: {QUESTIONS[name].__doc__}")
        table = QUESTIONS[name](quick=quick)
        table.measured = measured
        print(f"## {table.title}\n\n{table}\n", flush=True)
        if keep:
            report.save({**report.load(), name: table}, [*QUESTIONS])


if __name__ == "__main__":
    main()
