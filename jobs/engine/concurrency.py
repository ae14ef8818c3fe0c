"""Slots: how many batches may be in flight at the other side, of all jobs together."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from jobs.models import Batch, Gate, Job
from jobs.states import ACTIVE, BatchState, Status

#: How long the batches of a job that stopped with an error keep their slots: far longer than a batch takes.
STOPPED_JOBS_HOLD_SLOTS = timedelta(minutes=5)
#: The `Gate` row under whose lock slots are given out.
SLOTS = "slots"


def has_free_slot(*, taken: int, most: int) -> bool:
    """Whether a job that has `taken` slots may take one more; holds until the end of the transaction.

    A job gets no more than its fair share of the `most` slots. Otherwise a job that keeps its slots while it
    waits for a worker would starve the others.
    """
    if not Gate.objects.select_for_update().filter(name=SLOTS):
        Gate.objects.get_or_create(name=SLOTS)
        Gate.objects.select_for_update().get(name=SLOTS)
    if batches_in_flight().count() >= most:
        return False
    sharing = Job.objects.filter(status=Status.RUNNING).count()
    return taken < max(1, most // max(1, sharing))


def batches_in_flight() -> QuerySet[Batch]:
    """The batches that occupy a slot at the other side, of all jobs together."""
    # Batches of a stopped job are carried out all the same, and may never be polled again.
    lately = timezone.now() - STOPPED_JOBS_HOLD_SLOTS
    counts = Q(job__status__in=ACTIVE) | Q(sent_at__gte=lately)
    return Batch.objects.filter(counts, state__in=[BatchState.SENDING, BatchState.SENT])
