"""Writes the table of faults in docs/reliability.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.reliability.trial import Trial

PATH = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
MIXTURE = "mixed "
WAITS = {
    "rate_limit": "waited for the rate limit",
    "job_slots": "waited for a free job slot",
    "service_away": "waited for Zendesk",
}


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    trial: Trial


def listed_names(text: str) -> list[str]:
    """The faults that the table of the document lists."""
    table = re.search(f"{BEGIN}(.*?){END}", text, re.DOTALL)
    lines = table[1].splitlines() if table else []
    return [line.split(" | ")[0].removeprefix("| ") for line in lines if line.startswith("| ")][1:]


def write(rows: Sequence[Row]) -> None:
    """Replace the table between its markers; the rest of the document stays."""
    text = PATH.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if END not in rest:
        raise ValueError(f"{PATH} lacks the marker {BEGIN} or {END} around the table.")
    PATH.write_text(f"{before}{BEGIN}\n{_table(rows)}\n{END}{after}")


def _table(rows: Sequence[Row]) -> str:
    lines = ["| fault | what the job did | outcomes | changed twice |", "|---|---|---|---|"]
    single = [row for row in rows if not row.name.startswith(MIXTURE)]
    lines += [
        f"| {row.name} | {_steps(row.trial)} | {_outcomes(row.trial)} | {_changed_twice(row.trial)} |"
        for row in single
    ]
    mixtures = [row.trial for row in rows if row.name.startswith(MIXTURE)]
    if mixtures:
        lines.append(f"| {len(mixtures)} random mixtures | {_totals(mixtures)} |")
    return "\n".join(lines)


def _steps(trial: Trial) -> str:
    steps = [WAITS.get(reason, "waited") for reason in sorted(trial.waits)]
    steps += ["resumed by a person after it stood still"] if trial.resumed else []
    steps += ["stopped; resumed after a person fixed the cause"] if trial.stops else []
    steps += ["searched for a lost batch"] if trial.searched else []
    steps += ["resent what had not been done"] if trial.resent else []
    return ", ".join(steps) or "continued by itself"


def _outcomes(trial: Trial) -> str:
    return ", ".join(f"{number} {outcome}" for outcome, number in sorted(trial.outcomes.items()))


def _changed_twice(trial: Trial) -> str:
    return str(trial.changed_twice)


def _totals(trials: Sequence[Trial]) -> str:
    outcomes: Counter[str] = sum((trial.outcomes for trial in trials), Counter())
    counted = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
    waited = sum(bool(trial.waits) for trial in trials)
    stopped = sum(bool(trial.stops) for trial in trials)
    steps = f"{waited} waited, {stopped} stopped and were resumed by a person"
    return f"{steps} | {counted}, all true | {sum(trial.changed_twice for trial in trials)}"
