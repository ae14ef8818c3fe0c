"""Puts items into batches: equal changes share a batch until it is full."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from jobs.models import Batch, Job
from jobs.states import BatchState
from jobs.work import Change

#: The key of batches whose items have not been read: they are read and planned right before they are sent.
UNREAD = "unread"

#: The columns that change when a batch takes more items, and when its row is reused for another change.
GROWN_FIELDS = ("size", "read_at")
REUSED_FIELDS = ("key", "change", "probe", "once", "attempt", *GROWN_FIELDS)

#: The key and the attempt that items must share with a batch to join it.
OpenKey = tuple[str, int]


class Batcher:
    """Fills batches with items, across pages and workers.

    `save` stores the batches in the transaction that writes their items. Another worker finds those that are
    not full in the database.
    """

    def __init__(self, job: Job, size: int) -> None:
        self._job = job
        self._size = size
        self._new: list[Batch] = []
        self._grown: dict[int, Batch] = {}
        self._open: dict[OpenKey, Batch] = {}  # with room left
        self._found_keys: set[str] = set()  # keys whose stored batches are in `_open`
        self._spare: Batch | None = None
        self._reused: Batch | None = None
        self.filled: list[Batch] = []

    def find_open(self, keys: Iterable[str]) -> None:
        """Find the stored batches with room left, in one query for all keys that are new here."""
        unknown = set(keys) - self._found_keys
        if not unknown:
            return
        self._found_keys |= unknown
        pending = self._job.batches.filter(key__in=unknown, state=BatchState.PENDING)
        with_room = pending.filter(sent_at__isnull=True, size__lt=self._size).defer("change")
        # Sorted here: with an ORDER BY, SQLite would scan all pending batches instead of using the keys.
        found = sorted(with_room.order_by(), key=lambda batch: batch.pk)
        self._open |= {(batch.key, batch.attempt): batch for batch in found}

    def batch_for(self, change: Change, *, attempt: int = 1, read_at: datetime | None = None) -> Batch:
        """The batch for one more item with this change; its size includes the item from now on."""
        open_key = (change.key, attempt)
        self.find_open([open_key[0]])
        batch = self._open.get(open_key)
        if batch is None:
            batch = self._open[open_key] = self._begin(change, attempt, read_at)
        # One stale item makes the whole batch stale.
        batch.read_at = min(batch.read_at, read_at) if batch.read_at and read_at else None
        self._grow(batch, open_key)
        return batch

    def unread_batch(self) -> Batch:
        """The batch for one more unread item."""
        open_key = (UNREAD, 1)
        self.find_open([UNREAD])
        batch = self._open.get(open_key)
        if batch is None:
            batch = self._open[open_key] = Batch(job=self._job, key=UNREAD)
            self._new.append(batch)
        self._grow(batch, open_key)
        return batch

    def offer_for_reuse(self, batch: Batch) -> None:
        """All items have left the batch: its row is reused in place of the next new one."""
        batch.size = 0
        self._spare = batch

    def has_reused(self, batch: Batch) -> bool:
        """Whether this batch's row, offered before, has been reused."""
        return self._reused is batch

    def _begin(self, change: Change, attempt: int, read_at: datetime | None) -> Batch:
        if self._spare is None:
            return self.new_batch(change, attempt=attempt, read_at=read_at)
        batch, self._spare = self._spare, None
        batch.key, batch.change = change.key, None if change.own else change.payload
        batch.probe, batch.once, batch.attempt, batch.read_at = change.probe, change.once, attempt, read_at
        self._reused = batch
        return batch

    def _grow(self, batch: Batch, open_key: OpenKey) -> None:
        batch.size += 1
        if batch.pk is not None:
            self._grown[batch.pk] = batch
        if batch.size >= self._size:
            self.filled.append(self._open.pop(open_key))

    def new_batch(
        self, change: Change, *, attempt: int, read_at: datetime | None, size: int = 0, note: str = ""
    ) -> Batch:
        """A new batch of `size` items that takes no others."""
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
        """Store the batches, before the items that refer to them; returns the new ones."""
        new, self._new = self._new, []
        if new:
            Batch.objects.bulk_create(new)
        for batch in self._grown.values():
            batch.save(update_fields=REUSED_FIELDS if batch is self._reused else GROWN_FIELDS)
        self._grown.clear()
        return new
