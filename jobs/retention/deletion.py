"""Deleting the rows of jobs that were given up for it, piece by piece, beside everybody else's work.

A million items in one statement would keep all others from writing for as long as it takes, where a database
lets one write at a time. So each piece is a short transaction, and the time that it took is left to others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from jobs.models import Batch, Item, Job, ListedRefs, Transition
from jobs.runtime.database_retry import DatabaseRetry

#: Items that go in one transaction.
ITEMS_AT_ONCE = 2_000
#: Rows of the other tables, each of which there are few: those that go first stand first.
ROWS_AT_ONCE: dict[type[Model], int] = {Batch: 500, ListedRefs: 20, Transition: 1_000}

Piece = Callable[[], tuple[int, dict[str, int]]]


@dataclass(slots=True)
class Deleted:
    """How much is gone, so far."""

    jobs: int = 0
    items: int = 0


def delete_marked(
    done: Deleted,
    *,
    patience: DatabaseRetry,
    tell: Callable[[Deleted], None],
    rest: Callable[[float], object] = time.sleep,
) -> None:
    """All that is left of the jobs being deleted, follow-ups before the jobs that they follow up.

    Several may do so at the same time; each row goes once, and is counted by whoever deleted it.
    """
    # A follow-up is made after its job, and so has the higher number.
    marked = Job.stored.being_pruned().order_by("-pk").values_list("pk", flat=True)
    for job in _read(marked, patience):
        for piece in _pieces(job, patience):
            begun = time.monotonic()
            _, gone = patience.retry(piece)
            took = time.monotonic() - begun
            done.items += gone.get(Item._meta.label, 0)
            done.jobs += gone.get(Job._meta.label, 0)
            tell(done)
            rest(took)


def _pieces(job: int, patience: DatabaseRetry) -> Iterator[Piece]:
    yield from _item_pieces(job, patience)
    for model, size in ROWS_AT_ONCE.items():
        rows = model._default_manager.filter(job=job)
        numbers = _read(rows.order_by("pk").values_list("pk", flat=True), patience)
        for start in range(0, len(numbers), size):
            yield rows.filter(pk__in=numbers[start : start + size]).delete
    # Last of all, with what other rooms keep of it.
    yield Job.stored.filter(pk=job).delete


def _read(numbers: QuerySet[Any, int], patience: DatabaseRetry) -> list[int]:
    return patience.retry(lambda: list(numbers))


def _item_pieces(job: int, patience: DatabaseRetry) -> Iterator[Piece]:
    """Stretches of the index over job and ref, each begun where the one before ended.

    Looked for from the start, all that is deleted and not tidied up yet would be gone through each time.
    """
    rest: QuerySet[Item] | None = Item.objects.filter(job=job)
    while rest is not None:
        ends = rest.order_by("ref").values_list("ref", flat=True)[ITEMS_AT_ONCE - 1 : ITEMS_AT_ONCE]
        end = _read(ends, patience)
        yield (rest.filter(ref__lte=end[0]) if end else rest).delete
        rest = Item.objects.filter(job=job, ref__gt=end[0]) if end else None
