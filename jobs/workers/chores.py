"""What is done once a day for the whole installation, by whichever worker looks first (JOBS_DAILY_CHORES).

Each is a function of the project that works for at most about a second and says whether anything is left. One
that fails is logged, and keeps no other from its turn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Q
from django.utils.module_loading import import_string

from jobs.clocks import clock
from jobs.models import Chore

logger = logging.getLogger(__name__)

#: How often a process looks whether something is due, seconds.
LOOK_EVERY = 60.0
EVERY = timedelta(days=1)
#: When a chore that failed is tried again.
AGAIN_AFTER = timedelta(hours=1)
#: A date further ahead than this was written by a clock that was wrong.
AHEAD = timedelta(minutes=5)


def look_after() -> None:
    """Do what is due and nobody else has taken."""
    for name in settings.JOBS_DAILY_CHORES:
        try:
            if _claim(name, clock.now()):
                _perform(name)
        except Exception:  # whatever it is, the others have a turn
            logger.exception("A daily chore failed, and is tried again in an hour: %s", name)
            with suppress(DatabaseError):  # else tomorrow
                _due_in(AGAIN_AFTER, name)


def _claim(name: str, now: datetime) -> bool:
    """Whether this process is the one to do it: several look at the same moment."""
    Chore.objects.get_or_create(name=name)
    due = Q(done_at=None) | Q(done_at__lte=now - EVERY) | Q(done_at__gt=now + AHEAD)
    return bool(Chore.objects.filter(due, name=name).update(done_at=now))


def _perform(name: str) -> None:
    do: Callable[[], bool] = import_string(name)
    if do():
        _due_in(timedelta(), name)


def _due_in(wait: timedelta, name: str) -> None:
    Chore.objects.filter(name=name).update(done_at=clock.now() - EVERY + wait)
