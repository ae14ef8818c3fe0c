"""Takes over jobs whose worker is dead, and wakes jobs whose wake-up was lost.

Stateless and without a lock of its own: any number of processes may run it at any time. Each cluster does
every two seconds (`watch`); so do `manage.py reap_jobs` and commands that wait for a job.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q

from jobs import transitions
from jobs.actors import this_worker
from jobs.clocks import clock
from jobs.common import log_context, process_id
from jobs.installation import standstill
from jobs.installation.standstill import Cause
from jobs.models import Job
from jobs.runtime import wakeups
from jobs.runtime.lease import NOT_HELD, STALE_AFTER
from jobs.states import ACTIVE, Status, WaitReason
from jobs.workers import clock_skew

logger = logging.getLogger(__name__)

#: A job stops by itself after this many lost workers without a settled batch between them.
MAX_CRASHES = 3
#: A job that nobody holds is woken again when its last wake-up is older than this.
WAKE_AGAIN_AFTER = timedelta(seconds=5)


def reap() -> int:
    """Take over jobs of dead workers and wake forgotten jobs; returns how many workers were lost.

    In a copied database, whose jobs are another's, this and each of its parts do nothing.
    """
    clock_skew.correct()
    lost = take_over_lost()
    wake_forgotten()
    return lost


def take_over_lost() -> int:
    """Take over the jobs of dead workers; returns how many.

    One that cannot be taken over keeps no other from it: its error is raised at the end.
    """
    if standstill.is_copy():
        return 0
    lost, problems = 0, []
    for job in _possibly_dead():
        try:
            lost += _take_over(job)
        except Exception as problem:  # noqa: BLE001 - whatever is wrong with this one, the others have a turn
            problems.append(problem)
    if problems:
        raise problems[0]
    return lost


def _possibly_dead() -> list[Job]:
    held = list(Job.objects.filter(status__in=ACTIVE).exclude(lease_token=""))
    if any(map(_is_silent, held)):
        clock.refresh()  # the database's clock may have been set since we last looked
    return [job for job in held if _is_silent(job) or process_id.is_dead(job.lease_owner)]


def _is_silent(job: Job) -> bool:
    """Whether its holder has not beaten for too long.

    After a clock was set, or the machine slept, holders first get the time to beat by the new time.
    """
    if job.beat_at is None:
        return True
    longest = STALE_AFTER.total_seconds()
    return job.beat_at < clock.now() - STALE_AFTER and clock.steady_for() > longest


def _take_over(job: Job) -> bool:
    """Clear the lease if it is still the one that was read, with the beat that was read."""
    worker = process_id.short(job.lease_owner)
    why = f"The worker {worker} was lost; another takes over from the last settled batch."
    with transaction.atomic():
        taken = Job.objects.filter(
            pk=job.pk, lease_token=job.lease_token, beat_at=job.beat_at, status=job.status
        ).update(**NOT_HELD, crash_count=job.crash_count + 1, workers_lost=F("workers_lost") + 1)
        if not taken:
            return False
        job.refresh_from_db()
        with log_context.about(job=job.pk):
            logger.warning("Worker lost (%s in a row)", job.crash_count)
        if job.crash_count >= MAX_CRASHES and transitions.move(
            job,
            Status.ERRORED,
            by=this_worker(),
            why=f"{job.crash_count} workers were lost in a row without progress.",
            error=(
                f"Stopped: {job.crash_count} workers died on this job one after the other without getting a "
                "batch done. Look into the worker's log (often it is memory), then resume: nothing is lost."
            ),
        ):
            return True
        moved = transitions.move(
            job,
            Status.WAITING,
            by=this_worker(),
            why=why,
            waiting_for=WaitReason.WORKER_LOST,
            resumes_at=clock.now(),
        )
        if not moved:  # pausing and cancelling stay what they are: the next worker settles and ends them
            transitions.record(job, job.status, job.status, by=this_worker(), why=why)
        wakeups.wake(job)
    return True


def wake_forgotten() -> None:
    """Wake jobs that are due and that no message in the queue will wake; of held ones those with a task left.

    While messages are due that nobody has taken, the workers are busy, and the job's own may be among them.
    """
    stop = standstill.current()
    if stop and stop.cause is Cause.COPY:
        return
    now = clock.now()
    forgotten = Job.objects.claimable().filter(
        Q(woken_at__isnull=True)
        | Q(woken_at__lt=now - WAKE_AGAIN_AFTER)
        | clock_skew.ahead("woken_at", WAKE_AGAIN_AFTER, now)
    )
    if stop:
        forgotten = forgotten.unsettled()
    for job in forgotten[:100]:
        if not wakeups.is_queue_idle():
            return
        with log_context.about(job=job.pk):
            logger.info("Woken again, because its wake-up was lost")
        wakeups.wake(job)
