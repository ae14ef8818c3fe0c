"""Putting items into batches: equal changes travel together, up to a full batch."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from functools import cached_property

from jobs.models import Batch, Job
from jobs.states import BatchState
from jobs.work import Change

#: The key of batches in which each item has a change of its own.
OWN = "own"


def key_of(change: Change) -> str:
    """Equal for changes that may share a batch."""
    once = "once" if change.once else ""
    if change.own:
        return " ".join(filter(None, (OWN, once, change.pilot)))
    text = json.dumps(change.payload, sort_keys=True, separators=(",", ":")) + change.pilot + once
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Packer:
    """Fills batches with items, over page borders and over workers.

    What it gives out is stored by `save`, in the transaction that writes the items; batches that are not full
    are found again in the database by the next worker.
    """

    def __init__(self, job: Job, size: int) -> None:
        self._job = job
        self._size = size
        self._new: list[Batch] = []
        self._grown: dict[int, Batch] = {}

    @cached_property
    def _open(self) -> dict[tuple[str, int], Batch]:
        """Batches with room left. Looked for only when an item comes: all that wait to be sent are read."""
        unsent = self._job.batches.filter(state=BatchState.PENDING, sent_at__isnull=True, size__lt=self._size)
        return {(batch.key, batch.attempt): batch for batch in unsent.defer("change").order_by("id")}

    def batch_for(self, change: Change, *, attempt: int = 1, read_at: datetime | None = None) -> Batch:
        """The batch that takes one more item with this change; it counts the item from now on."""
        place = (key_of(change), attempt)
        batch = self._open.get(place)
        if batch is None:
            batch = self._open[place] = self.start(change, attempt=attempt, read_at=read_at)
        if read_at is None:
            batch.read_at = None  # one that must be read again makes the whole batch so
        batch.size += 1
        if batch.pk is not None:
            self._grown[batch.pk] = batch
        if batch.size >= self._size:
            del self._open[place]
        return batch

    def start(
        self, change: Change, *, attempt: int, read_at: datetime | None, size: int = 0, note: str = ""
    ) -> Batch:
        """A new batch of so many items, which others do not add to."""
        batch = Batch(
            job=self._job,
            key=key_of(change),
            change=None if change.own else change.payload,
            pilot=change.pilot,
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
        if self._grown:
            Batch.objects.bulk_update(self._grown.values(), ["size", "read_at"])
            self._grown.clear()
        return new
