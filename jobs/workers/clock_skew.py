"""Correcting times that a clock which was set back has left in the future, and that jobs would wait for.

Which clock: the one that all share (`jobs.clocks`), or a host's where an older release still runs. A clock
that jumps forward needs no correction: what is due too early is tried too early, and has to wait again.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db.models import Q

from jobs.clocks import clock
from jobs.installation import standstill
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
    if there still is a reason for it. Nothing in a copied database, whose jobs are another's.
    """
    # Asked first: to write takes SQLite's only lock.
    if not _is_any_ahead(clock.now()) or standstill.is_copy():
        return
    clock.refresh()  # it may be the database's clock that was set forward, and we that have not noticed
    now = clock.now()
    if not _is_any_ahead(now):
        return
    logger.warning("The clock was set back: resetting beats and waits of jobs to now, and opening gates")
    jobs = Job.objects.active()
    jobs.filter(ahead("beat_at", SKEW, now)).update(beat_at=now)
    jobs.filter(ahead("resumes_at", LONGEST_WAIT, now)).update(resumes_at=now)
    Gate.objects.filter(ahead("not_before", LONGEST_WAIT, now)).update(not_before=now)


def _is_any_ahead(now: datetime) -> bool:
    beats, waits = ahead("beat_at", SKEW, now), ahead("resumes_at", LONGEST_WAIT, now)
    gates = Gate.objects.filter(ahead("not_before", LONGEST_WAIT, now))
    return Job.objects.active().filter(beats | waits).exists() or gates.exists()
