"""Correcting times that a clock which was set back has left in the future, and that jobs would wait for.

A clock that jumps forward needs no correction: what is due too early is tried too early, and has to wait
again.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from jobs.models import Gate, Job

logger = logging.getLogger(__name__)

#: No wait is longer than this; what the other side asks for is capped at ten minutes.
LONGEST_WAIT = timedelta(minutes=15)
#: A beat further ahead than this is more than a difference between the clocks of two hosts.
SKEW = timedelta(seconds=90)
#: A time further ahead was set on purpose, as in the demo gallery.
ON_PURPOSE = timedelta(days=366)


def ahead(field: str, by: timedelta, now: datetime) -> Q:
    """Rows whose time is impossibly far ahead, except those that were set on purpose."""
    return Q(**{f"{field}__gt": now + by, f"{field}__lt": now + ON_PURPOSE})


def correct() -> None:
    """Reset such times to now.

    A beat of now goes stale soon, unless its worker is alive and beats on. A wait that ends now begins anew
    if there still is a reason for it.
    """
    now = timezone.now()
    jobs, gates = Job.objects.active(), Gate.objects.filter(ahead("not_before", LONGEST_WAIT, now))
    beats, waits = ahead("beat_at", SKEW, now), ahead("resumes_at", LONGEST_WAIT, now)
    if jobs.filter(beats | waits).exists():  # asked first: to write takes SQLite's only lock
        logger.warning("The clock was set back: resetting beats and waits of jobs to now")
        jobs.filter(beats).update(beat_at=now)
        jobs.filter(waits).update(resumes_at=now)
    if gates.exists():
        logger.warning("The clock was set back: opening a gate")
        gates.update(not_before=now)
