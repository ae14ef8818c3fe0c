"""The table of faults in docs/reliability.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.reliability.trial import Trial

PATH = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
MIXED = "mixed "
WAITS = {
    "rate_limit": "waited for its rate",
    "job_slots": "waited for a place in the queue",
    "service_away": "waited for Zendesk",
}


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    trial: Trial


def names_in(text: str) -> list[str]:
    """The faults that the table of the document lists."""
    found = re.search(f"{BEGIN}(.*?){END}", text, re.DOTALL)
    lines = found[1].splitlines() if found else []
    return [line.split(" | ")[0].removeprefix("| ") for line in lines if line.startswith("| ")][1:]


def write(rows: Sequence[Row]) -> None:
    """Put the table between its markers; all else in the document stays."""
    text = PATH.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if END not in rest:
        raise ValueError(f"{PATH} lacks {BEGIN} or {END}, between which the table goes.")
    PATH.write_text(f"{before}{BEGIN}\n{_table(rows)}\n{END}{after}")


def _table(rows: Sequence[Row]) -> str:
    lines = ["| fault | what the job did | outcomes | sent twice |", "|---|---|---|---|"]
    alone = [row for row in rows if not row.name.startswith(MIXED)]
    lines += [
        f"| {row.name} | {_did(row.trial)} | {_counted(row.trial)} | {_twice(row.trial)} |" for row in alone
    ]
    together = [row.trial for row in rows if row.name.startswith(MIXED)]
    if together:
        lines.append(f"| {len(together)} mixtures at random | {_sum(together)} |")
    return "\n".join(lines)


def _did(trial: Trial) -> str:
    did = [WAITS.get(reason, "waited") for reason in sorted(trial.waits)]
    did += ["stopped for a person, who mended it and resumed"] if trial.stops else []
    did += ["looked for a lost batch"] if trial.searched else []
    did += ["sent again what had not been done"] if trial.sent_again else []
    return ", ".join(did) or "went on by itself"


def _counted(trial: Trial) -> str:
    return ", ".join(f"{number} {outcome}" for outcome, number in sorted(trial.outcomes.items()))


def _twice(trial: Trial) -> str:
    return str(trial.sent_twice)


def _sum(trials: Sequence[Trial]) -> str:
    outcomes: Counter[str] = sum((trial.outcomes for trial in trials), Counter())
    counted = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
    waited = sum(bool(trial.waits) for trial in trials)
    stopped = sum(bool(trial.stops) for trial in trials)
    did = f"{waited} waited, {stopped} stopped for a person and were resumed"
    return f"{did} | {counted}, each the true one | {sum(trial.sent_twice for trial in trials)}"
