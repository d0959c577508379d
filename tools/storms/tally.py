"""Counting: outcomes of many runs → a table by weather, what must be 0, and the same as plain data.

Counts lists and gates, not runs; a run stands in the row of each of its weathers.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from tools.benchmarks.table import Must, Table
from tools.storms.plans import Plan
from tools.storms.runs import BAD, Outcome
from tools.storms.weather import WEATHERS

ALL: Final = "all runs"
LISTS: Final = ("complete", "incomplete", "error", "wrong")
GATES: Final = ("passed", "held", "never", "early", "unjust")
RUNS: Final = ("foreign", "hang", "leak")
VERDICTS: Final = (*LISTS, *GATES, *RUNS)
MUSTS: Final = {
    "wrong": "lists silently wrong:",
    "early": "gates passed early:",
    "unjust": "gates failed for nothing:",
    "foreign": "errors that are not ours:",
    "hang": "hangs:",
    "leak": "secrets seen in any output:",
}


@dataclass
class Tally:
    """What came out so far."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Why gates never passed that ought to have."""
    bad: list[str] = field(default_factory=list)
    """A report of each run in which something was that must not be."""

    def take(self, plan: Plan, outcome: Outcome) -> None:
        """Another run."""
        for row in (*plan.weathers, ALL):
            self.runs[row] += 1
            self.counts.update((row, verdict) for verdict in outcome.verdicts)
        self.reasons.update(finding.detail for finding in outcome.findings if finding.verdict == "never")
        if outcome.bad:
            self.bad.append(report(plan, outcome))

    def table(self, title: str) -> Table:
        """All of it."""
        rows: list[list[str | float]] = [
            [name, self.runs[name], *(self.counts[name, verdict] for verdict in VERDICTS)]
            for name in (*WEATHERS, ALL)
            if self.runs[name]
        ]
        musts = [Must(text, self.counts[ALL, verdict], 0) for verdict, text in MUSTS.items()]
        why = ", ".join(f"{reason} {count}" for reason, count in self.reasons.most_common())
        note = f"Lists: {', '.join(LISTS)}; gates: {', '.join(GATES)}. Gates that never passed: {why or 'none'}."
        return Table(title, ("", "runs", *VERDICTS), rows, musts, note)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        rows = {name: {verdict: self.counts[name, verdict] for verdict in VERDICTS} for name in (ALL, *WEATHERS)}
        totals = rows.pop(ALL)
        assert {verdict for verdict in totals if verdict in BAD} == MUSTS.keys()  # noqa: S101  the tables agree
        never = dict(self.reasons.most_common())
        return {"runs": self.runs[ALL], "totals": totals, "weathers": rows, "never": never, "bad": self.bad}


def report(plan: Plan, outcome: Outcome) -> str:
    """One run, and how to see it again."""
    findings = outcome.bad or outcome.findings
    lines = [f"{finding.verdict}: {finding.detail}".rstrip(": ") for finding in findings]
    shown = {name: value for name, value in plan.conditions.items() if name != "random_faults"}
    asked = [_short(question) for question in (*plan.lists, *(gate.arguments for gate in plan.gates))]
    return "\n  ".join(
        [
            f"seed {plan.seed}: {'; '.join(lines)}",
            f"{', '.join(plan.weathers)}; {len(plan.rows)} clients, {outcome.requests} requests, under {shown}",
            *(f"asked {question}" for question in asked),
            f"again: {plan.replay}",
        ]
    )


def _short(question: Any) -> dict[str, Any]:
    """Long lists by their length."""
    return {n: f"{len(v)} of them" if isinstance(v, list) and len(v) > 1 else v for n, v in question.items()}
