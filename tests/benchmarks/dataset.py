"""Fills a database with jobs in bulk, as the engine would have left them: every count is right.

Three large jobs hold nine tenths of the items: one that ended with failures, one that runs, one dry run. The
other items are spread over many small jobs of all states, people, tools and tags, over two years.
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
#: Parameters that apply-macro and rename-tags need besides; other tools ignore them.
EXTRA_PARAMS = {"macro": 7, "macro_title": "Campaign", "fields": [], "left_out": [], "pairs": {"old": "new"}}
#: Outcomes of tickets that were sent.
SENT = frozenset({Outcome.CHANGED, Outcome.FAILED, Outcome.UNVERIFIED})
#: The first ticket. The large jobs overlap, so that a ticket has a history of several jobs.
FIRST_REF = 1_000_000
#: Time between two sent batches, and from sending a batch to settling it.
BATCH_INTERVAL, BATCH_DURATION = timedelta(seconds=0.6), timedelta(seconds=10)
#: Age of the oldest job, duration of a job, and silence of the running job: the page of a job that looks
#: stalled needs the most queries.
OLDEST, JOB_DURATION, SILENCE = timedelta(days=730), timedelta(hours=1), timedelta(minutes=10)

#: Rows given to SQLite in one call.
ROWS_AT_ONCE = 10_000

#: Outcome, reason and sentence.
Ending = tuple[Outcome, str, str]
DONE: Ending = (Outcome.CHANGED, "", "")
UNCHANGED: Ending = (Outcome.UNCHANGED, "", "")
PENDING: Ending = (Outcome.PENDING, "", "")
PLANNED: Ending = (Outcome.PLANNED, "", "")
CLOSED: Ending = (Outcome.SKIPPED, "closed", "Status: closed prevents ticket update.")
MISSING: Ending = (Outcome.SKIPPED, "not_found", "There is no ticket of this number, or it may not be seen.")
REQUIRED: Ending = (Outcome.FAILED, "RecordInvalid", "Resolution: is required when solving a ticket.")
CONFLICT: Ending = (Outcome.FAILED, "conflict", "Somebody kept changing the ticket; tried four times.")
UNCLEAR: Ending = (Outcome.UNVERIFIED, "gone", "It was sent, but the result was lost.")
#: Endings of a hundred items in a row.
MIXED = (
    [DONE] * 70 + [UNCHANGED] * 15 + [CLOSED] * 8 + [MISSING] * 2 + [REQUIRED] * 3 + [CONFLICT] + [UNCLEAR]
)
DRY = [PLANNED] * 80 + [UNCHANGED] * 12 + [CLOSED] * 8
#: The same for small jobs, with and without failures.
FAILING, SUCCEEDING = [DONE, UNCHANGED, REQUIRED, DONE, CONFLICT], [DONE, UNCHANGED, CLOSED, DONE]

#: States of the small jobs, in a cycle, and of the newest jobs.
SMALL_STATUSES = (
    *[Status.SUCCEEDED] * 7,
    Status.PARTIAL,
    *[Status.SUCCEEDED] * 6,
    Status.PARTIAL,
    *[Status.CANCELLED] * 2,
    Status.PAUSED,
    Status.ERRORED,
    Status.SUCCEEDED,
)
NEWEST_STATUSES = (*[Status.QUEUED] * 10, *[Status.WAITING] * 10)
#: The states that a job went through after it was queued; the large running job waited often.
STATUS_HISTORY = {
    Status.QUEUED: (),
    Status.CANCELLED: (Status.SELECTING, Status.RUNNING, Status.CANCELLING, Status.CANCELLED),
    Status.RUNNING: (Status.SELECTING, *[Status.RUNNING, Status.WAITING] * 40, Status.RUNNING),
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was filled in, with the ids that page addresses need."""

    items: int
    jobs: int
    partial: int
    running: int
    dry_run: int
    middle: int  # a small job in the middle of the list
    ticket: int  # one in the middle of the large jobs


