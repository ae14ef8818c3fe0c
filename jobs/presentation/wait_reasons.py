"""Why a job waits, in words: one entry for each reason."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.states import WaitReason


@dataclass(frozen=True, slots=True)
class WaitReasonWords:
    on_page: str  # a sentence that goes on after a dash
    in_terminal: str  # the same without a full stop


WAIT_REASONS: dict[str, WaitReasonWords] = {
    WaitReason.RATE_LIMIT: WaitReasonWords(
        "Zendesk asked us to slow down.", "the other side asked us to slow down"
    ),
    WaitReason.JOB_SLOTS: WaitReasonWords(
        "Zendesk has as many bulk jobs as it takes.", "the other side's job queue is full"
    ),
    WaitReason.SERVICE_AWAY: WaitReasonWords("Zendesk does not answer.", "the other side does not answer"),
    WaitReason.WORKER_LOST: WaitReasonWords(
        "its worker was lost, and another takes over. Nothing is sent twice.",
        "its worker was lost, and another takes over",
    ),
    WaitReason.HELD: WaitReasonWords(
        "all jobs are held, until somebody releases them.", "all jobs are held, until manage.py release"
    ),
    WaitReason.DATABASE: WaitReasonWords(
        "the database of Tag Manager was away, busy or full.", "the database was in trouble"
    ),
}
