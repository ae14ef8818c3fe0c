"""The timeline of a job, with repetitions folded into one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jobs.models import Transition

#: The longest repeated pattern that is recognised, in steps: waiting and running, again and again.
LONGEST_PATTERN = 2


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of the timeline: a step, or `times` repetitions of the same steps."""

    labels: list[str]
    first_at: datetime
    last_at: datetime
    actor: str
    why: str
    times: int = 1

    @property
    def label(self) -> str:
        return ", ".join(self.labels)


def fold_repetitions(steps: Sequence[Transition]) -> list[TimelineEntry]:
    """The steps in order; one step or a pair that repeats at once becomes one entry with a count.

    Steps that a person made are never folded.
    """
    lines: list[TimelineEntry] = []
    at = 0
    while at < len(steps):
        size, times = _repetition(steps, at)
        pattern, last = steps[at : at + size], steps[at + size * times - 1]
        lines.append(
            TimelineEntry(
                labels=[step.get_to_status_display() for step in pattern],
                first_at=steps[at].at,
                last_at=last.at,
                actor=last.who,
                why=" ".join(dict.fromkeys(step.why for step in pattern if step.why)),
                times=times,
            )
        )
        at += size * times
    return lines


def _repetition(steps: Sequence[Transition], at: int) -> tuple[int, int]:
    """How many steps from here on repeat together, and how often; (1, 1) for a step alone."""
    best = (1, 1)
    for size in range(1, LONGEST_PATTERN + 1):
        pattern = _keys(steps[at : at + size])
        times = 1
        while _keys(steps[at + size * times : at + size * (times + 1)]) == pattern:
            times += 1
        if times > 1 and size * times > best[0] * best[1] and all(pattern):
            best = (size, times)
    return best


def _keys(steps: Sequence[Transition]) -> list[tuple[str, str] | None]:
    """Equal for steps that say the same; None for what a person did."""
    return [None if step.is_persons else (step.to_status, step.why) for step in steps]
