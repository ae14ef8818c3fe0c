"""The views that a person may choose from, read from Zendesk and kept for a minute."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from django.core.cache import cache

from tagmanager import connections
from zendesk import ZendeskError

#: Seconds: a view made just now is missed for so long; its number can be asked for all the same.
KEPT_FOR = 60
#: More than these are not offered; the number of any other can be typed.
MOST_VIEWS = 500
#: A page that only offers choices does not wait long for them, seconds.
PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Views:
    """The active views by number and title, or why they cannot be offered."""

    choices: list[tuple[int, str]]
    problem: str = ""


def views() -> Views:
    """What to offer. Never raises: without the list a person types the number."""
    try:
        key = f"views:{connections.address()}"
        kept: list[tuple[int, str]] | None = cache.get(key)
        if kept is None:
            with connections.connect(patience=PATIENCE) as zendesk:
                kept = [(view.id, view.title) for view in islice(zendesk.views(), MOST_VIEWS) if view.active]
            cache.set(key, kept, KEPT_FOR)
    except (connections.NotConnected, ZendeskError) as problem:
        return Views([], str(problem))
    return Views(kept)
