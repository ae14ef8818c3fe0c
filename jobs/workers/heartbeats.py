"""The heartbeats of worker clusters, which are kept in the database.

Django-Q2 keeps its own in a cache, which workers on other hosts may not share.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from jobs import process_id
from jobs.models import Beat, WorkerFault
from jobs.workers import faults

#: A cluster whose beat is older than this is not alive. It does not beat while all its workers are busy and
#: messages wait inside it: for a slice (10 s) and the outside call that the slice may end with (30 s).
BEAT_STALE_AFTER = timedelta(seconds=45)


def beat() -> None:
    """Record that the worker cluster of this process is alive."""
    now = timezone.now()
    Beat.objects.update_or_create(owner=process_id.this_process(), defaults={"at": now})
    Beat.objects.filter(at__lt=now - timedelta(days=1)).delete()


def is_worker_alive() -> bool:
    """Whether some worker cluster has beaten lately and is not known to be dead."""
    return bool(living_clusters())


def living_clusters(known: Iterable[WorkerFault] | None = None) -> set[str]:
    """The names of the worker clusters that have beaten lately and are not known to be dead.

    One that is alive and has a fault in its heartbeat is among them; `known` are the current faults.
    """
    now = timezone.now()
    lately = Beat.objects.filter(at__range=(now - BEAT_STALE_AFTER, now + BEAT_STALE_AFTER))
    beating = {beat.owner for beat in lately if not process_id.is_dead(beat.owner)}
    return beating | faults.with_broken_heartbeat(faults.current() if known is None else known)
