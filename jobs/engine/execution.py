"""One time slice of one worker: claim a job, work on it for a while, leave it where another can go on."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction

from jobs import transitions
from jobs.actors import this_worker
from jobs.clocks import clock
from jobs.common import log_context
from jobs.engine.pipeline import STATUS_MAX_AGE, Pipeline
from jobs.engine.readings import distrust_readings, doubt_what_was_sent
from jobs.engine.selection import Selection
from jobs.errors import NeedsPerson, OddAnswer, Refused, RemoteError, TryLater
from jobs.guards import circuit_breaker, evidence, probes
from jobs.guards.canary import canary_summary
from jobs.installation import standstill
from jobs.installation.standstill import Cause
from jobs.models import Job
from jobs.runtime.database_retry import DatabaseRetry, trouble_in
from jobs.runtime.failpoints import Failpoint, failpoint
from jobs.runtime.lease import NOT_HELD, Lease, LeaseLost, held_by_this_process, new_token
from jobs.runtime.time_slice import TimeSlice
from jobs.states import Status, WaitReason
from jobs.work import Work, work_for

logger = logging.getLogger(__name__)

#: The longest the worker sleeps without checking the job's row, seconds: how soon it notices a click.
POLL_INTERVAL = 0.5
#: The longest wait that the worker sits out with the job in hand, seconds; a longer one parks the job.
LONGEST_WAIT_IN_HAND = 10.0
#: How long a job is parked when the other side names no time, seconds; it doubles with each failure in a row,
#: up to the second value.
AWAY_BACK_OFF, AWAY_BACK_OFF_MOST = 15.0, 300.0
#: After how many equal odd answers in a row a person has to look.
MOST_ODD_ANSWERS = 5
#: The error of a job that could not be cancelled because it cannot settle what is in flight.
CANNOT_CANCEL = (
    "The job was to be cancelled, but what is in flight cannot be asked about now: cancel it again to stop "
    "it at once, or when this is mended."
)
#: How much longer than a time slice the worker waits for a database in trouble, seconds: below the time after
#: which the queue takes the task for lost.
DATABASE_RETRY_BEYOND_SLICE = 50.0
#: How long a job is parked that the database could not keep up with, seconds.
DATABASE_PARKED_FOR = 15.0
#: The states that an open circuit breaker or a refused probe ends.
STOPPABLE = frozenset({Status.RUNNING, Status.PAUSING})


def run(
    job_id: int,
    *,
    seconds: float,
    seconds_alone: float = 0.0,
    seconds_of_calls: float = math.inf,
    token: str = "",
    max_items: int | None = None,
    on_step: Callable[[], None] | None = None,
    database_retry: DatabaseRetry | None = None,
) -> None:
    """Work on the job for about `seconds`, or up to `seconds_alone` while no other job waits for a worker.

    Does nothing if somebody else holds the job. A caller that holds it already passes its `token`. A job that
    turns out to have more than `max_items` is left to a background worker. `on_step` is called at every step.
    After `seconds_of_calls` calls to the other side give up. `database_retry` bounds the waits for our own
    database.

    Afterwards the job has ended, is stopped, is parked until a time, or is released with a wake-up for the
    next worker. A bug is logged, marks the job as errored, and is raised.
    """
    with log_context.about(job=job_id):
        _run(
            job_id,
            token,
            TimeSlice(
                time.monotonic() + seconds,
                max_items,
                on_step,
                call_until=time.monotonic() + seconds_of_calls,
                alone_until=time.monotonic() + seconds_alone,
            ),
            database_retry or DatabaseRetry(max(seconds, seconds_alone) + DATABASE_RETRY_BEYOND_SLICE),
        )


def hand_over(job_id: int, token: str) -> None:
    """Leave a job that this process has held since its creation to a background worker."""
    job = Job.objects.filter(pk=job_id, lease_token=token).first()
    if job is not None:
        with suppress(LeaseLost):
            Lease(job, token).release()


def _run(job_id: int, token: str, time_slice: TimeSlice, database_retry: DatabaseRetry) -> None:
    lease = _lease_of(job_id, token, database_retry)
    if lease is None:
        return
    lease.database_retry = database_retry
    try:
        failpoint(Failpoint.CLAIMED)
        _work_through_outages(lease, time_slice)
    except LeaseLost as lost:
        logger.warning("Put down: %s", lost)
    except DatabaseError as problem:
        if trouble := trouble_in(problem):
            logger.exception("The database failed")
            # If not even this can be written, the lease runs out, and another worker claims the job.
            lease.park(reason=WaitReason.DATABASE, seconds=DATABASE_PARKED_FOR, why=trouble.value)
        else:
            _stop_for_bug(lease, problem)
            raise
    except Exception as bug:
        _stop_for_bug(lease, bug)
        raise


def _lease_of(job_id: int, token: str, database_retry: DatabaseRetry) -> Lease | None:
    """The lease of a job that this process already holds by the token, or can claim."""
    if token:
        return database_retry.retry(lambda: _adopt(job_id, token))
    token = new_token()
    # The claim may have been committed although its answer was lost: the same token finds the job then.
    return database_retry.retry(lambda: claim(job_id, token) or _adopt(job_id, token))


def _work_through_outages(lease: Lease, time_slice: TimeSlice) -> None:
    """Work on the job through outages of our database, each time from what is stored."""
    is_recovering = False
    while True:
        try:
            if is_recovering:
                lease.recover()
                _distrust_readings(lease)
            _work(lease, time_slice)
        except DatabaseError as problem:
            lease.database_retry.wait_or_raise(problem)
            is_recovering = True
        else:
            return


def claim(job_id: int, token: str = "") -> Lease | None:
    """Take the job by one conditional UPDATE; None when it cannot be taken."""
    token = token or new_token()
    with transaction.atomic():
        if not _may_be_worked_on(job_id):
            return None
        if not Job.objects.claimable().filter(pk=job_id).update(**held_by_this_process(token)):
            return None
        return _start_or_continue(Lease(Job.objects.get(pk=job_id), token))


def _adopt(job_id: int, token: str) -> Lease | None:
    """Continue with a job that this process has held since its creation."""
    with transaction.atomic():
        if not Job.objects.filter(pk=job_id, lease_token=token).update(**held_by_this_process(token)):
            return None
        if not _may_be_worked_on(job_id):
            Job.objects.filter(pk=job_id).update(**NOT_HELD)
            return None
        return _start_or_continue(Lease(Job.objects.get(pk=job_id), token))


def _may_be_worked_on(job_id: int) -> bool:
    """Nothing is, in a copied database; while all jobs are held, those that have something to settle."""
    stop = standstill.current()
    if stop is None:
        return True
    return stop.cause is Cause.HELD and Job.objects.unsettled().filter(pk=job_id).exists()


def _start_or_continue(lease: Lease) -> Lease:
    """Move a waiting job to its working state; one that is being paused or cancelled keeps its state.

    Unless another worker has just handed it over, the job stood still, and its readings are not trusted.
    """
    job = lease.job
    if job.started_at and (job.status in (Status.QUEUED, Status.WAITING) or job.resumes_at):
        distrust_readings(job)
    doubt_what_was_sent(job)
    if job.status in (Status.QUEUED, Status.WAITING):
        to = Status.RUNNING if job.frozen_at else Status.SELECTING
        why = "Goes on." if job.started_at else "Started."
        started_at = job.started_at or clock.now()
        transitions.move(
            job,
            to,
            by=this_worker(),
            why=why,
            held_with=lease.token,
            was_just_read=True,
            started_at=started_at,
        )
    elif job.resumes_at:
        Job.objects.filter(pk=job.pk).update(resumes_at=None, waiting_for="")
    lease.status = Status(job.status)
    return lease


def _work(lease: Lease, time_slice: TimeSlice) -> None:
    """Work until the time slice ends or the job does; an error that needs a person stops the job."""
    try:
        with closing(work_for(lease.job)) as work:
            work.before_call = lease.fence
            work.call_until = time_slice.call_until
            _work_and_wait(lease, work, time_slice)
    except (NeedsPerson, Refused) as problem:
        was_cancelled = Job.objects.get(pk=lease.job.pk).status == Status.CANCELLING
        _stop(lease, f"{problem} {CANNOT_CANCEL}" if was_cancelled else str(problem))


def _work_and_wait(lease: Lease, work: Work, time_slice: TimeSlice) -> None:
    """Sit out the short waits that the other side asks for; park the job for long ones."""
    while True:
        try:
            _select_and_send(lease, work, time_slice)
        except TryLater as later:
            if isinstance(later, OddAnswer):
                _count_odd_answer(lease.job, later)
            if later.seconds is None or later.seconds > LONGEST_WAIT_IN_HAND:
                _park(lease, later)
                return
            logger.info("Waits %.1f s: %s", later.seconds, later)
            goes_on_at = clock.now() + timedelta(seconds=later.seconds)
            if not _wait(lease, later.seconds, time_slice):
                lease.release(at=goes_on_at, waiting_for=later.reason or "")
                return
            _distrust_readings(lease)
        else:
            return


def _distrust_readings(lease: Lease) -> None:
    with lease.commit():
        distrust_readings(lease.job)


def _select_and_send(lease: Lease, work: Work, time_slice: TimeSlice) -> None:
    lease.check_installation()
    if lease.job.frozen_at is None:
        status = lease.beat(max_age=STATUS_MAX_AGE)
        if status != Status.SELECTING or lease.hold or not Selection(lease, work, time_slice).run():
            _release_unfinished(lease)
            return
        lease.status = Status(lease.job.status)  # read when the list was frozen
    _send_all(lease, work, time_slice)


def _wait(lease: Lease, seconds: float, time_slice: TimeSlice) -> bool:
    """Wait without missing a click; False when the time slice ends first."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if time_slice.is_over:
            return False
        is_stopped = lease.beat() in (Status.CANCELLING, Status.PAUSING) or lease.hold
        if is_stopped and lease.job.frozen_at is None:
            return True  # nothing is in flight: the job can stop at once
        time_slice.notify()
        time.sleep(min(POLL_INTERVAL, left))
    return True


