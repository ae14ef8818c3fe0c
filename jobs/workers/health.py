"""The health of the workers, judged in one way for pages, probes and the supervisor."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Case, Count, F, Min, OuterRef, Subquery, When
from django.db.models.functions import Coalesce

from jobs.clocks import clock
from jobs.installation import standstill
from jobs.models import Beat, Job, Transition
from jobs.states import Status
from jobs.workers import clock_skew, faults, heartbeats

#: Living workers do no work if a job has waited for this long and nobody holds another.
STUCK_AFTER = timedelta(seconds=30)


class State(StrEnum):
    ALIVE = "alive"
    STUCK = "stuck"  # they beat, but jobs wait and nobody works on any
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Health:
    """Numbers without names, safe to show to anybody; times in whole seconds, None for none."""

    worker_state: State
    workers: int  # living clusters, on all hosts
    newest_beat_seconds: int | None  # also of a dead one
    jobs_waiting: int  # for a worker, and for nothing else
    oldest_waiting_seconds: int | None
    clock_offset_seconds: int  # the worst clock of a living worker's host or of this one; above 0: ahead
    standstill: str  # "held" or "copy" where all jobs stand still, and wait for no worker; else ""
    degraded: dict[str, int]  # duties that fail beside the jobs, and in how many processes

    @property
    def is_worker_alive(self) -> bool:
        return self.workers > 0


def check() -> Health:
    """Cheap at any size: it reads rows of beats and of jobs that have not ended, never of tickets."""
    now = clock.now()
    known, beats = faults.current(), heartbeats.living_beats()
    living = heartbeats.living_clusters(beats, known)
    newest = Beat.objects.order_by("-at").values_list("at", flat=True).first()
    last_move = Transition.objects.filter(job=OuterRef("pk")).order_by("-pk").values("at")[:1]
    # A job in the middle of its work has waited since it was released, which is when it was woken.
    since = Case(
        When(status=Status.QUEUED, then=Subquery(last_move)), default=Coalesce(F("resumes_at"), F("woken_at"))
    )
    stop = standstill.current()
    waiting = (
        (Job.objects.none() if stop else Job.objects.claimable())
        .exclude(woken_at__gt=now + clock_skew.ON_PURPOSE)
        .order_by()
        .annotate(since=Coalesce(since, F("created_at")))
        .aggregate(number=Count("pk"), oldest=Min("since"))
    )
    oldest = waiting["oldest"]
    state = State.ALIVE if living else State.NONE
    is_late = oldest and now - oldest > STUCK_AFTER and clock.steady_for() > STUCK_AFTER.total_seconds()
    if living and is_late and not _is_any_in_hand():
        state = State.STUCK
    return Health(
        worker_state=state,
        workers=len(living),
        newest_beat_seconds=_age(newest, now),
        jobs_waiting=waiting["number"],
        oldest_waiting_seconds=_age(oldest, now),
        clock_offset_seconds=_worst([clock.host_is_ahead(), *(beat.clock_ahead for beat in beats)]),
        standstill=stop.cause.value if stop else "",
        degraded=dict(Counter(fault.duty for fault in known)),
    )


def _is_any_in_hand() -> bool:
    """Whether a worker holds a job and has beaten lately."""
    lately = clock.now() - heartbeats.BEAT_STALE_AFTER
    return Job.objects.active().exclude(lease_token="").filter(beat_at__gte=lately).exists()


def _worst(offsets: list[float]) -> int:
    worst: float = max(offsets, key=math.fabs)
    return round(worst)


def _age(at: datetime | None, now: datetime) -> int | None:
    return None if at is None else max(round((now - at).total_seconds()), 0)
