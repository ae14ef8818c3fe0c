"""Reading the list: page by page into items with their plans, until it is frozen.

The whole list is written down before the first write goes out, because tickets leave a view as they are
tagged, and the pages of a view are counted off from its start.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from jobs import moves
from jobs.actors import this_worker
from jobs.batches import Packer
from jobs.errands import earlier_of, errand_of
from jobs.errors import CursorExpired, NeedsPerson
from jobs.lease import Lease
from jobs.models import Item, Job
from jobs.states import Outcome, Status
from jobs.steps import Step, reached
from jobs.turn import Turn
from jobs.work import Change, Earlier, Payload, Plan, Snapshot, Unchanged, Work

logger = logging.getLogger(__name__)

#: Sources whose refs people or earlier jobs gave; every other kind is the work's own business.
LISTED = "ids"
ITEMS = "items"


@dataclass(frozen=True, slots=True)
class Read:
    """A page after reading: the refs in order, what each looks like, and what was done to each before."""

    refs: Sequence[int]
    snapshots: Mapping[int, Snapshot]
    earlier: Mapping[int, Earlier]
    cursor: str | None
    given: Mapping[int, Payload | None] = field(default_factory=dict)


class Selection:
    """The reading of one job's list by the worker that holds it."""

    def __init__(self, lease: Lease, work: Work, turn: Turn) -> None:
        self.lease = lease
        self.turn = turn
        self.job = lease.job
        self.work = work
        self.packer = Packer(self.job, work.batch_size)

    def run(self) -> bool:
        """Read until the list is complete and frozen (True), or the turn is over or someone interferes."""
        try:
            for page in self._pages():
                done = self._write(page)
                self.turn.tell()
                if done:
                    break
                if self.lease.status != Status.SELECTING or self.turn.is_over:
                    return False
                if not self.turn.allows(self.job.found):
                    return False
                self.lease.fence()
        except CursorExpired as expired:
            logger.info("The list is read from its start again: %s", expired)
            with self.lease.commit(cursor="", cursor_at=None):
                return False
        return self._freeze()

    def _pages(self) -> Iterator[Read]:
        cursor = self._cursor()
        kind = self.job.source["kind"]
        if kind == LISTED:
            return self._listed(cursor)
        if kind == ITEMS:
            return self._earlier_items(cursor)
        return self._remote(cursor)

    def _cursor(self) -> str:
        job, lives = self.job, self.work.place_lives
        if job.source["kind"] in (LISTED, ITEMS) or lives is None:
            return job.cursor  # our own rows do not shift
        if job.cursor_at is None or abs(timezone.now() - job.cursor_at) > lives:
            return ""
        return job.cursor

    def _remote(self, cursor: str) -> Iterator[Read]:
        for page in self.work.pages(cursor):
            yield Read([ref for ref, _ in page.items], dict(page.items), {}, page.cursor)

    def _listed(self, cursor: str) -> Iterator[Read]:
        """Refs that were typed or came from a file; the cursor is `row:offset`."""
        number, offset = (int(part) for part in (cursor or "0:0").split(":"))
        rows = self.job.listed.filter(number__gte=number).order_by("number")
        for row in rows.iterator(chunk_size=10):
            pairs = row.pairs
            for start in range(offset, len(pairs), self.work.batch_size):
                end = start + self.work.batch_size
                given = dict(pairs[start:end])
                place = f"{row.number}:{end}" if end < len(pairs) else f"{row.number + 1}:0"
                yield Read(list(given), self.work.read(list(given)), {}, place, given)
            offset = 0

    def _earlier_items(self, cursor: str) -> Iterator[Read]:
        """Items of an earlier job, by outcome and, where asked, by reason; the cursor is the last ref."""
        source, errand = self.job.source, errand_of(self.job)
        earlier = Item.objects.filter(job_id=source["job"], outcome__in=source["outcomes"])
        if source.get("reason"):
            earlier = earlier.filter(reason=source["reason"])
        after = int(cursor) if cursor else None
        while True:
            rest = earlier if after is None else earlier.filter(ref__gt=after)
            given = dict(rest.order_by("ref").values_list("ref", "given")[: self.work.batch_size])
            if not given:
                return
            refs = list(given)
            after = refs[-1]
            yield Read(refs, self.work.read(refs), earlier_of(errand, refs), str(after), given)

    def _write(self, page: Read) -> bool:
        """One transaction: the page's items and their batches, the counts, the place; True at the list's end.

        Where somebody has said stop meanwhile, the page is dropped: the place still points to it.
        """
        with self.lease.commit(**self.work.calls.take()):
            if self.lease.status != Status.SELECTING:
                return False
            items, kinds = self._items(page)
            self.packer.save()
            Item.objects.bulk_create(items)
            counts = Counter(str(item.outcome) for item in items if item.outcome != Outcome.PENDING)
            Job.objects.filter(pk=self.job.pk).update(
                found=F("found") + len(items),
                cursor=page.cursor or "",
                cursor_at=timezone.now(),
                kinds=kinds,
                **{name: F(name) + count for name, count in counts.items()},
            )
        reached(Step.PAGE_WRITTEN)
        self.job.found += len(items)
        self.job.kinds = kinds
        return page.cursor is None or (self.job.limit is not None and self.job.found >= self.job.limit)

    def _items(self, page: Read) -> tuple[list[Item], dict[str, int]]:
        """The page's items that are not listed yet, planned and put into batches; and `kinds` with them."""
        listed = set(self.job.items.filter(ref__in=page.refs).values_list("ref", flat=True))
        fresh = self._within_limits([ref for ref in page.refs if ref not in listed])
        items, kinds = [], Counter(self.job.kinds)
        for ref in fresh:
            snapshot, given = page.snapshots.get(ref), page.given.get(ref)
            plan = self.work.plan(ref, snapshot, page.earlier.get(ref), given)
            items.append(self._item(ref, snapshot, plan, given))
            kinds.update(plan.kinds if isinstance(plan, Change) else ())
        return items, dict(kinds)

    def _within_limits(self, refs: list[int]) -> list[int]:
        """The person's own limit ends the list; the installation's refuses a longer one."""
        if self.job.limit is not None:
            refs = refs[: self.job.limit - self.job.found]
        if self.job.found + len(refs) > settings.JOB_TICKET_LIMIT:
            raise NeedsPerson(
                f"The list holds more than {settings.JOB_TICKET_LIMIT:,} tickets, the most that one job may "
                "have here. Cancel this job and choose fewer tickets, or raise JOB_TICKET_LIMIT and resume."
            )
        return refs

    def _item(self, ref: int, snapshot: Snapshot | None, plan: Plan, given: Payload | None) -> Item:
        item = Item(
            job=self.job, ref=ref, given=given, before=snapshot, reason=plan.reason, detail=plan.detail
        )
        if isinstance(plan, Change):
            item.change = plan.payload
            if self.job.dry_run:
                item.outcome = Outcome.PLANNED
            else:
                item.batch = self.packer.batch_for(plan, read_at=timezone.now())
        elif isinstance(plan, Unchanged):
            item.outcome = Outcome.UNCHANGED
        else:
            item.outcome = Outcome.SKIPPED
        return item

    def _freeze(self) -> bool:
        """The list is complete: from here on it neither grows nor shrinks."""
        self.job.refresh_from_db()
        if self.lease.status != Status.SELECTING:
            return False
        doubt, sizes = self._doubt(), _sizes(self.job)
        why = f"The list has ended: {sizes} {doubt}" if doubt else f"The list is complete: {sizes}"
        frozen = moves.move(
            self.job,
            Status.RUNNING,
            by=this_worker(),
            why=why,
            held_with=self.lease.token,
            frozen_at=timezone.now(),
            total=self.job.found,
        )
        reached(Step.LIST_FROZEN)
        return frozen

    def _doubt(self) -> str:
        """A list that people cut short themselves, or gave, is as long as they wished."""
        job = self.job
        is_cut = job.limit is not None and job.found >= job.limit
        if is_cut or job.source["kind"] in (LISTED, ITEMS):
            return ""
        doubt = self.work.doubt(job.found)
        if doubt:
            logger.warning("%s", doubt)
        return doubt


def _sizes(job: Job) -> str:
    what = "would change" if job.dry_run else "to change"
    number = job.planned if job.dry_run else job.remaining
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in job.kinds.items())
    return f"{job.found:,} tickets, {number:,} {what}{f' ({kinds})' if kinds else ''}."
