"""What the other jobs of a family did: jobs that do one thing over, as retry, rest or real run of each other.

For changes that must not be made twice. An undo does something else, and is none of the family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from jobs.errands import AGAIN
from jobs.models import Item, Job
from jobs.states import SENT_BEFORE, Outcome

#: Sent by some job, so that its change may have been made.
MAYBE_MADE = (
    Q(outcome=Outcome.UNVERIFIED)
    | Q(outcome=Outcome.FAILED, batch__attempt__gt=1)
    | Q(outcome=Outcome.PENDING, reason=SENT_BEFORE)
)


@dataclass(frozen=True, slots=True)
class DoneBefore:
    """What the rest of a family did to some items: ref to the job that made the change, and the doubtful."""

    made: dict[int, int] = field(default_factory=dict)
    doubtful: frozenset[int] = frozenset()


def does_again(job: Job) -> bool:
    return job.follow_up in AGAIN


def done_before(job: Job, refs: Sequence[int]) -> DoneBefore:
    """Of changes that must not be made twice alone; others are judged by what the item looks like."""
    if not does_again(job):
        return DoneBefore()
    theirs = Item.objects.filter(job__in=_others(job), ref__in=refs, batch__once=True)
    return DoneBefore(
        dict(theirs.filter(outcome=Outcome.CHANGED).values_list("ref", "job_id")),
        frozenset(theirs.filter(MAYBE_MADE).values_list("ref", flat=True)),
    )


def _others(job: Job) -> set[int]:
    eldest = job
    while does_again(eldest) and eldest.parent is not None:
        eldest = eldest.parent
    found, generation = {eldest.pk}, {eldest.pk}
    while generation:
        children = Job.objects.filter(parent__in=generation, follow_up__in=AGAIN)
        generation = set(children.values_list("pk", flat=True)) - found
        found |= generation
    return found - {job.pk}
