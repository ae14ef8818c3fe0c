"""The views and macros that a person may choose from, read from Zendesk and kept for a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from django.core.cache import cache

from tagmanager.account import connection
from zendesk import Zendesk, ZendeskError

#: Seconds: one made just now is missed for so long; its number can be asked for all the same.
KEPT_FOR = 60
#: More than these are not offered; the number of any other can be typed.
MOST_OFFERED = 500
#: A page that only offers choices does not wait long for them, seconds.
CHOICES_MAX_WAIT = 1.0


class Choosable(Protocol):
    """What `zendesk.View` and `zendesk.Macro` have in common."""

    @property
    def id(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def active(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Choices:
    """The active ones by number and title, or why they cannot be offered."""

    choices: list[tuple[int, str]]
    problem: str = ""


def views() -> Choices:
    """What to offer. Never raises: without the list a person types the number."""
    return _offered("views", Zendesk.views)


def macros() -> Choices:
    """As `views`."""
    return _offered("macros", Zendesk.macros)


def _offered(name: str, read: Callable[[Zendesk], Iterable[Choosable]]) -> Choices:
    try:
        key = f"{name}:{connection.address()}"
        kept: list[tuple[int, str]] | None = cache.get(key)
        if kept is None:
            with connection.connect(max_wait=CHOICES_MAX_WAIT) as zendesk:
                kept = [(each.id, each.title) for each in islice(read(zendesk), MOST_OFFERED) if each.active]
            cache.set(key, kept, KEPT_FOR)
    except (connection.NotConnected, ZendeskError) as problem:
        return Choices([], str(problem))
    return Choices(kept)
