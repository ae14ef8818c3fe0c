"""How much of everything there is, over all jobs: what monitoring asks, at any size of the database.

Read anew at each question, so that it does not matter which process is asked. Rows of jobs, batches,
transitions and messages are added up, rows of items never: the counts of a job lie on its row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Count, Q, Sum
from django.utils import timezone
from django_q.models import OrmQ

from jobs import health
from jobs.models import FINAL, Batch, Job, Transition
from jobs.sending import batches_under_way
from jobs.states import ENDED, BatchState, Status, WaitReason

Key = TypeVar("Key", bound=Hashable)

CALLS = ("read", "write", "status")


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers without names. Jobs are never deleted, so what is called "so far" never falls."""

    jobs: Mapping[tuple[str, str], int]  # by tool and status; what is not named is none
    waiting: Mapping[str, int]  # jobs that go on by themselves at a time to come, by reason
    parked: int  # how often a job was put down to wait, so far
    workers_lost: int  # while they had a job in hand, so far
    outcomes: Mapping[str, int]  # items by outcome, so far
    pending: int  # items without an outcome, of jobs that have not ended
    calls: Mapping[str, int]  # by kind, so far
    batches: Mapping[str, int]  # by state
    under_way: int  # batches that take up a place at the other side
    messages_due: int  # wake-ups that no worker has taken yet
    messages_held: int  # wake-ups for a time to come, or in the hands of a worker
    health: health.Health


def look() -> Figures:
    """Raises `DatabaseError` when the database does not answer."""
    rows = _rows()
    now = timezone.now()
    messages = OrmQ.objects.aggregate(
        due=Count("pk", filter=Q(lock__lte=now)), held=Count("pk", filter=Q(lock__gt=now))
    )
    batches = Batch.objects.values_list("state").annotate(Count("pk"))
    return Figures(
        jobs=_added(((row["tool"], row["status"]), row["number"]) for row in rows),
        waiting=dict.fromkeys(WaitReason.values, 0)
        | _added((row["waiting_for"], row["number"]) for row in rows if row["waiting_for"]),
        parked=Transition.objects.filter(to_status=Status.WAITING).count(),
        workers_lost=sum(row["lost"] for row in rows),
        outcomes={outcome.value: sum(row[f"n_{outcome.value}"] for row in rows) for outcome in FINAL},
        pending=sum(row["of_lists"] - _ended(row) for row in rows if row["status"] not in ENDED),
        calls={kind: sum(row[f"n_{kind}"] for row in rows) for kind in CALLS},
        batches=dict.fromkeys(BatchState.values, 0) | dict(batches),
        under_way=batches_under_way().count(),
        messages_due=messages["due"],
        messages_held=messages["held"],
        health=health.look(),
    )


def _rows() -> list[Mapping[str, Any]]:
    """The table of jobs is read once; what tells jobs apart comes back as a row each."""
    sums = {f"n_{outcome.value}": Sum(outcome.value) for outcome in FINAL}
    sums |= {f"n_{kind}": Sum(f"calls_{kind}") for kind in CALLS}
    grouped = Job.objects.order_by().values("tool", "status", "waiting_for")
    return list(grouped.annotate(number=Count("pk"), lost=Sum("workers_lost"), of_lists=Sum("found"), **sums))


def _ended(row: Mapping[str, Any]) -> int:
    return sum(row[f"n_{outcome.value}"] for outcome in FINAL)


def _added(pairs: Iterable[tuple[Key, int]]) -> dict[Key, int]:
    added = Counter[Key]()
    for key, number in pairs:
        added[key] += number
    return dict(added)
