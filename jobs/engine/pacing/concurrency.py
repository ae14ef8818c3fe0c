"""Slots: how many batches may be in flight at the other side, of all jobs together.

What is learned about them (`slot_limit`) is stored, so that all workers keep to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Q, QuerySet

from jobs.clocks import clock
from jobs.engine.pacing.slot_limit import READING_LAG, SlotLimit
from jobs.models import Batch, Gate, Job
from jobs.states import ACTIVE, BatchState, Status
from jobs.work import Slots

#: How long the batches of a job that stopped with an error keep their slots: far longer than a batch takes.
STOPPED_JOBS_HOLD_SLOTS = timedelta(minutes=5)
#: The `Gate` row under whose lock slots are given out.
SLOTS = "slots"


def has_free_slot(*, taken: int, most: int) -> bool:
    """Whether a job that has `taken` slots may take one more; holds until the end of the transaction.

    All jobs together get as many as the account has free, and no more than `most`. A job gets no more than
    its fair share of them. Otherwise a job that keeps its slots while it waits for a worker would starve the
    others.
    """
    known, now = _lock(), _now()
    since_reading = Count("pk", filter=Q(sent_at__gt=datetime.fromtimestamp(known.read_at, tz=UTC)))
    counts = batches_in_flight().aggregate(number=Count("pk"), since_reading=since_reading)
    learned = known.request(
        now, in_flight=counts["number"], since_reading=counts["since_reading"], bound=most
    )
    if learned is None:
        return False
    sharing = Job.objects.filter(status=Status.RUNNING).count()
    if taken >= max(1, learned.most(now, most) // max(1, sharing)):
        return False
    _store(known, learned)
    return True


def learn_from_answer(slots: Slots, *, sent_at: datetime, most: int) -> None:
    """The answer to a batch sent at `sent_at` named slots. Call it inside a transaction."""
    known, now = _lock(), _now()
    counts = batches_in_flight().aggregate(
        number=Count("pk"), accepted=Count("pk", filter=Q(state=BatchState.SENT))
    )
    # The most of our batches that the answer may count: if it is late, those too that have ended.
    ours = counts["number"]
    if slots.total - slots.free > ours:
        ours += _settled_since(sent_at)
    if slots.total - slots.free > ours:
        lately = counts["number"] + _settled_since(sent_at - timedelta(seconds=READING_LAG))
        ours = max(ours, min(lately, known.most(now, most)))
    learned = known.read(
        now,
        called_at=sent_at.timestamp(),
        total=slots.total,
        free=slots.free,
        ours=(counts["accepted"], ours),
    )
    _store(known, learned)


def learn_from_refusal(receipts: Sequence[str] | None, *, sent_at: datetime) -> None:
    """A batch sent at `sent_at` was refused, for the other side has as many batches as it takes.

    `receipts` are those of the batches that it has, if it named them. Call it inside a transaction.
    """
    known, now = _lock(), _now()
    others = None if receipts is None else _others_among(receipts)
    in_flight = batches_in_flight().count()
    _store(known, known.refused(now, called_at=sent_at.timestamp(), in_flight=in_flight, others=others))


def most_in_flight(bound: int) -> int:
    """How many batches may be in flight now, of all jobs together."""
    stored = Gate.objects.filter(name=SLOTS).values_list("learned", flat=True).first()
    return SlotLimit.from_json(stored).most(_now(), bound)


def batches_in_flight() -> QuerySet[Batch]:
    """The batches that occupy a slot at the other side, of all jobs together."""
    # Batches of a stopped job are carried out all the same, and may never be polled again.
    lately = clock.now() - STOPPED_JOBS_HOLD_SLOTS
    counts = Q(job__status__in=ACTIVE) | Q(sent_at__gte=lately)
    return Batch.objects.filter(counts, state__in=[BatchState.SENDING, BatchState.SENT])


def _settled_since(moment: datetime) -> int:
    return Batch.objects.filter(job__status__in=ACTIVE, settled_at__gte=moment).count()


def _others_among(receipts: Sequence[str]) -> int:
    """How many of them are not ours; a batch whose receipt is not stored yet may be any of them."""
    ours = Batch.objects.filter(state__in=[BatchState.SENDING, BatchState.SENT])
    counts = ours.aggregate(
        named=Count("pk", filter=Q(receipt__in=receipts)),
        sending=Count("pk", filter=Q(state=BatchState.SENDING)),
    )
    others: int = len(set(receipts)) - counts["named"] - counts["sending"]
    return max(0, others)


def _lock() -> SlotLimit:
    """What is known, locked until the end of the transaction."""
    locked = Gate.objects.select_for_update().filter(name=SLOTS)
    if not (found := locked.first()):
        Gate.objects.get_or_create(name=SLOTS)
        found = locked.get()
    return SlotLimit.from_json(found.learned)


def _store(known: SlotLimit, learned: SlotLimit) -> None:
    if learned != known:
        Gate.objects.filter(name=SLOTS).update(learned=learned.to_json())


def _now() -> float:
    return clock.now().timestamp()
