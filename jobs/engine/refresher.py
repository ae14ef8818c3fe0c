"""Reads a batch again before it is sent, and plans its items anew.

A batch is refreshed when its items have not been read yet, or too long ago. Other batches are in flight
meanwhile.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from jobs.clocks import clock
from jobs.common import log_context
from jobs.engine.batch_queue import BatchQueue
from jobs.engine.batcher import UNREAD, Batcher
from jobs.engine.exactly_once import ExactlyOnce
from jobs.engine.item_store import update_items
from jobs.engine.readings import ClockWatch, distrust_readings, is_fresh
from jobs.engine.settlement import Settlement, open_items
from jobs.followups import previous_results, purpose_of, repeats_its_parent
from jobs.guards.guard_state import GuardState
from jobs.guards.overlaps import changed_by_others
from jobs.models import Batch, Item
from jobs.runtime.failpoints import Failpoint, failpoint
from jobs.runtime.lease import Lease
from jobs.states import NOT_APPLIED, SENT_BEFORE, BatchState, Outcome
from jobs.work import Change, PendingCall, Skipped, Snapshot, Unchanged, Unreadable, Work

logger = logging.getLogger(__name__)

#: How many batches are read at the same time: the calls that send need the connection too.
READ_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class PendingRefresh:
    """A batch that is being read again."""

    batch: Batch
    refs: list[int]
    read_at: datetime
    call: PendingCall[dict[int, Snapshot]]


@dataclass(slots=True)
class Replanned(Settlement):
    """What a fresh reading decides: `ended` and `resend` leave the batch, the other items stay."""

    staying: int = 0  # number of items that stay
    rewritten: list[Item] = field(default_factory=list)  # those of them whose rows have to be stored


class Refresher:
    """Refreshes the batches of one job for the worker that holds it."""

    def __init__(self, lease: Lease, work: Work, queue: BatchQueue, guards: GuardState) -> None:
        self._lease = lease
        self._job = lease.job
        self._work = work
        self._queue = queue
        self._guards = guards
        self._once = ExactlyOnce(lease, work)
        self._purpose = purpose_of(self._job)
        self._pending: list[PendingRefresh] = []
        self._prepared: set[int] = set()  # batches that were read again here, by primary key
        self._clock = ClockWatch()

    def watch_clock(self) -> None:
        """Trust no reading from before the clock was set: its age is not known."""
        if self._clock.was_set():
            logger.warning("The clock was set: the tickets are read again before they are sent")
            self.distrust()

    def is_prepared(self, batch: Batch) -> bool:
        """Whether the batch was fresh here once, and has aged while it waited for a slot."""
        return batch.pk in self._prepared and not is_fresh(batch)

    def distrust(self) -> None:
        """Have every batch read again before it is sent; those in hand are loaded anew."""
        self.discard()
        with self._lease.commit():
            distrust_readings(self._job)
        self._queue.invalidate()

    def request(self, batch: Batch, on_done: Callable[[], None]) -> None:
        """Begin to read the batch again, if it needs that; `on_done` is called when `finish` has work to do.

        Does nothing while `READ_AT_ONCE` others are being read: call it again later.
        """
        if is_fresh(batch) or len(self._pending) >= READ_AT_ONCE:
            return
        if any(pending.batch.pk == batch.pk for pending in self._pending):
            return
        with log_context.about(batch=batch.pk):
            refs = list(open_items(batch).values_list("ref", flat=True))
            self._lease.fence()
            pending = PendingRefresh(batch, refs, clock.now(), self._work.read(refs))
        self._pending.append(pending)
        pending.call.on_done(on_done)

    def finish(self) -> bool:
        """Plan anew each batch whose reading has ended; False when there was none."""
        finished = [pending for pending in self._pending if pending.call.is_done]
        for pending in finished:
            self._pending.remove(pending)
            self._prepared.add(pending.batch.pk)
            with log_context.about(batch=pending.batch.pk):
                self._refresh(pending, pending.call.result())
        return bool(finished)

    def discard(self) -> None:
        """Give up the readings that are under way."""
        while self._pending:
            self._pending.pop().call.discard()

    def _refresh(self, pending: PendingRefresh, seen: Mapping[int, Snapshot]) -> None:
        """Plan the batch's items from what they are now, so that `before` records what was really there.

        Items that need nothing any more, or another change than the batch carries, leave it. A batch that
        items have joined since its refs were read stays stale, and is read once more.
        """
        batch = pending.batch
        items = list(open_items(batch))
        if [item.ref for item in items] == pending.refs:
            self._write(batch, self._replan(batch, items, seen), pending.read_at)

    def _replan(self, batch: Batch, items: Sequence[Item], seen: Mapping[int, Snapshot]) -> Replanned:
        replanned = Replanned()
        stored = {item.pk: _recorded(item) for item in items}
        previous = previous_results(self._purpose, [item.ref for item in items])
        touched = [
            item.ref for item in items if item.before and seen.get(item.ref, item.before) != item.before
        ]
        by_others = changed_by_others(self._job, touched, since=self._job.created_at)
        if batch.once:
            items = self._once.not_applied_by_family(replanned, items, seen)
        for item in items:
            now = seen.get(item.ref)
            if item.reason in (SENT_BEFORE, NOT_APPLIED):
                was_sent = item.reason == SENT_BEFORE or self._shows(item, now)
                item.reason = ""
                if was_sent and not batch.once and replanned.end_as_read(item, now, batch, self._work):
                    continue
            plan = self._work.plan(item.ref, now, previous.get(item.ref), item.given)
            if item.ref in by_others and not plan.detail:
                plan = replace(
                    plan, detail=f"Job {by_others[item.ref]} changed it after this job had read it."
                )
            if not isinstance(plan, Change):
                _end_unsent(replanned, item, now, plan)
                continue
            item.before, item.change = now, plan.payload
            item.reason, item.detail = plan.reason, plan.detail
            if plan.key != batch.key:
                replanned.resend.append((item, plan))
                continue
            replanned.staying += 1
            if _recorded(item) != stored[item.pk]:
                replanned.rewritten.append(item)
        return replanned

    def _shows(self, item: Item, now: Snapshot | None) -> bool:
        return now is not None and self._work.is_applied(item.change or {}, now)

    def _write(self, batch: Batch, replanned: Replanned, read_at: datetime) -> None:
        counts = replanned.counts
        # One that failed because it cannot be read was not sent: it proves nothing about its kind.
        tried = [item for item in replanned.ended if item.outcome != Outcome.FAILED]
        probes = self._guards.probes.after(batch.probe, tried, self._work.why_withheld)
        learned: dict[str, Any] = {"probes": probes.to_json()}
        if not (replanned.staying or replanned.resend):
            learned["crash_count"] = 0  # the batch is settled, as by sending it
        batcher = Batcher(self._job, self._work.batch_size)
        if batch.key == UNREAD:
            batcher.offer_for_reuse(batch)
        key_counts = Counter(change.key for _, change in replanned.resend)
        # The most frequent change first: it reuses the row of the unread batch, and the fewest items move.
        moving = sorted(replanned.resend, key=lambda pair: -key_counts[pair[1].key])
        with self._lease.commit(**learned, **self._work.calls.take(), **counts):
            batcher.find_open(key_counts)
            # `batcher` may make the row of an unread batch one of another kind, so its kind is kept.
            was_once = batch.once
            targets = [
                self._target(batcher, batch, change, read_at, was_once=was_once) for _, change in moving
            ]
            batcher.save()
            for (item, _), target in zip(moving, targets, strict=True):
                item.batch = target
            changes = dict(counts)
            if not batcher.has_reused(batch):
                batch.size = replanned.staying
                changes |= {"size": replanned.staying, "read_at": read_at}
                if not replanned.staying:
                    changes |= {"state": BatchState.SETTLED, "settled_at": clock.now()}
                    batch.state = BatchState.SETTLED
            if changes:
                Batch.objects.filter(pk=batch.pk).update(**changes)
            update_items([*replanned.ended, *replanned.rewritten, *(item for item, _ in moving)])
            failpoint(Failpoint.READ_WRITTEN)
        self._queue.add(batcher.filled)
        self._guards.probes = probes
        self._guards.kinds |= {change.probe for _, change in replanned.resend if change.probe}

    def _target(
        self, batcher: Batcher, batch: Batch, change: Change, read_at: datetime, *, was_once: bool
    ) -> Batch:
        """The batch for an item that needs another change than its own batch carries."""
        # A change that must not be made twice is checked against the earlier jobs of the family when its
        # batch is read. The batch that the item leaves carried no such change, so the item is read once more.
        needs_reading = change.once and not was_once and repeats_its_parent(self._job)
        return batcher.batch_for(change, attempt=batch.attempt, read_at=None if needs_reading else read_at)


def _recorded(item: Item) -> tuple[object, ...]:
    """What the item's row holds besides its outcome, and a new plan may change."""
    return item.before, item.change, item.reason, item.detail


def _end_unsent(
    settlement: Settlement, item: Item, now: Snapshot | None, plan: Unchanged | Skipped | Unreadable
) -> None:
    item.before, item.change = None if isinstance(plan, Unreadable) else now, None
    outcomes = {Unchanged: Outcome.UNCHANGED, Skipped: Outcome.SKIPPED, Unreadable: Outcome.FAILED}
    settlement.end(item, outcomes[type(plan)], plan.reason, plan.detail)
