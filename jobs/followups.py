"""Follow-ups: the purpose each one inherits, and what the rest of its family did.

A retry, the rest or the real run of a job has the purpose of that job: the retry of an undo takes back. Jobs
that repeat one thing, as retry, rest or real run of each other, are a family; an undo does something else and
is not part of it. The family matters for changes that must not be made twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from jobs.models import Item, Job
from jobs.states import NOT_APPLIED, SENT_BEFORE, FollowUp, Outcome
from jobs.work import PreviousResult

#: Follow-ups that inherit the purpose of the job that they follow up.
SAME_PURPOSE = frozenset({FollowUp.RETRY, FollowUp.REST, FollowUp.RUN})


@dataclass(frozen=True, slots=True)
class FollowUpPurpose:
    """`kind` is `NONE` where the tool decides what to do; `origin_job_id` is the job it is about, if any."""

    kind: FollowUp
    origin_job_id: int | None


def purpose_of(job: Job) -> FollowUpPurpose:
    """One query for each job between this one and the one where its purpose began."""
    first = first_of(job)
    if first.follow_up == FollowUp.NONE:
        return FollowUpPurpose(FollowUp.NONE, job.parent_id)
    return FollowUpPurpose(FollowUp(first.follow_up), first.parent_id)


def first_of(job: Job) -> Job:
    """The job where the purpose of this one began; one query for each job between them."""
    first = job
    while first.follow_up in SAME_PURPOSE and first.parent is not None:
        first = first.parent
    return first


def previous_results(purpose: FollowUpPurpose, refs: Sequence[int]) -> dict[int, PreviousResult]:
    """What the origin job recorded for these items."""
    if purpose.origin_job_id is None:
        return {}
    items = Item.objects.filter(job_id=purpose.origin_job_id, ref__in=refs)
    return {item.ref: PreviousResult(item.before, item.change, item.outcome) for item in items}


#: Items that some job sent, so that their change may have been made.
MAYBE_MADE = (
    Q(outcome=Outcome.UNVERIFIED)
    | Q(outcome=Outcome.FAILED, batch__attempt__gt=1)
    | Q(outcome=Outcome.PENDING, reason__in=(SENT_BEFORE, NOT_APPLIED))
)


@dataclass(frozen=True, slots=True)
class FamilyHistory:
    """What the rest of a family did to some items: the job that changed each, and the refs in doubt."""

    made: dict[int, int] = field(default_factory=dict)
    doubtful: frozenset[int] = frozenset()


def repeats_its_parent(job: Job) -> bool:
    return job.follow_up in SAME_PURPOSE


def family_history(job: Job, refs: Sequence[int]) -> FamilyHistory:
    """Only for changes that must not be made twice; for others the item itself shows what was done."""
    if not repeats_its_parent(job):
        return FamilyHistory()
    theirs = Item.objects.filter(job__in=_others(job), ref__in=refs, batch__once=True)
    return FamilyHistory(
        dict(theirs.filter(outcome=Outcome.CHANGED).values_list("ref", "job_id")),
        frozenset(theirs.filter(MAYBE_MADE).values_list("ref", flat=True)),
    )


def _others(job: Job) -> set[int]:
    eldest = job
    while repeats_its_parent(eldest) and eldest.parent is not None:
        eldest = eldest.parent
    found, generation = {eldest.pk}, {eldest.pk}
    while generation:
        children = Job.objects.filter(parent__in=generation, follow_up__in=SAME_PURPOSE)
        generation = set(children.values_list("pk", flat=True)) - found
        found |= generation
    return found - {job.pk}
