"""The batches of a job that wait to be sent, in the order in which they go."""

from __future__ import annotations

from collections.abc import Iterable, Set

from django.db.models import QuerySet

from jobs.models import Batch, Job
from jobs.states import BatchState


class Line:
    """Reads several batches at once, and again when one that waits has changed.

    Nobody but the worker that holds the job changes its batches; whoever does so tells `changed`.
    """

    def __init__(self, job: Job, *, at_once: int) -> None:
        self._job = job
        self._at_once = at_once
        self._read: list[Batch] = []
        self._halves: list[int] = []  # to be sent before all others, last first

    def first(self, *, held: Set[str] = frozenset(), may_fly: Set[str] = frozenset()) -> Batch | None:
        """The batch that goes next; it stays the first until it has `left` or something has `changed`.

        Halves of a batch that broke go before others: the item that breaks it is found before others break.
        Then those of the kinds that `may_fly`, and never any of the other kinds that are `held`.
        """
        while self._halves:
            half = self._waiting().filter(pk=self._halves[-1]).first()
            if half is not None:
                return half
            self._halves.pop()
        if held:
            waiting = self._waiting()
            return waiting.filter(pilot__in=may_fly).first() or waiting.exclude(pilot__in=held).first()
        if not self._read:
            self._read = list(self._waiting()[: self._at_once])
        return self._read[0] if self._read else None

    def soon(self, number: int) -> list[Batch]:
        """So many that most likely go next, as far as they have been read: no query."""
        return self._read[:number]

    def left(self, batch: Batch) -> None:
        """The batch waits no more."""
        self._read = [other for other in self._read if other.pk != batch.pk]

    def changed(self) -> None:
        """A batch has joined, or is not any more as it was read."""
        self._read.clear()

    def put_first(self, halves: Iterable[Batch]) -> None:
        """These came of a batch that broke."""
        self._halves += [half.pk for half in halves]
        self.changed()

    def _waiting(self) -> QuerySet[Batch]:
        return self._job.batches.filter(state=BatchState.PENDING).order_by("id")
