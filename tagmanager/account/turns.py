"""One process at a time asks Zendesk the same question: a row says whose turn it is.

The row dies with its holder: it counts until a moment of the database's clock, soon after the holder gives
up.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.models.functions import Now

from tagmanager.models import Turn

logger = logging.getLogger(__name__)

#: Seconds that a turn outlives the end of its question: a holder stores the answer in that time.
GRACE = 2.0
#: Milliseconds that a page waits for SQLite's one write lock; jobs write all the time, and a page can do
#: without a turn.
LOCK_WAIT_MS = 300


@contextmanager
def turn(key: str, seconds: float) -> Iterator[bool]:
    """Hold the turn for a question that takes so many seconds at most; False if somebody else holds it.

    Also False where the database cannot be written now.
    """
    token = secrets.token_hex(16)
    is_ours = _take(key, token, seconds)
    try:
        yield is_ours
    finally:
        if is_ours:
            with suppress(DatabaseError), short_lock_wait():  # else it is over by itself
                Turn.objects.filter(key=key, token=token).delete()


def _take(key: str, token: str, seconds: float) -> bool:
    until = Now() + timedelta(seconds=seconds + GRACE)
    try:
        with short_lock_wait():
            Turn.objects.filter(until__lt=Now()).delete()
            Turn.objects.bulk_create([Turn(key=key, token=token, until=until)], ignore_conflicts=True)
            return Turn.objects.filter(key=key, token=token).exists()
    except DatabaseError as problem:
        logger.info("No turn to ask Zendesk: %s", type(problem).__name__)
        return False


@contextmanager
def short_lock_wait() -> Iterator[None]:
    """Within it, a statement waits only briefly for SQLite's write lock; rows of others are hardly locked."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        usual = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")
