"""Benchmarks: what a list costs, here and with the official SDK, whether it is complete, what programs and gates cost.

    python -m tools.bench [--quick] [--keep] [QUESTION ...]

Loopback only; ratios are made within one run, from medians. It reports and does not judge: a requirement that is not
met is shown, and the exit code is 0. `--keep` puts the tables into docs/benchmarks.json and makes docs/benchmarks.md
from it. Without `--quick` all questions take about half an hour.
"""

import argparse
import compileall
from collections.abc import Callable, Mapping
from typing import Final

from tools.bench import lists, programs, report
from tools.bench.harness import note

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


def main() -> None:
    """Answer the questions, print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=f"some of: {', '.join(QUESTIONS)}")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: shows that it runs; the figures mean nothing"
    )
    parser.add_argument("--keep", action="store_true", help="write docs/benchmarks.json and docs/benchmarks.md")
    arguments = parser.parse_args()
    if unknown := set(arguments.questions) - QUESTIONS.keys():
        parser.error(f"no such question: {', '.join(sorted(unknown))}; some of {', '.join(QUESTIONS)}")
    compileall.compile_dir(str(report.ROOT / "pulumi_hbr_clients"), quiet=1)  # as an installer does it
    for name in arguments.questions or QUESTIONS:
        measured = report.machine(name)
        note(f"{name}: {QUESTIONS[name].__doc__}")
        table = QUESTIONS[name](quick=arguments.quick)
        table.measured = measured
        print(f"## {table.title}\n\n{table}\n", flush=True)
        if arguments.keep:
            report.save({**report.load(), name: table}, [*QUESTIONS])


if __name__ == "__main__":
    main()
