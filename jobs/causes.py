"""Why items failed or were left out, grouped, with one of each to look at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

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
    groups = _count(job, outcomes)
    samples = {item.ref: item for item in job.items.filter(ref__in=[sample for *_, sample in groups])}
    return Causes(
        [
            Cause(Outcome(outcome), reason, number, samples[sample])
            for outcome, reason, number, sample in groups
        ],
        are_all=total <= LOOKED_AT,
    )


def _count(job: Job, outcomes: Collection[Outcome]) -> list[tuple[str, str, int, int]]:
    """Outcome, reason, number and lowest ref of each group among the first items.

    Written out, because the ORM groups a part of the rows only by looking each of them up again: all that is
    asked for here stands in the index, and ten thousand look-ups in the table would be most of the page.
    """
    first = job.items.filter(outcome__in=outcomes).order_by("outcome", "ref")[:LOOKED_AT]
    inner, values = first.values("outcome", "reason", "ref").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT outcome, reason, COUNT(*), MIN(ref) FROM ({inner}) AS looked_at"  # noqa: S608 - our own
            " GROUP BY outcome, reason ORDER BY COUNT(*) DESC, reason LIMIT %s",
            (*values, MOST_GROUPS),
        )
        return list(cursor.fetchall())
