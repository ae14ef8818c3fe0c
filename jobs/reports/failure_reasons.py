"""Why items failed or were left out, grouped, with one of each to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from jobs.input import storable
from jobs.models import Item, Job
from jobs.states import Outcome

#: So many items are looked at, so that the page is as quick for a job that failed a million times.
ITEMS_GROUPED = 5_000
#: Among so many of them one sees whether a group's items give more than one sentence.
SENTENCES_COMPARED = 1_000
MOST_GROUPS = 12
#: A reason is a code of at most so many characters, one more never fits.
REASON_LENGTH = 65


@dataclass(frozen=True, slots=True)
class Cause:
    """Items of one job with the same outcome and reason."""

    outcome: Outcome
    reason: str
    number: int
    sample: Item
    other_sentences: int  # besides the sample's, among the first items

    @property
    def may_be_retried(self) -> bool:
        return self.outcome == Outcome.FAILED and bool(self.reason)


@dataclass(frozen=True, slots=True)
class Causes:
    groups: list[Cause]
    are_all: bool  # False: counted among so many only
    among: int = ITEMS_GROUPED


def reason_in(sent: Mapping[str, str]) -> str:
    """The reason to which an address or a form narrows; "" for none."""
    return storable(sent.get("reason", ""), REASON_LENGTH)


def causes_of(job: Job, outcomes: Collection[Outcome]) -> Causes:
    """The most frequent first; three queries, none when the job counts no such item."""
    total = sum(getattr(job, outcome.value) for outcome in outcomes)
    if not total:
        return Causes([], are_all=True)
    groups = _count(job, outcomes)
    sentences = _sentences(job, outcomes)
    samples = {item.ref: item for item in job.items.filter(ref__in=[sample for *_, sample in groups])}
    return Causes(
        [
            Cause(Outcome(outcome), reason, number, samples[sample], max(sentences[outcome, reason] - 1, 0))
            for outcome, reason, number, sample in groups
        ],
        are_all=total <= ITEMS_GROUPED,
    )


def _sentences(job: Job, outcomes: Collection[Outcome]) -> Counter[tuple[str, str]]:
    """How many different sentences there are by outcome and reason, among the first items."""
    rows = _grouped(job, outcomes, "COUNT(DISTINCT detail)", among=SENTENCES_COMPARED, reads="detail")
    return Counter({(outcome, reason): number for outcome, reason, number in rows})


def _count(job: Job, outcomes: Collection[Outcome]) -> list[tuple[str, str, int, int]]:
    """Outcome, reason, number and lowest ref of each group among the first items; the largest first."""
    rows = _grouped(job, outcomes, "COUNT(*), MIN(ref)", among=ITEMS_GROUPED, reads="ref")
    return sorted(rows, key=lambda row: (-row[2], row[1]))[:MOST_GROUPS]


def _grouped(job: Job, outcomes: Collection[Outcome], told: str, *, among: int, reads: str) -> list[Any]:
    """Outcome, reason and what is told of each group among so many first items.

    Written out, because the ORM groups a part of the rows only by looking each of them up again: what is
    counted stands in the index, and thousands of look-ups in the table would be most of the page.
    """
    first = job.items.filter(outcome__in=outcomes).order_by("outcome", "ref")[:among]
    inner, values = first.values("outcome", "reason", reads).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT outcome, reason, {told} FROM ({inner}) AS looked_at"  # noqa: S608 - our own
            " GROUP BY outcome, reason",
            values,
        )
        return list(cursor.fetchall())
