"""The decisions about the items of one batch, before they are written.

The settler decides after an answer, the refresher before sending; both collect what they decide here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import F, QuerySet

from jobs.models import Batch, Item
from jobs.states import FINAL, Outcome
from jobs.work import Change, Sendable, Snapshot, Work

if TYPE_CHECKING:
    from jobs.engine.read_back import Reading


@dataclass(slots=True)
class Settlement:
    """The outcomes of a batch's items, and the items that go into other batches."""

    changed: list[int] = field(default_factory=list)  # primary keys of items whose change was confirmed
    all_changed: bool = False  # `changed` names every open item of the batch
    ended: list[Item] = field(default_factory=list)  # items that carry their outcome
    resend: list[tuple[Item, Change]] = field(default_factory=list)  # items that move to another batch
    #: The attempt with which `resend` goes out in two halves, to isolate the item that breaks its batch;
    #: 0: not in halves.
    bisect_attempt: int = 0
    note: str = ""  # stored with the batch, for people
    reading: Reading | None = None  # the batch as it was read back; None: it was not
    shown_kinds: set[str] = field(default_factory=set)  # the kinds of changes that items show
    absent: dict[int, str] = field(default_factory=dict)  # the kinds of changes that items lack, by ref
    unclear: dict[int, str] = field(default_factory=dict)  # and of those of which nobody can tell
    not_applied: list[tuple[Item, Change]] = field(default_factory=list)  # those that are pending again
    undone: int = 0  # changed items whose change had been undone

    def end(self, item: Item, outcome: Outcome, reason: str = "", detail: str = "") -> None:
        """Give the item its outcome; without a reason or a detail it keeps those of its plan."""
        item.outcome = outcome
        if reason or detail:
            item.reason, item.detail = reason[:64], detail
        self.ended.append(item)

    def end_as_read(self, item: Item, now: Snapshot | None, batch: Batch, work: Work) -> bool:
        """End an item that was sent without a known result, if its present state proves one.

        False means that its state shows no trace of the change.
        """
        if now is None:
            self.end(
                item,
                Outcome.UNVERIFIED,
                "gone",
                "It was sent, but the result was lost and the ticket can no longer be seen.",
            )
            return True
        if why := work.why_unreadable(now):
            self.end(item, Outcome.UNVERIFIED, "odd_record", f"It was sent, and the result was lost. {why}")
            return True
        if work.is_applied(item.change or {}, now):
            sent = Sendable(item.ref, item.before or {}, item.change or {})
            if end := work.why_not_shown(sent, now):
                self.end(item, Outcome.FAILED, end.code, end.text)
            else:
                self.end(item, Outcome.CHANGED)
            return True
        if batch.change is None and now != item.before:
            # A new plan would overwrite what somebody just did. It would also replace the state from before
            # the job, which undo needs.
            self.end(
                item,
                Outcome.UNVERIFIED,
                "touched_meanwhile",
                "It was sent, the result was lost, and somebody has changed the ticket since: look at it, "
                "and retry if the change is still wanted.",
            )
            return True
        return False

    @property
    def counts(self) -> dict[str, Any]:
        """The outcomes as increments to the row of a job or a batch."""
        counts = {outcome.value: self.number(outcome) for outcome in FINAL}
        return {name: F(name) + count for name, count in counts.items() if count}

    def number(self, outcome: Outcome) -> int:
        """How many items end so."""
        ended = sum(item.outcome == outcome for item in self.ended)
        return ended + len(self.changed) if outcome is Outcome.CHANGED else ended


def open_items(batch: Batch) -> QuerySet[Item]:
    """The items of the batch without an outcome, in the order in which they are sent."""
    return Item.objects.filter(batch=batch, outcome=Outcome.PENDING).order_by("ref")
