"""Settles a batch: every item gets its outcome, or moves to another batch to be sent again.

Each batch settles in one transaction: the outcomes of its items, its counts and those of the job. Where items
have to be read back first, that happens outside of the transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from jobs import transitions
from jobs.actors import this_worker
from jobs.engine.batch_queue import BatchQueue
from jobs.engine.batcher import Batcher
from jobs.engine.exactly_once import ExactlyOnce
from jobs.engine.settlement import Settlement, open_items
from jobs.guards.guard_state import GuardState
from jobs.guards.probes import Probes
from jobs.models import Batch, Item
from jobs.runtime.failpoints import Failpoint, failpoint
from jobs.runtime.lease import Lease
from jobs.states import SENT_BEFORE, BatchState, Outcome
from jobs.work import Answer, Change, Phase, Result, Verdict, Work

logger = logging.getLogger(__name__)

#: How often an item is sent before it counts as failed.
MAX_ATTEMPTS = 4
#: How often the one item of a batch that broke is sent: it has broken every larger batch that it was in.
MAX_ATTEMPTS_ALONE = 2
#: The attempt of the halves of a batch that broke, however often it was split. Splitting ends by itself, and
#: an item must not fail because others broke the batches that it was in. For the same reason a batch without
#: results is halved after its last attempt: its halves have one attempt each.
BISECT_ATTEMPT = 2


class Settler:
    """Settles the batches of one job for the worker that holds it."""

    def __init__(self, lease: Lease, work: Work, queue: BatchQueue, guards: GuardState) -> None:
        self._lease = lease
        self._job = lease.job
        self._work = work
        self._queue = queue
        self._guards = guards
        self._once = ExactlyOnce(lease, work)

    def settle(self, batch: Batch, answer: Answer, *, is_over: bool | None = None) -> None:
        """Settle by a final answer: its phase is not RUNNING.

        With `is_over`, whatever of the batch has not been carried out by now never will be. By default that
        holds for every phase but GONE.
        """
        settlement = Settlement(note=answer.text if answer.phase is not Phase.OVER else "")
        opened = open_items(batch)
        results = {  # by primary key, in the order in which the items were sent
            pk: answer.results.get(ref) or answer.by_place.get(place)
            for place, (pk, ref) in enumerate(opened.values_list("pk", "ref"))
        }
        settlement.changed = [
            pk for pk, result in results.items() if result is not None and result.verdict is Verdict.DONE
        ]
        settlement.all_changed = len(settlement.changed) == len(results)
        # An item that went well needs nothing else, and loading it costs more than all the rest.
        others = [] if settlement.all_changed else list(opened.exclude(pk__in=settlement.changed))
        unnamed, later = [], []
        for item in others:
            result = results[item.pk]
            if result is None:
                unnamed.append(item)
            elif result.verdict is Verdict.LATER:
                later.append((item, result))
            else:
                _end_with(settlement, item, result)
        if batch.once and batch.attempt >= MAX_ATTEMPTS:
            # The item may conflict with its own change, sent by an earlier attempt and carried out late.
            not_applied = self._once.confirmed_not_applied(settlement, [item for item, _ in later])
            later = [(item, result) for item, result in later if item in not_applied]
        for item, result in later:
            self._resend_or_fail(settlement, batch, item, result.code or "later", result.text)
        if unnamed:
            over = answer.phase is not Phase.GONE if is_over is None else is_over
            self._read_back(settlement, batch, unnamed, answer, is_over=over)
        self._write(batch, settlement)

    def settle_by_reading(self, batch: Batch, *, is_over: bool) -> None:
        """Settle a batch whose receipt was never learned, and of which no trace can be found."""
        lost = Answer(Phase.GONE, text="The answer to this batch was lost; its tickets were read back.")
        self.settle(batch, lost, is_over=is_over)

    def refuse(self, batch: Batch, *, code: str, text: str) -> None:
        """Settle a batch whose call was refused as a whole and changed nothing."""
        items = list(open_items(batch))
        settlement = Settlement(note=text)
        if len(items) > 1:
            settlement.bisect_attempt = BISECT_ATTEMPT
            settlement.resend = [(item, _change_of(batch, item)) for item in items]
        else:
            for item in items:
                settlement.end(item, Outcome.FAILED, code, text)
        self._write(batch, settlement)

    def put_off(self, batch: Batch, *, code: str, text: str) -> None:
        """Settle a batch whose call was refused for a reason that passes, and changed nothing."""
        items: Sequence[Item] = list(open_items(batch))
        settlement = Settlement(note=text)
        if batch.once and batch.attempt >= MAX_ATTEMPTS:
            # An earlier attempt may have been carried out late.
            items = self._once.confirmed_not_applied(settlement, items)
        for item in items:
            self._resend_or_fail(settlement, batch, item, code, text)
        self._write(batch, settlement)

    def _read_back(
        self, settlement: Settlement, batch: Batch, items: Sequence[Item], answer: Answer, *, is_over: bool
    ) -> None:
        """Decide about items that no result names: by their present state, or by what is on record."""
        if batch.once:
            not_applied = self._once.confirmed_not_applied(settlement, items, is_over=is_over)
        else:
            self._lease.fence()
            seen = self._work.read([item.ref for item in items]).result()
            not_applied = [
                item
                for item in items
                if not settlement.end_as_read(item, seen.get(item.ref), batch, self._work)
            ]
        for item in not_applied:
            item.reason = SENT_BEFORE
        broke = answer.phase is Phase.FAILED
        if broke and len(not_applied) == 1 and batch.size == 1:
            item = not_applied[0]
            self._resend_or_fail(
                settlement, batch, item, "batch_failed", answer.text, max_attempts=MAX_ATTEMPTS_ALONE
            )
            return
        if len(not_applied) > 1:
            if broke:
                settlement.bisect_attempt = BISECT_ATTEMPT
            elif batch.attempt >= MAX_ATTEMPTS:
                settlement.bisect_attempt = MAX_ATTEMPTS
        for item in not_applied:
            if settlement.bisect_attempt:
                settlement.resend.append((item, _change_of(batch, item)))
            else:
                text = answer.text or "No result was given."
                self._resend_or_fail(settlement, batch, item, "no_result", text)

    def _resend_or_fail(
        self,
        settlement: Settlement,
        batch: Batch,
        item: Item,
        reason: str,
        text: str,
        *,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> None:
        if batch.attempt < max_attempts:
            if batch.once:
                item.reason = SENT_BEFORE
            settlement.resend.append((item, _change_of(batch, item)))
        else:
            settlement.end(item, Outcome.FAILED, reason, f"{text} (sent {batch.attempt} times)".strip())

    def _write(self, batch: Batch, settlement: Settlement) -> None:
        counts, done = settlement.counts, len(settlement.changed)
        window = self._guards.window.after(settlement.ended, done=done)
        probes = self._guards.probes.after(batch.probe, settlement.ended, self._work.why_withheld, done=done)
        learned: dict[str, Any] = {"lately": window.to_json(), "probes": probes.to_json()}
        with self._lease.commit(crash_count=0, **learned, **self._work.calls.take(), **counts):
            unsettled = Batch.objects.filter(pk=batch.pk).exclude(state=BatchState.SETTLED)
            if not unsettled.update(
                state=BatchState.SETTLED, settled_at=timezone.now(), note=settlement.note, **counts
            ):
                raise AlreadySettled(f"batch {batch.pk} was settled before")
            _save_outcomes(batch, settlement)
            self._move_resent(batch, settlement)
            self._record_withheld(probes)
            failpoint(Failpoint.SETTLING)
        failpoint(Failpoint.SETTLED)
        self._guards.window, self._guards.probes = window, probes
        if settlement.resend:
            logger.info("%s of its %s items are sent again", len(settlement.resend), batch.size)

    def _record_withheld(self, probes: Probes) -> None:
        """Add an entry to the timeline for each kind of items that is withheld from now on."""
        for kind, why in probes.withheld.items():
            if kind not in self._guards.probes.withheld:
                status = self._lease.status
                transitions.record(
                    self._job, status, status, by=this_worker(), why=f"{why} The others go on."
                )

    def _move_resent(self, batch: Batch, settlement: Settlement) -> None:
        """Put the items to be sent again into batches that are read again before."""
        if not settlement.resend:
            return
        batcher = Batcher(self._job, self._work.batch_size)
        if settlement.bisect_attempt:
            middle = (len(settlement.resend) + 1) // 2
            for half in (settlement.resend[:middle], settlement.resend[middle:]):
                target = batcher.new_batch(
                    half[0][1],
                    attempt=settlement.bisect_attempt,
                    read_at=None,
                    size=len(half),
                    note="half of a batch",
                )
                for item, _ in half:
                    item.batch = target
            self._queue.put_first(batcher.save())
        else:
            for item, change in settlement.resend:
                item.batch = batcher.batch_for(change, attempt=batch.attempt + 1, read_at=None)
            batcher.save()
            self._queue.invalidate()
        Item.objects.bulk_update([item for item, _ in settlement.resend], ["batch", "reason"])


class AlreadySettled(Exception):
    """Somebody else has settled the batch; what this worker was about to write is rolled back."""


def _change_of(batch: Batch, item: Item) -> Change:
    return Change(item.change or {}, own=batch.change is None, once=batch.once, probe=batch.probe)


def _end_with(settlement: Settlement, item: Item, result: Result) -> None:
    """End an item by a final refusal."""
    if result.verdict is Verdict.MISSING:
        settlement.end(
            item, Outcome.SKIPPED, "not_found", result.text or "The ticket does not exist any more."
        )
    else:
        settlement.end(item, Outcome.FAILED, result.code or "refused", result.text)


def _save_outcomes(batch: Batch, settlement: Settlement) -> None:
    """Write the outcomes in at most two UPDATEs: one for all changed items, one for the others."""
    if settlement.all_changed:
        open_items(batch).order_by().update(outcome=Outcome.CHANGED)  # without listing a hundred keys
        return
    is_changed = [item.pk for item in settlement.ended if item.outcome == Outcome.CHANGED]
    if changed := [*settlement.changed, *is_changed]:
        Item.objects.filter(pk__in=changed).update(outcome=Outcome.CHANGED)
    if others := [item for item in settlement.ended if item.outcome != Outcome.CHANGED]:
        Item.objects.bulk_update(others, ["outcome", "reason", "detail", "before", "change"])
