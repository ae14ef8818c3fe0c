"""How far a job is, in words for a terminal or a pipe; `jobs.cli.progress_bar` draws it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

from django.utils import timezone

from jobs.formatting import duration, time_left
from jobs.list_cursor import listing_progress
from jobs.models import Job
from jobs.reports.progress import percent_of, speed_of
from jobs.states import Status, WaitReason

#: In a pipe: a line at least so often, seconds, and one for every so many percent.
LINE_EVERY, PERCENT_A_LINE = 10.0, 10

WAITS_FOR = {
    WaitReason.RATE_LIMIT: "the other side asked us to slow down",
    WaitReason.JOB_SLOTS: "the other side's job queue is full",
    WaitReason.SERVICE_AWAY: "the other side does not answer",
    WaitReason.WORKER_LOST: "its worker was lost, and another takes over",
    WaitReason.DATABASE: "the database was in trouble",
}


def printable(text: str) -> str:
    """Text of others for a terminal, which would obey the control characters in it."""
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)


def words_on(job: Job) -> str:
    """Where the job is, as the end of a sentence that begins with its name."""
    words = WORDS[Status(job.status)]
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
    why = WAITS_FOR.get(WaitReason(job.waiting_for), "") if job.waiting_for else ""
    if job.resumes_at is None:
        return f"waits: {why}"
    left = max((job.resumes_at - timezone.now()).total_seconds(), 0)
    return f"goes on at {job.resumes_at:%H:%M:%S} UTC, in {duration(left)}: {why}"


WORDS: dict[Status, str | Callable[[Job], str]] = {
    Status.QUEUED: lambda job: "starts" if job.lease_token else "waits for a worker",
    Status.SELECTING: _selecting,
    Status.RUNNING: _running,
    Status.WAITING: _waiting,
    Status.PAUSING: "settles what is in flight, then pauses",
    Status.PAUSED: "is paused; manage.py jobs resume {job.pk} lets it go on",
    Status.CANCELLING: "settles what is in flight, then is cancelled",
    Status.CANCELLED: "cancelled",
    Status.ERRORED: "stopped",
    Status.SUCCEEDED: "done",
    Status.PARTIAL: "done, some tickets failed",
}


class Lines:
    """Plain lines for a pipe or a log: at changes, each ten percent, and each ten seconds."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._told: tuple[str, str, int] | None = None
        self._told_at = 0.0

    def show(self, job: Job) -> None:
        if job.is_ended:
            return  # the tally tells
        percent = percent_of(job)
        state = (job.status, job.waiting_for, (percent or 0) // PERCENT_A_LINE)
        if state == self._told and self._clock() - self._told_at < LINE_EVERY:
            return
        self._told, self._told_at = state, self._clock()
        part = f"{percent} %, " if percent is not None and job.status == Status.RUNNING else ""
        self.say(f"Job {job.pk}: {part}{words_on(job)}")

    def say(self, sentence: str) -> None:
        self._write(printable(sentence))

    def aside(self) -> AbstractContextManager[None]:
        return nullcontext()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to put away."""