def _send_all(lease: Lease, work: Work, time_slice: TimeSlice) -> None:
    pipeline = Pipeline(lease, work)
    try:
        ended = _send(pipeline, time_slice)
    except LeaseLost:
        raise  # nothing may be written any more
    except Exception:
        with suppress(RemoteError):
            pipeline.finish_calls()
        raise
    if not ended:
        pipeline.finish_calls()
        lease.release()


def _send(pipeline: Pipeline, time_slice: TimeSlice) -> bool:
    """Send and settle until the job has ended or stopped (True) or the time slice is over (False)."""
    while True:
        busy = pipeline.step()
        time_slice.notify()
        if pipeline.is_clear and _end_if_due(pipeline):
            return True
        if time_slice.is_over or not time_slice.allows(pipeline.job.found):
            return False
        if not busy:
            pipeline.wait(min(POLL_INTERVAL, time_slice.left))


def _end_if_due(pipeline: Pipeline) -> bool:
    """With nothing in flight, end the job if nothing is left, or stop it if there is a reason to."""
    lease, job, by = pipeline.lease, pipeline.job, this_worker()
    # A warning stops even a job that has nothing left to send: a person has to know of it.
    is_warned = bool(pipeline.evidence.ignored) and lease.status in STOPPABLE
    if job.frozen_at and not is_warned and pipeline.is_done:
        job.refresh_from_db()
        if job.remaining:
            raise AssertionError(f"job {job.pk}: nothing is left to send, and {job.remaining} items are open")
        to = Status.PARTIAL if job.failed or job.unverified else Status.SUCCEEDED
        failpoint(Failpoint.ENDING)
        return transitions.move(job, to, by=by, held_with=lease.token, was_just_read=True)
    if lease.status == Status.CANCELLING:
        return transitions.move(job, Status.CANCELLED, by=by, held_with=lease.token)
    if why := _why_stopped(job, pipeline):
        # A cancellation that arrived just now wins: an errored job would wait for a person again.
        return _stop(lease, why, only_from=STOPPABLE)
    if lease.status == Status.PAUSING:
        return transitions.move(job, Status.PAUSED, by=by, held_with=lease.token)
    return _rest_if_due(pipeline)


