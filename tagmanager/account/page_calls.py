"""The pages' share of the account's calls per minute, apart from that of the jobs.

Both together stay within ZENDESK_RATE_SHARE. Jobs leave alone what pages have not used of their share in this
minute, and pages use no more than that, so neither takes the calls of the other.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.db.models import F

from tagmanager.account import connection
from tagmanager.account.turns import short_lock_wait
from tagmanager.models import PageCalls
from zendesk import RateLimit, RateLimited

logger = logging.getLogger(__name__)

#: The pages' part of our calls per minute; at least so many calls, yet no more than half of ours.
PART, LEAST = 0.1, 20
#: Calls a minute on Zendesk's smallest plan with an API (developer.zendesk.com, rate limits).
MIN_CALLS_PER_MINUTE = 200
#: Seconds to remember what an account allows.
LIMIT_REMEMBERED = 24 * 3600
#: Seconds to cache how many calls the pages have used: a job asks that with nearly every answer.
USED_CACHE_SECONDS = 1.0


def share_of(limit: int) -> int:
    """The pages' calls per minute in an account with this limit."""
    ours = limit * settings.ZENDESK_RATE_SHARE
    return int(min(max(ours * PART, LEAST), ours / 2))


def known_limit() -> int | None:
    """The calls per minute of the account, as of the last answer to a page."""
    found: int | None = cache.get(_limit_key())
    return found


def remember_limit(rate: RateLimit | None) -> None:
    if rate is not None:
        cache.set(_limit_key(), rate.limit, LIMIT_REMEMBERED)


def _limit_key() -> str:
    return f"calls-per-minute:{connection.address()}"


class Calls:
    """Calls that a question may make. May be used by several threads at once."""

    def __init__(self, number: int) -> None:
        self.left = number
        self._lock = threading.Lock()

    def take(self) -> None:
        """Count a call that is about to be made. Raises `RateLimited` if it may not be."""
        with self._lock:
            if not self.left:
                raise RateLimited(f"This takes more calls than pages may make in a minute. {_when()}")
            self.left -= 1


class UsedUp(RateLimited):
    """Nothing was asked: the pages' calls of this minute are used up."""


@contextmanager
def reserve(most: int) -> Iterator[Calls]:
    """Up to `most` of the calls that the pages have left in this minute; unused ones are given back.

    Raises `UsedUp` if they are less than half of what is asked for.
    """
    minute = int(time.time() // 60)
    calls = Calls(_take(minute, most))
    if not calls.left:
        raise UsedUp(
            "The calls to Zendesk that pages may make in this minute are used up; the jobs have their own. "
            f"{_when()}"
        )
    try:
        yield calls
    finally:
        if calls.left:
            with suppress(DatabaseError), short_lock_wait():  # else they are lost until the minute is over
                PageCalls.objects.filter(minute=minute).update(calls=F("calls") - calls.left)


def _when() -> str:
    return f"The next ones are possible in {60 - time.time() % 60:.0f} seconds."


def _take(minute: int, most: int) -> int:
    share = share_of(known_limit() or MIN_CALLS_PER_MINUTE)
    try:
        with short_lock_wait():
            if not PageCalls.objects.filter(minute=minute).exists():
                PageCalls.objects.bulk_create([PageCalls(minute=minute)], ignore_conflicts=True)
                PageCalls.objects.filter(minute__lt=minute).delete()
            least = (min(most, share) + 1) // 2
            while (free := share - _used_in(minute)) >= max(least, 1):
                taken = min(most, free)
                # Another process may have taken some since.
                still = PageCalls.objects.filter(minute=minute, calls__lte=share - taken)
                if still.update(calls=F("calls") + taken):
                    return taken
    except DatabaseError as problem:
        logger.info("No calls for a page: %s", type(problem).__name__)
    return 0


def _used_in(minute: int) -> int:
    return PageCalls.objects.filter(minute=minute).values_list("calls", flat=True).first() or 0


class KeptForPages:
    """How many of the calls that are left belong to the pages, for `zendesk.Zendesk` in a job."""

    def __init__(self) -> None:
        self._used = 0
        self._read_at = -USED_CACHE_SECONDS

    def __call__(self, rate: RateLimit) -> float:
        share = share_of(rate.limit)
        if rate.remaining > rate.limit * (1 - settings.ZENDESK_RATE_SHARE) + share:
            return 0.0  # far from the end, so that it makes no difference
        if time.monotonic() - self._read_at >= USED_CACHE_SECONDS:
            self._used, self._read_at = _used_in(int(time.time() // 60)), time.monotonic()
        return max(share - self._used, 0)
