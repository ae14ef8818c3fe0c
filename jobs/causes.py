"""Why items failed or were left out, grouped, with one of each to look at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, Min

from jobs.models import Item, Job
from jobs.states import Outcome

#: So many items are looked at, so that the page is as quick for a job that failed a million times.
LOOKED_AT = 10_000
MOST_GROUPS = 12


@dataclass(frozen=True, slots=True)
class Cause:
    """Items of one job with the same outcome and reason."""

    outcome: Outcome
    reason: str
    number: int
    sample: Item

    @property
    def may_be_retried(self) -> bool:
        return self.outcome == Outcome.FAILED and bool(self.reason)


@dataclass(frozen=True, slots=True)
class Causes:
    groups: list[Cause]
    are_all: bool  # False: counted among the first `LOOKED_AT` items only


def causes_of(job: Job, outcomes: Collection[Outcome]) -> Causes:
    """The most frequent first; two queries, none when the job counts no such item."""
    total = sum(getattr(job, outcome.value) for outcome in outcomes)
    if not total:
        return Causes([], are_all=True)
    first = job.items.filter(outcome__in=outcomes).order_by("outcome", "ref")[:LOOKED_AT]
    rows = (
        Item.objects.filter(pk__in=first.values("pk"))
        .values("outcome", "reason")
        .annotate(number=Count("pk"), sample=Min("ref"))
        .order_by("-number", "reason")[:MOST_GROUPS]
    )
    groups = list(rows)
    samples = {item.ref: item for item in job.items.filter(ref__in=[row["sample"] for row in groups])}
    return Causes(
        [
            Cause(Outcome(row["outcome"]), row["reason"], row["number"], samples[row["sample"]])
            for row in groups
        ],
        are_all=total <= LOOKED_AT,
    )
