"""Overlaps: other jobs that may change the same items, and those that did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)

from jobs.models import Item, Job, ListedRefs
from jobs.source_spec import LISTED, SourceSpec
from jobs.states import Outcome

#: How many refs from each end of a list are looked up in another: lists that are ranges of the same numbers
#: meet there, and a warning is not worth comparing a million items.
COMPARED_PER_END = 500
#: How many jobs at work are compared at most.
MAX_JOBS = 50


def overlapping_jobs(job: Job) -> list[Job]:
    """Jobs that change some of the same items, or are about to, as far as sources and lists show.

    Makes a few queries, whatever the number of jobs at work.
    """
    others = list(Job.objects.active().filter(dry_run=False).exclude(pk=job.pk).order_by("pk")[:MAX_JOBS])
    if not others:
        return []
    ends = _refs_at_ends(job)
    shares = Exists(_items_of_outer_job().filter(ref__in=list(ends))) | _has_items_at_its_ends(job)
    compared = Job.objects.filter(pk__in=[other.pk for other in others]).annotate(
        is_read=Exists(_items_of_outer_job()), shares=ExpressionWrapper(shares, BooleanField())
    )
    rows = list(compared.values_list("pk", "is_read", "shares"))
    met = {pk for pk, _, has_shared in rows if has_shared}
    read = {pk for pk, is_read, _ in rows if is_read}
    unread = [other for other in others if other.pk not in read]
    met |= {pk for pk, given in _given_refs_at_ends(unread).items() if given & ends}
    met |= _given_refs_of(job, unread)
    return [other for other in others if other.pk in met or _same_source(job, other)]


def changed_by_others(job: Job, refs: Sequence[int], *, since: datetime) -> dict[int, int]:
    """The last other job that changed each ref since then; refs that none changed are left out."""
    if not refs:
        return {}
    theirs = Item.objects.filter(ref__in=refs, outcome=Outcome.CHANGED, batch__settled_at__gte=since)
    return dict(theirs.exclude(job=job).order_by("batch__settled_at").values_list("ref", "job_id"))


def _same_source(job: Job, other: Job) -> bool:
    ours, theirs = SourceSpec.read(job.source).of, SourceSpec.read(other.source).of
    runs_this = any(source.get("job") == job.pk for source in theirs)
    return runs_this or any(
        source in theirs and (source.get("kind") != LISTED or bool(source.get("name"))) for source in ours
    )


def _items_of_outer_job() -> QuerySet[Item]:
    return Item.objects.filter(job=OuterRef("pk"))


def _has_items_at_its_ends(job: Job) -> Q:
    """Whether this job has an item that a job at work begins or ends with."""
    theirs = Item.objects.filter(job=OuterRef(OuterRef("pk")))
    at_ends = (theirs.order_by(order).values("ref")[:COMPARED_PER_END] for order in ("ref", "-ref"))
    begins, stops = (Exists(job.items.filter(ref__in=Subquery(refs))) for refs in at_ends)
    return Q(begins) | Q(stops)


def _refs_at_ends(job: Job) -> set[int]:
    """The refs at both ends of the job's list, or of the refs given to it if nothing has been read."""
    refs = job.items.values_list("ref", flat=True)
    found = {*refs.order_by("ref")[:COMPARED_PER_END], *refs.order_by("-ref")[:COMPARED_PER_END]}
    return found or _given_refs_at_ends([job])[job.pk]


def _given_refs_of(job: Job, others: Sequence[Job]) -> set[int]:
    """The primary keys of unread jobs that were given one of this job's items."""
    given = _given_refs_at_ends(others, at_each_end=COMPARED_PER_END // max(len(others), 1))
    refs = set().union(*given.values())
    has = set(job.items.filter(ref__in=list(refs)).values_list("ref", flat=True)) if refs else set()
    return {pk for pk, theirs in given.items() if theirs & has}


def _given_refs_at_ends(jobs: Sequence[Job], at_each_end: int = COMPARED_PER_END) -> dict[int, set[int]]:
    """The refs at both ends of what each job was given, without those that it leaves out."""
    found: dict[int, set[int]] = {job.pk: set() for job in jobs}
    chosen = reduce(or_, (Q(job=job.pk, part__lt=len(SourceSpec.read(job.source).of)) for job in jobs), Q())
    rows = ListedRefs.objects.filter(chosen) if jobs else ListedRefs.objects.none()
    ends = rows.order_by().values("job").annotate(first=Min("number"), last=Max("number"))
    at_ends = [Q(job=end["job"], number__in=[end["first"], end["last"]]) for end in ends]
    for row in rows.filter(reduce(or_, at_ends)).order_by("number") if at_ends else ():
        numbers = row.numbers
        found[row.job_id] |= {*numbers[:at_each_end], *numbers[-at_each_end:]}
    return found
