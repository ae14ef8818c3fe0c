"""Selection: the job's list is read page by page into items with their plans, and then frozen.

The whole list is stored before the first write goes out: tickets leave a view as they are tagged, and the
pages of a view are offsets. If items have to be taken out or sorted, their refs alone are stored before the
first item (`jobs.source_spec` defines the stages).
"""

from __future__ import annotations

import logging
import math
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F

from jobs import transitions
from jobs.actors import this_worker
from jobs.clocks import clock
from jobs.engine.batcher import UNREAD, Batcher
from jobs.engine.id_set import IdSet, sorted_ids
from jobs.engine.item_store import NewItem, insert_items
from jobs.engine.source_reader import SourcePage, SourceReader
from jobs.errors import CursorExpired, NeedsPerson
from jobs.followups import repeats_its_parent
from jobs.list_cursor import COUNTS, ListCursor, listing_progress
from jobs.models import Item, Job, ListedRefs
from jobs.runtime.failpoints import Failpoint, failpoint
from jobs.runtime.lease import Lease
from jobs.runtime.time_slice import TimeSlice
from jobs.source_spec import ITEMS, LISTED, SourceSpec, Stage, Stored, Verb
from jobs.states import Outcome, Status
from jobs.work import Change, Fit, Payload, Plan, Skipped, Snapshot, Unchanged, Work

logger = logging.getLogger(__name__)

#: A list of refs with more items than this is frozen unread, whether people gave them or a search found them.
#: Its items are read right before they are sent, while others are in flight. Read now, most snapshots would
#: be too old by then (`readings.SNAPSHOT_MAX_AGE`).
READ_LATE_ABOVE = 5_000
#: The least time left of a slice for requesting a page ahead, seconds: a page that arrives after its end is
#: discarded.
READ_AHEAD_MIN_LEFT = 2.0
#: How long after its time slice a page that is read in pieces may be finished, seconds.
FINISHES_PAGE_WITHIN = 20.0
#: How many remarks about pages the history of a job takes; a list of ten thousand pages may have as many.
MOST_REMARKS = 20


class PageItems(NamedTuple):
    """What is stored of a page: new items, or a row of refs."""

    items: list[NewItem]
    excluded: Counter[Fit]  # how many refs do not belong to the list
    kinds: dict[str, int]  # `Job.kinds` with the new items
    rows: Sequence[ListedRefs] = ()


