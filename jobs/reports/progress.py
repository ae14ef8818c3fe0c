"""The progress of a job: the figures that the JSON status, the pages and the commands share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jobs.clocks import clock
from jobs.installation import standstill
from jobs.list_cursor import listing_progress
from jobs.models import Job
from jobs.states import BATCH_COUNTS, FINAL, SENT_OUTCOMES, BatchState, Status

#: The speed is an average over this many batches that settled last.
BATCHES_AVERAGED = 20
#: No speed before this many batches have settled, and this many seconds since the first was sent.
WARM_UP_BATCHES, WARM_UP_SECONDS = 2, 1.0
#: No estimate of the time left before this many items and seconds: the first batches say little.
ESTIMATE_ITEMS, ESTIMATE_SECONDS = 200, 10.0
#: The estimate is withdrawn if no batch has settled for this long.
STALLED_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Speed:
    """Recent items per minute, and the seconds that the rest takes at that speed; None when unknown."""

    per_minute: float | None = None
    eta_seconds: int | None = None


def speed_of(job: Job) -> Speed:
    """Measured over the batches that settled last; a stalled job has none, an ended one its average."""
    if job.is_ended:
        return Speed(_average(job))
    settled = [
        (began, ended, sum(counts))
        for sent, read, ended, *counts in job.batches.filter(state=BatchState.SETTLED)
        .order_by("-settled_at")
        .values_list("sent_at", "read_at", "settled_at", *BATCH_COUNTS)[:BATCHES_AVERAGED]
        # A batch that had nothing to send ended when it was read.
        if (began := sent or read) and ended
    ]
    if len(settled) < WARM_UP_BATCHES:
        return Speed()
    first, last = min(began for began, _, _ in settled), max(ended for _, ended, _ in settled)
    seconds = (last - first).total_seconds()
    if seconds < WARM_UP_SECONDS or job.status != Status.RUNNING:
        return Speed()
    done = sum(number for _, _, number in settled)
    per_minute = done * 60 / seconds
    if clock.now() - last > STALLED_AFTER:
        return Speed()
    # Since the start, not over the last batches: those of a fast job never span `ESTIMATE_SECONDS`.
    ran = (last - (job.frozen_at or job.started_at or first)).total_seconds()
    is_warm = max(_sent(job), done) >= ESTIMATE_ITEMS and ran >= ESTIMATE_SECONDS
    eta = round(job.remaining * 60 / per_minute) if per_minute and is_warm else None
    return Speed(round(per_minute, 1), eta)


def last_progress(job: Job) -> datetime:
    """When the job last got anything done: a batch settled, a page of its list was written, or it started."""
    settled = job.batches.filter(settled_at__isnull=False).order_by("-settled_at").first()
    # Parking and resuming is no progress.
    steps = job.transitions.exclude(to_status=Status.WAITING).exclude(from_status=Status.WAITING)
    moved = steps.order_by("-id").values_list("at", flat=True).first()
    moments = [settled.settled_at if settled else None, job.cursor_at, moved]
    return max((moment for moment in moments if moment), default=job.created_at)


def _average(job: Job) -> float | None:
    """Items sent per minute from the complete list to the end, waits included; None when none was sent."""
    start, end = job.frozen_at or job.started_at, job.finished_at
    sent = _sent(job)
    if not (sent and start and end and end > start):
        return None
    return round(sent * 60 / (end - start).total_seconds(), 1)


def _sent(job: Job) -> int:
    return sum(getattr(job, outcome.value) for outcome in SENT_OUTCOMES)


def percent_of(job: Job) -> int | None:
    """Whole percent of the items that have an outcome; None until the list is frozen."""
    if job.total is None:
        return None
    if not job.total:
        return 100
    return (job.total - job.remaining) * 100 // job.total


def status_of(job: Job) -> dict[str, Any]:
    """The status JSON. Its keys stay as they are: scripts rely on them."""
    speed, stop = speed_of(job), _standstill(job)
    asker = job.asker
    return {
        "id": job.pk,
        "tool": job.tool,
        "title": job.title,
        "status": str(job.status),
        "dry_run": job.dry_run,
        "waiting_for": stop or str(job.waiting_for) or None,
        "resumes_at": None if stop else _time(job.resumes_at),
        "total": job.total,
        "found": job.found,
        "gathered": listing_progress(job).gathered,
        **{str(outcome): getattr(job, outcome.value) for outcome in FINAL},
        "remaining": job.remaining,
        "percent": percent_of(job),
        "tickets_per_minute": speed.per_minute,
        "eta_seconds": speed.eta_seconds,
        "api_calls": {
            "read": job.calls_read,
            "write": job.calls_write,
            "status": job.calls_status,
            "verify": job.calls_verify,
        },
        "verified": job.verified,
        "parent": job.parent_id,
        "created_by": asker.name if asker.is_person else None,
        "created_by_deleted": asker.is_deleted,
        "created_at": _time(job.created_at),
        "started_at": _time(job.started_at),
        "finished_at": _time(job.finished_at),
        "error": job.error or None,
    }


def _standstill(job: Job) -> str:
    """ "held" or "copy" for a job that waits for nothing else; "" while a worker has it in hand."""
    stop = standstill.current() if job.is_active and not job.lease_token else None
    return stop.cause.value if stop else ""


def _time(moment: Any) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
