"""Totals over all jobs for monitoring, cheap at any size of the database.

Every call reads the database anew, so that it does not matter which process is asked. Rows of jobs, batches,
transitions and messages are added up, rows of items never: a job's counts are on its row, and those of
deleted jobs on the row of the run that deleted them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Count, Q, QuerySet, Sum, Value
from django_q.models import OrmQ

from jobs.clocks import clock
from jobs.engine.pacing.concurrency import batches_in_flight
from jobs.models import Batch, Job, Pruning, Transition
from jobs.states import ENDED, FINAL, BatchState, Status, WaitReason
from jobs.workers import health

Key = TypeVar("Key", bound=Hashable)

CALLS = ("read", "write", "status", "verify")
#: The dimensions of the totals; "" in each for counts that belong to no job any more.
KINDS = ("tool", "status", "waiting_for")
#: Totals by their names in the query, and the columns of a job that they sum up.
OUTCOMES = {f"n_{outcome.value}": outcome.value for outcome in FINAL}
TOTALS = OUTCOMES | {f"n_{kind}": f"calls_{kind}" for kind in CALLS} | {"lost": "workers_lost"}
NUMBERS = ("jobs_there", "of_lists", "parked", *TOTALS)


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers without names. What is called "so far" never falls, even when jobs are deleted."""

    jobs: Mapping[tuple[str, str], int]  # by tool and status; a missing key means 0
    waiting: Mapping[str, int]  # jobs that resume by themselves at a later time, by reason
    parked: int  # how often a job was parked, so far
    workers_lost: int  # while they held a job, so far
    outcomes: Mapping[str, int]  # items by outcome, so far
    pending: int  # items without an outcome, of jobs that have not ended
    calls: Mapping[str, int]  # by kind, so far
    batches: Mapping[str, int]  # by state
    under_way: int  # batches that occupy a slot at the other side
    messages_due: int  # wake-ups that no worker has taken yet
    messages_held: int  # wake-ups for later, or held by a worker
    health: health.Health


def collect() -> Figures:
    """Raises `DatabaseError` when the database does not answer."""
    rows = _rows()
    there = [row for row in rows if row["tool"]]
    now = clock.now()
    messages = OrmQ.objects.aggregate(
        due=Count("pk", filter=Q(lock__lte=now)), held=Count("pk", filter=Q(lock__gt=now))
    )
    batches = Batch.objects.values_list("state").annotate(Count("pk"))
    return Figures(
        jobs=_sums_by_key(((row["tool"], row["status"]), row["jobs_there"]) for row in there),
        waiting=dict.fromkeys(WaitReason.values, 0)
        | _sums_by_key((row["waiting_for"], row["jobs_there"]) for row in there if row["waiting_for"]),
        parked=sum(row["parked"] for row in rows),
        workers_lost=sum(row["lost"] for row in rows),
        outcomes={outcome.value: sum(row[f"n_{outcome.value}"] for row in rows) for outcome in FINAL},
        pending=sum(row["of_lists"] - _settled_items(row) for row in there if row["status"] not in ENDED),
        calls={kind: sum(row[f"n_{kind}"] for row in rows) for kind in CALLS},
        batches=dict.fromkeys(BatchState.values, 0) | dict(batches),
        under_way=batches_in_flight().count(),
        messages_due=messages["due"],
        messages_held=messages["held"],
        health=health.check(),
    )


def _rows() -> list[Mapping[str, Any]]:
    """A row for each combination of the dimensions, and rows without a tool for what has none.

    One query, and so one moment: a job that is deleted meanwhile is counted either before or after.
    """
    so_far = {name: Sum(column, default=0) for name, column in TOTALS.items()}
    waits = Transition.objects.filter(to_status=Status.WAITING).exclude(job__in=Job.stored.being_pruned())
    jobs = _grouped(Job.objects.all(), jobs_there=Count("pk"), of_lists=Sum("found"), **so_far)
    deleted = _grouped(Pruning.objects.all(), parked=Sum("waits", default=0), **so_far)
    rows = jobs.union(deleted, _grouped(waits, parked=Count("pk")), all=True)
    return [dict(zip((*KINDS, *NUMBERS), row, strict=True)) for row in rows]


def _grouped(rows: QuerySet[Any], **numbers: Any) -> QuerySet[Any]:
    """The sums of these rows by the dimensions that they have, with 0 for all other totals."""
    missing = {kind: Value("") for kind in KINDS if not hasattr(rows.model, kind)}
    grouped = rows.order_by().annotate(**missing).values(*KINDS)
    zeros = {name: Value(0) for name in NUMBERS if name not in numbers}
    told: QuerySet[Any] = grouped.annotate(**numbers, **zeros).values_list(*KINDS, *NUMBERS)
    return told


def _settled_items(row: Mapping[str, Any]) -> int:
    return sum(row[name] for name in OUTCOMES)


def _sums_by_key(pairs: Iterable[tuple[Key, int]]) -> dict[Key, int]:
    added = Counter[Key]()
    for key, number in pairs:
        added[key] += number
    return dict(added)
