"""What became of a batch: every item gets its outcome, or goes into another batch to be sent again.

Each batch settles in one transaction: the outcomes of its items, its counts and those of the job. The reading
back that may be needed is done before, outside of it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from jobs import transitions
from jobs.actors import this_worker
from jobs.engine.batch_queue import BatchQueue
from jobs.engine.batcher import UNREAD, Batcher
from jobs.engine.exactly_once import ExactlyOnce
from jobs.engine.item_store import store_read
from jobs.engine.settlement import Settlement
from jobs.followups import previous_results, purpose_of, repeats_its_parent
from jobs.guards.circuit_breaker import RefusalWindow
from jobs.guards.overlaps import changed_by_others
from jobs.guards.probes import Probes
from jobs.models import Batch, Item
from jobs.runtime.failpoints import Failpoint, failpoint
from jobs.runtime.lease import Lease
from jobs.states import SENT_BEFORE, BatchState, Outcome
from jobs.work import (
    Answer,
    Change,
    Phase,
    Plan,
    Result,
    Skipped,
    Snapshot,
    Unchanged,
    Verdict,
    Work,
)

logger = logging.getLogger(__name__)

#: How often one item is sent before it counts as failed.
MAX_ATTEMPTS = 4
#: Where the halves of a batch that broke begin, however often it was split: splitting ends by itself, and an
#: item must not fail because others broke the batches it was in. So a batch is halved too when it was sent as
#: often as may be and nobody ever said what became of it; such halves have one try each.
ATTEMPT_OF_HALVES = 2


class Settler:
    """Settles the batches of one job for the worker that holds it."""

    def __init__(self, lease: Lease, work: Work, line: BatchQueue) -> None:
        self.lease = lease
        self.job = lease.job
        self.work = work
        self.line = line
        self.once = ExactlyOnce(lease, work)
        self.errand = purpose_of(self.job)
        self.window = RefusalWindow.from_json(self.job.lately)
        self.probes = Probes.from_json(self.job.probes)
        #: Of which items go only after a probe (`jobs.guards.probes`).
        self.kinds = set(self.job.batches.exclude(probe="").values_list("probe", flat=True).distinct())

    # After an answer

    def settle(self, batch: Batch, answer: Answer, *, is_over: bool | None = None) -> None:
        """The other side has said all it will say about this batch (its phase is not RUNNING).

        `is_over`: what of it was not carried out by now never will be; by itself not so where it is GONE.
        """
        settlement = Settlement(note=answer.text if answer.phase is not Phase.OVER else "")
        pending = _pending(batch)
        results = {  # by primary key, in the order in which they were sent
            pk: answer.results.get(ref) or answer.by_place.get(place)
            for place, (pk, ref) in enumerate(pending.values_list("pk", "ref"))
        }
        settlement.done = [
            pk for pk, result in results.items() if result is not None and result.verdict is Verdict.DONE
        ]
        settlement.all_changed = len(settlement.done) == len(results)
        # Of an item that went well nothing else is needed, and reading it whole costs more than all the rest.
        others = [] if settlement.all_changed else list(pending.exclude(pk__in=settlement.done))
        unnamed, touched = [], []
        for item in others:
            result = results[item.pk]
            if result is None:
                unnamed.append(item)
            elif result.verdict is Verdict.CONFLICT:
                touched.append((item, result))
            else:
                _judge(settlement, item, result)
        if batch.once and batch.attempt >= MAX_ATTEMPTS:
            # What was in its way may have been the change itself, sent before and carried out late.
            unmade = self.once.confirmed_not_applied(settlement, [item for item, _ in touched])
            touched = [(item, result) for item, result in touched if item in unmade]
        for item, result in touched:
            self._again_or_failed(settlement, batch, item, "conflict", result.text)
        if unnamed:
            over = answer.phase is not Phase.GONE if is_over is None else is_over
            self._read_back(settlement, batch, unnamed, answer, is_over=over)
        self._write(batch, settlement)

    def settle_by_reading(self, batch: Batch, *, is_over: bool) -> None:
        """Its receipt was never learned and nothing of it can be found: only the items themselves tell."""
        lost = Answer(Phase.GONE, text="The answer to this batch was lost; its tickets were read back.")
        self.settle(batch, lost, is_over=is_over)

    def refuse(self, batch: Batch, *, code: str, text: str) -> None:
        """The call itself was refused and changed nothing."""
        items = list(_pending(batch))
        settlement = Settlement(note=text)
        if len(items) > 1:
            settlement.bisect_attempt = ATTEMPT_OF_HALVES
            settlement.resend = [(item, self._change_of(batch, item)) for item in items]
        else:
            for item in items:
                settlement.end(item, Outcome.FAILED, code, text)
        self._write(batch, settlement)

    def _read_back(
        self, settlement: Settlement, batch: Batch, items: Sequence[Item], answer: Answer, *, is_over: bool
    ) -> None:
        """Items whose fate nobody named: what they look like now tells, or what is on record about them."""
        if batch.once:
            not_done = self.once.confirmed_not_applied(settlement, items, is_over=is_over)
        else:
            self.lease.fence()
            seen = self.work.read([item.ref for item in items]).result()
            not_done = [
                item for item in items if not self._ended_unseen(settlement, batch, item, seen.get(item.ref))
            ]
        for item in not_done:
            item.reason = SENT_BEFORE
        if answer.phase is Phase.FAILED and len(not_done) == 1 and batch.size == 1:
            item = not_done[0]
            self._again_or_failed(settlement, batch, item, "batch_failed", answer.text, tries=2)
            return
        if len(not_done) > 1:
            if answer.phase is Phase.FAILED:
                settlement.bisect_attempt = ATTEMPT_OF_HALVES
            elif batch.attempt >= MAX_ATTEMPTS:
                settlement.bisect_attempt = MAX_ATTEMPTS
        for item in not_done:
            if settlement.bisect_attempt:  # ends by itself: they get smaller
                settlement.resend.append((item, self._change_of(batch, item)))
            else:
                self._again_or_failed(
                    settlement, batch, item, "no_result", answer.text or "No result was given."
                )

    def _ended_unseen(self, settlement: Settlement, batch: Batch, item: Item, now: Snapshot | None) -> bool:
        """Give an item that was sent the outcome that its looks tell; False when it looks not done."""
        if now is None:
            settlement.end(
                item,
                Outcome.UNVERIFIED,
                "gone",
                "It was sent, but the result was lost and the ticket can no longer be seen.",
            )
            return True
        if self.work.is_applied(item.change or {}, now):
            settlement.end(item, Outcome.CHANGED)
            return True
        if batch.change is None and now != item.before:
            # Planned anew it would take the place of what somebody just did, and of what it looked like
            # before the job, which undo needs.
            settlement.end(
                item,
                Outcome.UNVERIFIED,
                "touched_meanwhile",
                "It was sent, the result was lost, and somebody has changed the ticket since: look at it, "
                "and retry if the change is still wanted.",
            )
            return True
        return False

    def _again_or_failed(
        self,
        settlement: Settlement,
        batch: Batch,
        item: Item,
        reason: str,
        text: str,
        *,
        tries: int = MAX_ATTEMPTS,
    ) -> None:
        if batch.attempt < tries:
            if batch.once:
                item.reason = SENT_BEFORE
            settlement.resend.append((item, self._change_of(batch, item)))
        else:
            settlement.end(item, Outcome.FAILED, reason, f"{text} (sent {batch.attempt} times)".strip())

    def _change_of(self, batch: Batch, item: Item) -> Change:
        return Change(item.change or {}, own=batch.change is None, once=batch.once, probe=batch.probe)

    def _write(self, batch: Batch, settlement: Settlement) -> None:
        counts = _count(settlement.outcomes)
        counts[Outcome.CHANGED.value] += len(settlement.done)
        now = timezone.now()
        done = len(settlement.done)
        window = self.window.after(settlement.outcomes, done=done)
        probes = self.probes.after(batch.probe, settlement.outcomes, self.work.why_withheld, done=done)
        learnt: dict[str, Any] = {"lately": window.to_json(), "probes": probes.to_json()}
        with self.lease.commit(crash_count=0, **learnt, **self.work.calls.take(), **_added(counts)):
            settled = Batch.objects.filter(pk=batch.pk).exclude(state=BatchState.SETTLED)
            if not settled.update(
                state=BatchState.SETTLED,
                settled_at=now,
                note=settlement.note,
                **_added(counts),
            ):
                raise AlreadySettled(f"batch {batch.pk} was settled before")
            if settlement.all_changed:
                _pending(batch).order_by().update(outcome=Outcome.CHANGED)  # without a hundred keys
            else:
                _save_outcomes(settlement.outcomes, settlement.done)
            self._move_on(batch, settlement)
            self._tell_withheld(probes)
            failpoint(Failpoint.SETTLING)
        failpoint(Failpoint.SETTLED)
        self.window, self.probes = window, probes
        if settlement.resend:
            logger.info("%s of its %s items go again", len(settlement.resend), batch.size)

    def _tell_withheld(self, probes: Probes) -> None:
        """A line of the timeline for each kind of which no more are sent from now on."""
        for kind, why in probes.withheld.items():
            if kind not in self.probes.withheld:
                status = self.lease.status
                transitions.record(self.job, status, status, by=this_worker(), why=f"{why} The others go on.")

    def _move_on(self, batch: Batch, settlement: Settlement) -> None:
        """Put the items that go again into batches that are read again before they are sent."""
        if not settlement.resend:
            return
        batcher = Batcher(self.job, self.work.batch_size)
        if settlement.bisect_attempt:
            middle = (len(settlement.resend) + 1) // 2
            for half in (settlement.resend[:middle], settlement.resend[middle:]):
                home = batcher.start(
                    half[0][1],
                    attempt=settlement.bisect_attempt,
                    read_at=None,
                    size=len(half),
                    note="half of a batch",
                )
                for item, _ in half:
                    item.batch = home
            self.line.put_first(batcher.save())
        else:
            for item, change in settlement.resend:
                item.batch = batcher.batch_for(change, attempt=batch.attempt + 1, read_at=None)
            batcher.save()
            self.line.invalidate()
        Item.objects.bulk_update([item for item, _ in settlement.resend], ["batch", "reason"])

    # Before sending

    def refs_of(self, batch: Batch) -> list[int]:
        """What is to be read of it for `refresh`."""
        return list(_pending(batch).values_list("ref", flat=True))

    def refresh(
        self, batch: Batch, refs: Sequence[int], seen: Mapping[int, Snapshot], read_at: datetime
    ) -> None:
        """Plan the batch's items by what they are now: nobody has read them, or too long ago.

        What is recorded as "before" is then what was really there. Items that need nothing any more, or
        something else than the batch carries, leave it. Where some have joined it since its `refs` were read,
        it stays too old and is to be read once more.
        """
        items = list(_pending(batch))
        if [item.ref for item in items] != list(refs):
            return
        earlier = previous_results(self.errand, [item.ref for item in items])
        touched = [
            item.ref for item in items if item.before and seen.get(item.ref, item.before) != item.before
        ]
        by_others = changed_by_others(self.job, touched, since=self.job.created_at)
        settlement, stay, renewed = Settlement(), 0, []
        stored = {item.pk: _told(item) for item in items}
        if batch.once:
            items = self.once.not_applied_by_family(settlement, items, seen)
        for item in items:
            now = seen.get(item.ref)
            if item.reason == SENT_BEFORE:
                item.reason = ""
                if not batch.once and self._ended_unseen(settlement, batch, item, now):
                    continue
            plan = self.work.plan(item.ref, now, earlier.get(item.ref), item.given)
            if item.ref in by_others and not plan.detail:
                plan = replace(
                    plan, detail=f"Job {by_others[item.ref]} changed it after this job had read it."
                )
            if isinstance(plan, Change):
                same = plan.key == batch.key
                item.before, item.change = now, plan.payload
                item.reason, item.detail = plan.reason, plan.detail
                if same:
                    stay += 1
                    if _told(item) != stored[item.pk]:
                        renewed.append(item)
                else:
                    settlement.resend.append((item, plan))
            else:
                _leave_out(settlement, item, now, plan)
        self._write_refreshed(batch, settlement, stay, renewed, read_at)

    def _write_refreshed(
        self, batch: Batch, settlement: Settlement, stay: int, renewed: list[Item], read_at: datetime
    ) -> None:
        counts = _count(settlement.outcomes)
        probes = self.probes.after(batch.probe, settlement.outcomes, self.work.why_withheld)
        learnt: dict[str, Any] = {"probes": probes.to_json()}
        if not (stay or settlement.resend):
            learnt["crash_count"] = 0  # the batch is settled, as by sending it
        batcher = Batcher(self.job, self.work.batch_size)
        if batch.key == UNREAD:
            batcher.empty(batch)
        homes = Counter(change.key for _, change in settlement.resend)
        # The commonest first: it takes the place of what was unread, and the fewest items move.
        moving = sorted(settlement.resend, key=lambda one: -homes[one[1].key])
        with self.lease.commit(**learnt, **self.work.calls.take(), **_added(counts)):
            batcher.look_for(homes)
            into = [self._joined(batcher, batch, change, read_at) for _, change in moving]
            batcher.save()
            for (item, _), home in zip(moving, into, strict=True):
                item.batch = home
            changes = _added(counts)
            if not batcher.has_taken(batch):
                batch.size = stay
                changes |= {"size": stay, "read_at": read_at}
                if not stay:
                    changes |= {"state": BatchState.SETTLED, "settled_at": timezone.now()}
                    batch.state = BatchState.SETTLED
            if changes:
                Batch.objects.filter(pk=batch.pk).update(**changes)
            store_read([*settlement.outcomes, *renewed, *(item for item, _ in moving)])
            failpoint(Failpoint.READ_WRITTEN)
        self.line.refill(batcher.filled)
        self.probes = probes
        self.kinds |= {change.probe for _, change in settlement.resend if change.probe}

    def _joined(self, batcher: Batcher, batch: Batch, change: Change, read_at: datetime) -> Batch:
        """Where an item goes that needs something else than the batch carries."""
        # What the rest of the family did is asked of a batch of such changes, which this was not.
        again = change.once and not batch.once and repeats_its_parent(self.job)
        return batcher.batch_for(change, attempt=batch.attempt, read_at=None if again else read_at)


class AlreadySettled(Exception):
    """The batch was settled by someone else; what this worker was about to write is rolled back."""


def _pending(batch: Batch) -> QuerySet[Item]:
    """In the order in which they are sent."""
    return Item.objects.filter(batch=batch, outcome=Outcome.PENDING).order_by("ref")


def _told(item: Item) -> tuple[object, ...]:
    """What is on record about it besides its outcome."""
    return item.before, item.change, item.reason, item.detail


def _judge(settlement: Settlement, item: Item, result: Result) -> None:
    if result.verdict is Verdict.MISSING:
        settlement.end(
            item, Outcome.SKIPPED, "not_found", result.text or "The ticket does not exist any more."
        )
    else:
        settlement.end(item, Outcome.FAILED, result.code or "refused", result.text)


def _leave_out(settlement: Settlement, item: Item, now: Snapshot | None, plan: Plan) -> None:
    item.before, item.change = now, None
    if isinstance(plan, Unchanged):
        settlement.end(item, Outcome.UNCHANGED, plan.reason, plan.detail)
    elif isinstance(plan, Skipped):
        settlement.end(item, Outcome.SKIPPED, plan.reason, plan.detail)


def _count(items: Sequence[Item]) -> Counter[str]:
    return Counter(str(item.outcome) for item in items)


def _added(counts: Counter[str]) -> dict[str, Any]:
    """The counts as changes to a row of a job or a batch."""
    return {name: F(name) + count for name, count in counts.items() if count}


def _save_outcomes(items: Sequence[Item], done: Sequence[int] = ()) -> None:
    """One UPDATE for all that simply went well, `done` by their keys among them, and one for the rest."""
    plain = [*done, *(item.pk for item in items if item.outcome == Outcome.CHANGED)]
    if plain:
        Item.objects.filter(pk__in=plain).update(outcome=Outcome.CHANGED)
    rest = [item for item in items if item.outcome != Outcome.CHANGED]
    if rest:
        Item.objects.bulk_update(rest, ["outcome", "reason", "detail", "before", "change"])
