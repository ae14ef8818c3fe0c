"""Keeping the pipe full: batches out, receipts in, answers settled.

A batch is written down as `sending` before the call and gets its receipt right after it. One that is found in
`sending` without a receipt has an unknown fate and is looked for before anything of it is sent again.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Event
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils import timezone

from jobs import log_context
from jobs.engine.batch_queue import BatchQueue
from jobs.engine.concurrency import has_free_slot
from jobs.engine.poll_schedule import Flight, PollSchedule, weight
from jobs.engine.refresher import Refresher
from jobs.engine.settler import Settler
from jobs.errors import FateUnknown, NeedsPerson, ReadAgain, Refused, RemoteError, TryLater
from jobs.guards.circuit_breaker import RefusalWindow
from jobs.guards.guard_state import GuardState
from jobs.models import Batch, Item, Job
from jobs.runtime.failpoints import Failpoint, failpoint
from jobs.runtime.lease import Lease
from jobs.states import BatchState, Outcome, Status, WaitReason
from jobs.work import Answer, PendingCall, Phase, SearchResult, Sendable, Verdict, Work

logger = logging.getLogger(__name__)

#: A batch whose answer was lost is looked for after so long, and again at this distance, seconds.
LOST_SEARCH_DELAY = 2.0
#: After this long a search that stays unclear gives up, and the items themselves are read, seconds.
LOST_SEARCH_TIMEOUT = 600.0
#: Of a batch that must not be sent twice it is not believed sooner that it was not carried out, seconds:
#: longer than a call may take on both sides.
ABSENCE_CONFIRM_DELAY = 60.0
#: Receipts are remembered for so long; the far side forgets them after a day, and a clock may be a day ahead.
RECEIPT_LOOKBACK = timedelta(days=3)
#: The far side's job queue was full: try to send again after so long, seconds, longer each time.
SLOTS_BACK_OFF, SLOTS_BACK_OFF_MOST = 2.0, 30.0
#: All places were taken: look again after so long, seconds.
SLOT_RETRY_INTERVAL = 0.5
#: Calls that send and are made side by side: one after the other, many places are not filled before the first
#: of them is free again.
SENT_AT_ONCE = 4
#: Of so many that go next it is seen to that they need not be read before.
PREPARED = 8
#: From so many batches that settled it is taken how long one takes.
LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Leaving:
    """A batch whose call is being made."""

    batch: Batch
    call: PendingCall[str]


@dataclass(slots=True)
class InFlight:
    """A batch that was sent, as this worker follows it."""

    batch: Batch
    flight: Flight


class Pipeline:
    """Sends and settles the batches of one job for the worker that holds it."""

    def __init__(self, lease: Lease, work: Work) -> None:
        self.lease = lease
        self.job = lease.job
        self.work = work
        self.queue = BatchQueue(self.job, at_once=work.max_in_flight, full=work.batch_size)
        self.guards = GuardState(self.job)
        self.settler = Settler(lease, work, self.queue, self.guards)
        self.pace = _pace_of(self.job)
        self.refresher = Refresher(lease, work, self.queue, self.guards)
        self.leaving: list[Leaving] = []
        self.in_flight = {batch.receipt: _in_flight(batch) for batch in self._batches(BatchState.SENT)}
        self.answered: list[tuple[InFlight, Answer]] = []  # over, and to be settled one by one
        self.lost = list(self._batches(BatchState.SENDING))
        self._lost_at = {batch.pk: time.monotonic() for batch in self.lost}
        self._news = Event()  # a call that was begun is over
        self._search_at = 0.0
        self._zendesk_slot_at = 0.0  # the far side's queue was full: not before then
        self._own_slot_at = 0.0  # our jobs had taken all places: not before then, or when one of ours is free
        self._slots_back_off = SLOTS_BACK_OFF

    def step(self) -> bool:
        """Do what is due now, a little of each kind; False when there was nothing to do."""
        self._news.clear()
        busy = False
        if self.lost and time.monotonic() >= self._search_at:
            with log_context.about(batch=self.lost[0].pk):
                self._search(self.lost[0])
            busy = True
        for one in [one for one in self.leaving if one.call.is_done]:
            self._take_receipt(one)
            busy = True
        if self.answered:
            self._settle(*self.answered.pop(0))
            busy = True
        elif self.in_flight and time.monotonic() >= self._next_poll():
            self._poll()
            busy = True
        # Whoever sends learns of a click when the batch is written down as being sent.
        if self.lease.status == Status.RUNNING and self._send_next():
            busy = True
        else:
            self.lease.beat()
        return busy

    def wait(self, most: float) -> None:
        """Nothing is to be done: wait until there is, so many seconds at most."""
        times = [self._next_poll()]
        if self.lost:
            times.append(self._search_at)
        if (sends_at := max(self._zendesk_slot_at, self._own_slot_at)) > time.monotonic():
            times.append(sends_at)
        self._news.wait(max(0.0, min(most, min(times) - time.monotonic())))

    def finish_calls(self) -> None:
        """Wait for the calls that are being made and write down what came of them: nobody else learns it.

        Raises what the first of them raises, when all have been dealt with.
        """
        problem: RemoteError | None = None
        for one in list(self.leaving):
            try:
                self._take_receipt(one)
            except RemoteError as exc:
                logger.warning("%s", exc)
                problem = problem or exc
        self.refresher.discard()
        if problem:
            raise problem

    @property
    def is_clear(self) -> bool:
        """Nothing is under way whose fate is open."""
        return not self._slots_taken()

    @property
    def is_done(self) -> bool:
        """Nothing is under way and nothing is left to send."""
        return self.is_clear and not self._batches(BatchState.PENDING).exists()

    # Sending

    @property
    def is_held(self) -> bool:
        """The first items have been sent, and a person is to look at them before the rest."""
        return self._untried() == 0

    @property
    def stopped_by(self) -> RefusalWindow | None:
        """The refusals for which nothing more is sent, before a person has looked at them."""
        return self.guards.window if self.guards.window.is_open else None

    @property
    def withheld(self) -> Mapping[str, str]:
        """Kinds of items and why they are not sent, where nothing else is left to send."""
        withheld = self.guards.probes.withheld
        left = set(self._batches(BatchState.PENDING).order_by().values_list("probe", flat=True).distinct())
        return {kind: withheld[kind] for kind in left} if left <= withheld.keys() else {}

    def _untried(self) -> int | None:
        """How many more may be sent before the job holds and asks; None: it does not, or has done so."""
        if self.job.canary is None or self.job.tried_at is not None:
            return None
        return max(self.job.canary - self._sent(), 0)

    def _sent(self) -> int:
        return self.job.batches.filter(sent_at__isnull=False).aggregate(sent=Sum("size"))["sent"] or 0

    def _cut(self, batch: Batch, *, to: int) -> None:
        """Leave the batch's first items in it and put the others into one of their own."""
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
            # Those that have their outcome by being read stay where they are, and are not sent.
            waiting = batch.items.filter(outcome=Outcome.PENDING)
            first = waiting.order_by("ref").values_list("pk", flat=True)[:to]
            waiting.exclude(pk__in=list(first)).update(batch=rest)
            batch.size = to
            batch.save(update_fields=["size"])
        self.queue.invalidate()

    def _send_next(self) -> bool:
        """Send one batch, if a place in flight is free and one is left; True when something was done.

        What goes soon and was read too long ago is read again while it waits for a place.
        """
        if self.stopped_by or self.is_held:
            return False
        done = self.refresher.finish()
        batch = self._next_batch()
        for other in filter(None, [batch, *self.queue.upcoming(PREPARED)]):
            self.refresher.request(other, self._news.set)
        if batch is None or not self.refresher.is_fresh(batch) or not self._has_room():
            return done
        if not self.guards.probes.is_open(batch.probe):
            self._cut(batch, to=1)
        elif (untried := self._untried()) is not None:
            self._cut(batch, to=untried)
        failpoint(Failpoint.BATCH_CHOSEN)
        sendables = self._reserve(batch)
        if sendables is None:
            return False
        self.queue.remove(batch)
        failpoint(Failpoint.BATCH_RESERVED)
        with log_context.about(batch=batch.pk):
            self._send(batch, sendables)
        return True

    def _has_room(self) -> bool:
        """Whether a place may be free for one more, and one more call may be made meanwhile."""
        if (
            time.monotonic() < max(self._zendesk_slot_at, self._own_slot_at)
            or len(self.leaving) >= SENT_AT_ONCE
        ):
            return False
        return self._slots_taken() < self.work.max_in_flight

    def _next_batch(self) -> Batch | None:
        """A probe of each kind that needs one goes early; what waits for its fate is not sent."""
        held = {kind for kind in self.guards.kinds if not self.guards.probes.is_open(kind)}
        probe_kinds = held - self.guards.probes.withheld.keys() - {batch.probe for batch in self._under_way()}
        return self.queue.first(held=held, probe_kinds=probe_kinds)

    def _reserve(self, batch: Batch) -> list[Sendable] | None:
        """Write the batch down as being sent, if our jobs leave it a place and nobody said stop (else None).

        What is to be sent is read in the same transaction: later it could be another worker's already.
        """
        with self.lease.commit():
            if self.lease.status != Status.RUNNING:
                return None
            if not has_free_slot(taken=self._slots_taken(), most=self.work.max_in_flight):
                self._own_slot_at = time.monotonic() + SLOT_RETRY_INTERVAL
                return None
            now = timezone.now()
            Batch.objects.filter(pk=batch.pk).update(state=BatchState.SENDING, sent_at=now)
            batch.state, batch.sent_at = BatchState.SENDING, now
            return _sendables(batch)

    def _under_way(self) -> list[Batch]:
        """What is being sent, was sent, or may have been."""
        leaving = [one.batch for one in self.leaving]
        sent = [one.batch for one in (*self.in_flight.values(), *(one for one, _ in self.answered))]
        return leaving + sent + self.lost

    def _slots_taken(self) -> int:
        return len(self.leaving) + len(self.in_flight) + len(self.answered) + len(self.lost)

    def _send(self, batch: Batch, sendables: list[Sendable]) -> None:
        """Begin the call, which looks at the lease before each try."""
        with self._if_not_sent(batch):
            call = self.work.send(batch.change, sendables)
            self.leaving.append(Leaving(batch, call))
            call.on_done(self._news.set)

    def _take_receipt(self, leaving: Leaving) -> None:
        """Take what came of a call, for which is waited when it is not over."""
        batch = leaving.batch
        with log_context.about(batch=batch.pk), self._if_not_sent(batch):
            try:
                receipt = leaving.call.result()
            finally:
                self.leaving.remove(leaving)
            failpoint(Failpoint.CALL_MADE)
            self._follow(batch, receipt)
            failpoint(Failpoint.RECEIPT_WRITTEN)
            self._slots_back_off = SLOTS_BACK_OFF

    @contextmanager
    def _if_not_sent(self, batch: Batch) -> Iterator[None]:
        """What is to be done with a batch whose call did not come to a receipt."""
        try:
            yield
        except TryLater as later:
            self._take_back(batch)
            if later.reason is not WaitReason.JOB_SLOTS or not self._slots_taken():
                raise
            self._hold_sending()
        except FateUnknown as unknown:
            logger.warning("Its fate is unknown: %s", unknown)
            self._mark_lost(batch)
        except Refused as refused:
            logger.warning("It was refused: %s", refused)
            self.settler.refuse(batch, code=refused.code, text=str(refused))
        except ReadAgain:
            self._take_back(batch, read_at=None)
        except NeedsPerson:
            self._take_back(batch)
            raise

    def _follow(self, batch: Batch, receipt: str) -> None:
        """The receipt is known: write it down at once, and follow the batch."""
        row = Batch.objects.filter(pk=batch.pk)
        self.lease.commit_with_retry(
            lambda: row.update(state=BatchState.SENT, receipt=receipt), **self.work.calls.take()
        )
        batch.state, batch.receipt = BatchState.SENT, receipt
        self.in_flight[receipt] = _in_flight(batch)

    def _take_back(self, batch: Batch, **changes: Any) -> None:
        """The call was not carried out: the batch is as before."""
        row = Batch.objects.filter(pk=batch.pk)
        self.lease.commit_with_retry(lambda: row.update(state=BatchState.PENDING, sent_at=None, **changes))
        self.queue.refill([batch])

    def _hold_sending(self) -> None:
        """The other side's queue is full, of others' jobs or of ours: wait for a place, do not hammer."""
        if time.monotonic() < self._zendesk_slot_at:
            return  # calls that were made side by side were refused together
        self._zendesk_slot_at = time.monotonic() + self._slots_back_off
        self._slots_back_off = min(self._slots_back_off * 2, SLOTS_BACK_OFF_MOST)

    # Asking

    def _next_poll(self) -> float:
        return self.pace.next_poll([one.flight for one in self.in_flight.values()])

    def _poll(self) -> None:
        """One question about all that is under way; what is over is settled."""
        self.lease.fence()
        answers = self.work.poll(list(self.in_flight))
        failpoint(Failpoint.ANSWERS_READ)
        now = time.monotonic()
        over: list[tuple[InFlight, Answer]] = []
        for receipt, answer in answers.items():
            one = self.in_flight[receipt]
            if answer.phase is Phase.RUNNING or _may_turn_up(one.batch, answer):
                one.flight = replace(one.flight, progress=answer.progress)
            else:
                over.append((one, answer))
        done = [one.flight for one, _ in over]
        under_way = [one.flight for one in self.in_flight.values() if one.flight not in done]
        self.pace.learn(now, done, under_way)
        over.sort(key=lambda pair: _went_well(pair[1]))  # what may open the breaker comes first
        self.answered += over
        for one, _ in over:
            del self.in_flight[one.batch.receipt]

    def _settle(self, one: InFlight, answer: Answer) -> None:
        with log_context.about(batch=one.batch.pk):
            self.settler.settle(one.batch, answer)
        self._own_slot_at = 0.0  # its place is free

    # Searching for lost answers

    def _mark_lost(self, batch: Batch) -> None:
        self.lost.append(batch)
        self._lost_at[batch.pk] = time.monotonic()
        self._search_at = time.monotonic() + LOST_SEARCH_DELAY

    def _search(self, batch: Batch) -> None:
        """Find out whether a batch without a receipt was carried out."""
        # A clock that was set back makes it too young for ever; how long we have known it does not.
        age = max(_age(batch), time.monotonic() - self._lost_at[batch.pk])
        if age < LOST_SEARCH_DELAY:
            self._search_at = time.monotonic() + LOST_SEARCH_DELAY - age
            return
        self.lease.fence()
        known = set(
            Batch.objects.filter(sent_at__gte=timezone.now() - RECEIPT_LOOKBACK)
            .exclude(receipt="")
            .values_list("receipt", flat=True)
        )
        trace = self.work.find_lost(_sendables(batch), known, batch.sent_at or timezone.now())
        if isinstance(trace, str):
            logger.info("Found again")
            self._follow(batch, trace)
            self.lost.remove(batch)
        elif trace is SearchResult.ABSENT and batch.once and age < ABSENCE_CONFIRM_DELAY:
            self._search_at = time.monotonic() + min(max(age, LOST_SEARCH_DELAY), ABSENCE_CONFIRM_DELAY - age)
        elif trace is SearchResult.ABSENT or age > LOST_SEARCH_TIMEOUT:
            self.settler.settle_by_reading(batch, is_over=trace is SearchResult.ABSENT)
            self.lost.remove(batch)
        else:
            self._search_at = time.monotonic() + LOST_SEARCH_DELAY

    def _batches(self, state: BatchState) -> QuerySet[Batch]:
        return self.job.batches.filter(state=state).order_by("id")


