"""The batches of a job that wait to be sent, in the order in which they go."""

from __future__ import annotations

from collections.abc import Iterable, Set

from django.db.models import Q, QuerySet

from jobs.engine.batcher import UNREAD
from jobs.models import Batch, Job
from jobs.states import BatchState

#: So many are read of those that wait while some are not read yet.
AHEAD = 10


class BatchQueue:
    """Reads several batches at once, and again when one that waits has changed.

    Nobody but the worker that holds the job changes its batches; whoever does so tells `changed`.

    As long as there are items that have not been read, a batch that is not full waits: more may join it.
    """

    def __init__(self, job: Job, *, at_once: int, full: int) -> None:
        self._job = job
        self._at_once = at_once
        self._full = full  # items
        self._read: list[Batch] = []
        self._read_without: Set[str] = frozenset()
        self._halves: list[int] = []  # to be sent before all others, last first
        self._has_unread = self._waiting().filter(key=UNREAD).exists()
        #: Full ones with their probes, while some are unread: those made late would else go last and too old.
        self._filled: list[tuple[int, str]] = []
        if self._has_unread:
            full_ones = self._waiting().filter(size__gte=full).exclude(key=UNREAD)
            self._filled = list(full_ones.values_list("pk", "probe"))

    def first(self, *, held: Set[str] = frozenset(), probe_kinds: Set[str] = frozenset()) -> Batch | None:
        """The batch that goes next; it stays the first until it has `left` or something has `changed`.

        Halves of a batch that broke go before others: the item that breaks it is found before others break.
        Then those of the kinds that `may_fly`, and never any of the other kinds that are `held`.
        """
        while self._halves:
            half = self._waiting().filter(pk=self._halves[-1]).first()
            if half is not None:
                return half
            self._halves.pop()
        if held != self._read_without:
            self._read, self._read_without = [], frozenset(held)
        if not self._read:
            self._read = self._look()
        if probe_kinds and (probe := self._waiting().filter(probe__in=probe_kinds).first()):
            return probe
        return next((batch for batch in self._read if batch.key != UNREAD), None)

    def upcoming(self, number: int) -> list[Batch]:
        """So many that most likely go next, or are to be read next, as far as they are known: no query."""
        return self._read[:number]

    def _look(self) -> list[Batch]:
        waiting = self._waiting()
        if self._read_without:
            waiting = waiting.exclude(probe__in=self._read_without)
        if self._has_unread:
            # Each reading changes what waits, so few are looked at.
            full = [pk for pk, probe in self._filled if probe not in self._read_without][:AHEAD]
            found = list(waiting.filter(pk__in=full))
            left = set(full) - {batch.pk for batch in found}
            self._filled = [one for one in self._filled if one[0] not in left]
            stays = Q(key=UNREAD) | Q(size__gte=self._full) | Q(attempt__gt=1)
            others = waiting.filter(stays).exclude(pk__in=[batch.pk for batch in found])
            found += others[: AHEAD - len(found)]
            if len(found) == AHEAD or any(batch.key == UNREAD for batch in found):
                return found
            self._has_unread = False  # none joins once the list is frozen
        return list(waiting[: self._at_once])

    def remove(self, batch: Batch) -> None:
        """The batch waits no more."""
        self._read = [other for other in self._read if other.pk != batch.pk]

    def refill(self, batches: Iterable[Batch]) -> None:
        """These are full now."""
        if self._has_unread:
            self._filled += [(batch.pk, batch.probe) for batch in batches]
        self.invalidate()

    def invalidate(self) -> None:
        """A batch has joined, or is not any more as it was read."""
        self._read.clear()

    def put_first(self, halves: Iterable[Batch]) -> None:
        """These came of a batch that broke."""
        self._halves += [half.pk for half in halves]
        self.invalidate()

    def _waiting(self) -> QuerySet[Batch]:
        return self._job.batches.filter(state=BatchState.PENDING).order_by("id")
