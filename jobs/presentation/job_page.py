"""One job as its page shows it: its figures, its timeline, what a person can do to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import blake2s
from typing import Any

from jobs.clocks import clock
from jobs.common import formatting
from jobs.guards.canary import canary_question
from jobs.list_cursor import ListingProgress, listing_progress
from jobs.models import Job, Transition
from jobs.presentation.blockers import Blocker, find_blocker
from jobs.presentation.job_actions import JobAction, available_actions
from jobs.presentation.outcomes import Count, outcome_counts
from jobs.presentation.speed_chart import SpeedChart, speed_chart
from jobs.presentation.statuses import STATUSES, StatusDisplay, shown_status
from jobs.presentation.timeline import TimelineEntry, fold_repetitions
from jobs.presentation.verified import verified_words
from jobs.presentation.wait_reasons import WAIT_REASONS
from jobs.reports import progress
from jobs.states import Status

#: A job in one of these was asked to pause or to stop, and a worker makes the next step.
REQUESTS = [status for status, display in STATUSES.items() if display.is_request]
STALLED_AFTER = progress.STALLED_AFTER
#: A time without progress is rounded to this, so that the page does not change every second; seconds.
STALL_STEP = 10
TIMELINE_SHOWN = 40
#: The labels of actions while the job itself asks whether to go on.
ANSWER_LABELS = {"resume": "Go on", "cancel": "Stop"}


def running_time(job: Job) -> str:
    """The time from the first worker to the end; "" before the end."""
    start, end = job.started_at, job.finished_at
    return formatting.duration((end - start).total_seconds()) if start and end else ""


class JobPage:
    """One job as its page shows it now. Each property queries the database at most once."""

    def __init__(self, job: Job) -> None:
        self.job = job

    @property
    def display(self) -> StatusDisplay:
        return STATUSES[self.job.status]

    @cached_property
    def status(self) -> dict[str, Any]:
        return progress.status_of(self.job)

    @cached_property
    def timeline(self) -> list[Transition]:
        """The newest changes of status, oldest of them first."""
        newest = self.job.transitions.select_related("user").order_by("-id")[: TIMELINE_SHOWN + 1]
        return list(newest)[::-1]

    @property
    def shown_timeline(self) -> list[TimelineEntry]:
        return fold_repetitions(self.timeline[-TIMELINE_SHOWN:])

    @cached_property
    def speed_chart(self) -> SpeedChart | None:
        return speed_chart(self.job, self.timeline)

    @property
    def timeline_is_cut(self) -> bool:
        return len(self.timeline) > TIMELINE_SHOWN

    @property
    def last_transition(self) -> Transition | None:
        """The step that brought the job into its current status."""
        return next((t for t in reversed(self.timeline) if t.to_status == self.job.status), None)

    @property
    def request_transition(self) -> Transition | None:
        """The same, or the person's request before it where a worker completed a pause or a cancel."""
        last = self.last_transition
        if last is None or last.from_status not in REQUESTS:
            return last
        return next((t for t in reversed(self.timeline) if t.to_status == last.from_status), last)

    @cached_property
    def blocker(self) -> Blocker | None:
        return find_blocker(self.job)

    @property
    def question(self) -> str:
        """What the job itself asks after its first tickets; "" if a person paused it."""
        return canary_question(self.job, self.last_transition)

    @cached_property
    def jobs_ahead(self) -> int:
        """Older jobs that wait for a worker, too."""
        return Job.objects.filter(status=Status.QUEUED, pk__lt=self.job.pk).count()

    @property
    def listing(self) -> ListingProgress:
        return listing_progress(self.job)

    @property
    def percent(self) -> int | None:
        return progress.percent_of(self.job)

    @property
    def why_it_waits(self) -> str:
        """What a waiting job waits for, in words; "" when nobody recorded it."""
        if self.job.waiting_for:
            return WAIT_REASONS[self.job.waiting_for].on_page
        return self.last_transition.why if self.last_transition else ""

    @property
    def is_due(self) -> bool:
        """Whether it waited for a time that has come."""
        return self.job.resumes_at is not None and self.job.resumes_at <= clock.now()

    @property
    def counts(self) -> list[Count]:
        return outcome_counts(self.job)

    @property
    def actions(self) -> list[JobAction]:
        offered = available_actions(self.job)
        labels = ANSWER_LABELS if self.question else self.display.action_labels
        return [replace(action, label=labels.get(action.name, action.label)) for action in offered]

    @property
    def one_click(self) -> frozenset[str]:
        """The actions that need no question because another click takes them back."""
        is_plain_pause = self.job.status == Status.PAUSED and not self.question
        return frozenset({"pause", "resume"} if is_plain_pause else {"pause"})

    @property
    def page_title(self) -> str:
        """For the tab of a browser, which may be in the background: the progress first, then the title."""
        if not self.job.is_active:
            return f"{shown_status(self.job).label} · {self.job.title}"
        return f"{self.job.title}" if self.percent is None else f"{self.percent} % · {self.job.title}"

    @property
    def colour(self) -> str:
        return shown_status(self.job).colour

    @cached_property
    def stalled_for(self) -> str:
        """How long a running job has settled nothing, if that is long; else ""."""
        if self.job.status != Status.RUNNING or self.status["eta_seconds"] is not None:
            return ""
        quiet = clock.now() - progress.last_progress(self.job)
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
        job = self.job
        return job.calls_read + job.calls_write + job.calls_status + job.calls_verify

    @property
    def verified(self) -> str:
        """What reading changed tickets back has shown, in a sentence; "" where none was read back."""
        return verified_words(self.job)

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
    def announcement_key(self) -> str:
        """Changes when screen readers should announce something: a new status, or another tenth done."""
        percent = self.percent
        return f"{self.job.status}-{'' if percent is None else percent // 10}"

    @property
    def announcement(self) -> str:
        """The status in a few words, for screen readers."""
        words = [shown_status(self.job).label]
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
    return blake2s(json.dumps(shown, default=_json_text).encode(), digest_size=8).hexdigest()


def _json_text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
