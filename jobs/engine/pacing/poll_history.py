"""Starts a poll schedule with the time that earlier batches took."""

from __future__ import annotations

from django.db.models import QuerySet

from jobs.engine.pacing.poll_schedule import PollSchedule, effective_size
from jobs.models import Batch, Job
from jobs.states import BatchState

#: How many of the batches settled last count.
RECENT_BATCHES = 50


def schedule_for(job: Job) -> PollSchedule:
    """A schedule that knows what the job's own batches took, or else those of other jobs."""
    settled = Batch.objects.filter(state=BatchState.SETTLED, receipt__gt="")
    own = settled.filter(job=job)
    number = own.count()
    pace = _best_pace(own.order_by("-settled_at")) if number else None
    return PollSchedule(pace or _best_pace(settled.order_by("-id")), settled=number, polls=job.calls_status)


def _best_pace(batches: QuerySet[Batch]) -> float | None:
    """Seconds per effective item of the fastest recent batch: its end was noticed with the least delay."""
    paces = [
        (settled_at - sent_at).total_seconds() / effective_size(size)
        for sent_at, settled_at, size in batches.values_list("sent_at", "settled_at", "size")[:RECENT_BATCHES]
        if sent_at and settled_at
    ]
    return min((pace for pace in paces if pace > 0), default=None)
