"""Searches for batches whose answer was lost: were they carried out, and under which receipt?

Such a batch is in state `sending` without a receipt, because the call ended without an answer or its worker
died. Nothing of it is sent again before the search has ended.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from jobs.clocks import clock
from jobs.engine.in_flight import age_of, sendables_of
from jobs.models import Batch
from jobs.runtime.lease import Lease
from jobs.work import SearchResult, Work

logger = logging.getLogger(__name__)

#: How long after sending a lost batch is first searched for, and the pause between two searches, seconds: the
#: other side needs a moment to list what it has accepted.
LOST_SEARCH_DELAY = 2.0
#: How old a batch gets before an unclear search is given up and its items are read instead, seconds: far
#: longer than a batch takes.
LOST_SEARCH_TIMEOUT = 600.0
#: How old a batch that must not be sent twice gets before its absence is believed, seconds: longer than a
#: call may take on both sides.
ABSENCE_CONFIRM_DELAY = 60.0
#: How far back the receipts of other batches are excluded from a search. The other side forgets a receipt
#: after a day, and a clock may be a day ahead.
RECEIPT_LOOKBACK = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class SearchEnd:
    """The end of a search: the receipt that was found, or none."""

    receipt: str = ""
    is_absent: bool = False  # no receipt, and the other side shows that the batch was not carried out


class LostSearch:
    """Searches for the lost batches of one job, one at a time."""

    def __init__(self, lease: Lease, work: Work) -> None:
        self._lease = lease
        self._work = work
        self.next_at = 0.0  # a moment of `time.monotonic`; before it, `search` is not to be called

    def postpone(self) -> None:
        """Search after the usual pause: a batch has just been lost."""
        self.next_at = time.monotonic() + LOST_SEARCH_DELAY

    def search(self, batch: Batch, *, lost_at: float) -> SearchEnd | None:
        """Search once; None: search again at `next_at`."""
        # A clock that was set back would leave the batch too young forever; the time that we have known it
        # to be lost does not depend on that clock.
        age = max(age_of(batch), time.monotonic() - lost_at)
        if age < LOST_SEARCH_DELAY:
            self.next_at = time.monotonic() + LOST_SEARCH_DELAY - age
            return None
        found = self._find(batch)
        if isinstance(found, str):
            logger.info("Found again")
            return SearchEnd(receipt=found)
        is_absent = found is SearchResult.ABSENT
        if is_absent and batch.once and age < ABSENCE_CONFIRM_DELAY:
            self.next_at = time.monotonic() + min(max(age, LOST_SEARCH_DELAY), ABSENCE_CONFIRM_DELAY - age)
            return None
        if is_absent or age > LOST_SEARCH_TIMEOUT:
            return SearchEnd(is_absent=is_absent)
        self.postpone()
        return None

    def _find(self, batch: Batch) -> str | SearchResult:
        self._lease.fence()
        known = set(
            Batch.objects.filter(sent_at__gte=clock.now() - RECEIPT_LOOKBACK)
            .exclude(receipt="")
            .values_list("receipt", flat=True)
        )
        return self._work.find_lost(sendables_of(batch), known, batch.sent_at or clock.now())


def may_still_appear(batch: Batch) -> bool:
    """Whether a batch that must not be sent twice is too young to believe that it was not carried out."""
    return batch.once and age_of(batch) < ABSENCE_CONFIRM_DELAY
