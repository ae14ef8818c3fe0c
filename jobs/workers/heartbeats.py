"""The heartbeats of worker clusters, which are kept in the database.

Django-Q2 keeps its own in a cache, which workers on other hosts may not share.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from jobs.clocks import clock
from jobs.common import process_id
from jobs.models import Beat, WorkerFault
from jobs.workers import faults

#: A cluster whose beat is older than this is not alive. It does not beat while all its workers are busy and
#: messages wait inside it: for a slice (10 s) and the outside call that the slice may end with (30 s).
BEAT_STALE_AFTER = timedelta(seconds=45)


def beat() -> None:
    """Record that the worker cluster of this process is alive."""
    now = clock.now()
    beat = {"at": now, "clock_ahead": clock.host_is_ahead()}
    Beat.objects.update_or_create(owner=process_id.this_process(), defaults=beat)
    Beat.objects.filter(at__lt=now - timedelta(days=1)).delete()


def is_worker_alive() -> bool:
    """Whether some worker cluster is alive, as `living_clusters` has it."""
    return bool(living_clusters(living_beats(), faults.current()))


def living_beats() -> list[Beat]:
    """The beats of the worker clusters that have beaten lately and are not known to be dead."""
    now = clock.now()
    lately = Beat.objects.filter(at__range=(now - BEAT_STALE_AFTER, now + BEAT_STALE_AFTER))
    return [beat for beat in lately if not process_id.is_dead(beat.owner)]


def living_clusters(beats: Iterable[Beat], known: Iterable[WorkerFault]) -> set[str]:
    """The names of the clusters that are alive, by `living_beats` and the `known` current faults.

    One that works and has a fault in its heartbeat is among them.
    """
    return {beat.owner for beat in beats} | faults.with_broken_heartbeat(known)
