"""Places in flight: how many batches may be under way at the other side, of all jobs together."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from jobs.models import Batch, Gate, Job
from jobs.states import ACTIVE, BatchState, Status

#: Batches of a job that stopped with an error keep their places for so long: far longer than a batch takes.
STOPPED_JOBS_HOLD_SLOTS = timedelta(minutes=5)
#: The row under whose lock places in flight are given out.
SLOTS = "slots"


def has_free_slot(*, taken: int, most: int) -> bool:
    """Whether a job that has so many of the places may take one more; until the end of the transaction.

    A job gets no more than its fair share, or one that keeps its places while it waits for its turn would
    starve the others.
    """
    if not Gate.objects.select_for_update().filter(name=SLOTS):
        Gate.objects.get_or_create(name=SLOTS)
        Gate.objects.select_for_update().get(name=SLOTS)
    if batches_in_flight().count() >= most:
        return False
    sharing = Job.objects.filter(status=Status.RUNNING).count()
    return taken < max(1, most // max(1, sharing))


def batches_in_flight() -> QuerySet[Batch]:
    """The batches that take up a place at the other side, of all jobs together."""
    # What a job had in flight when it stopped goes on all the same, and nobody may ever ask about it.
    lately = timezone.now() - STOPPED_JOBS_HOLD_SLOTS
    counts = Q(job__status__in=ACTIVE) | Q(sent_at__gte=lately)
    return Batch.objects.filter(counts, state__in=[BatchState.SENDING, BatchState.SENT])
