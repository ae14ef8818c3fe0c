"""Keeping the pipe full: batches out, receipts in, answers settled.

A batch is written down as `sending` before the call and gets its receipt right after it. One that is found in
`sending` without a receipt has an unknown fate and is looked for before anything of it is sent again.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from jobs import marks
from jobs.breaker import Window
from jobs.errors import FateUnknown, NeedsPerson, ReadAgain, Refused, TryLater
from jobs.lease import Lease
from jobs.line import Line
from jobs.models import Batch, Gate, Item, Job
from jobs.pace import Flight, Pace, weight
from jobs.settling import Settler
from jobs.states import ACTIVE, BatchState, Outcome, Status, WaitReason
from jobs.steps import Step, reached
from jobs.work import Answer, Phase, Sendable, Trace, Work

logger = logging.getLogger(__name__)

#: Rows read longer ago than this are read again right before they are sent.
READING_LIVES = timedelta(minutes=2)
#: A batch whose answer was lost is looked for after so long, and again at this distance, seconds.
SEARCH_AFTER = 2.0
#: After this long a search that stays unclear gives up, and the items themselves are read, seconds.
SEARCH_FOR = 600.0
#: Of a batch that must not be sent twice it is not believed sooner that it was not carried out, seconds:
#: longer than a call may take on both sides.
BELIEVED_AFTER = 60.0
#: Receipts are remembered for so long; the far side forgets them after a day, and a clock may be a day ahead.
KNOWN_FOR = timedelta(days=3)
#: The far side's job queue was full: try to send again after so long, seconds, longer each time.
SLOTS_BACK_OFF, SLOTS_BACK_OFF_MOST = 2.0, 30.0
#: All places were taken: look again after so long, seconds.
PLACE_LOOK = 0.5
#: Batches of a job that stopped with an error keep their places for so long: far longer than a batch takes.
STOPPED_COUNT_FOR = timedelta(minutes=5)
#: The row under whose lock places in flight are given out.
SLOTS = "slots"


@dataclass(slots=True)
class InFlight:
    """A batch that was sent, as this worker follows it."""

    batch: Batch
    flight: Flight


class Pipe:
    """Sends and settles the batches of one job for the worker that holds it."""

    def __init__(self, lease: Lease, work: Work) -> None:
        self.lease = lease
        self.job = lease.job
        self.work = work
        self.line = Line(self.job, at_once=work.max_in_flight)
        self.settler = Settler(lease, work, self.line)
        self.pace = _pace_of(self.job)
        self.in_flight = {batch.receipt: _in_flight(batch) for batch in self._batches(BatchState.SENT)}
        self.lost = list(self._batches(BatchState.SENDING))
        self._lost_at = {batch.pk: time.monotonic() for batch in self.lost}
        self._search_at = 0.0
        self._slots_at = 0.0  # the far side's queue was full: not before then
        self._place_at = 0.0  # our jobs had taken all places: not before then, or when one of ours is free
        self._slots_back_off = SLOTS_BACK_OFF

    def step(self) -> bool:
        """Do what is due now; False when there was nothing to do."""
        busy = False
        if self.lost and time.monotonic() >= self._search_at:
            with marks.about(batch=self.lost[0].pk):
                self._search(self.lost[0])
            busy = True
        if self.in_flight and time.monotonic() >= self._next_question():
            self._ask()
            busy = True
        # Whoever sends learns of a click when the batch is written down as being sent.
        if self.lease.status == Status.RUNNING and self._send_next():
            busy = True
        else:
            self.lease.beat()
        return busy

    def wait_until(self) -> float:
        """When the next step has something to do, at the latest; a moment of `time.monotonic`."""
        times = [self._next_question()]
        if self.lost:
            times.append(self._search_at)
        if (sends_at := max(self._slots_at, self._place_at)) > time.monotonic():
            times.append(sends_at)
        return min(times)

    @property
    def is_clear(self) -> bool:
        """Nothing is under way whose fate is open."""
        return not self.in_flight and not self.lost

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
    def stopped_by(self) -> Window | None:
        """The refusals for which nothing more is sent, before a person has looked at them."""
        return self.settler.window if self.settler.window.is_open else None

    @property
    def withheld(self) -> Mapping[str, str]:
        """Kinds of items and why they are not sent, where nothing else is left to send."""
        withheld = self.settler.pilots.withheld
        left = set(self._batches(BatchState.PENDING).order_by().values_list("pilot", flat=True).distinct())
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
                pilot=batch.pilot,
                once=batch.once,
                attempt=batch.attempt,
                size=batch.size - to,
                read_at=batch.read_at,
            )
            first = batch.items.order_by("ref").values_list("pk", flat=True)[:to]
            batch.items.exclude(pk__in=list(first)).update(batch=rest)
            batch.size = to
            batch.save(update_fields=["size"])
        self.line.changed()

    def _send_next(self) -> bool:
        """Send one batch, if a place in flight is free and one is left; True when something was done."""
        if not self._may_send():
            return False
        batch = self._next_batch()
        if batch is None:
            return False
        if batch.read_at is None or abs(timezone.now() - batch.read_at) > READING_LIVES:
            with marks.about(batch=batch.pk):
                self.settler.refresh(batch)
            return True
        if not self.settler.pilots.is_open(batch.pilot):
            self._cut(batch, to=1)
        elif (untried := self._untried()) is not None:
            self._cut(batch, to=untried)
        reached(Step.BATCH_CHOSEN)
        sendables = self._reserve(batch)
        if sendables is None:
            return False
        self.line.left(batch)
        reached(Step.BATCH_RESERVED)
        with marks.about(batch=batch.pk):
            self._send(batch, sendables)
        return True

    def _may_send(self) -> bool:
        if self.stopped_by or time.monotonic() < max(self._slots_at, self._place_at):
            return False
        return self._places_taken() < self.work.max_in_flight and not self.is_held

    def _next_batch(self) -> Batch | None:
        """A pilot of each kind that needs one goes early; what waits for its fate is not sent."""
        held = {kind for kind in self.settler.kinds if not self.settler.pilots.is_open(kind)}
        under_way = [one.batch for one in self.in_flight.values()] + self.lost
        may_fly = held - self.settler.pilots.withheld.keys() - {batch.pilot for batch in under_way}
        return self.line.first(held=held, may_fly=may_fly)

    def _reserve(self, batch: Batch) -> list[Sendable] | None:
        """Write the batch down as being sent, if our jobs leave it a place and nobody said stop (else None).

        What is to be sent is read in the same transaction: later it could be another worker's already.
        """
        with self.lease.commit():
            if self.lease.status != Status.RUNNING:
                return None
            if not self._has_place():
                self._place_at = time.monotonic() + PLACE_LOOK
                return None
            now = timezone.now()
            Batch.objects.filter(pk=batch.pk).update(state=BatchState.SENDING, sent_at=now)
            batch.state, batch.sent_at = BatchState.SENDING, now
            return _sendables(batch)

    def _has_place(self) -> bool:
        """Whether one more batch may be under way, of all our jobs' and of this job's fair share of them.

        The share keeps a job that holds its places while it waits for its turn from starving the others.
        """
        if not Gate.objects.select_for_update().filter(name=SLOTS):
            Gate.objects.get_or_create(name=SLOTS)
            Gate.objects.select_for_update().get(name=SLOTS)
        if batches_under_way().count() >= self.work.max_in_flight:
            return False
        sharing = Job.objects.filter(status=Status.RUNNING).count()
        return self._places_taken() < max(1, self.work.max_in_flight // max(1, sharing))

    def _places_taken(self) -> int:
        return len(self.in_flight) + len(self.lost)

    def _send(self, batch: Batch, sendables: list[Sendable]) -> None:
        try:
            receipt = self.work.send(batch.change, sendables)  # which looks at the lease before each try
        except TryLater as later:
            self._take_back(batch)
            if later.reason is WaitReason.JOB_SLOTS and self.in_flight:
                self._hold_sending()
                return
            raise
        except FateUnknown as unknown:
            logger.warning("Its fate is unknown: %s", unknown)
            self._lose(batch)
            return
        except Refused as refused:
            logger.warning("It was refused: %s", refused)
            self.settler.refuse(batch, code=refused.code, text=str(refused))
            return
        except ReadAgain:
            self._take_back(batch, read_at=None)
            return
        except NeedsPerson:
            self._take_back(batch)
            raise
        reached(Step.CALL_MADE)
        self._follow(batch, receipt)
        reached(Step.RECEIPT_WRITTEN)
        self._slots_back_off = SLOTS_BACK_OFF

    def _follow(self, batch: Batch, receipt: str) -> None:
        """The receipt is known: write it down at once, and follow the batch."""
        row = Batch.objects.filter(pk=batch.pk)
        self.lease.insist(
            lambda: row.update(state=BatchState.SENT, receipt=receipt), **self.work.calls.take()
        )
        batch.state, batch.receipt = BatchState.SENT, receipt
        self.in_flight[receipt] = _in_flight(batch)

    def _take_back(self, batch: Batch, **changes: Any) -> None:
        """The call was not carried out: the batch is as before."""
        row = Batch.objects.filter(pk=batch.pk)
        self.lease.insist(lambda: row.update(state=BatchState.PENDING, sent_at=None, **changes))
        self.line.changed()

    def _hold_sending(self) -> None:
        """The other side's queue is full, of others' jobs or of ours: wait for a place, do not hammer."""
        self._slots_at = time.monotonic() + self._slots_back_off
        self._slots_back_off = min(self._slots_back_off * 2, SLOTS_BACK_OFF_MOST)

    # Asking

    def _next_question(self) -> float:
        return self.pace.next_question([one.flight for one in self.in_flight.values()])

    def _ask(self) -> None:
        """One question about all that is under way; what is over is settled."""
        self.lease.fence()
        answers = self.work.ask(list(self.in_flight))
        reached(Step.ANSWERS_READ)
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
        for one, answer in over:
            with marks.about(batch=one.batch.pk):
                self.settler.settle(one.batch, answer)
            del self.in_flight[one.batch.receipt]
            self._place_at = 0.0  # its place is free

    # Searching for lost answers

    def _lose(self, batch: Batch) -> None:
        self.lost.append(batch)
        self._lost_at[batch.pk] = time.monotonic()
        self._search_at = time.monotonic() + SEARCH_AFTER

    def _search(self, batch: Batch) -> None:
        """Find out whether a batch without a receipt was carried out."""
        # A clock that was set back makes it too young for ever; how long we have known it does not.
        age = max(_age(batch), time.monotonic() - self._lost_at[batch.pk])
        if age < SEARCH_AFTER:
            self._search_at = time.monotonic() + SEARCH_AFTER - age
            return
        self.lease.fence()
        known = set(
            Batch.objects.filter(sent_at__gte=timezone.now() - KNOWN_FOR)
            .exclude(receipt="")
            .values_list("receipt", flat=True)
        )
        trace = self.work.find(_sendables(batch), known, batch.sent_at or timezone.now())
        if isinstance(trace, str):
            logger.info("Found again")
            self._follow(batch, trace)
            self.lost.remove(batch)
        elif trace is Trace.ABSENT and batch.once and age < BELIEVED_AFTER:
            self._search_at = time.monotonic() + min(max(age, SEARCH_AFTER), BELIEVED_AFTER - age)
        elif trace is Trace.ABSENT or age > SEARCH_FOR:
            self.settler.settle_by_reading(batch, is_over=trace is Trace.ABSENT)
            self.lost.remove(batch)
        else:
            self._search_at = time.monotonic() + SEARCH_AFTER

    def _batches(self, state: BatchState) -> QuerySet[Batch]:
        return self.job.batches.filter(state=state).order_by("id")


def batches_under_way() -> QuerySet[Batch]:
    """The batches that take up a place at the other side, of all jobs together."""
    # What a job had in flight when it stopped goes on all the same, and nobody may ever ask about it.
    lately = timezone.now() - STOPPED_COUNT_FOR
    counts = Q(job__status__in=ACTIVE) | Q(sent_at__gte=lately)
    return Batch.objects.filter(counts, state__in=[BatchState.SENDING, BatchState.SENT])


def _sendables(batch: Batch) -> list[Sendable]:
    pending = Item.objects.filter(batch=batch, outcome=Outcome.PENDING).order_by("ref")
    if batch.change is not None:
        return [Sendable(ref) for ref in pending.values_list("ref", flat=True)]
    return [
        Sendable(ref, before or {}, change or {})
        for ref, before, change in pending.values_list("ref", "before", "change")
    ]


def _may_turn_up(batch: Batch, answer: Answer) -> bool:
    """Its receipt is not known, and it must not be sent twice: it may be carried out all the same."""
    return answer.phase is Phase.GONE and batch.once and _age(batch) < BELIEVED_AFTER


def _in_flight(batch: Batch) -> InFlight:
    return InFlight(batch, Flight(time.monotonic() - _age(batch), batch.size))


def _age(batch: Batch) -> float:
    """Seconds since it was sent; never negative, even when the clock was set back."""
    if batch.sent_at is None:
        return math.inf
    return max((timezone.now() - batch.sent_at).total_seconds(), 0.0)


def _pace_of(job: Job) -> Pace:
    """What this job's batches have taught so far; the quickest of the last ones is the least delayed."""
    answered = job.batches.filter(state=BatchState.SETTLED, receipt__gt="")
    last = answered.order_by("-settled_at").values_list("sent_at", "settled_at", "size")[:5]
    seen = [
        (settled - sent).total_seconds() / weight(size) for sent, settled, size in last if sent and settled
    ]
    return Pace(max(min(seen), 0.0) if seen else None, settled=answered.count(), asked=job.calls_status)
