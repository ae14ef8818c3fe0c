"""How a job looks on a page: its colour and icon, its figures, what is said of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import blake2s
from typing import Any

from django.utils import timezone

from jobs import formatting
from jobs.guards.canary import canary_question
from jobs.list_cursor import ListingProgress, listing_progress
from jobs.models import FINAL, Job, Transition
from jobs.presentation.blockers import Blocker, find_blocker
from jobs.presentation.job_actions import JobAction, available_actions
from jobs.presentation.speed_chart import SpeedChart, speed_chart
from jobs.presentation.timeline import TimelineEntry, fold
from jobs.reports import progress
from jobs.states import Outcome, Status

#: Of Bootstrap's colours, and the name of a drawing in templates/jobs/_icon.html; the word says it all alone.
STATUS_STYLE: dict[str, tuple[str, str]] = {
    Status.QUEUED: ("secondary", "clock"),
    Status.SELECTING: ("primary", "list"),
    Status.RUNNING: ("primary", "play"),
    Status.WAITING: ("warning", "clock"),
    Status.PAUSING: ("warning", "pause"),
    Status.PAUSED: ("warning", "pause"),
    Status.CANCELLING: ("secondary", "stop"),
    Status.CANCELLED: ("secondary", "stop"),
    Status.ERRORED: ("danger", "cross"),
    Status.SUCCEEDED: ("success", "check"),
    Status.PARTIAL: ("warning", "warning"),
}
OUTCOME_WORDS: dict[str, str] = {
    Outcome.PLANNED: "would be changed",
    Outcome.CHANGED: "changed",
    Outcome.UNCHANGED: "unchanged",
    Outcome.SKIPPED: "skipped",
    Outcome.FAILED: "failed",
    Outcome.UNVERIFIED: "unverified",
    Outcome.PENDING: "not yet done",
}
ASKED_FIRST = (Status.CANCELLING, Status.PAUSING)
STALLED_AFTER = progress.STALLED_AFTER
#: A stretch without progress is told in steps, so that the page is not new every second, seconds.
STALL_STEP = 10
TIMELINE_SHOWN = 40
#: What the actions are called when the job itself has asked whether to go on.
ANSWERS = {"resume": "Go on", "cancel": "Stop"}
#: What else they are called in some states: a waiting job goes on by itself, so a person can only have it go
#: on sooner; one that was cancelled already can only stop sooner.
OTHERWISE: dict[str, dict[str, str]] = {
    Status.WAITING: {"resume": "Go on now"},
    Status.CANCELLING: {"cancel": "Stop at once"},
}


@dataclass(frozen=True, slots=True)
class Count:
    """One outcome of a job with its number."""

    outcome: str
    word: str
    number: int


def outcome_word(outcome: str, job: Job) -> str:
    """As people read it; what is pending in an ended job was not attempted."""
    if outcome == Outcome.PENDING and job.is_ended:
        return "not attempted"
    return OUTCOME_WORDS[outcome]


def took(job: Job) -> str:
    """How long it took from the first worker to the end; "" before."""
    start, end = job.started_at, job.finished_at
    return formatting.duration((end - start).total_seconds()) if start and end else ""


class JobPage:
    """One job as its page shows it now. Each property asks the database at most once."""

    def __init__(self, job: Job) -> None:
        self.job = job

    @cached_property
    def status(self) -> dict[str, Any]:
        return progress.status_of(self.job)

    @cached_property
    def timeline(self) -> list[Transition]:
        """The newest changes of status, oldest of them first."""
        newest = self.job.transitions.order_by("-id")[: TIMELINE_SHOWN + 1]
        return list(newest)[::-1]

    @property
    def shown_timeline(self) -> list[TimelineEntry]:
        return fold(self.timeline[-TIMELINE_SHOWN:])

    @cached_property
    def speed_chart(self) -> SpeedChart | None:
        return speed_chart(self.job, self.timeline)

    @property
    def timeline_is_cut(self) -> bool:
        return len(self.timeline) > TIMELINE_SHOWN

    @property
    def last(self) -> Transition | None:
        """What brought the job into its present state."""
        return next((t for t in reversed(self.timeline) if t.to_status == self.job.status), None)

    @property
    def asked(self) -> Transition | None:
        """Who asked for it, where a worker made the last step of a pause or a cancellation."""
        last = self.last
        if last is None or last.from_status not in ASKED_FIRST:
            return last
        return next((t for t in reversed(self.timeline) if t.to_status == last.from_status), last)

    @cached_property
    def blocker(self) -> Blocker | None:
        return find_blocker(self.job)

    @property
    def question(self) -> str:
        """What the job itself asks after its first tickets; "" when it was a person who paused it."""
        return canary_question(self.job, self.last)

    @cached_property
    def jobs_ahead(self) -> int:
        """Jobs that were asked for before this one and wait as well."""
        return Job.objects.filter(status=Status.QUEUED, pk__lt=self.job.pk).count()

    @property
    def listing(self) -> ListingProgress:
        return listing_progress(self.job)

    @property
    def percent(self) -> int | None:
        return progress.percent_of(self.job)

    @property
    def is_due(self) -> bool:
        """It waited until a moment that is over."""
        return self.job.resumes_at is not None and self.job.resumes_at <= timezone.now()

    @property
    def counts(self) -> list[Count]:
        """The outcomes that this kind of job can have, and what is left."""
        own = Outcome.PLANNED if self.job.dry_run else Outcome.CHANGED
        never = {Outcome.CHANGED, Outcome.PLANNED} - {own}
        shown = [outcome for outcome in FINAL if outcome not in never or getattr(self.job, outcome.value)]
        counts = [Count(o.value, outcome_word(o, self.job), getattr(self.job, o.value)) for o in shown]
        if self.job.remaining or not self.job.is_ended:
            pending = Outcome.PENDING
            counts.append(Count(pending.value, outcome_word(pending, self.job), self.job.remaining))
        return counts

    @property
    def actions(self) -> list[JobAction]:
        offered = available_actions(self.job)
        labels = ANSWERS if self.question else OTHERWISE.get(self.job.status, {})
        return [replace(action, label=labels.get(action.name, action.label)) for action in offered]

    @property
    def page_title(self) -> str:
        """For the tab of a browser, which may lie in the background: how far, then what."""
        if not self.job.is_active:
            return f"{self.job.get_status_display()} · {self.job.title}"
        return f"{self.job.title}" if self.percent is None else f"{self.percent} % · {self.job.title}"

    @property
    def colour(self) -> str:
        return STATUS_STYLE[self.job.status][0]

    @cached_property
    def stalled_for(self) -> str:
        """How long nothing has settled in a running job, when that is long; else ""."""
        if self.job.status != Status.RUNNING or self.status["eta_seconds"] is not None:
            return ""
        quiet = timezone.now() - progress.last_progress(self.job)
        if quiet <= STALLED_AFTER:
            return ""
        return formatting.duration(quiet // timedelta(seconds=STALL_STEP) * STALL_STEP)

    @property
    def time_left(self) -> str:
        """The estimate of a running job, or that there is none yet; "" for every other."""
        if self.job.status != Status.RUNNING:
            return ""
        if self.stalled_for:
            return f"No progress for {self.stalled_for}"
        seconds = self.status["eta_seconds"]
        return f"{formatting.time_left(seconds)} left" if seconds is not None else "Estimating the time left…"

    @property
    def calls(self) -> int:
        return self.job.calls_read + self.job.calls_write + self.job.calls_status

    @property
    def version(self) -> str:
        """Equal as long as the live part of the page would look the same."""
        ahead = self.jobs_ahead if self.is_queued else 0
        told = self.blocker and asdict(self.blocker)
        shown = [self.status, self.stalled_for, self.is_due, told, ahead]
        return _digest(shown)

    @property
    def is_queued(self) -> bool:
        return self.job.status == Status.QUEUED

    @property
    def spoken_key(self) -> str:
        """Changes when there is something to say aloud: a new state, or another tenth done."""
        percent = self.percent
        return f"{self.job.status}-{'' if percent is None else percent // 10}"

    @property
    def spoken(self) -> str:
        """The state in a few words, for those who hear the page."""
        words = [self.job.get_status_display()]
        if self.percent is not None:
            words.append(f"{self.percent} % done")
        if self.job.failed:
            words.append(f"{self.job.failed:,} failed")
        return ", ".join(words) + "."


def version_of(jobs: list[Job], numbers: Sequence[int] = ()) -> str:
    """Equal as long as the rows of these jobs, and the numbers beside them, would look the same."""
    rows = [[job.pk, job.status, job.total, job.found, job.counts] for job in jobs]
    return _digest([rows, list(numbers)])


def _digest(shown: Any) -> str:
    return blake2s(json.dumps(shown, default=_text).encode(), digest_size=8).hexdigest()


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
