"""A rough estimate of the calls and the time of a real run."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from django.conf import settings

from jobs.common.formatting import time_left
from tagmanager.account.page_calls import MIN_CALLS_PER_MINUTE
from tagmanager.account.status import calls_per_minute
from tagmanager.macros.application import ASKED_AT_ONCE

#: Tickets per call, and the seconds Zendesk takes for them (developer.zendesk.com, tickets).
BATCH_SIZE, BATCH_SECONDS = 100, 10
#: Status checks while the batches in flight are processed; one call covers all of them.
POLLS_PER_ROUND, POLLS_PER_BATCH = 4, 0.34


@dataclass(frozen=True, slots=True)
class Estimate:
    """The approximate cost of a real run."""

    calls: int
    seconds: int

    @property
    def time(self) -> str:
        return time_left(self.seconds)


def estimate(tickets: int, *, asked_for_each: bool = False) -> Estimate:
    """Estimate a run over this many tickets, in batches of a hundred, within our share of the calls.

    It may take more: tickets that need different tags go into different batches. If Zendesk previews the
    macro for each ticket (`asked_for_each`), that takes a call per ticket when the list is read and another
    before the change, and a call for the macro itself per batch.
    """
    batches = ceil(tickets / (ASKED_AT_ONCE if asked_for_each else BATCH_SIZE))
    rounds = ceil(batches / max(settings.ZENDESK_MAX_JOBS, 1))
    polls = max(rounds * POLLS_PER_ROUND, ceil(batches * POLLS_PER_BATCH))
    calls = batches + batches + polls  # each ticket is read again before it is changed
    if asked_for_each:
        calls += 2 * (tickets + batches)
    ours = (calls_per_minute() or MIN_CALLS_PER_MINUTE) * settings.ZENDESK_RATE_SHARE
    return Estimate(calls, max(rounds * BATCH_SECONDS, ceil(calls / ours * 60)))
