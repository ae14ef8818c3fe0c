"""How each status of a job looks and reads on pages, in the admin and in a terminal.

A new status is one more entry here and one template with its sentence; `tests/jobs/presentation` checks both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jobs.clocks import clock
from jobs.common.formatting import duration, time_left
from jobs.list_cursor import listing_progress
from jobs.models import Job
from jobs.presentation.wait_reasons import WAIT_REASONS
from jobs.reports.progress import speed_of
from jobs.states import FollowUp, Status, WaitReason

#: A text in which `{job.pk}` may stand, or a function of the job.
Words = str | Callable[[Job], str]

#: The tabs of the list of jobs, by their names in its address.
ACTIVE_TAB, ATTENTION_TAB, FINISHED_TAB, CANCELLED_TAB = "active", "attention", "finished", "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDisplay:
    """All that depends on the status alone; its label stands in `Status`, its sentence in a template."""

    colour: str  # one of Bootstrap's
    icon: str  # a drawing in static/icons.svg; the label says it all without it
    progress: Words  # while a command shows the job: ends a sentence that begins with "Job 7: "
    summary: Words  # above the counts of a command: ends a sentence that begins with "Job 7 "
    tabs: tuple[str, ...]  # of the list of jobs, besides the one with all of them
    action_labels: Mapping[str, str] = field(default_factory=dict)  # by action, where the usual one misleads
    is_request: bool = False  # a person asked for it, and a worker makes the step that follows
    is_idle: bool = False  # nothing is sent; the speed chart shades it


@dataclass(frozen=True, slots=True)
class ShownStatus:
    """The badge of one job."""

    colour: str
    icon: str
    label: str


def shown_status(job: Job) -> ShownStatus:
    """The job's status, except that an undo which left tickets out is not shown as a plain success.

    Only the look: the stored status, and that in JSON, stay.
    """
    if left := not_taken_back(job):
        partial = STATUSES[Status.PARTIAL]
        label = f"{job.get_status_display()}, {left:,} not taken back"
        return ShownStatus(partial.colour, partial.icon, label)
    display = STATUSES[job.status]
    return ShownStatus(display.colour, display.icon, job.get_status_display())


def not_taken_back(job: Job) -> int:
    """The tickets that a successful undo skipped; 0 for every other job."""
    is_undo = job.follow_up == FollowUp.UNDO and not job.dry_run
    return job.skipped if is_undo and job.status == Status.SUCCEEDED else 0


def status_template(status: str) -> str:
    """The template with the sentence for a status."""
    return f"jobs/status/{status}.html"


def shown_under(tab: str) -> frozenset[Status]:
    """The statuses of the jobs under a tab."""
    return frozenset(status for status in Status if tab in STATUSES[status].tabs)


def progress_words(job: Job) -> str:
    """Where the job is, as the end of a sentence that begins with its number."""
    return _format(STATUSES[job.status].progress, job)


def summary_words(job: Job) -> str:
    """How the job ended or where it is, as the end of a sentence that begins with its number."""
    return _format(STATUSES[job.status].summary, job)


def _format(words: Words, job: Job) -> str:
    return words(job) if callable(words) else words.format(job=job)


def _selecting(job: Job) -> str:
    reading = listing_progress(job)
    if reading.is_taking_out:
        return f"reading which tickets to leave out, {reading.gathered:,} so far"
    if reading.is_gathering:
        return f"reading the ticket numbers to put them in order, {reading.gathered:,} so far"
    return f"reading the list, {job.found:,} tickets so far"


def _running(job: Job) -> str:
    if not job.total:
        return "starts"
    speed = speed_of(job)
    parts = [f"{job.total - job.remaining:,} of {job.total:,} tickets"]
    if speed.per_minute:
        parts.append(f"{speed.per_minute:,.0f}/min")
    if speed.eta_seconds is not None and job.remaining:
        parts.append(f"{time_left(speed.eta_seconds)} left")
    return ", ".join(parts)


def _waiting(job: Job) -> str:
    why = WAIT_REASONS[job.waiting_for].in_terminal if job.waiting_for else ""
    if job.resumes_at is None or job.waiting_for == WaitReason.HELD:
        return f"waits: {why}".removesuffix(": ")
    left = max((job.resumes_at - clock.now()).total_seconds(), 0)
    return f"goes on at {job.resumes_at:%H:%M:%S} UTC, in {duration(left)}: {why}".removesuffix(": ")


#: `str` as the type of the keys, because a job's row holds plain text.
STATUSES: dict[str, StatusDisplay] = {
    Status.QUEUED: StatusDisplay(
        colour="secondary",
        icon="clock",
        progress=lambda job: "starts" if job.lease_token else "waits for a worker",
        summary="is queued",
        tabs=(ACTIVE_TAB,),
    ),
    Status.SELECTING: StatusDisplay(
        colour="primary",
        icon="list",
        progress=_selecting,
        summary="is selecting",
        tabs=(ACTIVE_TAB,),
    ),
    Status.RUNNING: StatusDisplay(
        colour="primary",
        icon="play",
        progress=_running,
        summary="is running",
        tabs=(ACTIVE_TAB,),
    ),
    Status.WAITING: StatusDisplay(
        colour="warning",
        icon="clock",
        progress=_waiting,
        summary="is waiting",
        tabs=(ACTIVE_TAB,),
        action_labels={"resume": "Go on now"},  # it resumes by itself; a click makes that sooner
        is_idle=True,
    ),
    Status.PAUSING: StatusDisplay(
        colour="warning",
        icon="pause",
        progress="settles what is in flight, then pauses",
        summary="is pausing",
        tabs=(ACTIVE_TAB,),
        is_request=True,
    ),
    Status.PAUSED: StatusDisplay(
        colour="warning",
        icon="pause",
        progress="is paused; manage.py jobs resume {job.pk} lets it go on",
        summary="is paused",
        tabs=(ATTENTION_TAB,),
        is_idle=True,
    ),
    Status.CANCELLING: StatusDisplay(
        colour="secondary",
        icon="stop",
        progress="settles what is in flight, then is cancelled",
        summary="is cancelling",
        tabs=(ACTIVE_TAB,),
        action_labels={"cancel": "Stop at once"},  # it is cancelled already; a person can only hurry it
        is_request=True,
    ),
    Status.CANCELLED: StatusDisplay(
        colour="secondary",
        icon="stop",
        progress="cancelled",
        summary="cancelled",
        tabs=(CANCELLED_TAB,),
    ),
    Status.ERRORED: StatusDisplay(
        colour="danger",
        icon="cross",
        progress="stopped",
        summary="is errored",
        tabs=(ATTENTION_TAB,),
    ),
    Status.SUCCEEDED: StatusDisplay(
        colour="success",
        icon="check",
        progress="done",
        summary=lambda job: "succeeded (dry run, nothing was changed)" if job.dry_run else "succeeded",
        tabs=(FINISHED_TAB,),
    ),
    Status.PARTIAL: StatusDisplay(
        colour="warning",
        icon="warning",
        progress="done, some tickets failed",
        summary="ended, and some tickets failed",
        tabs=(ATTENTION_TAB, FINISHED_TAB),
    ),
}