def _sendables(batch: Batch) -> list[Sendable]:
    pending = Item.objects.filter(batch=batch, outcome=Outcome.PENDING).order_by("ref")
    if batch.change is not None:
        return [Sendable(ref) for ref in pending.values_list("ref", flat=True)]
    return [
        Sendable(ref, before or {}, change or {})
        for ref, before, change in pending.values_list("ref", "before", "change")
    ]


def _went_well(answer: Answer) -> bool:
    told = (*answer.results.values(), *answer.by_place.values())
    return answer.phase is Phase.OVER and all(result.verdict is Verdict.DONE for result in told)


def _may_turn_up(batch: Batch, answer: Answer) -> bool:
    """Its receipt is not known, and it must not be sent twice: it may be carried out all the same."""
    return answer.phase is Phase.GONE and batch.once and _age(batch) < ABSENCE_CONFIRM_DELAY


def _in_flight(batch: Batch) -> InFlight:
    return InFlight(batch, Flight(time.monotonic() - _age(batch), batch.size))


def _age(batch: Batch) -> float:
    """Seconds since it was sent; never negative, even when the clock was set back."""
    if batch.sent_at is None:
        return math.inf
    return max((timezone.now() - batch.sent_at).total_seconds(), 0.0)


def _pace_of(job: Job) -> PollSchedule:
    """What batches have taught so far, of this job or else of others."""
    answered = Batch.objects.filter(state=BatchState.SETTLED, receipt__gt="")
    own = answered.filter(job=job)
    hint = _quickest(own.order_by("-settled_at")) or _quickest(answered.order_by("-id"))
    return PollSchedule(hint, settled=own.count(), asked=job.calls_status)


def _quickest(answered: QuerySet[Batch]) -> float | None:
    """Seconds per weight of the quickest of the first: the least delayed by when it was asked about."""
    took = [
        (settled - sent).total_seconds() / weight(size)
        for sent, settled, size in answered.values_list("sent_at", "settled_at", "size")[:LOOKED_AT]
        if sent and settled
    ]
    return min((one for one in took if one > 0), default=None)
