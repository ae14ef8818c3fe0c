"""Other jobs on the same items: those that may come in between, and those that did."""

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

#: So many refs from each end of a list are looked for in the other one: two lists that are stretches of the
#: same numbers meet there, and a million items are not gone through for a sentence.
COMPARED_PER_END = 500
#: More jobs than this are not compared.
MAX_JOBS = 50


def overlapping_jobs(job: Job) -> list[Job]:
    """Jobs that write, or are about to, to some of the same items, as far as sources and lists tell.

    Asks the database a few times, however many jobs are at work.
    """
    others = list(Job.objects.active().filter(dry_run=False).exclude(pk=job.pk).order_by("pk")[:MAX_JOBS])
    if not others:
        return []
    ends = _refs_at_ends(job)
    shares = Exists(_items_of_outer_job().filter(ref__in=list(ends))) | _has_items_at_its_ends(job)
    looked_at = Job.objects.filter(pk__in=[other.pk for other in others]).annotate(
        is_read=Exists(_items_of_outer_job()), shares=ExpressionWrapper(shares, BooleanField())
    )
    rows = list(looked_at.values_list("pk", "is_read", "shares"))
    met = {pk for pk, _, has_shared in rows if has_shared}
    read = {pk for pk, is_read, _ in rows if is_read}
    unread = [other for other in others if other.pk not in read]
    met |= {pk for pk, given in _given_refs_at_ends(unread).items() if given & ends}
    met |= _given_refs_of(job, unread)
    return [other for other in others if other.pk in met or _same_source(job, other)]


def changed_by_others(job: Job, refs: Sequence[int], *, since: datetime) -> dict[int, int]:
    """Ref to the last other job of ours that changed it after that moment."""
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
    """Of a job at work: what its list begins or ends with, this one has too."""
    theirs = Item.objects.filter(job=OuterRef(OuterRef("pk")))
    at_ends = (theirs.order_by(order).values("ref")[:COMPARED_PER_END] for order in ("ref", "-ref"))
    begins, stops = (Exists(job.items.filter(ref__in=Subquery(refs))) for refs in at_ends)
    return Q(begins) | Q(stops)


def _refs_at_ends(job: Job) -> set[int]:
    """Refs of the beginning and of the end of its list; where nothing is read yet, of those given to it."""
    refs = job.items.values_list("ref", flat=True)
    found = {*refs.order_by("ref")[:COMPARED_PER_END], *refs.order_by("-ref")[:COMPARED_PER_END]}
    return found or _given_refs_at_ends([job])[job.pk]


def _given_refs_of(job: Job, others: Sequence[Job]) -> set[int]:
    """The keys of those, not read yet, that were given an item of this job."""
    given = _given_refs_at_ends(others, at_each_end=COMPARED_PER_END // max(len(others), 1))
    refs = set().union(*given.values())
    has = set(job.items.filter(ref__in=list(refs)).values_list("ref", flat=True)) if refs else set()
    return {pk for pk, theirs in given.items() if theirs & has}


def _given_refs_at_ends(jobs: Sequence[Job], at_each_end: int = COMPARED_PER_END) -> dict[int, set[int]]:
    """Of each job the refs at the ends of what was given to it; what it is to leave out is not looked at."""
    found: dict[int, set[int]] = {job.pk: set() for job in jobs}
    chosen = reduce(or_, (Q(job=job.pk, part__lt=len(SourceSpec.read(job.source).of)) for job in jobs), Q())
    rows = ListedRefs.objects.filter(chosen) if jobs else ListedRefs.objects.none()
    ends = rows.order_by().values("job").annotate(first=Min("number"), last=Max("number"))
    at_ends = [Q(job=end["job"], number__in=[end["first"], end["last"]]) for end in ends]
    for row in rows.filter(reduce(or_, at_ends)).order_by("number") if at_ends else ():
        numbers = row.numbers
        found[row.job_id] |= {*numbers[:at_each_end], *numbers[-at_each_end:]}
    return found