class Selection:
    """Reads one job's list for the worker that holds it."""

    def __init__(self, lease: Lease, work: Work, time_slice: TimeSlice) -> None:
        self.lease = lease
        self.time_slice = time_slice
        self.job = lease.job
        self.work = work
        self.batcher = Batcher(self.job, work.batch_size)
        self.spec = SourceSpec.read(self.job.source)
        self.stages = self.spec.stages
        self.reader = SourceReader(self.job, work)
        self.cursor = self._saved_cursor()
        self.highest_ref: int | None = None  # in the list; None: not looked up yet
        self._page_counts: Counter[str] = Counter()  # of the pieces of a page that is not complete
        work.may_read_ahead = self._may_read_ahead

    def run(self) -> bool:
        """Read until the list is frozen; False when the time slice ends before, or somebody stops the job."""
        try:
            for page in self._pages():
                done = self._write(page)
                self.time_slice.notify()
                if done:
                    break
                if self.lease.status != Status.SELECTING or self.lease.hold or self._is_time_up(page):
                    return False
                if not self.time_slice.allows(max(self.job.found, listing_progress(self.job).gathered)):
                    return False
                self.lease.fence()
        except CursorExpired as expired:
            logger.info("The list is read from its start again: %s", expired)
            with self.lease.commit(cursor=self._as_stored(self.cursor.restarted()), cursor_at=None):
                return False
        return self._freeze()

    def _is_time_up(self, page: SourcePage) -> bool:
        """Whether to stop here; in the middle of a page a little later, as all of it would come again."""
        return self.time_slice.is_over_by(FINISHES_PAGE_WITHIN if page.is_piece else 0.0)

    def _may_read_ahead(self) -> bool:
        """Whether one more page will most likely be needed: neither time slice nor list is about to end."""
        missing = math.inf if self.job.limit is None else self.job.limit - self.job.found
        return self.time_slice.left > READ_AHEAD_MIN_LEFT and missing > self.work.batch_size

    # Stages

    def _saved_cursor(self) -> ListCursor:
        cursor, job = ListCursor.parse(self.job.cursor), self.job
        stage = self.stages[cursor.stage] if cursor.stage < len(self.stages) else None
        if stage is None or not self._is_remote(stage):
            return cursor  # our own rows do not shift
        lives = self.work.cursor_lifetime(self.spec.parts[stage.part])
        if lives is not None and (job.cursor_at is None or abs(clock.now() - job.cursor_at) > lives):
            return cursor.restarted()
        return cursor

    def _is_remote(self, stage: Stage) -> bool:
        """Whether the stage reads from the other side."""
        parts = self.spec.parts
        return stage.part < len(parts) and parts[stage.part]["kind"] not in (LISTED, ITEMS)

    @property
    def _counts_per_stage(self) -> bool:
        """Whether more is known of the stages than the cursor: what they gave and what of it was left out."""
        first = self.spec.parts[0]
        if self.work.filters_items or not self.spec.is_plain:
            return True
        return self._is_remote(self.stages[0]) and self.work.finds_refs_only(first)

    def _as_stored(self, cursor: ListCursor) -> str:
        """The cursor as stored: bare if nothing is counted per stage, as earlier versions stored it."""
        return str(cursor) if self._counts_per_stage else cursor.at

    def _pages(self) -> Iterator[SourcePage]:
        """The pages from the cursor on, through all remaining stages."""
        without: IdSet | None = None
        for number in range(self.cursor.stage, len(self.stages)):
            if number != self.cursor.stage:
                self.cursor = self.cursor.at_stage(number)
            stage = self.stages[number]
            self.work.reads_ids_only = stage.verb is Verb.GATHER
            if stage.verb is Verb.GATHER and self._is_excluded_by_reading(stage):
                continue
            if stage.verb is Verb.GATHER:
                yield from self._pages_to_gather(stage)
                continue
            without = self._refs_taken_out() if without is None else without
            if stage.verb is Verb.SORT:
                if not self._sort(stage, without):
                    return
            else:
                yield from self._pages_to_list(stage, without)

    def _is_excluded_by_reading(self, stage: Stage) -> bool:
        part = stage.part
        return part in self.spec.taken_out and self.work.is_excluded_by_reading(self.spec.parts[part])

    def _pages_to_list(self, stage: Stage, without: IdSet) -> Iterator[SourcePage]:
        """The pages of a stage whose refs become items."""
        part = self._source_of(stage)
        if stage.part == self.spec.sorted_part:
            part, without = {"kind": LISTED}, IdSet()
        if self._may_read_late(stage) and self.reader.is_longer(part, stage.part, than=READ_LATE_ABOVE):
            return self.reader.unread_pages(part, stage.part, self.cursor.at, without)

        def is_late(number: int | None) -> bool:
            return self._may_read_late(stage) and self._finds_many(part, number)

        return self.reader.pages(part, stage.part, self.cursor.at, without, is_late=is_late)

    def _source_of(self, stage: Stage) -> Stored:
        """The source by which a stage's items are judged; the sorted list is that of the whole job."""
        return self.spec.parts[stage.part] if stage.part < self.spec.sorted_part else self.job.source

    def _may_read_late(self, stage: Stage) -> bool:
        """Whether nothing of an item has to be known before it is listed."""
        by_reading = self.work.filters_items or self.work.is_judged_alone(self._source_of(stage))
        return not (self.job.dry_run or by_reading)

    def _finds_many(self, part: Stored, number: int | None) -> bool:
        """Whether a source of refs only gives enough items to read them late; `number` is how many, if known.

        Asking costs a call, so only the first page does, and only where it is not the last.
        """
        if self.cursor.at:
            return self.job.batches.filter(key=UNREAD).exists()
        if self.job.limit is not None and self.job.limit <= READ_LATE_ABOVE:
            return False
        return (self.work.expected_size(part) or 0 if number is None else number) > READ_LATE_ABOVE

    def _pages_to_gather(self, stage: Stage) -> Iterator[SourcePage]:
        part = self.spec.parts[stage.part]
        if self._reads_to_gather(stage):
            return self.reader.pages(part, stage.part, self.cursor.at, IdSet())
        return self.reader.ref_pages(part, self.cursor.at)

    def _reads_to_gather(self, stage: Stage) -> bool:
        """Whether the order needs the items' readings, or they decide what of this part goes into it."""
        if stage.part >= len(self.spec.of):
            return False
        judged = self.work.is_judged_alone(self.spec.parts[stage.part])
        return judged or self.spec.order.goes_by_change

    def _goes_by_change(self, stage: Stage) -> bool:
        return self.spec.order.goes_by_change and stage.part < len(self.spec.of)

    def _write(self, page: SourcePage) -> bool:
        """Store the page and the cursor after it in one transaction; True when nothing is left to read.

        If somebody has paused or cancelled meanwhile, the page is dropped: the cursor still points to it.
        """
        stage = self.stages[self.cursor.stage]
        # The rows are prepared before the transaction, so that others wait less for it.
        listed = self._refs_of(stage, page) if stage.verb is Verb.GATHER else self._items_of(page)
        self._page_counts += Counter(
            read=len(page.refs) + page.taken_out,
            left=page.taken_out + listed.excluded[Fit.UNWANTED],
            stale=listed.excluded[Fit.STALE],
        )
        remarks = self._remarks(stage, page, listed)
        is_open = page.is_piece and not self._is_cut_at(self.job.found + len(listed.items))
        if is_open:
            cursor, fields = self.cursor, {}
        else:
            numbers = {name: self._page_counts[name] for name in COUNTS}
            cursor = self.cursor.after(page.cursor, **numbers)
            # The end of a remote list was reached when its last page was asked for.
            fields = self._cursor_fields(cursor, at=page.read_at if page.cursor is None else None)
        counts = Counter(str(item.outcome) for item in listed.items if item.outcome != Outcome.PENDING)
        increments = {name: F(name) + count for name, count in counts.items()} | {
            "found": F("found") + len(listed.items),
            "kinds": listed.kinds,
        }
        with self.lease.commit(only_in=Status.SELECTING, then=increments | fields, **self.work.calls.take()):
            if self.lease.status != Status.SELECTING:
                return False
            for remark in remarks:
                transitions.record(self.job, Status.SELECTING, Status.SELECTING, by=this_worker(), why=remark)
            self.batcher.save()
            insert_items(self.job.pk, listed.items)
            self._keep_newest(page)
            ListedRefs.objects.bulk_create(listed.rows)
        failpoint(Failpoint.PAGE_WRITTEN)
        self.job.found += len(listed.items)
        self.job.kinds = listed.kinds
        if self.highest_ref is not None:
            self.highest_ref = max((self.highest_ref, *(item.ref for item in listed.items)))
        if not is_open:
            self._page_counts.clear()
            self._remember(cursor, fields)
        return self._is_cut or cursor.stage >= len(self.stages)

    def _keep_newest(self, page: SourcePage) -> None:
        """Replace the readings of items that the source gives again, in the open transaction."""
        known = self.job.items.filter(ref__in=page.again).only("ref") if page.again else ()
        items = [Item(pk=item.pk, before=page.again[item.ref]) for item in known]
        Item.objects.bulk_update(items, ["before"], batch_size=200)

    def _cursor_fields(self, cursor: ListCursor, *, at: datetime | None = None) -> dict[str, Any]:
        """The columns of the job that store how far its list is read, and when, if not now."""
        return {"cursor": self._as_stored(cursor), "cursor_at": at or clock.now()}

    def _remarks(self, stage: Stage, page: SourcePage, listed: PageItems) -> list[str]:
        """What the history says about a page; raises `NeedsPerson` where the list cannot be trusted."""
        remarks = [page.remark] if page.remark else []
        if page.broke_off and not self._is_cut_at(self.job.found + len(listed.items)):
            remarks.append(self._how_it_ended(stage, page, listed))
        if remarks and stage.part >= len(self.spec.of):
            raise NeedsPerson(
                f"{' '.join(remarks)} Which tickets are to be left out is therefore not known for sure, and "
                "nothing was begun. Cancel this job, and name the tickets to leave out in another way."
            )
        if remarks:
            logger.warning("%s", " ".join(remarks))
            within = self.job.transitions.filter(from_status=Status.SELECTING, to_status=Status.SELECTING)
            return remarks[: max(MOST_REMARKS - within.count(), 0)]
        return []

    def _how_it_ended(self, stage: Stage, page: SourcePage, listed: PageItems) -> str:
        """What the history says of a list that broke off; raises `NeedsPerson` if a count shows more."""
        found = self.job.found + len(listed.items)
        if self._counts_per_stage:
            found = self.cursor.read.get(self.cursor.stage, 0) + self._page_counts["read"]
        counted = self.work.count(self.spec.parts[stage.part])
        if counted is None:
            return f"{page.broke_off} It was taken to end there, after {found:,}: no count tells otherwise."
        if counted - found > found // 100:
            raise NeedsPerson(
                f"{page.broke_off} {found:,} tickets were found by then, and Zendesk counts {counted:,}: the "
                "others cannot be listed. Cancel this job, and choose the tickets in another way. Resume "
                "tries this page again."
            )
        return f"{page.broke_off} The list ends there: {found:,} were found, and Zendesk counts {counted:,}."

    def _remember(self, cursor: ListCursor, fields: dict[str, Any]) -> None:
        """Follow the stored cursor: a run after a short wait begins there."""
        self.cursor = cursor
        self.job.cursor, self.job.cursor_at = fields["cursor"], fields["cursor_at"]

    @property
    def _is_cut(self) -> bool:
        return self._is_cut_at(self.job.found)

    def _is_cut_at(self, found: int) -> bool:
        return self.job.limit is not None and found >= self.job.limit

    # Stages of refs alone

    def _refs_of(self, stage: Stage, page: SourcePage) -> PageItems:
        """A row with the refs of a part that is gathered; they become no items yet."""
        moments, refs, excluded = "", page.refs, Counter[Fit]()
        source = self.spec.parts[stage.part]
        if stage.part < len(self.spec.of) and self.work.is_judged_alone(source):
            refs, excluded = self._fitting(page.refs, page, source)
        if self._goes_by_change(stage):
            keys = [self._changed_at(page.snapshots.get(ref)) for ref in refs]
            moments = " ".join("-" if key is None else str(key) for key in keys)
        row = ListedRefs(
            job=self.job,
            part=self.spec.gathered_part(stage.part),
            number=self._next_row(),
            refs=" ".join(map(str, refs)),
            moments=moments,
        )
        return PageItems([], excluded, self.job.kinds, [row])

    def _next_row(self) -> int:
        last = self.job.listed.order_by("-number").values_list("number", flat=True).first()
        return 0 if last is None else last + 1

    def _changed_at(self, seen: Snapshot | None) -> int | None:
        return None if seen is None else self.work.changed_at(seen)

    def _refs_taken_out(self) -> IdSet:
        """The refs to leave out of the list; raises `NeedsPerson` if some may be unknown."""
        if not self.job.found:
            for number, stage in enumerate(self.stages):
                if self._is_remote(stage) and stage.part >= len(self.spec.of):
                    part, read = self.spec.parts[stage.part], self.cursor.read.get(number, 0)
                    if doubt := self.work.completeness_doubt(part, read, taken_out=True):
                        raise NeedsPerson(doubt)
        return IdSet(ref for row in self._stored_refs(self.spec.taken_out) for ref in row.numbers)

    def _sort(self, stage: Stage, without: IdSet) -> bool:
        """Store the sorted list in one transaction; False when somebody has paused or cancelled."""
        spec, size = self.spec, ListedRefs.LISTED_PER_ROW
        united = (pair for row in self._stored_refs(range(len(spec.of))) for pair in row.moved)
        found = array("q", sorted_ids(united, backwards=spec.order.is_backwards))
        kept = array("q", (ref for ref in found if ref not in without))
        rows = [
            ListedRefs(
                job=self.job,
                part=stage.part,
                number=number,
                refs=" ".join(map(str, kept[start : start + size])),
            )
            for number, start in enumerate(range(0, len(kept), size), self._next_row())
        ]
        self.lease.fence()
        cursor = self.cursor.after(None, read=0, left=len(found) - len(kept))
        fields = self._cursor_fields(cursor)
        with self.lease.commit():
            if self.lease.status != Status.SELECTING:
                return False
            self.job.listed.filter(part__gt=spec.sorted_part).delete()
            ListedRefs.objects.bulk_create(rows, batch_size=20)
            Job.objects.filter(pk=self.job.pk).update(**fields)
        failpoint(Failpoint.PAGE_WRITTEN)
        self._remember(cursor, fields)
        return True

    def _stored_refs(self, parts: Iterable[int]) -> Iterator[ListedRefs]:
        """The stored refs of these parts."""
        for part in parts:
            yield from ListedRefs.in_order(self.job.listed.filter(part=self.spec.written_at(part)))

    # Stages of items

    def _items_of(self, page: SourcePage) -> PageItems:
        """Items for the refs that belong to the list and are new to it, planned and put into batches."""
        listed = self._already_listed(page.refs)
        fresh = [ref for ref in page.refs if ref not in listed]
        wanted, excluded = self._fitting(fresh, page, self._source_of(self.stages[self.cursor.stage]))
        items, kinds = [], Counter(self.job.kinds)
        for ref in self._within_limits(wanted):
            snapshot, given = page.snapshots.get(ref), page.given.get(ref)
            if not page.is_read:
                items.append(NewItem(ref, given=given, batch=self.batcher.unread_batch()))
                continue
            plan = self.work.plan(ref, snapshot, page.earlier.get(ref), given)
            items.append(self._item(ref, snapshot, plan, given, page.read_at))
            kinds.update(plan.kinds if isinstance(plan, Change) else ())
        return PageItems(items, excluded, dict(kinds))

    def _already_listed(self, refs: Sequence[int]) -> Collection[int]:
        """The refs that are listed already; makes no query if all are higher than the highest listed."""
        if self.highest_ref is None and not self.job.found:
            self.highest_ref = 0
        if self.highest_ref is None:
            self.highest_ref = self.job.items.order_by("-ref").values_list("ref", flat=True).first() or 0
        if min(refs, default=0) > self.highest_ref:
            return ()
        return set(self.job.items.filter(ref__in=refs).values_list("ref", flat=True))

    def _fitting(
        self, refs: Sequence[int], page: SourcePage, source: Stored
    ) -> tuple[list[int], Counter[Fit]]:
        """Those of the refs that belong to the list of this source, and how many do not, by reason.

        One that cannot be seen belongs to it: people want to know of it. So does one that is read later.
        """
        wanted, excluded = [], Counter[Fit]()
        for ref in refs:
            seen = page.snapshots.get(ref) if page.is_read else None
            fit = Fit.BELONGS if seen is None else self.work.fit(source, seen)
            if fit is Fit.BELONGS:
                wanted.append(ref)
            else:
                excluded[fit] += 1
        return wanted, excluded

    def _within_limits(self, refs: list[int]) -> list[int]:
        """Cut the list at the job's own limit; raises `NeedsPerson` beyond the installation's limit."""
        if self.job.limit is not None:
            refs = refs[: self.job.limit - self.job.found]
        if self.job.found + len(refs) > settings.JOB_TICKET_LIMIT:
            raise NeedsPerson(
                f"The list holds more than {settings.JOB_TICKET_LIMIT:,} tickets, the most that one job may "
                "have here. Cancel this job and choose fewer tickets, or raise JOB_TICKET_LIMIT and resume."
            )
        return refs

    def _item(
        self,
        ref: int,
        snapshot: Snapshot | None,
        plan: Plan,
        given: Payload | None,
        read_at: datetime | None,
    ) -> NewItem:
        item = NewItem(ref, given=given, before=snapshot, reason=plan.reason, detail=plan.detail)
        if isinstance(plan, Change):
            item.change = plan.payload
            if self.job.dry_run:
                item.outcome = Outcome.PLANNED
            else:
                # What earlier jobs of the family did is checked right before sending, hence read again.
                is_unsure = plan.once and repeats_its_parent(self.job)
                item.batch = self.batcher.batch_for(plan, read_at=None if is_unsure else read_at)
        elif isinstance(plan, Unchanged):
            item.outcome = Outcome.UNCHANGED
        elif isinstance(plan, Skipped):
            item.outcome = Outcome.SKIPPED
        else:
            item.outcome, item.before = Outcome.FAILED, None
        return item

    # The end

    def _freeze(self) -> bool:
        """Freeze the complete list: from here on it neither grows nor shrinks."""
        self.job.refresh_from_db()
        if self.lease.status != Status.SELECTING:
            return False
        doubt, sizes = self._doubt(), " ".join([self._sizes(), *self._notes_on_taken_out()])
        why = f"The list has ended: {sizes} {doubt}" if doubt else f"The list is complete: {sizes}"
        with transaction.atomic():
            frozen = transitions.move(
                self.job,
                Status.RUNNING,
                by=this_worker(),
                why=why,
                held_with=self.lease.token,
                was_just_read=True,
                frozen_at=clock.now(),
                total=self.job.found,
            )
            if frozen and not self.spec.is_plain:
                self.job.listed.filter(part__gte=self.spec.sorted_part).delete()
        failpoint(Failpoint.LIST_FROZEN)
        return frozen

    def _doubt(self) -> str:
        """Why the list may be incomplete, for people; a list that people gave or cut themselves is not."""
        doubts = []
        for number, stage in enumerate(self.stages):
            is_cut = stage.verb is Verb.LIST and self._is_cut
            if is_cut or stage.part >= len(self.spec.of) or not self._is_remote(stage):
                continue
            read = self.cursor.read.get(number, 0) if self._counts_per_stage else self.job.found
            doubts.append(self.work.completeness_doubt(self.spec.parts[stage.part], read, taken_out=False))
        doubt = " ".join(filter(None, doubts))
        if doubt:
            logger.warning("%s", doubt)
        return doubt

    def _notes_on_taken_out(self) -> list[str]:
        parts = (self.spec.parts[number] for number in self.spec.taken_out)
        notes = [self.work.note_on_taken_out(part) for part in parts if part["kind"] not in (LISTED, ITEMS)]
        return list(dict.fromkeys(filter(None, notes)))

    def _sizes(self) -> str:
        """The size of the list, for people."""
        job, left, stale = self.job, sum(self.cursor.left.values()), sum(self.cursor.stale.values())
        what = "would change" if job.dry_run else "to change"
        number = job.planned if job.dry_run else job.remaining
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in job.kinds.items())
        if job.batches.filter(key=UNREAD).exists():
            sizes = f"{job.found:,} tickets. What each needs is looked up right before it is sent."
        else:
            sizes = f"{job.found:,} tickets, {number:,} {what}{f' ({kinds})' if kinds else ''}."
        if left:
            sizes = f"{sizes} Of those that were read, {left:,} were left out, as asked."
        return f"{sizes} {self.work.note_on_stale(stale)}" if stale else sizes
