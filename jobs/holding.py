"""What people do to all jobs at once: hold and release them, and say of a copied database that it is the one.

As in `jobs.actions`, each raises `NotPossible` where there is nothing to do.
"""

from __future__ import annotations

import logging
import time

from django.db import connection, transaction

from jobs import transitions
from jobs.actions import NotPossible
from jobs.actors import Actor
from jobs.clocks import clock
from jobs.common.formatting import some
from jobs.installation import identity, standstill
from jobs.models import Batch, Installation, Job
from jobs.runtime import wakeups
from jobs.runtime.lease import NOT_HELD
from jobs.states import BatchState, Status, WaitReason

logger = logging.getLogger(__name__)

#: How long a worker that lives has to show it by a beat, seconds: it beats every second.
BEAT_WITHIN = 3.0


def hold(*, by: Actor, why: str = "") -> None:
    """Stop all jobs: what is in flight is settled, nothing new is sent, and no job is claimed otherwise."""
    standstill.current()  # there is a row from here on
    free = Installation.objects.filter(pk=Installation.ONLY, held_at__isnull=True)
    if not free.update(held_at=clock.now(), held_by=by.name[:200], held_why=why.strip()):
        found = Installation.objects.get(pk=Installation.ONLY)
        raise NotPossible(f"All jobs are held already, by {found.held_by}.")
    logger.warning("All jobs are held, by %s", by.name)


def release(*, by: Actor) -> int:
    """End a hold; the number of jobs that go on by it."""
    held = Installation.objects.filter(pk=Installation.ONLY, held_at__isnull=False)
    if not held.update(held_at=None, held_by="", held_why=""):
        raise NotPossible("No hold is on, so there is nothing to release.")
    logger.warning("All jobs are released, by %s", by.name)
    freed = list(Job.objects.claimable())
    for job in freed:
        with transaction.atomic():
            Job.objects.filter(pk=job.pk, waiting_for=WaitReason.HELD).update(resumes_at=clock.now())
            transitions.record(job, job.status, job.status, by=by, why="All jobs were released.")
            wakeups.wake(job)
    return len(freed)


def confirm_database(*, by: Actor) -> int:
    """This copied database is the one that goes on; the number of jobs that were unfinished and now ask.

    They are paused, each with the reason. What they had in flight is believed only of tickets that show it.
    Where only the address is new and a worker is at a job this moment, that job goes on.
    """
    living = _living_jobs()
    with transaction.atomic():
        standstill.current()
        row = Installation.objects.select_for_update().get(pk=Installation.ONLY)
        now = identity.read()
        if not identity.difference(row.identity, now):
            raise NotPossible("This database is no copy, as far as it can tell: there is nothing to confirm.")
        if identity.difference(row.identity, now) != identity.OTHER_ADDRESS:
            living = set()
        row.identity = identity.with_address(row.identity, now)
        row.recorded_at, row.recorded_by = clock.now(), by.name[:200]
        row.save(update_fields=["identity", "recorded_at", "recorded_by"])
        unfinished = Job.objects.active().exclude(pk__in=living)
        paused = [_pause_copied(job, by=by) for job in unfinished.select_for_update().order_by("pk")]
        flying = Batch.objects.filter(state__in=[BatchState.SENDING, BatchState.SENT])
        flying.exclude(job__in=living).update(is_doubted=True)
    logger.warning("This database is the one that goes on, says %s", by.name)
    return sum(paused)


def _pause_copied(job: Job, *, by: Actor) -> bool:
    """Free the job of its worker, which is the original's; one that is being cancelled only settles."""
    Job.objects.filter(pk=job.pk).update(**NOT_HELD)
    if job.status == Status.CANCELLING:
        wakeups.wake(job)
        return False
    left = some(job.remaining, "ticket") if job.frozen_at else "a list that is not complete"
    return transitions.move(job, Status.PAUSED, by=by, why=f"{standstill.WAS_COPIED} ({left} left here.)")


def _living_jobs() -> set[int]:
    """The jobs at which workers show signs of life in this very database."""
    if connection.vendor == "sqlite":
        return set()
    held = Job.objects.active().exclude(lease_token="")
    before = dict(held.values_list("pk", "beat_at"))
    end = time.monotonic() + BEAT_WITHIN
    while time.monotonic() < end:
        moved = {pk for pk, beat in held.values_list("pk", "beat_at") if before.get(pk) != beat}
        if moved == before.keys():
            return moved
        time.sleep(BEAT_WITHIN / 10)
    return {pk for pk, beat in held.values_list("pk", "beat_at") if before.get(pk) != beat}
