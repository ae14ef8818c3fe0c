"""Changes that must not be made twice: only what was provably not carried out is sent again.

The item's state proves nothing about such a change; the records about the item do. A change that is on record
is done, one that is provably not is sent again, and where the records do not say, a person has to look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.engine.settlement import Settlement
from jobs.followups import family_history
from jobs.models import Item
from jobs.runtime.lease import Lease
from jobs.states import NOT_APPLIED, SENT_BEFORE, Outcome
from jobs.work import DeliveryEvidence, Sendable, Snapshot, Work

UNVERIFIABLE = (
    "It was sent, the result was lost, and the ticket's history does not tell whether it was carried out. It "
    "is not sent again: look at the ticket."
)
MADE_BEFORE = "An earlier job had done this already{by}, and it is not done twice."


class ExactlyOnce:
    """Finds out which of these changes were carried out, for the worker that holds the job."""

    def __init__(self, lease: Lease, work: Work) -> None:
        self.lease = lease
        self.work = work

    def confirmed_not_applied(
        self, settlement: Settlement, items: Sequence[Item], *, is_over: bool = True
    ) -> list[Item]:
        """The items, of those that were sent, whose change was provably not carried out.

        The others get their outcome. Unless the batch `is_over`, a missing change may still be carried out,
        so that nothing is proved by it.
        """
        not_made = []
        evidence = self._find_evidence(items)
        for item in items:
            match evidence.get(item.ref):
                case DeliveryEvidence.MADE:
                    item.reason = ""
                    settlement.end(item, Outcome.CHANGED)
                case DeliveryEvidence.NOT_MADE if is_over:
                    not_made.append(item)
                case _:
                    settlement.end(item, Outcome.UNVERIFIED, "untold", UNVERIFIABLE)
        return not_made

    def _find_evidence(self, items: Sequence[Item]) -> Mapping[int, DeliveryEvidence]:
        if not items:
            return {}
        self.lease.fence()
        return self.work.find_evidence(
            [Sendable(item.ref, item.before or {}, item.change or {}) for item in items]
        )

    def not_applied_by_family(
        self, settlement: Settlement, items: Sequence[Item], seen: Mapping[int, Snapshot]
    ) -> list[Item]:
        """The items, of those about to be sent, whose change no job of the family has carried out.

        The others get their outcome. Called after the items were read: a later change makes the other side
        refuse what is sent.
        """
        sent = [item for item in items if item.reason in (SENT_BEFORE, NOT_APPLIED)]
        others = [item for item in items if item not in sent]
        return [
            *self.confirmed_not_applied(settlement, sent),
            *self._not_made_by_relatives(settlement, others, seen),
        ]

    def _not_made_by_relatives(
        self, settlement: Settlement, items: Sequence[Item], seen: Mapping[int, Snapshot]
    ) -> list[Item]:
        history = family_history(self.lease.job, [item.ref for item in items])
        doubtful = [item for item in items if item.ref in history.doubtful and item.ref in seen]
        evidence = self._find_evidence(doubtful)
        left = []
        for item in items:
            maker = history.made.get(item.ref)
            proof = (
                evidence.get(item.ref, DeliveryEvidence.UNCLEAR)
                if item in doubtful
                else DeliveryEvidence.NOT_MADE
            )
            if maker is not None or proof is DeliveryEvidence.MADE:
                item.change = None  # an undo of this job has nothing to take back
                by = f" (job {maker})" if maker else ""
                settlement.end(item, Outcome.UNCHANGED, "made_before", MADE_BEFORE.format(by=by))
            elif proof is DeliveryEvidence.UNCLEAR:
                settlement.end(item, Outcome.UNVERIFIED, "untold", UNVERIFIABLE)
            else:
                left.append(item)
        return left
