"""The pending batches of a job, in the order in which they are sent."""

from __future__ import annotations

from collections.abc import Iterable, Set

from django.db.models import Q, QuerySet

from jobs.engine.batcher import UNREAD
from jobs.models import Batch, Job
from jobs.states import BatchState

#: The least number of pending batches to load while unread ones remain: each refresh changes which these are.
LOADED_WHILE_UNREAD = 10


class BatchQueue:
    """Loads several batches at once, and again when a pending one has changed.

    Only the worker that holds the job changes its batches; it calls `add`, `remove` or `invalidate` then.

    While some items are unread, a batch that is not full is held back: more items may join it.
    `most_at_once` is how many batches may be sent one right after the other.
    """

    def __init__(self, job: Job, *, most_at_once: int, full_size: int) -> None:
        self._job = job
        self._page_size = 2 * most_at_once
        self._unread_page_size = max(LOADED_WHILE_UNREAD, most_at_once + 2)
        self._full_size = full_size  # items
        self._loaded: list[Batch] = []
        self._is_loaded = False  # what is loaded is as stored
        self._has_more = False  # than are loaded
        self._loaded_without: Set[str] = frozenset()
        self._halves: list[int] = []  # sent before all others, the last first
        self._has_unread = self._pending().filter(key=UNREAD).exists()
        #: Full batches with their probes, while unread ones remain. In the order of their ids alone, those
        #: filled late would go last, when their snapshots are too old.
        self._filled: list[tuple[int, str]] = []
        if self._has_unread:
            full_ones = self._pending().filter(size__gte=full_size).exclude(key=UNREAD)
            self._filled = list(full_ones.values_list("pk", "probe"))

    def first(self, *, held: Set[str] = frozenset(), probe_kinds: Set[str] = frozenset()) -> Batch | None:
        """The batch to send next; the same one until the queue is changed.

        The halves of a broken batch go first, so that the item that breaks it is found before others break.
        Then batches with one of the `probe_kinds`. Other batches of the `held` kinds are left out.
        """
        while self._halves:
            half = self._pending().filter(pk=self._halves[-1]).first()
            if half is not None:
                return half
            self._halves.pop()
        if held != self._loaded_without:
            self.invalidate()
            self._loaded_without = frozenset(held)
        if not self._is_loaded or (not self._loaded and (self._has_more or self._has_unread)):
            self._load()
        if probe_kinds and (probe := self._pending().filter(probe__in=probe_kinds).first()):
            return probe
        return next((batch for batch in self._loaded if batch.key != UNREAD), None)

    def upcoming(self, number: int) -> list[Batch]:
        """At most this many of the batches to be sent or read next; loads more when they run short."""
        if len(self._loaded) < number and self._has_more:
            self._load()
        return self._loaded[:number]

    def _load(self) -> None:
        self._loaded = self._read()
        self._is_loaded = True

    def _read(self) -> list[Batch]:
        waiting = self._pending()
        if self._loaded_without:
            waiting = waiting.exclude(probe__in=self._loaded_without)
        if self._has_unread:
            size = self._unread_page_size
            full = [pk for pk, probe in self._filled if probe not in self._loaded_without][:size]
            found = list(waiting.filter(pk__in=full))
            left = set(full) - {batch.pk for batch in found}
            self._filled = [one for one in self._filled if one[0] not in left]
            stays = Q(key=UNREAD) | Q(size__gte=self._full_size) | Q(attempt__gt=1)
            others = waiting.filter(stays).exclude(pk__in=[batch.pk for batch in found])
            found += others[: size - len(found)]
            self._has_more = len(found) == size
            if self._has_more or any(batch.key == UNREAD for batch in found):
                return found
            self._has_unread = False  # it stays so: the list is frozen
        found = list(waiting[: self._page_size])
        self._has_more = len(found) == self._page_size
        return found

    def remove(self, batch: Batch) -> None:
        """The batch is no longer pending."""
        self._loaded = [other for other in self._loaded if other.pk != batch.pk]

    def add(self, batches: Iterable[Batch]) -> None:
        """These have become full, or pending again."""
        if self._has_unread:
            self._filled += [(batch.pk, batch.probe) for batch in batches]
        self.invalidate()

    def invalidate(self) -> None:
        """Load the batches again: one was added, or has changed."""
        self._loaded, self._is_loaded = [], False

    def put_first(self, halves: Iterable[Batch]) -> None:
        """Send the halves of a broken batch before all others."""
        self._halves += [half.pk for half in halves]
        self.invalidate()

    def _pending(self) -> QuerySet[Batch]:
        return self._job.batches.filter(state=BatchState.PENDING).order_by("id")
