"""Settles a batch: every item gets its outcome, or moves to another batch to be sent again.

Each batch settles in one transaction: the outcomes of its items, its counts and those of the job. Where items
have to be read back first, that happens outside of the transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence, Set
from typing import Any

from django.db.models import F

from jobs import transitions
from jobs.actors import this_worker
from jobs.clocks import clock
from jobs.engine.batch_queue import BatchQueue
from jobs.engine.batcher import Batcher
from jobs.engine.exactly_once import ExactlyOnce
from jobs.engine.read_back import Reading, Results, sendable_of
from jobs.engine.settlement import Settlement, open_items
from jobs.guards.evidence import Evidence
from jobs.guards.guard_state import GuardState
from jobs.guards.probes import Probes
from jobs.models import Batch, Item
from jobs.runtime.failpoints import Failpoint, failpoint
from jobs.runtime.lease import Lease
from jobs.states import NOT_APPLIED, NOT_SHOWN, SENT_BEFORE, UNDONE_SINCE, BatchState, Outcome
from jobs.work import (
    Answer,
    Change,
    DeliveryEvidence,
    Payload,
    PendingCall,
    Phase,
    Result,
    Sendable,
    Snapshot,
    Verdict,
    Work,
)

logger = logging.getLogger(__name__)

#: How often an item is sent before it counts as failed.
MAX_ATTEMPTS = 4
#: How often the one item of a batch that broke is sent: it has broken every larger batch that it was in.
MAX_ATTEMPTS_ALONE = 2
#: The attempt of the halves of a batch that broke, however often it was split. Splitting ends by itself, and
#: an item must not fail because others broke the batches that it was in. For the same reason a batch without
#: results is halved after its last attempt: its halves have one attempt each.
BISECT_ATTEMPT = 2


GONE = "Zendesk called it updated, but the ticket can no longer be seen."
MADE_AND_UNDONE = (
    "Zendesk made the change, as the ticket's history says, and it has been undone since: most likely by a "
    "trigger."
)
DID_NOT_LAST = (
    "Zendesk made the change, as the ticket's history says, but it has been undone since, most likely by a "
    "trigger: the ticket is not as it was before."
)
TAKEN_BACK_SINCE = (
    "Zendesk made the change, as the ticket's history says, and it has been taken back while this job stood "
    "still: by an undo elsewhere, a person or a trigger. Retry makes it again."
)
MADE_IN_PART = (
    "Zendesk called it updated, but its tags and fields do not show the change. The comment may have been "
    "posted, so nothing is sent again: look at the ticket."
)
NOT_TO_BE_SEEN = (
    "Zendesk called it updated, but the ticket does not show the change, and its history cannot be read or "
    "does not tell whether it was made: look at the ticket."
)


class Settler:
    """Settles the batches of one job for the worker that holds it."""

    def __init__(self, lease: Lease, work: Work, queue: BatchQueue, guards: GuardState) -> None:
        self._lease = lease
        self._job = lease.job
        self._work = work
        self._queue = queue
        self._guards = guards
        self._once = ExactlyOnce(lease, work)

    def settle(
        self,
        batch: Batch,
        answer: Answer,
        *,
        results: Results | None = None,
        reading: Reading | None = None,
        is_over: bool | None = None,
        kinds: Set[str] = frozenset(),
    ) -> None:
        """Settle by a final answer: its phase is not RUNNING.

        With a `reading`, items that were reported as changed count as that only if it bears them out. Items
        that have to be read are read now if there is none. With `is_over`, whatever of the batch has not been
        carried out by now never will be; by default that holds for every phase but GONE. `kinds` are those
        of the batch's changes.
        """
        results = results or Results.of(batch, answer)
        if reading is None and results.is_open:
            reading = self.read(batch, results)
        settlement = Settlement(note=answer.text if answer.phase is not Phase.OVER else "", reading=reading)
        settlement.changed = results.keys(Verdict.DONE)
        if reading is not None:
            settlement.changed = self._verify(settlement, batch, results, reading)
        settlement.all_changed = len(settlement.changed) == len(results.by_key)
        unnamed, later = self._sort_others(settlement, batch, results, reading)
        if batch.once and batch.attempt >= MAX_ATTEMPTS:
            # The item may conflict with its own change, sent by an earlier attempt and carried out late.
            not_applied = self._once.confirmed_not_applied(settlement, [item for item, _ in later])
            later = [(item, result) for item, result in later if item in not_applied]
        for item, result in later:
            self._resend_or_fail(settlement, batch, item, result.code or "later", result.text)
        if unnamed:
            over = answer.phase is not Phase.GONE if is_over is None else is_over
            self._decide_unnamed(settlement, batch, unnamed, answer, reading, is_over=over)
        self._write(batch, settlement, kinds)

    def _sort_others(
        self, settlement: Settlement, batch: Batch, results: Results, reading: Reading | None
    ) -> tuple[list[Item], list[tuple[Item, Result]]]:
        """End the items that were refused for good; returns those that nobody named, and those for later."""
        unnamed: list[Item] = []
        later: list[tuple[Item, Result]] = []
        is_open = bool(batch.probe) and self._guards.probes.is_open(batch.probe)
        # An item that went well needs nothing else, and loading it costs more than all the rest.
        others = [] if settlement.all_changed else open_items(batch).exclude(pk__in=settlement.changed)
        for item in others:
            result = results.by_key.get(item.pk)
            if result is not None and result.verdict is Verdict.UNEXPLAINED and reading is not None:
                now = reading.seen.get(item.ref)
                result = self._work.explain(sendable_of(item), now, result, kind_is_open=is_open)
            if result is None:
                unnamed.append(item)
            elif result.verdict is Verdict.LATER:
                later.append((item, result))
            elif result.verdict is not Verdict.DONE:  # `_verify` has decided about those
                _end_with(settlement, item, result)
        return unnamed, later

    def read(self, batch: Batch, results: Results) -> Reading:
        """Read a batch back, and wait for it: all its items, and the records of those that need it."""
        at = clock.now()
        reading = Reading.of(batch, results, self.begin_reading(results).result(), at, self._work)
        while reading.to_ask:
            reading.ask_next(self._work)
        return reading

    def begin_reading(self, results: Results) -> PendingCall[dict[int, Snapshot]]:
        """Begin to read the open items of a batch back."""
        self._lease.fence()
        return self._work.read_back(list(results.refs.values()))

    def _verify(self, settlement: Settlement, batch: Batch, results: Results, reading: Reading) -> list[int]:
        """Decide about items reported as changed by how they were read back; returns those that show it."""
        done = results.keys(Verdict.DONE)
        doubtful = reading.ends.keys() | reading.evidence.keys()
        open_ones = [pk for pk in done if (ref := results.refs[pk]) in doubtful or ref not in reading.seen]
        unsettled = Item.objects.in_bulk(open_ones) if open_ones else {}
        for item in unsettled.values():
            if item.ref not in reading.seen:
                settlement.end(item, Outcome.UNVERIFIED, "gone", GONE)
            elif end := reading.ends.get(item.ref):
                _end_with(settlement, item, end)
            else:
                self._judge(settlement, batch, item, reading)
        shown = [pk for pk in done if pk not in unsettled]
        for change in Item.objects.filter(pk__in=shown).values_list("change", flat=True):
            settlement.shown_kinds.add(self._kind(batch, change))
        return shown

    def _judge(self, settlement: Settlement, batch: Batch, item: Item, reading: Reading) -> None:
        """Decide about an item that was reported as changed and does not show it."""
        evidence = reading.evidence[item.ref]
        if evidence is DeliveryEvidence.MADE:
            settlement.shown_kinds.add(self._kind(batch, item.change))
            if not self._work.is_visible(item.change or {}):
                settlement.end(item, Outcome.CHANGED)
            elif self._work.must_last:
                settlement.end(item, Outcome.FAILED, UNDONE_SINCE, DID_NOT_LAST)
            elif batch.is_doubted:
                settlement.end(item, Outcome.FAILED, UNDONE_SINCE, TAKEN_BACK_SINCE)
            else:
                settlement.undone += 1
                settlement.end(item, Outcome.CHANGED, UNDONE_SINCE, MADE_AND_UNDONE)
        elif evidence is DeliveryEvidence.UNCLEAR:
            settlement.unclear[item.ref] = self._kind(batch, item.change)
            settlement.end(item, Outcome.UNVERIFIED, NOT_SHOWN, NOT_TO_BE_SEEN)
        elif (own := self._work.why_not_made(sendable_of(item), reading.seen[item.ref])) and (
            not batch.once or self._is_unmade(item)
        ):
            _end_with(settlement, item, own)
        else:
            settlement.absent[item.ref] = self._kind(batch, item.change)
            if batch.once and not self._is_unmade(item):
                settlement.end(item, Outcome.UNVERIFIED, NOT_SHOWN, MADE_IN_PART)
                return
            item.reason, item.detail = NOT_APPLIED, ""
            settlement.not_applied.append((item, _change_of(batch, item)))

    def _is_unmade(self, item: Item) -> bool:
        """Whether nothing of a change that must not be made twice was made."""
        if not self._work.is_visible(item.change or {}):
            return True  # the records that show it were asked already
        found = self._work.find_evidence([sendable_of(item)])
        return found.get(item.ref) is DeliveryEvidence.NOT_MADE

    def _kind(self, batch: Batch, change: Payload | None) -> str:
        return self._work.kind_of(change or {}, own=batch.change is None)

    def answer_to_refusal(self, batch: Batch, *, code: str, text: str) -> Answer | None:
        """The answer about the one item of a batch whose call was refused; None if there are several."""
        refs = list(open_items(batch).values_list("ref", flat=True)[:2])
        result = Result(Verdict.UNEXPLAINED, code, text)
        return Answer(Phase.FAILED, {refs[0]: result}, text=text) if len(refs) == 1 else None

    def refuse(self, batch: Batch, *, text: str) -> None:
        """Settle a batch of several items whose call was refused as a whole and changed nothing."""
        settlement = Settlement(note=text, bisect_attempt=BISECT_ATTEMPT)
        settlement.resend = [(item, _change_of(batch, item)) for item in open_items(batch)]
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

    def kinds_of(self, batch: Batch, items: Sequence[Sendable]) -> frozenset[str]:
        """The kinds of changes that the batch carries."""
        if batch.change is not None:
            return frozenset({self._kind(batch, batch.change)})
        return frozenset(self._kind(batch, item.change) for item in items)

    def _decide_unnamed(
        self,
        settlement: Settlement,
        batch: Batch,
        items: Sequence[Item],
        answer: Answer,
        reading: Reading | None,
        *,
        is_over: bool,
    ) -> None:
        """Decide about items whose fate nobody named: by their present state, or by what is on record."""
        if batch.once or reading is None:
            not_applied = self._once.confirmed_not_applied(settlement, items, is_over=is_over)
        else:
            not_applied = [
                item
                for item in items
                if not settlement.end_as_read(item, reading.seen.get(item.ref), batch, self._work)
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
                self._resend_or_fail(settlement, batch, item, "no_result", text, otherwise=Outcome.UNVERIFIED)

    def _resend_or_fail(
        self,
        settlement: Settlement,
        batch: Batch,
        item: Item,
        reason: str,
        text: str,
        *,
        max_attempts: int = MAX_ATTEMPTS,
        otherwise: Outcome = Outcome.FAILED,
    ) -> None:
        """Send the item again; after the last attempt it has failed, or ends `otherwise`."""
        if batch.attempt < max_attempts:
            if batch.once:
                item.reason = SENT_BEFORE
            settlement.resend.append((item, _change_of(batch, item)))
        else:
            settlement.end(item, otherwise, reason, f"{text} (sent {batch.attempt} times)".strip())

    def _write(self, batch: Batch, settlement: Settlement, kinds: Set[str] = frozenset()) -> None:
        counts, done = settlement.counts, len(settlement.changed)
        window = self._guards.window.after(
            settlement.ended, done=done, own_failures=self._work.own_failures | {UNDONE_SINCE}
        )
        probes = self._guards.probes.after(batch.probe, settlement.ended, self._work.why_withheld, done=done)
        evidence = self._evidence_after(settlement, kinds)
        learned: dict[str, Any] = {
            "lately": window.to_json(),
            "probes": probes.to_json(),
            "evidence": evidence.to_json(),
        }
        if settlement.reading is not None:
            # Among them those of its items that showed the change already when they were read before sending.
            before = Batch.objects.filter(pk=batch.pk).values_list("changed", flat=True).get()
            learned["verified"] = F("verified") + before + settlement.number(Outcome.CHANGED)
        with self._lease.commit(crash_count=0, **learned, **self._work.calls.take(), **counts):
            unsettled = Batch.objects.filter(pk=batch.pk).exclude(state=BatchState.SETTLED)
            if not unsettled.update(
                state=BatchState.SETTLED,
                settled_at=clock.now(),
                verified_at=settlement.reading.at if settlement.reading else None,
                note=settlement.note,
                **counts,
            ):
                raise AlreadySettled(f"batch {batch.pk} was settled before")
            _save_outcomes(batch, settlement)
            self._move_resent(batch, settlement)
            self._record_withheld(probes)
            failpoint(Failpoint.SETTLING)
        failpoint(Failpoint.SETTLED)
        self._guards.window, self._guards.probes, self._guards.evidence = window, probes, evidence
        if settlement.resend:
            logger.info("%s of its %s items are sent again", len(settlement.resend), batch.size)

    def _evidence_after(self, settlement: Settlement, kinds: Set[str]) -> Evidence:
        known, reading = self._guards.evidence, settlement.reading
        if reading is None:
            return known.not_read(kinds) if settlement.changed else known
        return known.read(
            settlement.shown_kinds,
            settlement.absent,
            settlement.unclear,
            undone=settlement.undone,
            at=reading.at,
        )

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
        if settlement.not_applied:
            self._move_not_applied(batch, settlement.not_applied)
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

    def _move_not_applied(self, batch: Batch, items: Sequence[tuple[Item, Change]]) -> None:
        """Make items pending again that a person has to decide about: a resume is no further attempt."""
        batcher = Batcher(self._job, self._work.batch_size)
        for item, change in items:
            item.batch = batcher.batch_for(change, attempt=batch.attempt, read_at=None)
        batcher.save()
        self._queue.invalidate()
        Item.objects.bulk_update([item for item, _ in items], ["batch", "reason", "detail"])


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
    if others := [
        item for item in settlement.ended if item.outcome != Outcome.CHANGED or item.reason == UNDONE_SINCE
    ]:
        Item.objects.bulk_update(others, ["outcome", "reason", "detail", "before", "change"])