def _rest_if_due(pipeline: Pipeline) -> bool:
    """Put the job down while all jobs are held, or after its first items."""
    lease, job = pipeline.lease, pipeline.job
    if lease.hold:
        _park_held(lease)
        return True
    if not pipeline.is_held:
        return False
    job.refresh_from_db()
    why, now = canary_summary(job), clock.now()
    return transitions.move(
        job, Status.PAUSED, by=this_worker(), why=why, held_with=lease.token, tried_at=now
    )


def _why_stopped(job: Job, pipeline: Pipeline) -> str:
    """Why a person has to look before more is sent, for people; "" for no reason."""
    if pipeline.evidence.is_in_doubt:
        return evidence.stop_reason(pipeline.evidence)
    if pipeline.why_unheard:
        return pipeline.why_unheard
    if pipeline.stopped_by:
        return circuit_breaker.stop_reason(job, pipeline.stopped_by)
    if withheld := pipeline.withheld:
        job.refresh_from_db()
        return probes.stop_reason(withheld, job.remaining)
    return ""


def _release_unfinished(lease: Lease) -> None:
    """Put down a job with an incomplete list, for another worker or as paused or cancelled."""
    status = lease.beat()
    ends = {Status.CANCELLING: Status.CANCELLED, Status.PAUSING: Status.PAUSED}
    if status in ends:
        transitions.move(lease.job, ends[status], by=this_worker(), held_with=lease.token)
    elif lease.hold:
        _park_held(lease)
    else:
        lease.release()


