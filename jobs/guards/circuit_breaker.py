"""The circuit breaker: a job whose items are mostly refused stops itself.

It counts the items that were sent last. The counts are kept on the job's row (`Job.lately`) and written in
the transaction that settles a batch, so that a worker that takes over knows them, whatever the clock says. An
item that is sent again has no outcome yet and does not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

from jobs.models import Item, Job
from jobs.states import Outcome

#: How many of the items sent last count; whole batches, so at times a few more.
WINDOW_SIZE = 200
#: The least number of items sent before the breaker may open: fewer prove nothing.
MIN_SENT = 50
#: The outcomes of items that were sent.
SENT_OUTCOMES = (Outcome.CHANGED, Outcome.FAILED, Outcome.UNVERIFIED)


@dataclass(frozen=True, slots=True)
class BatchRefusals:
    """The results of one batch."""

    sent: int
    refused: Counter[str]  # by reason


@dataclass(frozen=True, slots=True)
class RefusalWindow:
    """The batches settled last, oldest first. Once the breaker is open, the window stays: it shows why."""

    batches: tuple[BatchRefusals, ...] = ()

    @classmethod
    def from_json(cls, stored: Sequence[Any]) -> RefusalWindow:
        return cls(tuple(BatchRefusals(sent, Counter(refused)) for sent, refused in stored))

    def to_json(self) -> list[Any]:
        return [[batch.sent, dict(batch.refused)] for batch in self.batches]

    @property
    def sent(self) -> int:
        return sum(batch.sent for batch in self.batches)

    @property
    def refused(self) -> Counter[str]:
        """How many were refused, by reason."""
        return sum((batch.refused for batch in self.batches), Counter())

    @property
    def is_open(self) -> bool:
        """More than half were refused: nothing more may be sent."""
        return self.sent >= MIN_SENT and 2 * self.refused.total() > self.sent

    def after(
        self, items: Sequence[Item], *, done: int = 0, own_failures: Set[str] = frozenset()
    ) -> RefusalWindow:
        """The window after one more batch: these items with their outcomes, and `done` that succeeded.

        Failures for a reason among `own_failures` say nothing about other items, and do not count.
        """
        items = [item for item in items if item.reason not in own_failures]
        sent = done + sum(item.outcome in SENT_OUTCOMES for item in items)
        if not sent or self.is_open:
            return self
        refused = Counter(item.reason for item in items if item.outcome == Outcome.FAILED)
        batches = (*self.batches, BatchRefusals(sent, refused))
        while sum(batch.sent for batch in batches[1:]) >= WINDOW_SIZE:
            batches = batches[1:]
        return RefusalWindow(batches)


def stop_reason(job: Job, window: RefusalWindow) -> str:
    """Why the job stopped and what to do about it, for people."""
    refused = window.refused
    reason, number = refused.most_common(1)[0]
    item = job.items.filter(outcome=Outcome.FAILED, reason=reason).order_by("-ref").first()
    said = (item.detail if item else "") or reason.replace("_", " ") or "no reason was given"
    part = "all" if number == refused.total() else "most" if 2 * number > refused.total() else "many"
    return (
        f"Stopped: Zendesk refused {refused.total():,} of the last {window.sent:,} tickets, {part} because: "
        f"“{said}” Mend that, then resume: nothing is lost. What failed can be retried when the job has "
        "ended."
    )
