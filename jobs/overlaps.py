"""Other jobs on the same items: those that may come in between, and those that did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from jobs.models import Item, Job
from jobs.recipe import LISTED, Recipe
from jobs.states import Outcome

#: So many refs from each end of a list are looked for in the other one: two lists that are stretches of the
#: same numbers meet there, and a million items are not gone through for a sentence.
LOOKED_AT = 500
#: More jobs than this are not compared.
MOST_JOBS = 50


def at_work_on_the_same(job: Job) -> list[Job]:
    """Jobs that write, or are about to, to some of the same items, as far as sources and lists tell."""
    others = list(Job.objects.active().filter(dry_run=False).exclude(pk=job.pk).order_by("pk")[:MOST_JOBS])
    ends = _ends(job) if others else set()
    return [
        other
        for other in others
        if _same_source(job, other) or _holds(other, ends) or _holds(job, _ends(other))
    ]


def changed_by_others(job: Job, refs: Sequence[int], *, since: datetime) -> dict[int, int]:
    """Ref to the last other job of ours that changed it after that moment."""
    if not refs:
        return {}
    theirs = Item.objects.filter(ref__in=refs, outcome=Outcome.CHANGED, batch__settled_at__gte=since)
    return dict(theirs.exclude(job=job).order_by("batch__settled_at").values_list("ref", "job_id"))


def _same_source(job: Job, other: Job) -> bool:
    ours, theirs = Recipe.read(job.source).of, Recipe.read(other.source).of
    runs_this = any(source.get("job") == job.pk for source in theirs)
    return runs_this or any(
        source in theirs and (source.get("kind") != LISTED or bool(source.get("name"))) for source in ours
    )


def _holds(job: Job, refs: Iterable[int]) -> bool:
    return job.items.filter(ref__in=list(refs)).exists()


def _ends(job: Job) -> set[int]:
    """Refs of the beginning and of the end of its list; where nothing is read yet, of those given to it."""
    refs = job.items.values_list("ref", flat=True)
    found = {*refs.order_by("ref")[:LOOKED_AT], *refs.order_by("-ref")[:LOOKED_AT]}
    if found:
        return found
    rows = job.listed.filter(part__lt=len(Recipe.read(job.source).of)).values_list("refs", flat=True)
    given = [
        ref for row in (*rows.order_by("number")[:1], *rows.order_by("-number")[:1]) for ref in row.split()
    ]
    return {int(ref) for ref in (*given[:LOOKED_AT], *given[-LOOKED_AT:])}
