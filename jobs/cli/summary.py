"""The result of a job, in lines that add up, and what can be done next."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.actions import FOLLOW_UPS, NotPossible, check_follow_up
from jobs.cli.progress_lines import printable
from jobs.clocks import clock
from jobs.common.formatting import duration
from jobs.models import Job
from jobs.presentation.outcomes import OUTCOMES, Mode, Reasons, outcome_line
from jobs.presentation.statuses import summary_words
from jobs.presentation.verified import verified_words
from jobs.reports.failure_reasons import causes_of
from jobs.states import FINAL, STOPPED, FollowUp, Outcome

#: The longest excerpt of an error that is shown, characters.
SAMPLE_LENGTH = 160

NEXT_STEPS = {
    FollowUp.RUN: "makes the changes of this dry run",
    FollowUp.RETRY: "tries those that failed again",
    FollowUp.REST: "does the rest",
    FollowUp.UNDO: "takes back what was changed",
    FollowUp.UNGUARD: "takes the guard tag off",
}


def summary_lines(job: Job, *, hints: bool = True) -> Iterator[str]:
    """Each outcome with its number and reasons, the total, calls, time, and (`hints`) what to do next."""
    yield f"Job {job.pk} {summary_words(job)}: {printable(job.title)}"
    for outcome in FINAL:
        if OUTCOMES[outcome].mode is Mode.DRY_RUN and not job.dry_run:
            continue
        yield _line(outcome_line(outcome, job), getattr(job, outcome.value), _reasons(job, outcome))
    if job.remaining:
        yield _line(outcome_line(Outcome.PENDING, job), job.remaining)
    if job.total is None:
        yield f"  The list was not complete; {job.found:,} tickets of it had been read."
    else:
        yield _line("total", job.total)
    calls = job.calls_read + job.calls_write + job.calls_status + job.calls_verify
    verify = f", {job.calls_verify:,} verify" if job.calls_verify else ""
    yield (
        f"  {calls:,} calls ({job.calls_read:,} read, {job.calls_write:,} write, {job.calls_status:,} status"
        f"{verify}){_time(job)}"
    )
    if words := verified_words(job):
        yield f"  {words}"
    if hints:
        yield from _next_steps(job)


def _line(name: str, number: int, more: str = "") -> str:
    return f"  {name:<14}{number:>11,}{'   ' + more if more else ''}"


def _reasons(job: Job, outcome: Outcome) -> str:
    shown = OUTCOMES[outcome].reasons
    if shown is Reasons.NONE or not getattr(job, outcome.value):
        return ""
    causes = causes_of(job, [outcome])
    parts = []
    for cause in causes.groups:
        part = f"{cause.reason.replace('_', ' ') or 'no reason given'} {cause.number:,}"
        if shown is Reasons.FAILURES:
            part += f" (such as {cause.sample.ref}: {printable(cause.sample.detail)[:SAMPLE_LENGTH]})"
        parts.append(part)
    return ("" if causes.are_all else "of the first of them: ") + "; ".join(parts)


def _time(job: Job) -> str:
    if job.started_at is None:
        return ""
    end = job.finished_at or clock.now()
    return f" in {duration((end - job.started_at).total_seconds())}"


def _next_steps(job: Job) -> Iterator[str]:
    if job.status in STOPPED:
        yield f"  manage.py jobs resume {job.pk}   goes on from where it stopped"
        yield f"  manage.py jobs cancel {job.pk}   gives it up"
        return
    for kind, what in NEXT_STEPS.items():
        try:
            check_follow_up(job, kind)
        except NotPossible:
            continue
        yield f"  manage.py jobs {kind} {job.pk}   {what}"


assert set(NEXT_STEPS) == set(FOLLOW_UPS)
