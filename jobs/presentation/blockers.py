"""Why an active job makes no progress, and the remedy, for the job's page and `jobs show` alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Min, Sum

from jobs.clocks import clock
from jobs.common.formatting import duration, some
from jobs.installation import standstill
from jobs.installation.standstill import Cause, Standstill
from jobs.models import Job
from jobs.reports.progress import STALLED_AFTER, last_progress
from jobs.states import ACTIVE, BatchState, Status, WaitReason
from jobs.workers import health

#: A worker beats every few seconds; one that is silent for longer does not work on the job any more.
SILENT_AFTER = timedelta(seconds=30)
#: Durations are rounded to this, so that the page does not change every second; seconds.
ROUNDED_TO = 10


@dataclass(frozen=True, slots=True)
class Blocker:
    """What holds the job up, and what to do about it if anything, in two or three sentences."""

    cause: str
    remedy: str


def is_held(job: Job) -> bool:
    """Whether a worker holds the job and has beaten lately."""
    beat = job.beat_at
    return bool(job.lease_token) and beat is not None and clock.now() - beat < SILENT_AFTER


def find_blocker(job: Job) -> Blocker | None:
    """None while the job makes progress, waits only briefly, or waits for a person, as its status says.

    Cheap at any size: it reads the job's row and batches, never its items.
    """
    if not job.is_active:
        return None
    if is_due(job) and not is_held(job):
        return _worker_blocker(job)
    since = last_progress(job)
    if clock.now() - since <= STALLED_AFTER:
        return None
    if job.waiting_for in WAIT_BLOCKERS:
        return WAIT_BLOCKERS[WaitReason(job.waiting_for)](job, since)
    if job.status == Status.SELECTING:
        return _list_blocker(since)
    return _sending_blocker(job)


def is_due(job: Job) -> bool:
    """Whether the job waits for no later time."""
    return job.resumes_at is None or job.resumes_at <= clock.now()


def _standstill_blocker(stop: Standstill) -> Blocker:
    if stop.cause is Cause.COPY:
        return Blocker(f"This database is a copy, so no job goes on. {stop.why}", standstill.END_COPY)
    why = f" ({stop.why})" if stop.why else ""
    return Blocker(
        f"All jobs are held{stop.when}, by {stop.by}{why}.",
        f"{standstill.END_HOLD} This one can be cancelled meanwhile.",
    )


# Nobody works on it


def _worker_blocker(job: Job) -> Blocker | None:
    if stop := standstill.current():
        return _standstill_blocker(stop)
    found = health.check()
    if found.worker_state == health.State.NONE:
        return _no_worker(job)
    if found.worker_state == health.State.STUCK:
        return Blocker(
            "A worker shows signs of life, but takes no job.",
            "run_worker replaces it by itself within a minute; one that was started in another way has to be "
            "restarted on the server. Nothing is lost.",
        )
    if job.lease_token:
        return Blocker(
            f"Its worker gave its last sign of life {_time_since(job.beat_at)} ago.",
            "Another takes over by itself within a minute, from the last settled batch, and nothing is sent "
            "twice.",
        )
    busy = Job.objects.active().exclude(pk=job.pk).exclude(lease_token="").count()
    waits_since = job.woken_at or job.created_at
    if busy and clock.now() - waits_since > SILENT_AFTER:
        return Blocker(
            f"The workers are busy with {some(busy, 'other job')}.",
            "Its turn comes by itself. To have more jobs worked on at once, start one more worker or raise "
            "Q_WORKERS; pausing another job makes room at once.",
        )
    return None


def _no_worker(job: Job) -> Blocker:
    if not job.lease_token:
        return Blocker(
            "No worker is running, so this job waits.",
            "On the server, start one with make worker, or look why the service that runs it has stopped. "
            "Nothing is lost: the job goes on by itself as soon as one runs.",
        )
    return Blocker(
        f"This job is stuck: no worker is running. The one that had it gave its last sign of life "
        f"{_time_since(job.beat_at)} ago.",
        "On the server, start one with make worker: it takes over from the last settled batch within two "
        "minutes, and nothing is sent twice. Or cancel the job: it stops as soon as a worker has checked "
        "what is with Zendesk.",
    )


# It has been waiting for long


def _service_away(job: Job, since: datetime) -> Blocker:
    asked = job.transitions.filter(to_status=Status.WAITING, at__gt=since).count()
    return Blocker(
        f"Zendesk has given no usable answer for {_time_since(since)}"
        + (f" (tried {asked:,} times)." if asked > 1 else "."),
        "The job tries again by itself, at least every ten minutes, and nothing is lost. If Zendesk's status "
        "page shows no trouble, look at the server's network, its proxy and its certificates.",
    )


def _rate_limit(_: Job, since: datetime) -> Blocker:
    return Blocker(
        f"Zendesk has asked us to slow down for {_time_since(since)}.",
        "The job goes on by itself. The account's calls are shared by all programs that use it: Zendesk's "
        "Admin Center shows who uses them, and ZENDESK_RATE_SHARE sets the part that is ours.",
    )


def _job_slots(_: Job, since: datetime) -> Blocker:
    return Blocker(
        f"Zendesk's queue of bulk jobs has been full for {_time_since(since)}.",
        "An account has 30 places for all its programs, and others fill them. The job goes on by itself as "
        "soon as one is free, and always leaves some to others.",
    )


def _database(_: Job, since: datetime) -> Blocker:
    return Blocker(
        f"The database of Tag Manager has been in trouble for {_time_since(since)}.",
        "Look at the free space of its disk and into its log. The job goes on by itself.",
    )


WAIT_BLOCKERS: dict[str, Callable[[Job, datetime], Blocker]] = {
    WaitReason.SERVICE_AWAY: _service_away,
    WaitReason.RATE_LIMIT: _rate_limit,
    WaitReason.JOB_SLOTS: _job_slots,
    WaitReason.DATABASE: _database,
}


# A worker holds it, and nothing comes back


def _list_blocker(since: datetime) -> Blocker:
    return Blocker(
        f"Zendesk has given no further page of the list for {_time_since(since)}.",
        "The job asks on by itself. Nothing was written to Zendesk yet, so it can be cancelled at no cost.",
    )


def _sending_blocker(job: Job) -> Blocker | None:
    lost = job.batches.filter(state=BatchState.SENDING).aggregate(number=Sum("size"), oldest=Min("sent_at"))
    if lost["number"]:
        return Blocker(
            f"The answer to {some(lost['number'], 'ticket')} was lost {_time_since(lost['oldest'])} ago.",
            "The job looks for them in Zendesk's list of bulk jobs, and reads the tickets back if they are "
            "not found within ten minutes. Nothing is sent again before that is known.",
        )
    sent = job.batches.filter(state=BatchState.SENT).aggregate(number=Sum("size"), newest=Max("sent_at"))
    if sent["number"]:
        return Blocker(
            f"Zendesk has had {some(sent['number'], 'ticket')} in work for {_time_since(sent['newest'])} or "
            "longer, and none is done.",
            "It works on the bulk jobs of the whole account in turn. The job asks on by itself; cancelling "
            "stops what has not been sent.",
        )
    others = Job.objects.exclude(pk=job.pk).filter(
        status__in=ACTIVE, batches__state__in=[BatchState.SENDING, BatchState.SENT]
    )
    number = others.distinct().count()
    if number:
        return Blocker(
            f"{some(number, 'other job has', 'other jobs have')} all the places that our jobs share.",
            "Its turn comes by itself. Pausing another job makes room at once. There are as many places as "
            "the account has free, and ZENDESK_MAX_JOBS at most.",
        )
    return None


def _time_since(since: datetime | None) -> str:
    if since is None:
        return "a while"
    seconds = max((clock.now() - since).total_seconds(), 0)
    return duration(seconds // ROUNDED_TO * ROUNDED_TO if seconds > ROUNDED_TO else seconds)
