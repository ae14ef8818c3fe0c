"""Times that a clock which was set back has left in the future: without help they would be waited for.

A clock that jumps forward needs none: what is due too early is asked for too early, and told to wait again.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from jobs.models import Gate, Job

logger = logging.getLogger(__name__)

#: Nobody sets a wait longer than this; what the other side asks for is cut to ten minutes.
LONGEST_WAIT = timedelta(minutes=15)
#: A beat further ahead than this is no matter of two hosts' clocks.
SKEW = timedelta(seconds=90)
#: What is further ahead was put there on purpose, as by the gallery.
ON_PURPOSE = timedelta(days=366)


def ahead(field: str, by: timedelta, now: datetime) -> Q:
    """Rows whose time lies ahead by more than it can, but for those that were put there on purpose."""
    return Q(**{f"{field}__gt": now + by, f"{field}__lt": now + ON_PURPOSE})


def correct() -> None:
    """Bring such times back to now.

    A beat of now is taken for stale soon, unless its worker lives and beats on. A wait that ends now is begun
    anew by whoever has a reason for it.
    """
    now = timezone.now()
    jobs, gates = Job.objects.active(), Gate.objects.filter(ahead("not_before", LONGEST_WAIT, now))
    beats, waits = ahead("beat_at", SKEW, now), ahead("resumes_at", LONGEST_WAIT, now)
    if jobs.filter(beats | waits).exists():  # asked first: to write takes SQLite's only lock
        logger.warning("The clock was set back: beats and waits of jobs are brought to now")
        jobs.filter(beats).update(beat_at=now)
        jobs.filter(waits).update(resumes_at=now)
    if gates.exists():
        logger.warning("The clock was set back: a gate is opened")
        gates.update(not_before=now)
