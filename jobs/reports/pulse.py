"""The work of the last half hour over several jobs: tickets a minute, and batches in flight."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Sum
from django.db.models.functions import TruncMinute

from jobs.clocks import clock
from jobs.models import Batch
from jobs.states import BatchState

#: Minutes of the chart, the current one included.
MINUTES = 30


@dataclass(frozen=True, slots=True)
class Pulse:
    """`per_minute` has `MINUTES` numbers, oldest first; the last minute is still going on."""

    per_minute: tuple[int, ...]
    in_flight: int  # batches that Zendesk works on

    @property
    def most(self) -> int:
        return max(self.per_minute, default=0)


def pulse_of(job_ids: Collection[int]) -> Pulse:
    """Tickets of settled batches by minute, and batches in flight, of these jobs; two queries."""
    this_minute = clock.now().replace(second=0, microsecond=0)
    first = this_minute - timedelta(minutes=MINUTES - 1)
    batches = Batch.objects.filter(job__in=job_ids)
    sums = dict(
        batches.filter(settled_at__gte=first, sent_at__isnull=False)
        .annotate(minute=TruncMinute("settled_at"))
        .values_list("minute")
        .annotate(Sum("size"))
    )
    minutes = (first + timedelta(minutes=number) for number in range(MINUTES))
    flying = batches.filter(state__in=(BatchState.SENDING, BatchState.SENT)).aggregate(Count("pk"))
    return Pulse(tuple(sums.get(minute, 0) for minute in minutes), flying["pk__count"])
