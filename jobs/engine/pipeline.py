"""Keeps the slots of a job full: sends batches, stores their receipts, polls them, and has them settled.

A batch is stored as `sending` before its call and gets its receipt right after it. One that is found in
`sending` without a receipt has an unknown fate, and is searched for before anything of it is sent again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from threading import Event
from typing import Any, TypeVar

from django.db.models import QuerySet, Sum

from jobs.clocks import clock
from jobs.common import log_context
from jobs.engine.batch_queue import BatchQueue
from jobs.engine.in_flight import (
    Answered,
    Calling,
    Checking,
    InFlight,
    Lost,
    ReadingBack,
    Sent,
    sendables_of,
    sent,
)
from jobs.engine.lost_search import LostSearch, may_still_appear
from jobs.engine.pacing import concurrency
from jobs.engine.pacing.poll_history import schedule_for
from jobs.engine.read_back import Reading, Results
from jobs.engine.readings import is_fresh
from jobs.engine.refresher import Refresher
from jobs.engine.settlement import open_items
from jobs.engine.settler import Settler
from jobs.errors import (
    FateUnknown,
    NeedsPerson,
    QueueFull,
    ReadAgain,
    Refused,
    RefusedForNow,
    RemoteError,
    TryLater,
)
from jobs.guards.circuit_breaker import RefusalWindow
from jobs.guards.evidence import Evidence
from jobs.guards.guard_state import GuardState
from jobs.models import Batch
from jobs.runtime.failpoints import Failpoint, failpoint
from jobs.runtime.lease import Lease
from jobs.states import BatchState, Status, WaitReason
from jobs.work import Answer, PendingCall, Receipt, Sendable, Slots, Verdict, Work
from jobs.work import Phase as AnswerPhase

logger = logging.getLogger(__name__)

#: First and longest pause before sending again while the other side's job queue is full, seconds; it doubles
#: from the first to the longest.
SLOTS_BACK_OFF, SLOTS_BACK_OFF_MOST = 2.0, 30.0
#: How long to wait before asking again for one of the slots that all jobs share, seconds.
SLOT_RETRY_INTERVAL = 0.5
#: How many calls that send are made at the same time: one after the other, they would not fill many slots
#: before the first of these is free again.
SENT_AT_ONCE = 4
#: How many of the next batches are kept fresh at least, so that none has to be read when its slot is free (as
#: many as are in flight may be needed at once); and how many of those that have aged while they waited.
PREPARED, PREPARED_AGAIN = 8, 2
#: How long before a slot is expected to be free they are read, seconds: reading thirty takes a few, and they
#: must not age until they are sent (`readings.SNAPSHOT_MAX_AGE`).
PREPARE_AHEAD = 10.0

#: How old the status may be by which a click is noticed between two steps, seconds: far below what a person
#: notices. Sending reads it under the row's lock.
STATUS_MAX_AGE = 0.1
#: How many batches are read back at the same time. A proven kind frees those that wait for their turn.
READ_BACK_AT_ONCE = 2
#: How long after a first look items that do not show their change are read once more, seconds: the other side
#: may be slow to show it.
SECOND_LOOK_AFTER = 2.0

#: After this many lost answers in a row, none of whose batches shows a change, a person has to look: sending
#: on would only end each item unverified. More than `SENT_AT_ONCE`, which one short outage may cost.
MOST_LOST_IN_A_ROW = 10

P = TypeVar("P", Calling, Sent, Answered, ReadingBack, Checking, Lost)


class Pipeline:
    """Sends and settles the batches of one job for the worker that holds it."""

    def __init__(self, lease: Lease, work: Work) -> None:
        self.lease = lease
        self.job = lease.job
        self.work = work
        self.queue = BatchQueue(self.job, most_at_once=work.max_in_flight, full_size=work.batch_size)
        self.guards = GuardState(self.job)
        self.settler = Settler(lease, work, self.queue, self.guards)
        self.refresher = Refresher(lease, work, self.queue, self.guards)
        self.schedule = schedule_for(self.job)
        self.lost_search = LostSearch(lease, work)
        open_ones = self.job.batches.filter(state__in=[BatchState.SENT, BatchState.SENDING]).order_by("id")
        self.in_flight = [
            InFlight(batch, sent(batch) if batch.state == BatchState.SENT else Lost(since=time.monotonic()))
            for batch in open_ones
        ]
        self._wakeup = Event()  # a call that was begun has ended
        # Moments of `time.monotonic` before which nothing is sent, because
        self._remote_slot_at = 0.0  # the other side's queue is full
        self._own_slot_at = 0.0  # our jobs have taken all slots; a settled batch of any of them ends it
        self._slots_back_off = SLOTS_BACK_OFF
        self._lost_in_a_row = 0  # batches whose answers were lost, and that show no change
        self._lost_with = ""  # what the last of them said

    def step(self) -> bool:
        """Do what is due now, a little of each kind; False when there was nothing to do."""
        self._wakeup.clear()
        busy = False
        lost = self._in_phase(Lost)
        if lost and time.monotonic() >= self.lost_search.next_at:
            self._search(*min(lost, key=lambda pair: pair[1].since))
            busy = True
        for entry, calling in [pair for pair in self._in_phase(Calling) if pair[1].call.is_done]:
            self._take_receipt(entry, calling.call)
            busy = True
        if self._read_back() or self._settle_next():
            busy = True
        elif time.monotonic() >= self._next_poll():
            self._poll()
            busy = True
        # Sending notices a click when it reserves the batch.
        if self.lease.status == Status.RUNNING and self._send_next():
            busy = True
        else:
            self.lease.beat(max_age=STATUS_MAX_AGE)
        return busy

    def wait(self, most: float) -> None:
        """Sleep until the next event, at most `most` seconds."""
        times = [self._next_poll()]
        times += [phase.second_look_at for _, phase in self._in_phase(Answered) if phase.second_look_at]
        if self._in_phase(Lost):
            times.append(self.lost_search.next_at)
        if (sends_at := max(self._remote_slot_at, self._own_slot_at)) > time.monotonic():
            times.append(sends_at)
        self._wakeup.wait(max(0.0, min(most, min(times) - time.monotonic())))

    def finish_calls(self) -> None:
        """Wait for the calls under way and write down their receipts, which nobody else would learn.

        Handles all of them, and then raises the error of the first that failed.
        """
        problem: RemoteError | None = None
        for entry, calling in self._in_phase(Calling):
            try:
                self._take_receipt(entry, calling.call)
            except RemoteError as exc:
                logger.warning("%s", exc)
                problem = problem or exc
        self.refresher.discard()
        for entry, reading in self._in_phase(ReadingBack):
            reading.call.discard()
            entry.phase = reading.answered
        if problem:
            raise problem

    @property
    def is_clear(self) -> bool:
        """Nothing is in flight."""
        return not self.in_flight

    @property
    def is_done(self) -> bool:
        """Nothing is in flight and nothing is left to send."""
        return self.is_clear and not self._batches(BatchState.PENDING).exists()

    def _in_phase(self, phase: type[P]) -> list[tuple[InFlight, P]]:
        return [(entry, entry.phase) for entry in self.in_flight if isinstance(entry.phase, phase)]

    # Sending

    @property
    def is_held(self) -> bool:
        """The canary has been sent: a person looks at it before the rest goes."""
        return self._canary_left() == 0

    @property
    def stopped_by(self) -> RefusalWindow | None:
        """The refusals that opened the circuit breaker; None while it is closed."""
        return self.guards.window if self.guards.window.is_open else None

    @property
    def withheld(self) -> Mapping[str, str]:
        """Kinds of items that are withheld and why; empty while anything else is left to send."""
        withheld = self.guards.probes.withheld
        left = set(self._batches(BatchState.PENDING).order_by().values_list("probe", flat=True).distinct())
        return {kind: withheld[kind] for kind in left} if left <= withheld.keys() else {}

    @property
    def evidence(self) -> Evidence:
        """What reading back has shown."""
        return self.guards.evidence

    @property
    def why_unheard(self) -> str:
        """Why nothing is sent after calls in a row that came to nothing, for people; "" for no reason."""
        if self._lost_in_a_row < MOST_LOST_IN_A_ROW:
            return ""
        return (
            f"Stopped: {self._lost_in_a_row} calls in a row that send changes had no usable answer, and no "
            f"ticket shows that any of them was carried out. {self._lost_with} Nothing more was sent. Check "
            "whether something between this machine and Zendesk, such as a proxy, holds such calls up. Then "
            "resume, which sends the rest."
        )

    @property
    def _refused(self) -> list[InFlight]:
        """Batches that may open the circuit breaker: nothing is sent, or settled, before they are."""
        return [entry for entry in self.in_flight if entry.is_refused]

    @property
    def _is_doubted(self) -> bool:
        """Items that were reported as changed did not show it, and are about to be read once more."""
        return any(entry.is_doubted for entry in self.in_flight)

    @property
    def _is_out_of_sight(self) -> bool:
        """What was sent before the job stood still for long has to be known before more is sent."""
        return any(entry.batch.is_doubted for entry in self.in_flight)

    def _canary_left(self) -> int | None:
        """How many more items may be sent before the job holds; None when it does not, or has done so."""
        if self.job.canary is None or self.job.tried_at is not None:
            return None
        return max(self.job.canary - self._sent_items(), 0)

    def _sent_items(self) -> int:
        return self.job.batches.filter(sent_at__isnull=False).aggregate(sent=Sum("size"))["sent"] or 0

    def _cut(self, batch: Batch, *, to: int) -> None:
        """Keep the first `to` items in the batch and put the others into a new one."""
        if batch.size <= to:
            return
        with self.lease.commit():
            rest = Batch.objects.create(
                job=self.job,
                key=batch.key,
                change=batch.change,
                probe=batch.probe,
                once=batch.once,
                attempt=batch.attempt,
                size=batch.size - to,
                read_at=batch.read_at,
            )
            # Items that got their outcome when they were read stay in the batch, and are not sent.
            opened = open_items(batch)
            first = list(opened.values_list("pk", flat=True)[:to])
            opened.exclude(pk__in=first).order_by().update(batch=rest)
            batch.size = to
            batch.save(update_fields=["size"])
        self.queue.invalidate()

    def _send_next(self) -> bool:
        """Send one batch, if one is left and a slot is free; True when something was done.

        Stale batches among the next are read again shortly before a slot is free for them.
        """
        if self.stopped_by or self.is_held or self.evidence.is_in_doubt or self._is_doubted:
            return False
        if self._refused:
            return False
        if self.why_unheard or self.lease.hold or self._is_out_of_sight:
            return False
        self.refresher.watch_clock()
        refreshed = self.refresher.finish()
        batch = self._next_batch()
        self._prepare(batch)
        if batch is None or not is_fresh(batch) or not self._may_have_slot():
            return refreshed
        if not self.guards.probes.is_open(batch.probe):
            self._cut(batch, to=1)
        elif (canary_left := self._canary_left()) is not None:
            self._cut(batch, to=canary_left)
        failpoint(Failpoint.BATCH_CHOSEN)
        sendables = self._reserve(batch)
        if sendables is None:
            return False
        self.queue.remove(batch)
        failpoint(Failpoint.BATCH_RESERVED)
        with log_context.about(batch=batch.pk):
            self._send(batch, sendables)
        return True

    def _prepare(self, first: Batch | None) -> None:
        """Begin to read the stale ones of the next batches, as late as a free slot allows.

        A reading that ages while its batch waits for a slot has to be made again, so at a Zendesk that is
        slow, or that other jobs keep busy, few are made before their time.
        """
        if not self._is_slot_near():
            return
        again = 0
        number = max(PREPARED, len(self.in_flight))
        for upcoming in filter(None, [first, *self.queue.upcoming(number)]):
            if self.refresher.is_prepared(upcoming):
                again += 1
                if again > PREPARED_AGAIN:
                    continue
            self.refresher.request(upcoming, self._wakeup.set)

    def _is_slot_near(self) -> bool:
        """Whether a batch may be sent soon, as far as is known."""
        soon = time.monotonic() + PREPARE_AHEAD
        if max(self._remote_slot_at, self._own_slot_at) > soon:
            return False
        return len(self.in_flight) < self.work.max_in_flight or self._next_poll() <= soon

    def _may_have_slot(self) -> bool:
        """Whether a slot may be free, and one more call may be made at the same time."""
        if time.monotonic() < max(self._remote_slot_at, self._own_slot_at):
            return False
        if len(self._in_phase(Calling)) >= SENT_AT_ONCE:
            return False
        return len(self.in_flight) < self.work.max_in_flight

    def _next_batch(self) -> Batch | None:
        """The batch that goes next: a missing probe early, and none of a kind that waits for its probe."""
        held = {kind for kind in self.guards.kinds if not self.guards.probes.is_open(kind)}
        being_probed = {entry.batch.probe for entry in self.in_flight}
        probe_kinds = held - self.guards.probes.withheld.keys() - being_probed
        return self.queue.first(held=held, probe_kinds=probe_kinds)

    def _reserve(self, batch: Batch) -> list[Sendable] | None:
        """Store that the batch is being sent, if a slot is free and the job still running (else None).

        The items are read in the same transaction: later they could belong to another worker.
        """
        with self.lease.commit():
            self.lease.check_installation(lock=True)
            if self.lease.status != Status.RUNNING or self.lease.hold or not is_fresh(batch):
                return None  # also after a long wait for the row
            if not concurrency.has_free_slot(taken=len(self.in_flight), most=self.work.max_in_flight):
                self._own_slot_at = time.monotonic() + SLOT_RETRY_INTERVAL
                return None
            now = clock.now()
            Batch.objects.filter(pk=batch.pk).update(state=BatchState.SENDING, sent_at=now)
            batch.state, batch.sent_at = BatchState.SENDING, now
            return sendables_of(batch)

    def _send(self, batch: Batch, sendables: list[Sendable]) -> None:
        """Begin the call, which checks the lease before each try."""
        # In the phase that its row shows until the call has begun.
        entry = InFlight(batch, Lost(since=time.monotonic()), self.settler.kinds_of(batch, sendables))
        self.in_flight.append(entry)
        with self._unless_sent(entry):
            call = self.work.send(batch.change, sendables)
            entry.phase = Calling(call)
            call.on_done(self._wakeup.set)

    def _take_receipt(self, entry: InFlight, call: PendingCall[Receipt]) -> None:
        """Handle a finished call; block if it is still running."""
        entry.phase = Lost(since=time.monotonic())  # a result is taken once; without a receipt it stays so
        with log_context.about(batch=entry.batch.pk), self._unless_sent(entry):
            receipt = call.result()
            failpoint(Failpoint.CALL_MADE)
            self._follow(entry, receipt.id, receipt.slots, ignored=receipt.ignored)
            failpoint(Failpoint.RECEIPT_WRITTEN)
            self._slots_back_off = SLOTS_BACK_OFF
            self._lost_in_a_row = 0

    @contextmanager
    def _unless_sent(self, entry: InFlight) -> Iterator[None]:
        """Handle the errors of a call that ends without a receipt."""
        try:
            yield
        except TryLater as later:
            sent_at = entry.batch.sent_at
            self._take_back(entry)
            if isinstance(later, QueueFull) and sent_at:
                self._note_refusal(later, sent_at)
            # With nothing in flight, none of our slots becomes free: the job waits as for any other reason.
            if later.reason is not WaitReason.JOB_SLOTS or not self.in_flight:
                raise
            self._hold_sending()
        except FateUnknown as unknown:
            logger.warning("Its fate is unknown: %s", unknown)
            self._lost_with = str(unknown)
            self._mark_lost(entry)
        except RefusedForNow as refused:
            logger.warning("It was refused for now: %s", refused)
            self.settler.put_off(entry.batch, code=refused.code, text=str(refused))
            self.in_flight.remove(entry)
        except Refused as refused:
            logger.warning("It was refused: %s", refused)
            if answer := self.settler.answer_to_refusal(entry.batch, code=refused.code, text=str(refused)):
                entry.phase = Answered(answer, succeeded=False)
            else:
                self.settler.refuse(entry.batch, text=str(refused))
                self.in_flight.remove(entry)
        except ReadAgain:
            self._take_back(entry, read_at=None)
        except NeedsPerson:
            self._take_back(entry)
            raise

    def _follow(
        self, entry: InFlight, receipt: str, slots: Slots | None = None, *, ignored: Sequence[str] = ()
    ) -> None:
        """Store the receipt at once, and follow the batch by it.

        Keys that matter and are `ignored` stop the job, unless a person has gone on in spite of them.
        """
        row = Batch.objects.filter(pk=entry.batch.pk)
        sent_at = entry.batch.sent_at
        evidence = self.evidence.warned(ignored)
        learned = {"evidence": evidence.to_json()} if evidence != self.evidence else {}

        def store() -> None:
            row.update(state=BatchState.SENT, receipt=receipt)
            if slots and sent_at:
                concurrency.learn_from_answer(slots, sent_at=sent_at, most=self.work.max_in_flight)

        self._commit_with_retry(store, **learned, **self.work.calls.take())
        self.guards.evidence = evidence
        entry.batch.state, entry.batch.receipt = BatchState.SENT, receipt
        entry.phase = sent(entry.batch)

    def _take_back(self, entry: InFlight, **changes: Any) -> None:
        """The call was not carried out: make the batch as it was before."""
        row = Batch.objects.filter(pk=entry.batch.pk)
        self._commit_with_retry(lambda: row.update(state=BatchState.PENDING, sent_at=None, **changes))
        self.in_flight.remove(entry)
        self.queue.add([entry.batch])

    def _commit_with_retry(self, write: Callable[[], object], **changes: Any) -> None:
        """As that of the lease; after an outage of the database no reading from before is trusted."""
        if self.lease.commit_with_retry(write, **changes):
            self.refresher.distrust()

    def _note_refusal(self, full: QueueFull, sent_at: datetime) -> None:
        self._commit_with_retry(lambda: concurrency.learn_from_refusal(full.receipts, sent_at=sent_at))

    def _hold_sending(self) -> None:
        """Wait until the other side's queue, which is full of anybody's jobs, may have room again."""
        if time.monotonic() < self._remote_slot_at:
            return  # calls that were made at the same time were refused together
        self._remote_slot_at = time.monotonic() + self._slots_back_off
        self._slots_back_off = min(self._slots_back_off * 2, SLOTS_BACK_OFF_MOST)

    # Following what was sent

    def _next_poll(self) -> float:
        return self.schedule.next_poll([phase.flight for _, phase in self._in_phase(Sent)])

    def _poll(self) -> None:
        """Ask once about all batches that were sent."""
        followed = {entry.batch.receipt: (entry, phase.flight) for entry, phase in self._in_phase(Sent)}
        self.lease.fence()
        answers = self.work.poll(list(followed))
        failpoint(Failpoint.ANSWERS_READ)
        done, under_way = [], []
        for receipt, answer in answers.items():
            entry, flight = followed[receipt]
            if answer.phase is AnswerPhase.RUNNING or _may_reappear(entry.batch, answer):
                flight = replace(flight, progress=answer.progress)
                entry.phase = Sent(flight)
                under_way.append(flight)
            else:
                entry.phase = Answered(answer, succeeded=_succeeded(answer))
                done.append(flight)
        self.schedule.learn(time.monotonic(), done, under_way)

    def _settle_next(self) -> bool:
        """Settle one answered batch, or begin to read it back; False where all wait for their turn."""
        # What may open the circuit breaker comes first.
        first = self._refused
        for entry, answered in sorted(self._in_phase(Answered), key=lambda pair: pair[1].succeeded):
            if first and entry not in first:
                continue
            with log_context.about(batch=entry.batch.pk):
                if not self._is_to_be_read(entry, answered):
                    self._settle(entry, answered)
                    return True
                if self._may_read_back(answered):
                    assert entry.results is not None  # set by the look whether it is to be read
                    call = self.settler.begin_reading(entry.results)
                    entry.phase = ReadingBack(answered, call, clock.now())
                    call.on_done(self._wakeup.set)
                    return True
        return False

    def _is_to_be_read(self, entry: InFlight, answered: Answered) -> bool:
        if answered.second_look_at is not None:
            return True
        if entry.results is None:
            entry.results = Results.of(entry.batch, answered.answer)
        if entry.results.is_open:
            return True
        if not entry.results.keys(Verdict.DONE):
            return False
        if self._is_doubted or entry.batch.is_doubted:
            return True
        kinds = self._kinds(entry)
        reading = {kind for other in self.in_flight if other.is_read_back for kind in self._kinds(other)}
        return self.evidence.wants(kinds, self.work.verify, under_way=reading)

    def _may_read_back(self, answered: Answered) -> bool:
        if answered.second_look_at is not None and time.monotonic() < answered.second_look_at:
            return False
        return len(self._in_phase(ReadingBack)) < READ_BACK_AT_ONCE

    def _kinds(self, entry: InFlight) -> frozenset[str]:
        if entry.kinds is None:
            entry.kinds = self.settler.kinds_of(entry.batch, sendables_of(entry.batch))
        return entry.kinds

    def _read_back(self) -> bool:
        """Go on with batches that are being read back; False where there is nothing to do now."""
        finished = [pair for pair in self._in_phase(ReadingBack) if pair[1].call.is_done]
        for entry, reading in finished:
            with log_context.about(batch=entry.batch.pk):
                entry.phase = reading.answered  # a result is taken once; if it is an error, it is asked again
                seen = reading.call.result()
                assert entry.results is not None  # it was looked at before its reading began
                found = Reading.of(entry.batch, entry.results, seen, reading.at, self.work)
                entry.phase = Checking(reading.answered, found)
        checked = self._in_phase(Checking)
        for entry, checking in checked[:1]:  # one at a time, so that a click and other batches do not wait
            with log_context.about(batch=entry.batch.pk):
                self._check(entry, checking)
        return bool(finished or checked)

    def _check(self, entry: InFlight, checking: Checking) -> None:
        """Look up the records of one item, or settle the batch if all that is needed is known."""
        answered, reading = checking.answered, checking.reading
        if reading.to_ask:
            reading.ask_next(self.work)
        elif reading.shows_absence and answered.second_look_at is None:
            look_at = time.monotonic() + SECOND_LOOK_AFTER
            entry.phase = replace(answered, second_look_at=look_at)
        else:
            self._settle(entry, answered, reading)

    def _settle(self, entry: InFlight, answered: Answered, reading: Reading | None = None) -> None:
        self.settler.settle(
            entry.batch,
            answered.answer,
            results=entry.results,
            reading=reading,
            is_over=answered.is_over,
            kinds=self._kinds(entry),
        )
        if answered.answer.phase is AnswerPhase.GONE and not entry.batch.receipt:
            is_shown = Batch.objects.filter(pk=entry.batch.pk, changed__gt=0).exists()
            self._lost_in_a_row = 0 if is_shown else self._lost_in_a_row + 1
        self._free_slot(entry)

    def _mark_lost(self, entry: InFlight) -> None:
        entry.phase = Lost(since=time.monotonic())
        self.lost_search.postpone()

    def _search(self, entry: InFlight, lost: Lost) -> None:
        """Find out whether a batch without a receipt was carried out."""
        with log_context.about(batch=entry.batch.pk):
            end = self.lost_search.search(entry.batch, lost_at=lost.since)
            if end is None:
                return
            if end.receipt:
                self._lost_in_a_row = 0
                self._follow(entry, end.receipt)
            else:
                lost_for_good = "The answer to this batch was lost; its tickets were read back."
                answer = Answer(AnswerPhase.GONE, text=lost_for_good)
                entry.phase = Answered(answer, succeeded=False, is_over=end.is_absent)

    def _free_slot(self, entry: InFlight) -> None:
        self.in_flight.remove(entry)
        self._own_slot_at = 0.0

    def _batches(self, state: BatchState) -> QuerySet[Batch]:
        return self.job.batches.filter(state=state).order_by("id")


def _succeeded(answer: Answer) -> bool:
    named = (*answer.results.values(), *answer.by_place.values())
    good = (result is not None and result.verdict is Verdict.DONE for result in named)
    return answer.phase is AnswerPhase.OVER and all(good)


def _may_reappear(batch: Batch, answer: Answer) -> bool:
    """Whether the receipt is unknown over there, but the batch may be carried out all the same."""
    return answer.phase is AnswerPhase.GONE and may_still_appear(batch)
