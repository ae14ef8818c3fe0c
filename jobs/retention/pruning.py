"""Which ended jobs are old enough to be deleted, and marking them for good.

A family (a job, its follow-ups, and theirs) is deleted as a whole or not at all: a follow-up relies on what
the job before it recorded, and only all of them together know which comments of a macro were posted. The mark
is set in one transaction, under the locks that a follow-up takes. From then on the job is hidden, and its
rows may be deleted piece by piece (`jobs.retention.deletion`), in this run or in the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from jobs.actors import Actor
from jobs.followups import SAME_PURPOSE, family_of
from jobs.models import Job, Pruning, Transition
from jobs.retention import deletion
from jobs.runtime.database_retry import DatabaseRetry
from jobs.source_spec import jobs_named
from jobs.states import ENDED, FINAL, FollowUp, Guarded, Status

#: Jobs read in one query.
ROWS_AT_ONCE = 2_000
#: Counts that live on after the job is deleted.
COUNTED = (
    "found",
    *(outcome.value for outcome in FINAL),
    *("calls_read", "calls_write", "calls_status", "calls_verify", "workers_lost"),
)


@dataclass(slots=True)
class Family:
    """A job and all its follow-ups, as they were read."""

    eldest: int
    jobs: int = 0
    tickets: int = 0
    is_old: bool = True  # all of it ended before the given time
    ended: int = 0  # how many of its jobs ended before the given time
    changed: dict[int, int] = field(default_factory=dict)  # tickets that an undo could revert, by job
    guarded: set[int] = field(default_factory=set)  # jobs whose guard tag was left on


@dataclass(frozen=True, slots=True)
class Prunable:
    """The jobs that ended before a time, as they were read: which may be deleted, and why others stay."""

    families: list[Family]
    followed: int  # jobs that stay because one of their family has not ended, or ended later
    read: int  # jobs that stay because one that has not ended takes tickets from them
    standing: list[int]  # jobs as old that never ended
    begun: int  # jobs that an earlier run has begun to delete

    @property
    def jobs(self) -> int:
        return sum(family.jobs for family in self.families)

    @property
    def tickets(self) -> int:
        return sum(family.tickets for family in self.families)

    @property
    def changed(self) -> int:
        """Tickets whose change can be undone now, but not once the jobs are deleted."""
        return sum(sum(family.changed.values()) for family in self.families)

    @property
    def guarded(self) -> int:
        return sum(len(family.guarded) for family in self.families)


class Row(NamedTuple):
    """The columns of a job that the rules need."""

    pk: int
    parent_id: int | None
    follow_up: str
    status: str
    created_at: datetime
    finished_at: datetime | None
    found: int
    changed: int
    guarded: str
    dry_run: bool


def find_prunable(before: datetime) -> Prunable:
    """Reads the rows of all jobs, `ROWS_AT_ONCE` a query, and then those of jobs that have not ended."""
    families: dict[int, Family] = {}
    eldest_of: dict[int, int] = {}
    purposes: dict[int, str] = {}
    standing = []
    # Parents come first, because their children are made later.
    for row in _rows():
        eldest = eldest_of[row.pk] = eldest_of.get(row.parent_id or 0, row.pk)
        again = row.follow_up in SAME_PURPOSE and row.parent_id in purposes
        purposes[row.pk] = purposes[row.parent_id or 0] if again else row.follow_up
        family = families.setdefault(eldest, Family(eldest))
        _add(family, row, purposes[row.pk], before)
        if row.status not in ENDED and row.created_at < before:
            standing.append(row.pk)
    named = {eldest_of.get(number) for number in _jobs_still_read()}
    old = [family for family in families.values() if family.is_old]
    return Prunable(
        families=[family for family in old if family.eldest not in named],
        followed=sum(family.ended for family in families.values() if not family.is_old),
        read=sum(family.jobs for family in old if family.eldest in named),
        standing=standing,
        begun=Job.stored.being_pruned().count(),
    )


def _rows() -> Iterator[Row]:
    """All jobs by number. No cursor stays open (`ListedRefs.in_order` says why)."""
    rows = Job.objects.order_by("pk").values_list(*Row._fields)
    last = 0
    while found := [Row._make(row) for row in rows.filter(pk__gt=last)[:ROWS_AT_ONCE]]:
        yield from found
        last = found[-1].pk


def _add(family: Family, row: Row, purpose: str, before: datetime) -> None:
    is_old = _is_old(row.status, row.finished_at, before)
    family.jobs += 1
    family.tickets += row.found
    family.ended += is_old
    family.is_old &= is_old
    if purpose == FollowUp.NONE and row.changed:
        family.changed[row.pk] = row.changed
        if row.guarded == Guarded.STAYS:
            family.guarded.add(row.pk)
    if row.parent_id and row.status in (Status.SUCCEEDED, Status.PARTIAL):
        if row.follow_up == FollowUp.UNDO:
            family.changed.pop(row.parent_id, None)
        elif row.follow_up == FollowUp.UNGUARD:
            family.guarded.discard(row.parent_id)


def _is_old(status: str, finished_at: datetime | None, before: datetime) -> bool:
    return status in ENDED and finished_at is not None and finished_at < before


def _jobs_still_read() -> set[int]:
    """The jobs from which jobs that have not ended take their tickets, or may take them again."""
    sources = Job.objects.exclude(status__in=ENDED).values_list("source", flat=True)
    return {number for source in sources for number in jobs_named(source)}


def prune(
    families: Iterable[Family],
    *,
    before: datetime,
    by: Actor,
    patience: DatabaseRetry,
    tell: Callable[[deletion.Deleted], None] = lambda _: None,
) -> deletion.Deleted:
    """Delete what an earlier run left, then each of these families that may still be deleted.

    `tell` is called often with how much was deleted so far. After an interruption the next run does the rest.
    """
    done, at = deletion.Deleted(), timezone.now()
    deletion.delete_marked(done, patience=patience, tell=tell)
    for family in families:
        if patience.retry(partial(mark_family, family.eldest, before=before, by=by, at=at)):
            deletion.delete_marked(done, patience=patience, tell=tell)
    return done


def mark_family(eldest: int, *, before: datetime, by: Actor, at: datetime) -> bool:
    """Mark a family for deletion, in one transaction; False if it may not be deleted any more.

    `at` identifies the run whose row takes over its counts.
    """
    with transaction.atomic():
        kin = _locked_family(eldest)
        numbers = [job.pk for job in kin]
        old = all(_is_old(job.status, job.finished_at, before) for job in kin)
        # `actions.submit` locks them too for a job that takes their tickets: that job is seen here, or
        # refused.
        if not kin or not old or not _jobs_still_read().isdisjoint(numbers):
            return False
        going = Job.objects.filter(pk__in=numbers)
        sums = going.aggregate(**{f"of_{name}": Sum(name) for name in COUNTED})
        waits = Transition.objects.filter(job__in=numbers, to_status=Status.WAITING).count()
        run, _ = Pruning.objects.get_or_create(actor=by.name, at=at, ended_before=before)
        counts = {name: F(name) + sums[f"of_{name}"] for name in COUNTED}
        Pruning.objects.filter(pk=run.pk).update(
            jobs=F("jobs") + len(numbers), waits=F("waits") + waits, **counts
        )
        # With its nonce, an old form sent again would find a job that nobody can see.
        going.update(pruned_at=timezone.now(), nonce=None)
        return True


def _locked_family(eldest: int) -> list[Job]:
    """The family as it is stored, locked: none of it can be followed up until the transaction ends."""
    rows = family_of(eldest).select_for_update().only("pk", "status", "finished_at").order_by("pk")
    kin: list[Job] = []
    # A follow-up made before its job was locked may not be seen by the query that locked it.
    while len(found := list(rows.all())) > len(kin):
        kin = found
    return kin
