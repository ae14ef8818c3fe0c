"""Giving up on what is in flight, when a person does not want to wait until it can be asked about."""

from __future__ import annotations

from collections import Counter

from django.db.models import F
from django.utils import timezone

from jobs.models import Batch, Item, Job
from jobs.states import BatchState, Outcome

#: The reason of items that were given up, as a code and as a sentence.
CODE = "given_up"
SENTENCE = (
    "It had been sent when the job was stopped at once, and nobody asked any more what became of it. It may "
    "be changed or not."
)


def abandon(job: Job) -> int:
    """Settle what is in flight as unverified, without asking; returns how many items that were.

    To be called in a transaction that holds the job's row, of a job that no worker has in hand: a worker that
    was robbed in the middle of a call might still send.
    """
    flying = job.batches.filter(state__in=[BatchState.SENDING, BatchState.SENT])
    items = Item.objects.filter(batch__in=flying, outcome=Outcome.PENDING)
    numbers = Counter(items.values_list("batch_id", flat=True))
    items.update(outcome=Outcome.UNVERIFIED, reason=CODE, detail=SENTENCE)
    for batch in flying:
        Batch.objects.filter(pk=batch.pk).update(
            state=BatchState.SETTLED,
            settled_at=timezone.now(),
            unverified=F("unverified") + numbers[batch.pk],
            note="It was given up when the job was stopped at once.",
        )
    Job.objects.filter(pk=job.pk).update(unverified=F("unverified") + numbers.total())
    return numbers.total()
