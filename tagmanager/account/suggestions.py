"""What a form offers while a person types: tags, and how many tickets a choice would find.

Zendesk is asked seldom: it allows five counts of a view a minute, and one person's answer serves the next.
"""

from __future__ import annotations

from hashlib import blake2s

from django.core.cache import cache

from tagmanager.account import connection
from tagmanager.account.status import ask, kept
from zendesk import ViewCount, normalise

#: Seconds. Zendesk's own list of tags is up to a day behind.
TAGS_KEPT = 300
MOST_TAGS = 12


def tags_like(prefix: str) -> list[str]:
    """Tags of Zendesk's that begin so, a dozen at most; raises `NotConnected` or `ZendeskError`."""
    wanted = normalise(prefix)
    found = kept(_key("tags", wanted), lambda: ask(lambda z: z.tags_starting_with(wanted)), seconds=TAGS_KEPT)
    return found[:MOST_TAGS]


def view_count(view_id: int) -> ViewCount:
    """About how many tickets a view holds; raises `NotConnected` or `ZendeskError`."""
    key = _key("view-count", str(view_id))
    found = kept(key, lambda: ask(lambda z: z.view_count(view_id)))
    if found.value is None:  # still being counted, which will soon be over
        cache.delete(key)
    return found


def search_count(query: str) -> int:
    """How many tickets a search finds; raises `NotConnected` or `ZendeskError`."""
    return kept(_key("search-count", query), lambda: ask(lambda z: z.search_count(query)))


def _key(kind: str, text: str) -> str:
    """People's words are no names of files, so the cache sees a digest of them."""
    digest = blake2s(f"{connection.address()} {text}".encode(), digest_size=16).hexdigest()
    return f"{kind}:{digest}"
