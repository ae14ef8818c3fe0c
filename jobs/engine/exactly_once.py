"""Changes that must not be made twice: what goes again is only what surely was not done.

What an item looks like proves nothing of them; what is on record about it does. A change that was sent and is
on record is done, one that is not goes again, and where the records do not tell, a person has to look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.engine.settlement import Settlement
from jobs.followups import family_history
from jobs.models import Item
from jobs.runtime.lease import Lease
from jobs.states import SENT_BEFORE, Outcome
from jobs.work import DeliveryEvidence, Sendable, Snapshot, Work

UNVERIFIABLE = (
    "It was sent, the result was lost, and the ticket's history does not tell whether it was carried out. It "
    "is not sent again: look at the ticket."
)
MADE_BEFORE = "An earlier job had done this already{by}, and it is not done twice."


class ExactlyOnce:
    """Finds out for the worker that holds a job what was carried out of such changes."""

    def __init__(self, lease: Lease, work: Work) -> None:
        self.lease = lease
        self.work = work

    def confirmed_not_applied(
        self, settlement: Settlement, items: Sequence[Item], *, is_over: bool = True
    ) -> list[Item]:
        """Of items that were sent and must not be twice: those that surely were not carried out.

        The others get their outcome. While it is not over, what is not there yet may still come.
        """
        not_made = []
        seen = self._find_evidence(items)
        for item in items:
            match seen.get(item.ref):
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
        """Of items about to be sent that must not be twice: those that no job of the family has carried out.

        Called after they were read: who comes between is then found out by the other side.
        """
        sent = [item for item in items if item.reason == SENT_BEFORE]
        others = [item for item in items if item.reason != SENT_BEFORE]
        return [
            *self.confirmed_not_applied(settlement, sent),
            *self._not_made_by_relatives(settlement, others, seen),
        ]

    def _not_made_by_relatives(
        self, settlement: Settlement, items: Sequence[Item], seen: Mapping[int, Snapshot]
    ) -> list[Item]:
        before = family_history(self.lease.job, [item.ref for item in items])
        doubtful = [item for item in items if item.ref in before.doubtful and item.ref in seen]
        sightings = self._find_evidence(doubtful)
        left = []
        for item in items:
            maker = before.made.get(item.ref)
            sighting = (
                sightings.get(item.ref, DeliveryEvidence.UNCLEAR)
                if item in doubtful
                else DeliveryEvidence.NOT_MADE
            )
            if maker is not None or sighting is DeliveryEvidence.MADE:
                item.change = None  # nothing to take back here
                by = f" (job {maker})" if maker else ""
                settlement.end(item, Outcome.UNCHANGED, "made_before", MADE_BEFORE.format(by=by))
            elif sighting is DeliveryEvidence.UNCLEAR:
                settlement.end(item, Outcome.UNVERIFIED, "untold", UNVERIFIABLE)
            else:
                left.append(item)
        return left
