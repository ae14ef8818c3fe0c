"""Follow-ups: the purpose each one inherits, and what the rest of its family did.

A retry, the rest or the real run of a job has the purpose of that job: the retry of an undo takes back. Jobs
that repeat one thing, as retry, rest or real run of each other, are a family; an undo does something else and
is not part of it. The family matters for changes that must not be made twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.db.models.expressions import RawSQL

from jobs.models import Item, Job, JobQuerySet
from jobs.states import NOT_APPLIED, SENT_BEFORE, FollowUp, Outcome
from jobs.work import PreviousResult

#: Follow-ups that inherit the purpose of the job that they follow up.
SAME_PURPOSE = frozenset({FollowUp.RETRY, FollowUp.REST, FollowUp.RUN})


@dataclass(frozen=True, slots=True)
class FollowUpPurpose:
    """`kind` is `NONE` where the tool decides what to do; `origin_job_id` is the job it is about, if any."""

    kind: FollowUp
    origin_job_id: int | None


#: Finds the job where a purpose began.
ELDEST = """
    WITH RECURSIVE line(id, parent_id, follow_up, steps) AS (
        SELECT id, parent_id, follow_up, 0 FROM jobs_job WHERE id = %s
        UNION ALL
        SELECT job.id, job.parent_id, job.follow_up, line.steps + 1
        FROM jobs_job job JOIN line ON job.id = line.parent_id WHERE line.follow_up IN (%s, %s, %s)
    )
    SELECT id FROM line ORDER BY steps DESC LIMIT 1
"""
#: Finds some jobs and all their follow-ups.
BELOW = """
    WITH RECURSIVE kin(id) AS (
        SELECT id FROM jobs_job WHERE {start}
        UNION
        SELECT job.id FROM jobs_job job JOIN kin ON job.parent_id = kin.id WHERE {follow_up}
    )
    SELECT id FROM kin
"""
REPEATS = sorted(SAME_PURPOSE)


def purpose_of(job: Job) -> FollowUpPurpose:
    """Two queries at most."""
    first = first_of(job)
    if first.follow_up == FollowUp.NONE:
        return FollowUpPurpose(FollowUp.NONE, job.parent_id)
    return FollowUpPurpose(FollowUp(first.follow_up), first.parent_id)


def first_of(job: Job) -> Job:
    """The job where the purpose of this one began; one query, however long the line of retries is."""
    if not repeats_its_parent(job) or job.parent_id is None:
        return job
    return Job.stored.get(pk=RawSQL(ELDEST, (job.pk, *REPEATS)))  # noqa: S611 - no text of anybody in it


def family_of(eldest: int) -> JobQuerySet:
    """The job and all its follow-ups, theirs, and so on; one query."""
    return _below("id = %s", eldest, follow_up="TRUE")


def repeats_of(job: int) -> JobQuerySet:
    """The job and all that repeat it, or repeat one of these."""
    return _below("id = %s", job, follow_up="job.follow_up IN (%s, %s, %s)")


def undos_of(job: int) -> JobQuerySet:
    """The undos of the job, and all that repeat them."""
    undo = FollowUp.UNDO.value
    return _below("parent_id = %s AND follow_up = %s", job, undo, follow_up="job.follow_up IN (%s, %s, %s)")


def _below(start: str, *params: object, follow_up: str) -> JobQuerySet:
    repeats = REPEATS if "%s" in follow_up else []
    found = RawSQL(BELOW.format(start=start, follow_up=follow_up), (*params, *repeats))  # noqa: S611 - as above
    return Job.objects.filter(pk__in=found)


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
    return set(repeats_of(first_of(job).pk).values_list("pk", flat=True)) - {job.pk}