@dataclass(slots=True)
class JobRows:
    """The rows of one job: the job itself, its items and its batches."""

    job: Job
    endings: Sequence[Ending]
    number: int
    first_ref: int
    sent: int  # the number of items sent; the rest is pending
    end: datetime  # when the last batch settled
    batches: list[Batch] = field(default_factory=list)

    def rows(self, batch_numbers: Iterator[int]) -> Iterator[tuple[Any, ...]]:
        """The items, by ref; the counts of job and batches are right after the last one."""
        change = json.dumps(self.change)
        counts = Counter[Outcome]()
        for index in range(self.number):
            # 37 shares no factor with the lengths of the lists of endings, so this mixes every list.
            ending = self.endings[index * 37 % len(self.endings)]
            is_sent = ending[0] in SENT
            outcome, reason, detail = PENDING if is_sent and index >= self.sent else ending
            counts[outcome] += 1
            yield (
                self.job.pk,
                self.first_ref + index * 3,
                self._batch_for(outcome, batch_numbers) if is_sent else None,
                outcome.value,
                reason,
                detail,
                SNAPSHOTS[index % len(SNAPSHOTS)],
                change if is_sent or outcome is Outcome.PLANNED else None,
            )
        self._count(counts)

    @property
    def change(self) -> dict[str, list[str]]:
        return {"add": self.job.params["add"]}

    def _batch_for(self, outcome: Outcome, batch_numbers: Iterator[int]) -> int:
        """The batch that takes one more item; sent and pending items never share a batch."""
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
        for index, batch in enumerate(reversed(settled)):
            batch.settled_at = self.end - BATCH_INTERVAL * index
            batch.sent_at = batch.settled_at - BATCH_DURATION
            batch.receipt = f"{batch.pk:032x}"
        job.calls_read, job.calls_write = -(-self.number // PER_BATCH), len(settled)
        job.calls_status = len(settled) // 3


def fill(items: int, jobs: int, *, largest: int | None = None) -> Dataset:
    """Fill an empty database with `items` items in three large jobs and `jobs` small ones.

    The largest job has half of the items unless its size is given.
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
    jobs_rows = [*small, partial, running, dry_run]
    with transaction.atomic():
        numbers = count(1)
        # Items first, because they yield the counts of jobs and batches. Foreign keys are checked when the
        # transaction ends.
        _load_items(row for job_rows in jobs_rows for row in job_rows.rows(numbers))
        Job.objects.bulk_create([job_rows.job for job_rows in jobs_rows], batch_size=500)
        Batch.objects.bulk_create([b for job_rows in jobs_rows for b in job_rows.batches], batch_size=500)
        Transition.objects.bulk_create(
            [t for job_rows in jobs_rows for t in _transitions(job_rows)], batch_size=500
        )
    _vacuum()
    return Dataset(
        items=items,
        jobs=len(jobs_rows),
        partial=jobs + 1,
        running=jobs + 2,
        dry_run=jobs + 3,
        middle=jobs // 2 + 1,
        ticket=FIRST_REF + dry_run.number // 2 * 3,
    )


def clear() -> None:
    """Delete all jobs, their items, batches and transitions, and all users."""
    tables = [model._meta.db_table for model in (Item, Batch, Transition, Job)]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        else:
            for table in tables:
                cursor.execute(f"DELETE FROM {table}")
    User.objects.all().delete()


def _small(pk: int, jobs: int, number: int, people: Sequence[User], now: datetime) -> JobRows:
    status = SMALL_STATUSES[pk % len(SMALL_STATUSES)]
    if jobs - pk < min(len(NEWEST_STATUSES), jobs // 10):
        status = NEWEST_STATUSES[jobs - pk]
    created_at = now - OLDEST + (OLDEST - 2 * JOB_DURATION) * pk / jobs
    job = _job(pk, status, people, created_at, created_at + JOB_DURATION)
    # The next job is a retry of every other job with failures.
    if pk % 2 and pk > 1 and SMALL_STATUSES[(pk - 1) % len(SMALL_STATUSES)] == Status.PARTIAL:
        job.parent_id, job.follow_up, job.title = pk - 1, FollowUp.RETRY, f"Retry: {job.title}"
    is_over = status in (Status.SUCCEEDED, Status.PARTIAL)
    return JobRows(
        job,
        FAILING if status == Status.PARTIAL else SUCCEEDING,
        number,
        first_ref=FIRST_REF + pk * 7919 % 1_000_000,
        sent=number if is_over else 0,
        end=created_at + JOB_DURATION,
    )


def _large(
    pk: int, status: Status, endings: list[Ending], number: int, *, people: Sequence[User], now: datetime
) -> JobRows:
    end = now - SILENCE
    sent = number // 2 if status == Status.RUNNING else number
    created_at = end - max(JOB_DURATION, BATCH_INTERVAL * (number // PER_BATCH))
    return JobRows(_job(pk, status, people, created_at, end), endings, number, FIRST_REF, sent, end)


def _job(pk: int, status: Status, people: Sequence[User], created_at: datetime, end: datetime) -> Job:
    tag = f"campaign_{pk % TAGS}"
    where, source = [
        ("tickets of view All unsolved", {"kind": "view", "id": 360001, "title": "All unsolved"}),
        ("tickets that a search found", {"kind": "search", "query": f"tags:{tag} status<closed"}),
        ("the tickets in march.csv", {"kind": "ids", "name": "march.csv"}),
        (f"tickets with the tag {tag}", {"kind": "tag", "tag": tag}),
    ][pk % 4]
    is_held, has_begun = status == Status.RUNNING, status != Status.QUEUED
    return Job(
        pk=pk,
        tool=TOOLS[pk % len(TOOLS)],
        title=f"Add {tag} to {where}",
        params={"add": [tag], "remove": [], "set": [], "include_closed": False} | EXTRA_PARAMS,
        source=source,
        status=status,
        waiting_for=WaitReason.RATE_LIMIT if status == Status.WAITING else "",
        resumes_at=end + OLDEST if status == Status.WAITING else None,
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


def _transitions(job_rows: JobRows) -> Iterator[Transition]:
    job, from_status = job_rows.job, ""
    path = STATUS_HISTORY.get(Status(job.status), (Status.SELECTING, Status.RUNNING, Status(job.status)))
    for index, to in enumerate((Status.QUEUED, *path)):
        actor = "worker another-host:1" if index else str(job.created_by)
        at = job.created_at + timedelta(seconds=5 * index)
        yield Transition(job=job, from_status=from_status, to_status=to, actor=actor, at=at)
        from_status = to


def _load_items(rows: Iterator[tuple[Any, ...]]) -> None:
    """Insert the items in the fastest way of each database; a million model instances would take a minute."""
    names = "job_id, ref, batch_id, outcome, reason, detail, before, change"
    table = Item._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            insert = f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * 8)})"
            for chunk in iter(lambda: list(islice(rows, ROWS_AT_ONCE)), []):
                cursor.executemany(insert, chunk)


def _vacuum() -> None:
    """Set PostgreSQL's sequences, and vacuum as its autovacuum would.

    SQLite gets no statistics, because production gathers none there.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Job, Batch]):
            cursor.execute(statement)
        for model in (Job, Batch, Item, Transition):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")


def _snapshots() -> Iterator[str]:
    """Snapshots of tickets with one to six tags, as JSON."""
    words = cycle(("billing", "refund", "vip_customer", "germany", "mobile_app", "priority_2026", "spam"))
    for number in range(24):
        tags = sorted(set(islice(words, number % 6 + 1)))
        yield json.dumps({"tags": tags, "status": "open", "updated_at": "2026-11-01T08:00:00Z"})


SNAPSHOTS = list(_snapshots())
