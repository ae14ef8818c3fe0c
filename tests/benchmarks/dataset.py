"""A database full of jobs, filled in bulk and yet as the engine would have left it: every count agrees.

Three large jobs hold nine tenths of the items: one that ended with failures, one that runs, one dry run. The
others are spread over many small jobs of all states, people, tools and tags, over two years.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, cycle, islice
from typing import Any

from django.contrib.auth.models import User
from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone

from jobs.models import Batch, Item, Job, Transition
from jobs.states import ACTIVE, ENDED, FINAL, BatchState, FollowUp, Outcome, Status, WaitReason
from jobs.work import Change

PEOPLE, TAGS, TOOLS = 20, 50, ("apply-macro", "bulk-tag", "rename-tags")
PER_BATCH = 100
#: What the tools that apply a macro or rename read besides; the others do not look at it.
BESIDES = {"macro": 7, "macro_title": "Campaign", "fields": [], "left_out": [], "pairs": {"old": "new"}}
#: Outcomes that come of sending.
SENT = frozenset({Outcome.CHANGED, Outcome.FAILED, Outcome.UNVERIFIED})
#: The first ticket; the large jobs overlap, so that a ticket has a history of several jobs.
FIRST_REF = 1_000_000
#: One batch goes out after the other at this distance, and settles so long after it was sent.
EVERY, TAKES = timedelta(seconds=0.6), timedelta(seconds=10)
#: The oldest job; how long a job takes; since when nothing has happened in the one that runs: the page of
#: a job that looks stalled asks the database the most.
AGE, LASTS, QUIET = timedelta(days=730), timedelta(hours=1), timedelta(minutes=10)

#: Rows given to SQLite in one call.
ROWS_AT_ONCE = 10_000

#: Outcome, reason and sentence.
Fate = tuple[Outcome, str, str]
DONE: Fate = (Outcome.CHANGED, "", "")
SAME: Fate = (Outcome.UNCHANGED, "", "")
LEFT: Fate = (Outcome.PENDING, "", "")
PLANNED: Fate = (Outcome.PLANNED, "", "")
CLOSED: Fate = (Outcome.SKIPPED, "closed", "Status: closed prevents ticket update.")
MISSING: Fate = (Outcome.SKIPPED, "not_found", "There is no ticket of this number, or it may not be seen.")
REQUIRED: Fate = (Outcome.FAILED, "RecordInvalid", "Resolution: is required when solving a ticket.")
CONFLICT: Fate = (Outcome.FAILED, "conflict", "Somebody kept changing the ticket; tried four times.")
UNCLEAR: Fate = (Outcome.UNVERIFIED, "gone", "It was sent, but the result was lost.")
#: What becomes of a hundred items in a row.
MIXED = [DONE] * 70 + [SAME] * 15 + [CLOSED] * 8 + [MISSING] * 2 + [REQUIRED] * 3 + [CONFLICT] + [UNCLEAR]
DRY = [PLANNED] * 80 + [SAME] * 12 + [CLOSED] * 8
#: The same for small jobs, with and without failures.
BAD, GOOD = [DONE, SAME, REQUIRED, DONE, CONFLICT], [DONE, SAME, CLOSED, DONE]

#: States of the small jobs, over and over, and those of the newest.
SMALL = (
    *[Status.SUCCEEDED] * 7,
    Status.PARTIAL,
    *[Status.SUCCEEDED] * 6,
    Status.PARTIAL,
    *[Status.CANCELLED] * 2,
    Status.PAUSED,
    Status.ERRORED,
    Status.SUCCEEDED,
)
NEWEST = (*[Status.QUEUED] * 10, *[Status.WAITING] * 10)
#: How a job came where it is, after it was asked for; the large one that runs had to wait often.
WAY = {
    Status.QUEUED: (),
    Status.CANCELLED: (Status.SELECTING, Status.RUNNING, Status.CANCELLING, Status.CANCELLED),
    Status.RUNNING: (Status.SELECTING, *[Status.RUNNING, Status.WAITING] * 40, Status.RUNNING),
}


@dataclass(frozen=True, slots=True)
class Stock:
    """What was filled in, by the numbers that addresses need."""

    items: int
    jobs: int
    partial: int
    running: int
    dry_run: int
    middle: int  # a small job in the middle of the list
    ticket: int  # one in the middle of the large jobs


@dataclass(slots=True)
class Filling:
    """One job with its items to be, and the batches that come of them."""

    job: Job
    fates: Sequence[Fate]
    number: int
    first_ref: int
    sent: int  # the first so many have been sent, the rest is pending
    end: datetime  # when the last batch settled
    batches: list[Batch] = field(default_factory=list)

    def rows(self, batch_numbers: Iterator[int]) -> Iterator[tuple[Any, ...]]:
        """The items, in the order of their numbers; counts of job and batches are right after the last."""
        change = json.dumps(self.change)
        counts = Counter[Outcome]()
        for place in range(self.number):
            # 37 shares no factor with the lengths of the lists of fates: every fate comes in a mixed order.
            fate = self.fates[place * 37 % len(self.fates)]
            goes_out = fate[0] in SENT
            outcome, reason, detail = LEFT if goes_out and place >= self.sent else fate
            counts[outcome] += 1
            yield (
                self.job.pk,
                self.first_ref + place * 3,
                self._batch_for(outcome, batch_numbers) if goes_out else None,
                outcome.value,
                reason,
                detail,
                SNAPSHOTS[place % len(SNAPSHOTS)],
                change if goes_out or outcome is Outcome.PLANNED else None,
            )
        self._count(counts)

    @property
    def change(self) -> dict[str, list[str]]:
        return {"add": self.job.params["add"]}

    def _batch_for(self, outcome: Outcome, batch_numbers: Iterator[int]) -> int:
        """The batch that takes one more item; sent and pending ones never share one."""
        state = BatchState.PENDING if outcome is Outcome.PENDING else BatchState.SETTLED
        last = self.batches[-1] if self.batches else None
        if last is None or last.size == PER_BATCH or last.state != state:
            last = Batch(pk=next(batch_numbers), job=self.job, state=state)
            self.batches.append(last)
        last.size += 1
        if outcome is not Outcome.PENDING:
            setattr(last, outcome.value, getattr(last, outcome.value) + 1)
        return int(last.pk)

    def _count(self, counts: Counter[Outcome]) -> None:
        job, key = self.job, Change(self.change).key
        job.found = self.number
        job.total = self.number if job.frozen_at else None
        for outcome in FINAL:
            setattr(job, outcome.value, counts[outcome])
        settled = [batch for batch in self.batches if batch.state == BatchState.SETTLED]
        for batch in self.batches:
            batch.key, batch.change, batch.read_at = key, self.change, job.created_at
        for place, batch in enumerate(reversed(settled)):
            batch.settled_at = self.end - EVERY * place
            batch.sent_at = batch.settled_at - TAKES
            batch.receipt = f"{batch.pk:032x}"
        job.calls_read, job.calls_write = -(-self.number // PER_BATCH), len(settled)
        job.calls_status = len(settled) // 3


def fill(items: int, jobs: int, *, largest: int | None = None) -> Stock:
    """So many items in all, in three large jobs and so many small ones; in a database that holds none.

    The largest job has half of them unless its size is given.
    """
    User.objects.bulk_create(User(username=f"person{number:02}") for number in range(PEOPLE))
    people = list(User.objects.filter(username__startswith="person").order_by("username"))
    now = timezone.now()
    each = max(items // 10 // jobs, 1)
    small = [_small(pk, jobs, each, people, now) for pk in range(1, jobs + 1)]
    largest = items // 2 if largest is None else largest
    rest = items - each * jobs - largest
    partial = _large(jobs + 1, Status.PARTIAL, MIXED, largest, people=people, now=now)
    running = _large(jobs + 2, Status.RUNNING, MIXED, rest * 3 // 4, people=people, now=now)
    dry_run = _large(jobs + 3, Status.SUCCEEDED, DRY, rest - running.number, people=people, now=now)
    dry_run.job.dry_run = True
    fillings = [*small, partial, running, dry_run]
    with transaction.atomic():
        numbers = count(1)
        # Items first, because the counts of jobs and batches come of them; what they refer to is looked at
        # when the transaction ends.
        _load_items(row for filling in fillings for row in filling.rows(numbers))
        Job.objects.bulk_create([filling.job for filling in fillings], batch_size=500)
        Batch.objects.bulk_create([b for filling in fillings for b in filling.batches], batch_size=500)
        Transition.objects.bulk_create([t for filling in fillings for t in _steps(filling)], batch_size=500)
    _tidy()
    return Stock(
        items=items,
        jobs=len(fillings),
        partial=jobs + 1,
        running=jobs + 2,
        dry_run=jobs + 3,
        middle=jobs // 2 + 1,
        ticket=FIRST_REF + dry_run.number // 2 * 3,
    )


def empty() -> None:
    """Take out everything that `fill` put in, and everything else about jobs and people."""
    tables = [model._meta.db_table for model in (Item, Batch, Transition, Job)]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        else:
            for table in tables:
                cursor.execute(f"DELETE FROM {table}")
    User.objects.all().delete()


def _small(pk: int, jobs: int, number: int, people: Sequence[User], now: datetime) -> Filling:
    status = SMALL[pk % len(SMALL)]
    if jobs - pk < min(len(NEWEST), jobs // 10):
        status = NEWEST[jobs - pk]
    created_at = now - AGE + (AGE - 2 * LASTS) * pk / jobs
    job = _job(pk, status, people, created_at, created_at + LASTS)
    # Every other job with failures was followed up by the next one.
    if pk % 2 and pk > 1 and SMALL[(pk - 1) % len(SMALL)] == Status.PARTIAL:
        job.parent_id, job.follow_up, job.title = pk - 1, FollowUp.RETRY, f"Retry: {job.title}"
    is_over = status in (Status.SUCCEEDED, Status.PARTIAL)
    return Filling(
        job,
        BAD if status == Status.PARTIAL else GOOD,
        number,
        first_ref=FIRST_REF + pk * 7919 % 1_000_000,
        sent=number if is_over else 0,
        end=created_at + LASTS,
    )


def _large(
    pk: int, status: Status, fates: list[Fate], number: int, *, people: Sequence[User], now: datetime
) -> Filling:
    end = now - QUIET
    sent = number // 2 if status == Status.RUNNING else number
    created_at = end - max(LASTS, EVERY * (number // PER_BATCH))
    return Filling(_job(pk, status, people, created_at, end), fates, number, FIRST_REF, sent, end)


def _job(pk: int, status: Status, people: Sequence[User], created_at: datetime, end: datetime) -> Job:
    tag = f"campaign_{pk % TAGS}"
    words, source = [
        ("tickets of view All unsolved", {"kind": "view", "id": 360001, "title": "All unsolved"}),
        ("tickets that a search found", {"kind": "search", "query": f"tags:{tag} status<closed"}),
        ("the tickets in march.csv", {"kind": "ids", "name": "march.csv"}),
        (f"tickets with the tag {tag}", {"kind": "tag", "tag": tag}),
    ][pk % 4]
    is_held, has_begun = status == Status.RUNNING, status != Status.QUEUED
    return Job(
        pk=pk,
        tool=TOOLS[pk % len(TOOLS)],
        title=f"Add {tag} to {words}",
        params={"add": [tag], "remove": [], "set": [], "include_closed": False} | BESIDES,
        source=source,
        status=status,
        waiting_for=WaitReason.RATE_LIMIT if status == Status.WAITING else "",
        resumes_at=end + AGE if status == Status.WAITING else None,
        error="Zendesk refused our credentials (401)." if status == Status.ERRORED else "",
        frozen_at=created_at if has_begun else None,
        lease_token=f"{pk:032x}" if is_held else "",
        lease_owner="another-host//1/1" if is_held else "",
        beat_at=end if is_held else None,
        woken_at=end if status in ACTIVE else created_at,
        created_by=people[pk % len(people)],
        created_at=created_at,
        started_at=created_at if has_begun else None,
        finished_at=end if status in ENDED else None,
    )


def _steps(filling: Filling) -> Iterator[Transition]:
    job, came_from = filling.job, ""
    way = WAY.get(Status(job.status), (Status.SELECTING, Status.RUNNING, Status(job.status)))
    for place, to in enumerate((Status.QUEUED, *way)):
        actor = "worker another-host:1" if place else str(job.created_by)
        at = job.created_at + timedelta(seconds=5 * place)
        yield Transition(job=job, from_status=came_from, to_status=to, actor=actor, at=at)
        came_from = to


def _load_items(rows: Iterator[tuple[Any, ...]]) -> None:
    """As quickly as each database takes them: a million models would be a minute of Python alone."""
    names = "job_id, ref, batch_id, outcome, reason, detail, before, change"
    table = Item._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            insert = f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * 8)})"
            for piece in iter(lambda: list(islice(rows, ROWS_AT_ONCE)), []):
                cursor.executemany(insert, piece)


def _tidy() -> None:
    """Tell PostgreSQL the numbers that were given out, and do at once what its autovacuum does by itself.

    SQLite is left without statistics, because nobody gathers any there.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Job, Batch]):
            cursor.execute(statement)
        for model in (Job, Batch, Item, Transition):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")


def _snapshots() -> Iterator[str]:
    """Tags of tickets, one to six each, as JSON."""
    words = cycle(("billing", "refund", "vip_customer", "germany", "mobile_app", "priority_2026", "spam"))
    for number in range(24):
        tags = sorted(set(islice(words, number % 6 + 1)))
        yield json.dumps({"tags": tags, "status": "open", "updated_at": "2026-11-01T08:00:00Z"})


SNAPSHOTS = list(_snapshots())
