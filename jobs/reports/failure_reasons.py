"""Why items failed or were skipped: groups with a sample of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from jobs.common.input import storable
from jobs.models import Item, Job
from jobs.states import Outcome

#: Items grouped at most, so that the page is as fast for a job with a million failures.
ITEMS_GROUPED = 5_000
#: Items among which the different sentences of a group are counted.
SENTENCES_COMPARED = 1_000
MOST_GROUPS = 12
#: One character more than a reason can have, so that a longer text never matches.
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
    are_all: bool  # False: only the first `among` were counted
    among: int = ITEMS_GROUPED


def reason_in(sent: Mapping[str, str]) -> str:
    """The reason to which an address or a form narrows; "" for none."""
    return storable(sent.get("reason", ""), REASON_LENGTH)


def causes_of(job: Job, outcomes: Collection[Outcome]) -> Causes:
    """The most frequent first; three queries, or none if the job counts no such item."""
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
    """The number of different sentences by outcome and reason, among the first items."""
    rows = _grouped(job, outcomes, "COUNT(DISTINCT detail)", among=SENTENCES_COMPARED, reads="detail")
    return Counter({(outcome, reason): number for outcome, reason, number in rows})


def _count(job: Job, outcomes: Collection[Outcome]) -> list[tuple[str, str, int, int]]:
    """Outcome, reason, number and lowest ref of each group among the first items; the largest first."""
    rows = _grouped(job, outcomes, "COUNT(*), MIN(ref)", among=ITEMS_GROUPED, reads="ref")
    return sorted(rows, key=lambda row: (-row[2], row[1]))[:MOST_GROUPS]


def _grouped(job: Job, outcomes: Collection[Outcome], told: str, *, among: int, reads: str) -> list[Any]:
    """Outcome, reason and the aggregates of each group, among the first items.

    Raw SQL, because the ORM would look up each row again: the index has everything that is counted, and
    thousands of look-ups would take most of the time of the page.
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
