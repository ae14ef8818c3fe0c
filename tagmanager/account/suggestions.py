"""Suggestions while a person fills in a form: tags, and the number of tickets a choice finds.

Answers are cached for all people, since Zendesk allows only five counts of a view a minute.
"""

from __future__ import annotations

from hashlib import blake2s

from django.core.cache import cache

from tagmanager.account import connection
from tagmanager.account.queries import cached, query
from zendesk import ViewCount, normalise

#: Seconds. Zendesk's own list of tags is up to a day behind.
TAGS_CACHE_SECONDS = 300
MAX_SUGGESTIONS = 12


def tags_like(prefix: str) -> list[str]:
    """Up to a dozen tags that start with the prefix. Raises `NotConnected` or `ZendeskError`."""
    wanted = normalise(prefix)
    found = cached(
        _key("tags", wanted),
        lambda: query(lambda z: z.tags_starting_with(wanted)),
        seconds=TAGS_CACHE_SECONDS,
    )
    return found[:MAX_SUGGESTIONS]


def view_count(view_id: int) -> ViewCount:
    """The approximate number of tickets in a view. Raises `NotConnected` or `ZendeskError`."""
    key = _key("view-count", str(view_id))
    found = cached(key, lambda: query(lambda z: z.view_count(view_id)))
    if found.value is None:  # Zendesk is still counting, so the next answer differs
        cache.delete(key)
    return found


def search_count(text: str) -> int:
    """The number of tickets that a search finds. Raises `NotConnected` or `ZendeskError`."""
    return cached(_key("search-count", text), lambda: query(lambda z: z.search_count(text)))


def _key(kind: str, text: str) -> str:
    """A digest: what people type must not become part of a file name in the cache."""
    digest = blake2s(f"{connection.address()} {text}".encode(), digest_size=16).hexdigest()
    return f"{kind}:{digest}"
