"""Putting items into batches: equal changes travel together, up to a full batch."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from jobs.models import Batch, Job
from jobs.states import BatchState
from jobs.work import Change

#: The key of batches whose items have not been read: what each of them needs is found out before they go.
UNREAD = "unread"

#: What changes of a batch that takes more items, and of one that is used for something else.
GROWN_FIELDS = ("size", "read_at")
REUSED_FIELDS = ("key", "change", "probe", "once", "attempt", *GROWN_FIELDS)

#: Batches with this key and attempt may take one more item of the same.
OpenKey = tuple[str, int]


class Batcher:
    """Fills batches with items, over page borders and over workers.

    What it gives out is stored by `save`, in the transaction that writes the items; batches that are not full
    are found again in the database by the next worker.
    """

    def __init__(self, job: Job, size: int) -> None:
        self._job = job
        self._size = size
        self._new: list[Batch] = []
        self._grown: dict[int, Batch] = {}
        self._open: dict[OpenKey, Batch] = {}  # with room left
        self._found_keys: set[str] = set()  # keys
        self._spare: Batch | None = None
        self._reused: Batch | None = None
        self.filled: list[Batch] = []

    def find_open(self, keys: Iterable[str]) -> None:
        """Find the batches with room left, one query for all keys that were not looked for before."""
        unknown = set(keys) - self._found_keys
        if not unknown:
            return
        self._found_keys |= unknown
        waiting = self._job.batches.filter(key__in=unknown, state=BatchState.PENDING)
        with_room = waiting.filter(sent_at__isnull=True, size__lt=self._size).defer("change")
        # Sorted here: to have them in order, SQLite would go through all that wait, and not by their keys.
        found = sorted(with_room.order_by(), key=lambda batch: batch.pk)
        self._open |= {(batch.key, batch.attempt): batch for batch in found}

    def batch_for(self, change: Change, *, attempt: int = 1, read_at: datetime | None = None) -> Batch:
        """The batch that takes one more item with this change; it counts the item from now on."""
        place = (change.key, attempt)
        self.find_open([place[0]])
        batch = self._open.get(place)
        if batch is None:
            batch = self._open[place] = self._begin(change, attempt, read_at)
        if read_at is None:
            batch.read_at = None  # one that must be read again makes the whole batch so
        self._grow(batch, place)
        return batch

    def unread_batch(self) -> Batch:
        """The batch that takes one more item that has not been read."""
        place = (UNREAD, 1)
        self.find_open([UNREAD])
        batch = self._open.get(place)
        if batch is None:
            batch = self._open[place] = Batch(job=self._job, key=UNREAD)
            self._new.append(batch)
        self._grow(batch, place)
        return batch

    def offer_for_reuse(self, batch: Batch) -> None:
        """All of its items have left it: it is used in place of the next new one."""
        batch.size = 0
        self._spare = batch

    def has_reused(self, batch: Batch) -> bool:
        """Whether one that was `empty` is used again."""
        return self._reused is batch

    def _begin(self, change: Change, attempt: int, read_at: datetime | None) -> Batch:
        if self._spare is None:
            return self.new_batch(change, attempt=attempt, read_at=read_at)
        batch, self._spare = self._spare, None
        batch.key, batch.change = change.key, None if change.own else change.payload
        batch.probe, batch.once, batch.attempt, batch.read_at = change.probe, change.once, attempt, read_at
        self._reused = batch
        return batch

    def _grow(self, batch: Batch, place: OpenKey) -> None:
        batch.size += 1
        if batch.pk is not None:
            self._grown[batch.pk] = batch
        if batch.size >= self._size:
            self.filled.append(self._open.pop(place))

    def new_batch(
        self, change: Change, *, attempt: int, read_at: datetime | None, size: int = 0, note: str = ""
    ) -> Batch:
        """A new batch of so many items, which others do not add to."""
        batch = Batch(
            job=self._job,
            key=change.key,
            change=None if change.own else change.payload,
            probe=change.probe,
            once=change.once,
            attempt=attempt,
            size=size,
            read_at=read_at,
            note=note,
        )
        self._new.append(batch)
        return batch

    def save(self) -> list[Batch]:
        """Write what the batches have become, before the items that name them; returns the new ones."""
        new, self._new = self._new, []
        if new:
            Batch.objects.bulk_create(new)
        for batch in self._grown.values():
            batch.save(update_fields=REUSED_FIELDS if batch is self._reused else GROWN_FIELDS)
        self._grown.clear()
        return new
