"""What a job is out for: to do what its tool says, or to deal with what an earlier job did.

A retry, the rest or the real run of a job is out for the same as that job: the retry of an undo takes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.models import Item, Job
from jobs.states import FollowUp
from jobs.work import Earlier

#: Follow-ups that have their errand from the job that they follow up.
AGAIN = frozenset({FollowUp.RETRY, FollowUp.REST, FollowUp.RUN})


@dataclass(frozen=True, slots=True)
class Errand:
    """`kind` is `NONE` where the tool says what to do; `ground` is the job that it is about, if any."""

    kind: FollowUp
    ground: int | None


def errand_of(job: Job) -> Errand:
    """One query for each job between this one and where the errand began."""
    first = job
    while first.follow_up in AGAIN and first.parent is not None:
        first = first.parent
    if first.follow_up == FollowUp.NONE:
        return Errand(FollowUp.NONE, job.parent_id)
    return Errand(FollowUp(first.follow_up), first.parent_id)


def earlier_of(errand: Errand, refs: Sequence[int]) -> dict[int, Earlier]:
    """What the job that the errand is about recorded for these items."""
    if errand.ground is None:
        return {}
    items = Item.objects.filter(job_id=errand.ground, ref__in=refs)
    return {item.ref: Earlier(item.before, item.change, item.outcome) for item in items}