def _park_held(lease: Lease) -> None:
    """Put the job down until all jobs are released. It is due at once: the hold itself keeps it."""
    assert lease.hold is not None
    lease.park(reason=WaitReason.HELD, seconds=0.0, why=lease.hold.sentence)


def _park(lease: Lease, later: TryLater) -> None:
    """Park the job for the time asked for, or for one that grows while nothing settles."""
    seconds = later.seconds
    if seconds is None:
        seconds = min(AWAY_BACK_OFF * 2 ** _times_parked_in_a_row(lease.job), AWAY_BACK_OFF_MOST)
    logger.warning("Waits %.0f s: %s", seconds, later)
    lease.park(reason=later.reason, seconds=seconds, why=str(later))


def _times_parked_in_a_row(job: Job) -> int:
    """How often the job was parked since a batch last settled; at most 10."""
    parked = job.transitions.filter(to_status=Status.WAITING)
    if last := _last_settled(job):
        parked = parked.filter(at__gt=last)
    return min(parked.count(), 10)


def _last_settled(job: Job) -> datetime | None:
    settled = job.batches.filter(settled_at__isnull=False).order_by("-settled_at")
    return settled.values_list("settled_at", flat=True).first()


def _count_odd_answer(job: Job, odd: OddAnswer) -> None:
    """Write the answer into the history; raises `NeedsPerson` when it was the last of several equal ones.

    The count is the history's, because each of them may come to another worker. It begins again with another
    answer, with progress, and when a person resumes the job.
    """
    latest = job.transitions.order_by("-id")
    since = max(filter(None, [_last_settled(job), job.cursor_at]), default=None)
    if since:
        latest = latest.filter(at__gt=since)
    equal = 0
    lines = latest.values_list("from_status", "to_status", "why")
    for origin, to, why in lines[: 4 * MOST_ODD_ANSWERS]:
        if why == str(odd):
            equal += 1
        elif to in (Status.WAITING, Status.QUEUED, origin):
            break
    if equal + 1 >= MOST_ODD_ANSWERS:
        raise NeedsPerson(
            f"{odd} This was the answer {MOST_ODD_ANSWERS} times in a row, so waiting does not help. Nothing "
            "is lost: resume tries again. If it stays, report it to the makers of Tag Manager with this text."
        ) from odd
    if job.status not in (Status.SELECTING, Status.RUNNING):
        transitions.record(job, job.status, job.status, by=this_worker(), why=str(odd))


def _stop_for_bug(lease: Lease, bug: Exception) -> None:
    logger.error("Stopped by a fault of the program", exc_info=bug)
    _stop(
        lease,
        f"Stopped by a fault of the program ({type(bug).__name__}); the worker's log has the details. "
        "Nothing is lost: resume goes on from the last settled batch.",
    )


def _stop(lease: Lease, sentence: str, *, only_from: frozenset[Status] | None = None) -> bool:
    return transitions.move(
        lease.job,
        Status.ERRORED,
        by=this_worker(),
        why=sentence,
        only_from=only_from,
        held_with=lease.token,
        error=sentence,
    )
