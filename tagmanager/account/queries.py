"""Calls to Zendesk for parts of pages, with their answers cached."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache

from tagmanager.account import connection
from zendesk import Zendesk

T = TypeVar("T")


#: Seconds to cache an answer, including an error.
CACHE_SECONDS = 60


#: Seconds that a part of a page may wait for Zendesk.
FRAGMENT_MAX_WAIT = 3.0


def cached(key: str, read: Callable[[], T], *, seconds: int = CACHE_SECONDS) -> T:
    """The result of `read`, cached for all people; exceptions are not cached."""
    found: T | None = cache.get(key)
    if found is None:
        found = read()
        cache.set(key, found, seconds)
    return found


def query(read: Callable[[Zendesk], T]) -> T:
    """Call Zendesk for a part of a page. Raises `NotConnected` or `ZendeskError`."""
    with connection.connect(max_wait=FRAGMENT_MAX_WAIT) as zendesk:
        return read(zendesk)
