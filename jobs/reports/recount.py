"""Recounting: whether the counts that are shown agree with the items that are stored."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, QuerySet, Sum

from jobs.common.formatting import some
from jobs.models import Batch, Job
from jobs.states import FINAL, SENT_OUTCOMES, BatchState, Outcome, Status

#: The reason of an item whose record could not be understood.
UNREADABLE = "odd_record"


def drifts(jobs: QuerySet[Job] | None = None) -> Iterator[str]:
    """A sentence for every count of a job that does not agree with its items or batches."""
    # No cursor stays open (`ListedRefs.in_order` says why): the jobs are read one by one.
    for pk in list((Job.objects.all() if jobs is None else jobs).order_by("id").values_list("pk", flat=True)):
        job = Job.objects.filter(pk=pk).first()
        found = list(_drifts_of(job)) if job else []
        # A job whose deletion began meanwhile has fewer items than it shows, and is hidden anyway.
        if found and Job.objects.filter(pk=pk).exists():
            yield from found


def _drifts_of(job: Job) -> Iterator[str]:
    stored = dict(job.items.order_by().values_list("outcome").annotate(Count("id")))
    for outcome in FINAL:
        shown, counted = getattr(job, outcome.value), stored.get(outcome.value, 0)
        if shown != counted:
            yield f"Job {job.pk}: shows {shown:,} {outcome.value}, its items say {counted:,}."
    if job.found != sum(stored.values()):
        yield f"Job {job.pk}: shows {job.found:,} found, it has {sum(stored.values()):,} items."
    if job.is_ended:
        open_ = job.batches.filter(state__in=[BatchState.SENDING, BatchState.SENT]).count()
        if open_:
            yield f"Job {job.pk}: has ended with {some(open_, 'batch', 'batches')} in flight."
        left = stored.get(Outcome.PENDING, 0)
        if left and job.status != Status.CANCELLED:
            yield f"Job {job.pk}: is {job.status} with {left:,} items that have no outcome."
    yield from _batch_drifts(job)
    read_back = job.items.filter(outcome=Outcome.CHANGED, batch__verified_at__isnull=False).count()
    if read_back != job.verified:
        yield f"Job {job.pk}: shows {job.verified:,} verified, its items say {read_back:,}."


def _batch_drifts(job: Job) -> Iterator[str]:
    """What was sent is counted twice, by batch and by job, and must agree.

    An item that could not be read when it was listed has failed without a batch.
    """
    names = [outcome.value for outcome in SENT_OUTCOMES]
    sums = Batch.objects.filter(job=job).aggregate(**{name: Sum(name) for name in names})
    for name in names:
        in_batches = sums[name] or 0
        if in_batches < getattr(job, name):
            in_batches += job.items.filter(batch=None, outcome=name, reason=UNREADABLE).count()
        if in_batches != getattr(job, name):
            yield f"Job {job.pk}: shows {getattr(job, name):,} {name}, its batches say {in_batches:,}."
