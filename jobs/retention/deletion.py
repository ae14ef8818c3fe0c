"""Deleting the rows of marked jobs in small pieces, while others go on working.

Where a database has a single writer, deleting a million items in one statement would keep everybody else from
writing. So each piece is a short transaction, and a pause of the same length follows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from jobs.models import Batch, Item, Job, ListedRefs, Transition
from jobs.runtime.database_retry import DatabaseRetry

#: Items deleted in one transaction.
ITEMS_AT_ONCE = 2_000
#: Rows of the smaller tables in one transaction, in the order of deletion.
ROWS_AT_ONCE: dict[type[Model], int] = {Batch: 500, ListedRefs: 20, Transition: 1_000}

Piece = Callable[[], tuple[int, dict[str, int]]]


@dataclass(slots=True)
class Deleted:
    """How much was deleted so far."""

    jobs: int = 0
    items: int = 0


def delete_marked(
    done: Deleted,
    *,
    patience: DatabaseRetry,
    tell: Callable[[Deleted], None],
    rest: Callable[[float], object] = time.sleep,
) -> None:
    """Delete what is left of marked jobs, follow-ups before the jobs that they follow up.

    Several processes may do so at the same time; each row is counted by the one that deleted it. `tell` is
    called with the totals after each piece, and `rest` with the seconds to pause.
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
    # Last of all, with the rows of other apps that belong to it.
    yield Job.stored.filter(pk=job).delete


def _read(numbers: QuerySet[Any, int], patience: DatabaseRetry) -> list[int]:
    return patience.retry(lambda: list(numbers))


def _item_pieces(job: int, patience: DatabaseRetry) -> Iterator[Piece]:
    """Ranges of the index over job and ref, each starting where the one before ended.

    A search from the start would pass over all rows that are deleted but not cleaned up yet, each time.
    """
    rest: QuerySet[Item] | None = Item.objects.filter(job=job)
    while rest is not None:
        ends = rest.order_by("ref").values_list("ref", flat=True)[ITEMS_AT_ONCE - 1 : ITEMS_AT_ONCE]
        end = _read(ends, patience)
        yield (rest.filter(ref__lte=end[0]) if end else rest).delete
        rest = Item.objects.filter(job=job, ref__gt=end[0]) if end else None
