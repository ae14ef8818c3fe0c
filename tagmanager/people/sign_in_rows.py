"""Sessions, lock-outs and the log of sign-ins, removed when they are of no use any more.

Nothing else removes them: a session that nobody ends, and each wrong password, would stay for ever.
"""

from __future__ import annotations

import logging
import math
import time
from datetime import timedelta

from axes.helpers import get_cool_off
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from jobs.common.formatting import some

logger = logging.getLogger(__name__)

#: Rows deleted in one statement, and how long a chore goes on, seconds.
AT_ONCE, PATIENCE = 2_000, 1.0


def remove_old_ones() -> bool:
    """Remove what is too old for about `PATIENCE`; whether some is left."""
    removed, is_left = _remove(time.monotonic() + PATIENCE)
    logger.info(
        "Removed because of their age: %s", ", ".join(some(count, kind) for kind, count in removed.items())
    )
    return is_left


def remove_all_old_ones() -> dict[str, int]:
    """Remove all that is too old, however long it takes; the number of rows by what one of them is."""
    return _remove(math.inf)[0]


def _remove(deadline: float) -> tuple[dict[str, int], bool]:
    removed, is_left = {}, False
    for kind, rows in _old().items():
        removed[kind] = 0
        while numbers := list(rows.values_list("pk", flat=True)[:AT_ONCE]):
            if time.monotonic() > deadline:
                is_left = True
                break
            # Too old still: a session may have been renewed meanwhile, a lock-out begun anew.
            removed[kind] += rows.filter(pk__in=numbers).delete()[0]
    return removed, is_left


def _old() -> dict[str, QuerySet[Session]]:
    """The rows that are too old, by what one of them is."""
    now = timezone.now()
    logged = now - timedelta(days=settings.SIGN_IN_LOG_DAYS)
    # A lock-out that has just ended may still be asked about.
    locked = now - (get_cool_off() or timedelta(days=settings.SIGN_IN_LOG_DAYS)) - timedelta(days=1)
    return {
        "session": Session.objects.filter(expire_date__lt=now),
        "lock-out": AccessAttempt.objects.filter(attempt_time__lt=locked),
        "sign-in": AccessLog.objects.filter(attempt_time__lt=logged),
        "failed sign-in": AccessFailureLog.objects.filter(attempt_time__lt=logged),
    }
