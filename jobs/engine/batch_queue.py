"""The batches of a job that wait to be sent, in the order in which they go."""

from __future__ import annotations

from collections.abc import Iterable, Set

from django.db.models import Q, QuerySet

from jobs.engine.batcher import UNREAD
from jobs.models import Batch, Job
from jobs.states import BatchState

#: So many are read of those that wait while some are not read yet.
LOADED_WHILE_UNREAD = 10


class BatchQueue:
    """Reads several batches at once, and again when one that waits has changed.

    Nobody but the worker that holds the job changes its batches; whoever does so tells `changed`.

    As long as there are items that have not been read, a batch that is not full waits: more may join it.
    """

    def __init__(self, job: Job, *, at_once: int, full: int) -> None:
        self._job = job
        self._page_size = at_once
        self._full_size = full  # items
        self._loaded: list[Batch] = []
        self._loaded_without: Set[str] = frozenset()
        self._halves: list[int] = []  # to be sent before all others, last first
        self._has_unread = self._pending().filter(key=UNREAD).exists()
        #: Full ones with their probes, while some are unread: those made late would else go last and too old.
        self._filled: list[tuple[int, str]] = []
        if self._has_unread:
            full_ones = self._pending().filter(size__gte=full).exclude(key=UNREAD)
            self._filled = list(full_ones.values_list("pk", "probe"))

    def first(self, *, held: Set[str] = frozenset(), probe_kinds: Set[str] = frozenset()) -> Batch | None:
        """The batch that goes next; it stays the first until it has `left` or something has `changed`.

        Halves of a batch that broke go before others: the item that breaks it is found before others break.
        Then those of the kinds that `may_fly`, and never any of the other kinds that are `held`.
        """
        while self._halves:
            half = self._pending().filter(pk=self._halves[-1]).first()
            if half is not None:
                return half
            self._halves.pop()
        if held != self._loaded_without:
            self._loaded, self._loaded_without = [], frozenset(held)
        if not self._loaded:
            self._loaded = self._load()
        if probe_kinds and (probe := self._pending().filter(probe__in=probe_kinds).first()):
            return probe
        return next((batch for batch in self._loaded if batch.key != UNREAD), None)

    def upcoming(self, number: int) -> list[Batch]:
        """So many that most likely go next, or are to be read next, as far as they are known: no query."""
        return self._loaded[:number]

    def _load(self) -> list[Batch]:
        waiting = self._pending()
        if self._loaded_without:
            waiting = waiting.exclude(probe__in=self._loaded_without)
        if self._has_unread:
            # Each reading changes what waits, so few are looked at.
            full = [pk for pk, probe in self._filled if probe not in self._loaded_without][
                :LOADED_WHILE_UNREAD
            ]
            found = list(waiting.filter(pk__in=full))
            left = set(full) - {batch.pk for batch in found}
            self._filled = [one for one in self._filled if one[0] not in left]
            stays = Q(key=UNREAD) | Q(size__gte=self._full_size) | Q(attempt__gt=1)
            others = waiting.filter(stays).exclude(pk__in=[batch.pk for batch in found])
            found += others[: LOADED_WHILE_UNREAD - len(found)]
            if len(found) == LOADED_WHILE_UNREAD or any(batch.key == UNREAD for batch in found):
                return found
            self._has_unread = False  # none joins once the list is frozen
        return list(waiting[: self._page_size])

    def remove(self, batch: Batch) -> None:
        """The batch waits no more."""
        self._loaded = [other for other in self._loaded if other.pk != batch.pk]

    def add(self, batches: Iterable[Batch]) -> None:
        """These are full now."""
        if self._has_unread:
            self._filled += [(batch.pk, batch.probe) for batch in batches]
        self.invalidate()

    def invalidate(self) -> None:
        """A batch has joined, or is not any more as it was read."""
        self._loaded.clear()

    def put_first(self, halves: Iterable[Batch]) -> None:
        """These came of a batch that broke."""
        self._halves += [half.pk for half in halves]
        self.invalidate()

    def _pending(self) -> QuerySet[Batch]:
        return self._job.batches.filter(state=BatchState.PENDING).order_by("id")
