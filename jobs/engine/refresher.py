"""Batches whose reading is too old are read again before they are sent, while others are in flight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from jobs import log_context
from jobs.engine.settler import Settler
from jobs.models import Batch
from jobs.work import PendingCall, Snapshot, Work

#: Rows read longer ago than this are read again before they are sent.
SNAPSHOT_MAX_AGE = timedelta(minutes=2)
#: Readings that are made side by side.
READ_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class PendingRefresh:
    """A batch that is being read again."""

    batch: Batch
    refs: list[int]
    read_at: datetime
    call: PendingCall[dict[int, Snapshot]]


class Refresher:
    """Of one job, for the worker that holds it."""

    def __init__(self, settler: Settler, work: Work) -> None:
        self._settler = settler
        self._work = work
        self._under_way: list[PendingRefresh] = []

    def is_fresh(self, batch: Batch) -> bool:
        """Whether it may be sent as it was planned."""
        return batch.read_at is not None and abs(timezone.now() - batch.read_at) <= SNAPSHOT_MAX_AGE

    def request(self, batch: Batch, tell: Callable[[], None]) -> None:
        """Begin to read it again, unless it need not be; `tell` is called when `finish` has something to do.

        Where as many are being read as may be it is to be asked again.
        """
        if self.is_fresh(batch) or len(self._under_way) >= READ_AT_ONCE:
            return
        if any(reading.batch.pk == batch.pk for reading in self._under_way):
            return
        with log_context.about(batch=batch.pk):
            refs = self._settler.refs_of(batch)
            self._settler.lease.fence()
            reading = PendingRefresh(batch, refs, timezone.now(), self._work.read(refs))
        self._under_way.append(reading)
        reading.call.on_done(tell)

    def finish(self) -> bool:
        """Plan anew what has been read; False where there was nothing."""
        over = [reading for reading in self._under_way if reading.call.is_done]
        for reading in over:
            self._under_way.remove(reading)
            with log_context.about(batch=reading.batch.pk):
                seen = reading.call.result()
                self._settler.refresh(reading.batch, reading.refs, seen, reading.read_at)
        return bool(over)

    def discard(self) -> None:
        """Nobody goes on here."""
        while self._under_way:
            self._under_way.pop().call.discard()
