"""How each outcome of a ticket looks and reads on pages, in the admin and in a terminal.

A new outcome is one more entry here; `tests/jobs/presentation` checks that none is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from jobs.models import Job
from jobs.states import FINAL, Outcome


class Mode(Enum):
    """The kind of run in which an outcome is shown although it is 0."""

    ANY = auto()
    DRY_RUN = auto()
    REAL_RUN = auto()


class Reasons(Enum):
    """Whether reasons are shown for an outcome, and as what."""

    NONE = auto()
    FAILURES = auto()  # with the first ticket of each reason
    LEFT_OUT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeDisplay:
    word: str  # behind a number of tickets, or beside one
    line: str  # in the counts that a command prints
    in_preview: str = ""  # instead of `word`, in a job that writes nothing
    when_ended: str = ""  # instead of both, in a job that has ended
    colour: str = "secondary"  # one of the admin's
    mode: Mode = Mode.ANY
    reasons: Reasons = Reasons.NONE


OUTCOMES: dict[str, OutcomeDisplay] = {
    Outcome.PLANNED: OutcomeDisplay(word="will change", line="planned", colour="primary", mode=Mode.DRY_RUN),
    Outcome.CHANGED: OutcomeDisplay(word="changed", line="changed", colour="success", mode=Mode.REAL_RUN),
    Outcome.UNCHANGED: OutcomeDisplay(word="unchanged", in_preview="no change needed", line="unchanged"),
    Outcome.SKIPPED: OutcomeDisplay(
        word="skipped", in_preview="left out", line="skipped", reasons=Reasons.LEFT_OUT
    ),
    Outcome.FAILED: OutcomeDisplay(word="failed", line="failed", colour="danger", reasons=Reasons.FAILURES),
    Outcome.UNVERIFIED: OutcomeDisplay(
        word="unverified", line="unverified", colour="warning", reasons=Reasons.FAILURES
    ),
    Outcome.PENDING: OutcomeDisplay(word="not yet done", line="open", when_ended="not attempted"),
}


@dataclass(frozen=True, slots=True)
class Count:
    """One outcome of a job with its number."""

    outcome: str
    word: str
    number: int
    is_failure: bool


def outcome_word(outcome: str, job: Job) -> str:
    """As people read it; what is pending in an ended job was not attempted."""
    display = OUTCOMES[outcome]
    return (job.is_ended and display.when_ended) or (job.dry_run and display.in_preview) or display.word


def outcome_line(outcome: Outcome, job: Job) -> str:
    """The name of an outcome in the counts that a command prints."""
    display = OUTCOMES[outcome]
    return (job.is_ended and display.when_ended) or display.line


def outcomes_with(*reasons: Reasons) -> list[Outcome]:
    """The outcomes whose reasons are shown so."""
    return [outcome for outcome in Outcome if OUTCOMES[outcome].reasons in reasons]


def outcome_counts(job: Job) -> list[Count]:
    """The outcomes that this kind of job can have, and what is left."""
    never = Mode.REAL_RUN if job.dry_run else Mode.DRY_RUN
    shown = [outcome for outcome in FINAL if OUTCOMES[outcome].mode is not never or job.counts[outcome.value]]
    counts = [_count(outcome, job, job.counts[outcome.value]) for outcome in shown]
    if job.remaining or not job.is_ended:
        counts.append(_count(Outcome.PENDING, job, job.remaining))
    return counts


def _count(outcome: Outcome, job: Job, number: int) -> Count:
    is_failure = OUTCOMES[outcome].reasons is Reasons.FAILURES
    return Count(outcome.value, outcome_word(outcome, job), number, is_failure)
